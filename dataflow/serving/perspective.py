"""Toxicity scores from Google's Perspective API."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp

from dataflow.core import background
from dataflow.core.errors import CallError
from dataflow.core.protocols import ChatBackend, Reply, Request
from dataflow.serving.backends.openai import Connection, Endpoint
from dataflow.serving.base import Serving
from dataflow.serving.engine import Policy
from dataflow.serving.prices import host_of, is_local

URL = "https://commentanalyzer.googleapis.com/v1alpha1/comments:analyze"
KEY = "GOOGLE_API_KEY"
MAX_BYTES = 20_480
"""What the API reads of a text, in UTF-8."""


class PerspectiveAPIServing(Serving):
    """How likely readers find a text toxic, 0 to 1, by Google's Perspective API; one call a text, free of charge.

    A text that cannot be scored (empty, in a language it does not know, or after a fault that stayed) has null, with
    its error in `errors`. Google has announced the end of this API; any endpoint of its protocol will do. Not exercised
    in this project's tests against Google itself, but against a local endpoint of the same protocol.

    Args:
        max_workers: calls in flight at most; the usual quota is one call a second, which the API keeps by refusals
            that are waited out.
        attribute: what is scored: `TOXICITY`, `SEVERE_TOXICITY`, `INSULT` and the others of the API.
        languages: ISO 639-1 codes of the texts' language; guessed by the API where left out.
        max_retries: further tries after a fault outside the request.
        api_url: another address of the same protocol.
        key_name_of_api_key: the environment variable that holds the key.

    Raises:
        ServingError: at the first call, without a key, or with one that is refused.
    """

    def __init__(
        self,
        max_workers: int = 10,
        *,
        attribute: str = "TOXICITY",
        languages: Sequence[str] = (),
        max_retries: int = 5,
        api_url: str = URL,
        key_name_of_api_key: str = KEY,
    ) -> None:
        self.attribute, self.languages = attribute, tuple(languages)
        self.api_url, self.key_name = api_url, key_name_of_api_key
        super().__init__("perspective", Policy(max_workers, max_retries))

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {"serving": "perspective", "attribute": self.attribute, "languages": self.languages}

    def check(self) -> str | None:
        if not host_of(self.api_url):
            return f"api_url={self.api_url!r} is no http address"
        if not self._key() and not is_local(self.api_url):
            return f"the environment variable {self.key_name} holds no key; set it, or name another with key_name_of_api_key"
        return None

    def make_chat(self) -> ChatBackend:
        self.require()
        endpoint = Endpoint(self.api_url, self.attribute, self._key(), self.policy.workers)
        return PerspectiveBackend(endpoint, self.languages)

    def _key(self) -> str:
        return os.environ.get(self.key_name, "").strip()

    async def ascore(self, texts: Sequence[str | None]) -> list[float | None]:
        """One score a text, null where there is none."""
        replies = await background.arun(self._all([Request.of(text or "") for text in texts]))
        return [None if reply is None else float(reply) for reply in replies]

    def score(self, texts: Sequence[str | None]) -> list[float | None]:
        """One score a text, null where there is none."""
        return background.run(self.ascore(texts))

    def generate_from_input(  # type: ignore[override]  # scores, as in open-dataflow 1.x
        self, user_inputs: list[str], system_prompt: str = "", json_schema: dict[str, Any] | None = None
    ) -> list[float | None]:
        """One score a text; the other arguments say nothing to this API."""
        return self.score(user_inputs)


class PerspectiveBackend:
    """Answers the score of a prompt's text, as text (`ChatBackend`)."""

    def __init__(self, endpoint: Endpoint, languages: Sequence[str]) -> None:
        self.connection = _Keyed(endpoint)
        asked: dict[str, Any] = {"requestedAttributes": {endpoint.model: {}}, "doNotStore": True}
        self._fixed = asked | ({"languages": list(languages)} if languages else {})
        self.identity = {
            "family": "perspective",
            "model": endpoint.model,
            "languages": list(languages),
            "deterministic": True,
        }

    async def chat(self, request: Request) -> Reply:
        text = _cut(request.messages[-1]["content"])
        if not text.strip():
            raise CallError("there is no text to score")
        answer = await self.connection.post(self._fixed | {"comment": {"text": text}})
        try:
            score = answer["attributeScores"][self.identity["model"]]["summaryScore"]["value"]
            return Reply(repr(float(score)))
        except (KeyError, TypeError, ValueError) as error:
            raise CallError(f"an answer without a score: {str(answer)[:300]}") from error

    async def close(self) -> None:
        await self.connection.close()


class _Keyed(Connection):
    """A connection that sends its key in Google's own header: in the address it would be in every error."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(replace(endpoint, key=""))
        self._key = endpoint.key

    def _pool(self) -> aiohttp.ClientSession:
        session = super()._pool()
        if self._key:
            session.headers["X-Goog-Api-Key"] = self._key
        return session


def _cut(text: str) -> str:
    """The beginning of a text, as much of it as the API reads."""
    return text.encode("utf-8", "replace")[:MAX_BYTES].decode("utf-8", "ignore")
