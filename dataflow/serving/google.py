"""Gemini through Google's endpoints that speak OpenAI's protocol: with an API key, or on Vertex AI with a token."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dataflow.core.errors import ConfigError, ServingError
from dataflow.core.protocols import ChatBackend, Reply, Request
from dataflow.serving.backends.openai import ChatEndpoint, Endpoint
from dataflow.serving.base import Serving
from dataflow.serving.engine import Policy
from dataflow.serving.prices import is_priced, longest_reply, price_of

GEMINI = "https://generativelanguage.googleapis.com/v1beta/openai"
KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
PROJECTS = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")
TOKEN = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105  # the variable's name
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TIMEOUTS = (10.0, 300.0)


class APIGoogleVertexAIServing(Serving):
    """Gemini by its API key, or on Vertex AI with the credentials of a Google Cloud project.

    With `project`, or without a key and with `GOOGLE_CLOUD_PROJECT` set, calls go to Vertex AI. Its token is that of
    `GOOGLE_OAUTH_ACCESS_TOKEN` (`gcloud auth print-access-token` makes one for an hour), or comes from google-auth,
    which renews it. Otherwise they go to the Gemini API with `GEMINI_API_KEY` or `GOOGLE_API_KEY`. A failed call is
    null, its error in `errors`; never a text that says "Error". Not exercised in this project's tests against Google
    itself, but against local endpoints that check what is sent.

    Args:
        model_name: the model; `google/` is put before it on Vertex AI.
        project: the Google Cloud project.
        location: its region, or `global`.
        max_workers: calls in flight at most.
        max_retries: further tries after a fault outside the request.
        temperature: 0 asks for the likeliest reply, and equal prompts are asked once.
        max_tokens: the longest reply, in tokens, thinking included.
        use_function_call: without effect: a JSON schema is always sent as `response_format`.
        use_batch: not offered; so `batch_wait`, `batch_dataset`, `csv_filename` and `bq_csv_filename` do nothing.
        api_url: another base address that speaks OpenAI's protocol, such as a proxy's.

    Raises:
        ConfigError: from the constructor, with `use_batch`.
        ServingError: at the first call, without a key or a token.
    """

    def __init__(
        self,
        model_name: str = "gemini-2.5-flash",
        project: str | None = None,
        location: str = "us-central1",
        max_workers: int = 10,
        max_retries: int = 5,
        temperature: float = 0.0,
        max_tokens: int = 4096,
        use_function_call: bool = True,
        use_batch: bool = False,
        batch_wait: bool = True,
        batch_dataset: str = "dataflow_batch",
        csv_filename: str | None = None,
        bq_csv_filename: str | None = None,
        *,
        api_url: str | None = None,
    ) -> None:
        if use_batch:
            raise ConfigError(
                "use_batch=True: batches through BigQuery are not offered; leave it out, and every row is called by itself"
            )
        self.model_name, self.location, self.api_url = model_name, location, api_url
        self.project = project or (None if _first(KEYS) else _first(PROJECTS) or None)
        self.sampling = {"temperature": float(temperature), "max_tokens": max_tokens}
        address = api_url or ""
        policy = Policy(
            max_workers,
            max_retries,
            price=price_of(model_name, address),
            priced=is_priced(model_name, address),
            max_output=longest_reply(model_name),
        )
        super().__init__(model_name, policy)

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {"serving": "google", "url": self.url, "model": self.model_name, "sampling": self.sampling}

    @property
    def url(self) -> str:
        """The base address of the endpoint."""
        if self.api_url:
            return self.api_url.rstrip("/")
        if not self.project:
            return GEMINI
        host = "aiplatform" if self.location == "global" else f"{self.location}-aiplatform"
        place = f"projects/{self.project}/locations/{self.location}"
        return f"https://{host}.googleapis.com/v1/{place}/endpoints/openapi"

    def check(self) -> str | None:
        if not self.project:
            missing = f"neither project nor {PROJECTS[0]} is set, and {' and '.join(KEYS)} hold no key"
            return None if _first(KEYS) else missing
        if _first([TOKEN]) or _has_google_auth():
            return None
        return f'Vertex AI needs a token: set {TOKEN}, or pip install "dataflow-llm[google]" and log in with gcloud'

    def make_chat(self) -> ChatBackend:
        self.require()
        model = self.model_name
        if self.project and "/" not in model:
            model = f"google/{model}"
        address = f"{self.url}/chat/completions"
        endpoint = Endpoint(address, model, "", self.policy.workers, *TIMEOUTS, self.sampling)
        if self.project:
            return TokenChat(endpoint, Token())
        return ChatEndpoint(replace(endpoint, key=_first(KEYS)))


class TokenChat:
    """Chat completions of an endpoint whose key is a token that is renewed now and then (`ChatBackend`)."""

    def __init__(self, endpoint: Endpoint, token: Callable[[], str]) -> None:
        self.identity = endpoint.identity
        self._plain, self._token = endpoint, token
        self._open: dict[str, ChatEndpoint] = {}

    async def chat(self, request: Request) -> Reply:
        token = await asyncio.to_thread(self._token)
        if token not in self._open:
            self._open[token] = ChatEndpoint(replace(self._plain, key=token))
        return await self._open[token].chat(request)

    async def close(self) -> None:
        while self._open:
            await self._open.popitem()[1].close()


class Token:
    """The access token of the environment, or of the machine's Google credentials, renewed before it runs out."""

    def __init__(self) -> None:
        self._credentials: Any = None
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """A token that is good now. May ask Google for it, so call it on a thread.

        Raises:
            ServingError: there are no credentials, or they are refused.
        """
        return _first([TOKEN]) or self._renewed()

    def _renewed(self) -> str:
        auth, transport = import_module("google.auth"), import_module("google.auth.transport.requests")
        with self._lock:
            try:
                if self._credentials is None:
                    self._credentials = auth.default(scopes=[_SCOPE])[0]
                if not self._credentials.valid:
                    self._credentials.refresh(transport.Request())
            except auth.exceptions.GoogleAuthError as error:
                raise ServingError(f"no token for Vertex AI: {str(error)[:300]}") from error
            return str(self._credentials.token)


def _first(names: Sequence[str]) -> str:
    """What the first environment variable that holds anything holds."""
    return next((v for name in names if (v := os.environ.get(name, "").strip())), "")


def _has_google_auth() -> bool:
    try:
        return find_spec("google.auth.transport.requests") is not None and find_spec("requests") is not None
    except ModuleNotFoundError:
        return False
