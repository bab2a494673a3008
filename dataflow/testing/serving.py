"""Servings for tests: replies that were written down beforehand, and vectors made from the text itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from dataflow.core.errors import CallError
from dataflow.core.protocols import Reply, Request, Scope

Script = Sequence[str | None] | Mapping[str, str | None] | Callable[[str], str | None]


class ScriptedServing:
    """Answers from a script, and keeps what it was asked. Needs no network and costs nothing.

    The script is replies in order (the last repeats; row `3` gets the fourth), a mapping from a part of the
    prompt to a reply, or a function of the prompt. A null reply is a failed call. Embeddings are unit vectors
    drawn from a hash of the text, so equal texts have equal vectors. A reply that cannot be read is asked for
    again `repairs` times, with a prompt that tells the fault.
    """

    def __init__(self, *script: str | None, by: Script | None = None, dim: int = 8, repairs: int = 0) -> None:
        self.script: Script = by if by is not None else (script or ("3",))
        self.dim, self.repairs = dim, repairs
        self.requests: list[Request] = []

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """The script: what has been asked so far decides no reply."""
        return {"serving": type(self).__name__, "script": self.script, "dim": self.dim}

    @property
    def prompts(self) -> list[str]:
        """The user messages asked so far."""
        return [str(r.messages[-1]["content"]) for r in self.requests]

    async def ask(self, request: Request, scope: Scope, row: str = "0", sample: int = 0) -> Reply:
        self.requests.append(request)
        if scope.usage is not None:
            scope.usage.calls += 1
        reply = self._reply(str(request.messages[-1]["content"]), row, sample)
        if reply is None:
            raise CallError("the script has no reply")
        return Reply(reply)

    def _reply(self, prompt: str, row: str, sample: int) -> str | None:
        if callable(self.script):
            return self.script(prompt)
        if isinstance(self.script, Mapping):
            return next((reply for part, reply in self.script.items() if part in prompt), None)
        number = int(row.split("/")[-1]) if row.split("/")[-1].isdigit() else 0
        return self.script[min(number + sample, len(self.script) - 1)]

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = "", json_schema: dict[str, Any] | None = None
    ) -> list[str | None]:
        self.requests += [Request.of(u, system_prompt, json_schema) for u in user_inputs]
        return [self._reply(u, str(i), 0) for i, u in enumerate(user_inputs)]

    async def embed(self, texts: Sequence[str], scope: Scope) -> list[list[float] | None]:
        return [self._vector(t) for t in texts]

    def generate_embedding_from_input(self, texts: list[str]) -> list[list[float] | None]:
        return [self._vector(t) for t in texts]

    def _vector(self, text: str) -> list[float]:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        draw = random.Random(digest)
        raw = [draw.gauss(0, 1) for _ in range(self.dim)]
        norm = sum(x * x for x in raw) ** 0.5
        return [x / norm for x in raw]

    def start_serving(self) -> None: ...

    def cleanup(self) -> None: ...
