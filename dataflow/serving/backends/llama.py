"""Chat with a GGUF model in this process, through llama.cpp's own server and its continuous batching."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dataflow.core.errors import CallError, ConfigError, MissingDependency, ServingError
from dataflow.core.protocols import Reply, Request
from dataflow.serving.models import MODELS, fetch


class _Model:
    """A model in memory, with the threads that wait for its replies: one for all back ends that would load it alike."""

    def __init__(self, slots: int) -> None:
        self.pool = ThreadPoolExecutor(slots, "llama")
        self.users = 0
        self._server: Any = None
        self._lock = threading.Lock()

    def server(self, load: Callable[[], Any]) -> Any:
        with self._lock:
            if self._server is None:
                self._server = load()
            return self._server


_models: dict[tuple[object, ...], _Model] = {}
_using = threading.Lock()


class LlamaBackend:
    """Answers chats with a local GGUF model; loads it at the first call, unless another back end has.

    Several requests are decoded as one batch, whose sums round differently with its size. At temperature 0 a reply
    may therefore still change with what runs beside it, though each stays a greedy one; `exact` rules that out.
    """

    def __init__(
        self,
        model_path: str | Path,
        *,
        context: int = 4096,
        slots: int = 8,
        threads: int | None = None,
        temperature: float = 0.0,
        top_p: float = 1.0,
        max_tokens: int = 512,
        seed: int | None = None,
        exact: bool = False,
    ) -> None:
        """
        Args:
            model_path: A built-in chat model's name, or the path of a `.gguf` file.
            context: Tokens a request may take, prompt and reply together; memory grows with `context * slots`.
            slots: Requests decoded at once; more wait.
            threads: Processor threads; None is one a core, at most 8.
            seed: Of the sampling; None draws anew each time, a number makes equal requests give equal replies.
            exact: The reply depends on nothing but the request: one request at a time, and no prefix is reused.
        """
        if str(model_path) in MODELS and MODELS[str(model_path)].role != "chat":
            raise ConfigError(f"{model_path} is not a chat model")
        self.model_path = model_path
        self.context, self.slots = context, 1 if exact else slots
        self.threads = threads or min(os.cpu_count() or 1, 8)
        self.temperature, self.top_p, self.max_tokens, self.seed = temperature, top_p, max_tokens, seed
        self.exact = exact
        self._model: _Model | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        known = MODELS.get(str(self.model_path))
        return {
            "family": "llama.cpp",
            "model": Path(self.model_path).name,
            "weights": known.files[0].sha256 if known else _fingerprint(Path(self.model_path)),
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }

    async def chat(self, request: Request) -> Reply:
        """Answer one request.

        Raises:
            CallError: The prompt is longer than the context, or the schema cannot be a grammar.
            ServingError: The model cannot be fetched or loaded.
        """
        model = self._model = self._model or self._joined()
        return await asyncio.get_running_loop().run_in_executor(model.pool, self._answer, model, request)

    async def close(self) -> None:
        """Free the model once the requests in flight are answered; the next call loads it again."""
        model, self._model = self._model, None
        if model is not None and self._is_last_of(model):
            await asyncio.to_thread(model.pool.shutdown, cancel_futures=True)

    @property
    def _loads(self) -> tuple[object, ...]:
        """What tells models in memory apart."""
        return str(self.model_path), self.context, self.slots, self.threads, self.exact

    def _joined(self) -> _Model:
        with _using:
            model = _models.setdefault(self._loads, _Model(self.slots))
            model.users += 1
            return model

    def _is_last_of(self, model: _Model) -> bool:
        with _using:
            model.users -= 1
            if not model.users:
                del _models[self._loads]
            return not model.users

    def _answer(self, model: _Model, request: Request) -> Reply:
        body = {
            "messages": [_utf8(message) for message in request.messages],
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
        }
        if self.seed is not None:
            body["seed"] = self.seed
        if request.schema is not None:
            schema = {"name": "reply", "schema": _utf8(request.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        server = model.server(self._load)
        try:
            answer = server.handle_chat_completions(body)
        except (ValueError, RuntimeError) as error:
            raise CallError(f"llama.cpp refused the request: {error}") from error
        return _reply(answer)

    def _load(self) -> Any:
        # ggml's threads spin at barriers: beside any other load that is thirty times slower than waiting. libgomp
        # reads these once, when it is first loaded into the process.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        os.environ.setdefault("GOMP_SPINCOUNT", "0")
        try:
            import xllamacpp
        except ImportError as error:
            raise MissingDependency("xllamacpp", "local", "LlamaBackend") from error
        path = fetch(self.model_path)[0]
        try:
            return xllamacpp.Server(self._params(xllamacpp.CommonParams(), path))
        except RuntimeError as error:
            raise ServingError(f"llama.cpp cannot load {path}: {error}") from error

    def _params(self, params: Any, path: Path) -> Any:
        params.model.path = str(path)
        params.n_parallel, params.n_ctx = self.slots, self.slots * self.context
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
        params.use_jinja, params.verbosity = True, -1
        # Prefixes are reused inside a slot; the second cache, of whole prompts, would take up to 8 GB.
        params.cache_prompt, params.cache_ram_mib = not self.exact, 0
        # Calls go in directly, but the server listens all the same: on a free local port, behind a secret.
        params.port, params.ui, params.api_keys = 0, False, [secrets.token_urlsafe()]
        return params


def _reply(answer: Mapping[str, Any]) -> Reply:
    if error := answer.get("error"):
        if error.get("type") == "exceed_context_size_error":
            tokens, context = error["n_prompt_tokens"], error["n_ctx"]
            raise CallError(f"the prompt takes {tokens} tokens, the context holds {context}", status=400)
        raise CallError(f"llama.cpp refused the request: {error.get('message')}", status=error.get("code"))
    choice, usage = answer["choices"][0], answer["usage"]
    return Reply(
        choice["message"].get("content") or "",
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
        truncated=choice["finish_reason"] == "length",
    )


def _utf8(value: Mapping[str, Any]) -> Any:
    """The same value with lone surrogates replaced, which llama.cpp refuses."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _fingerprint(path: Path) -> str:
    """Tells two weight files apart, also of one size, without reading hundreds of megabytes: sixteen samples."""
    if not path.is_file():
        raise ConfigError(f"There is no model file {str(path)!r}.")
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        for i in range(16):
            file.seek(size * i // 16)
            digest.update(file.read(1 << 16))
    return digest.hexdigest()
