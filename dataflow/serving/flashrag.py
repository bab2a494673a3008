"""Passages of a corpus, through FlashRAG's retrievers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import orjson

from dataflow.core import background
from dataflow.core.errors import CallError, ServingError
from dataflow.core.protocols import ChatBackend, Reply, Request
from dataflow.serving.engine import Policy
from dataflow.serving.retrieval import FOREIGN, Ready, RetrievalServing, said


class FlashRAGServing(RetrievalServing):
    """The passages that FlashRAG finds for each query: `topk` texts a query, best first.

    A query that fails has null, with its error in `errors`, and never an empty list that looks like an answer. Calls may
    be awaited, and need not be. Not exercised in this project's tests against the real package.

    Args:
        retrieval_method: `e5`, `bm25` or another that FlashRAG knows.
        retrieval_model_path: the encoder of a dense method.
        index_path: the index that FlashRAG built over `corpus_path`, a JSON Lines file with `contents`.
        max_workers: queries at a time.
        topk: passages a query.
        retriever: any object with FlashRAG's `batch_search(queries, num)`, in the place of one made of the settings.
        settings: passed to FlashRAG's configuration.

    Raises:
        MissingDependency: at the first call, where FlashRAG is not installed and no `retriever` is given.
        ServingError: at the first call, where the index cannot be loaded.
    """

    package: ClassVar[str] = "flashrag"

    def __init__(
        self,
        retrieval_method: str = "e5",
        retrieval_model_path: str | None = None,
        index_path: str | None = None,
        corpus_path: str | None = None,
        faiss_gpu: bool = False,
        gpu_id: str = "",
        max_workers: int = 1,
        topk: int = 2,
        *,
        retriever: Any = None,
        **settings: Any,
    ) -> None:
        self.config = {
            "retrieval_method": retrieval_method, "retrieval_model_path": retrieval_model_path, "index_path": index_path,
            "corpus_path": corpus_path, "faiss_gpu": faiss_gpu, "gpu_id": gpu_id, "retrieval_topk": topk, **settings,
        }  # fmt: skip
        self.topk, self.retriever = topk, retriever
        super().__init__(f"flashrag-{retrieval_method}", Policy(max_workers, max_retries=0))

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "serving": "flashrag",
            **{k: v for k, v in self.config.items() if k not in ("faiss_gpu", "gpu_id")},
        }

    def check(self) -> str | None:
        if self.retriever is not None:
            return None
        if self._lacks_package():
            return str(self._missing())
        for name in ("index_path", "corpus_path"):
            if not self.config[name] or not Path(str(self.config[name])).exists():
                return f"{name}={self.config[name]!r} is not there"
        return None

    def _lacks_package(self) -> bool:
        return self.retriever is None and super()._lacks_package()

    def make_chat(self) -> ChatBackend:
        self._checked()
        return FlashRAGBackend(lambda: self.retriever or _retriever(self.config), self.topk, self.fingerprint)

    async def asearch(self, queries: Sequence[str]) -> list[list[str] | None]:
        """The passages of each query, null where it failed."""
        replies = await background.arun(self._all([Request.of(query) for query in queries]))
        return [None if reply is None else orjson.loads(reply) for reply in replies]

    def generate_from_input(  # type: ignore[override]  # passages, as in open-dataflow 1.x
        self, user_inputs: list[str], system_prompt: str = "", json_schema: dict[str, Any] | None = None
    ) -> Ready[list[str] | None]:
        """The passages of each query, null where it failed; the other arguments say nothing to a retriever."""
        return Ready(background.run(self.asearch(user_inputs)))


class FlashRAGBackend:
    """Answers the passages of a query as a JSON list (`ChatBackend`)."""

    def __init__(self, make: Callable[[], Any], topk: int, identity: Mapping[str, Any]) -> None:
        self.identity = {"family": "flashrag", "deterministic": True, **identity}
        self._make, self._topk = make, topk
        self._retriever: Any = None
        self._lock = threading.Lock()

    async def chat(self, request: Request) -> Reply:
        return await asyncio.to_thread(self._search, str(request.messages[-1]["content"]))

    def _search(self, query: str) -> Reply:
        with self._lock:
            if self._retriever is None:
                try:
                    self._retriever = self._make()
                except FOREIGN as error:
                    raise ServingError(f"FlashRAG cannot load its index: {said(error)}") from error
        try:
            (documents,) = self._retriever.batch_search([query], self._topk)
            return Reply(orjson.dumps([document["contents"] for document in documents]).decode())
        except FOREIGN as error:
            raise CallError(f"FlashRAG: {said(error)}") from error

    async def close(self) -> None:
        self._retriever = None


def _retriever(config: Mapping[str, Any]) -> Any:
    made = import_module("flashrag.config").Config(config_dict=dict(config))
    return import_module("flashrag.utils").get_retriever(made)
