"""Servings whose engine is a process of their own: started at the first call, restarted when it dies."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from dataflow.core import background
from dataflow.core.background import replaying
from dataflow.core.errors import MissingDependency
from dataflow.core.protocols import ChatBackend, EmbedBackend, Reply, Request
from dataflow.serving.backends.openai import ChatEndpoint, EmbeddingEndpoint, Endpoint
from dataflow.serving.backends.process import EngineProcess, EngineSpec
from dataflow.serving.base import Serving
from dataflow.serving.engine import Policy

E = TypeVar("E", ChatEndpoint, EmbeddingEndpoint)
READ_TIMEOUT_S = 1800.0


class _Led(Generic[E]):
    """An endpoint of an engine process, opened anew where the process comes up at another address."""

    def __init__(
        self, spec: EngineSpec, kind: str, path: str, endpoint: Endpoint, make: Callable[[Endpoint], E]
    ) -> None:
        self.process = EngineProcess.lease(spec)
        self._path, self._endpoint = path, endpoint
        self._make: Callable[[Endpoint], E] = make
        self._open: E | None = None
        self.identity: Mapping[str, Any] = {**make(endpoint).identity, "family": kind}

    async def ready(self) -> E:
        """The endpoint, once its engine answers.

        Raises:
            ServingError: the engine does not come up, or died too often.
        """
        url = f"{await self.process.url()}/{self._path}"
        if self._open is None or self._open.connection.endpoint.url != url:
            await self._disconnect()
            e = self._endpoint
            self._open = self._make(
                Endpoint(url, e.model, e.key, e.workers, e.connect_timeout_s, e.read_timeout_s, e.sampling)
            )
        return self._open

    async def alive(self) -> bool:
        """Whether calls without an answer may be waited for, or sent again."""
        return await self.process.alive()

    async def _disconnect(self) -> None:
        left, self._open = self._open, None
        if left is not None:
            await left.close()

    async def close(self) -> None:
        await self._disconnect()
        await self.process.release()


class EngineChat(_Led[ChatEndpoint]):
    """Chat completions of an engine process (`ChatBackend`); a try against a dead one is a fault like any other."""

    def __init__(self, spec: EngineSpec, kind: str, endpoint: Endpoint) -> None:
        super().__init__(spec, kind, "chat/completions", endpoint, ChatEndpoint)

    async def chat(self, request: Request) -> Reply:
        return await (await self.ready()).chat(request)


class EngineEmbeddings(_Led[EmbeddingEndpoint]):
    """Embeddings of an engine process (`EmbedBackend`)."""

    def __init__(self, spec: EngineSpec, kind: str, endpoint: Endpoint) -> None:
        super().__init__(spec, f"{kind}-embedding", "embeddings", endpoint, EmbeddingEndpoint)

    async def embed(self, texts: Sequence[str]) -> tuple[np.ndarray, int]:
        return await (await self.ready()).embed(texts)


class EngineServing(Serving):
    """A model behind an engine process of this machine.

    Servings with the same command share one process. It is started at the first call or by `start_serving`, and stops
    with its whole process group when the last of them lets go: by `cleanup`, when it is collected, at the end of the
    interpreter, and also when that is killed. When it dies in the middle of a run it is started again and the calls
    in flight are sent again, three times within ten minutes at most.

    Args:
        name: the model, as the engine names it.
        command: what to run; `{host}` and `{port}` are put in.
        sampling: merged into every payload.
        workers: calls in flight at most; the engine batches them as it sees fit.
        port: the port it should have; a free one where that is taken, or 0.
        start_timeout_s: seconds until it must answer, loading and a first download included.
        needs_package: whether the command runs `package`, which must then be installed.
    """

    holds_model: ClassVar[bool] = True
    package: ClassVar[str] = "engine"
    """The package that brings the engine, which is also the extra that brings the package."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        sampling: Mapping[str, Any],
        workers: int,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        start_timeout_s: float = 600.0,
        needs_package: bool = True,
    ) -> None:
        self.model_name, self.sampling = name, dict(sampling)
        self.timeouts = (10.0, READ_TIMEOUT_S)
        self.needs_package = needs_package
        label = f"the {self.package} process of {name}"
        self.spec = EngineSpec(label, tuple(command), host, port, start_timeout_s)
        deadline_s = READ_TIMEOUT_S + 2 * start_timeout_s
        super().__init__(name, Policy(workers, max_retries=5, deadline_s=deadline_s))

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {"serving": self.package, "model": self.model_name, "sampling": self.sampling}

    def check(self) -> str | None:
        if os.name != "posix":
            return "engine processes need a POSIX system; start the server by hand and use APILLMServing"
        if not self.model_name:
            return "hf_model_name_or_path names no model"
        if (
            self.model_name.startswith(("/", "./", "../", "~"))
            and not Path(self.model_name).expanduser().exists()
        ):
            return f"hf_model_name_or_path={self.model_name!r} is not there"
        return str(self._missing()) if self._lacks_package() else None

    def _lacks_package(self) -> bool:
        return self.needs_package and find_spec(self.package) is None

    def _missing(self) -> MissingDependency:
        return MissingDependency(self.package, self.package, type(self).__name__)

    def start_serving(self) -> None:
        """Start the engine and wait until it answers, so that the first call need not.

        Raises:
            ServingError: it does not come up; quotes the end of its log.
            MissingDependency: its package is not installed.
        """
        if self._chat is None:
            self._chat = self.make_chat()
            self._opened.append(self._chat)
        assert isinstance(self._chat, EngineChat)
        background.run(self._chat.ready())

    def make_chat(self) -> ChatBackend:
        return EngineChat(self.spec, self.package, self._endpoint(self.sampling))

    def make_embed(self) -> EmbedBackend:
        return EngineEmbeddings(self.spec, self.package, self._endpoint({}))

    def _endpoint(self, sampling: Mapping[str, Any]) -> Endpoint:
        if self._lacks_package() and not replaying.get():
            raise self._missing()
        self.require()
        return Endpoint("", self.model_name, "", self.policy.workers, *self.timeouts, sampling)


def weights(name: str | None, local: str | None, cache: str | None) -> tuple[str, list[str]]:
    """The model to load, and the arguments that say where its download is kept.

    A local folder that holds the model already is loaded as it is; else it is where the download goes.
    """
    if local and Path(local).expanduser().joinpath("config.json").is_file():
        return str(Path(local).expanduser()), []
    folder = local or cache
    return name or "", ["--download-dir", str(Path(folder).expanduser())] if folder else []


def flags(settings: Mapping[str, object]) -> list[str]:
    """Settings as arguments of a command: null and false are left out, true is a flag of its own."""
    words: list[str] = []
    for name, value in settings.items():
        if value is not None and value is not False:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return words
