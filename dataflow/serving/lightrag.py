"""Answers from documents, through LightRAG's graph of what they are about."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from dataflow.core import background
from dataflow.core.errors import CallError, DataFlowError, ServingError
from dataflow.core.protocols import ChatBackend, Message, Reply, Request, Scope
from dataflow.serving.api import APILLMServing
from dataflow.serving.engine import Policy
from dataflow.serving.retrieval import FOREIGN, Ready, RetrievalServing, said


class LightRAGServing(RetrievalServing):
    """Answers from documents through LightRAG, whose model calls go through this package's engine.

    The documents are indexed at the first call, or by `create`: several model calls a passage of 1,200 tokens. Questions
    cost two calls each. A question that finds nothing, or fails, has null, with its error in `errors`. All of
    `generate_from_input`, `create` and `cleanup` may be awaited; the first and the last need not be.

    Args:
        api_url: the chat model's endpoint, with the key of `key_name_of_api_key`.
        embed_binding_host: the embedding endpoint that speaks OpenAI's protocol, such as Ollama's address.
        embedding_dim: length of its vectors; `max_embed_tokens` the most that it reads of a text.
        document_list: paths of UTF-8 text files.
        working_dir: where the index is kept, and found by the next run; a folder that goes with `cleanup` if left out.
        mode: how LightRAG searches: `hybrid`, `local`, `global`, `naive` or `mix`.
        max_workers: questions at a time.
        settings: passed to `lightrag.LightRAG`, such as `tokenizer` (the default one fetches its vocabulary).

    Raises:
        MissingDependency: at the first call, where lightrag-hku is not installed.
        ServingError: at the first call, where a document cannot be read or the index cannot be made.
    """

    package: ClassVar[str] = "lightrag"

    def __init__(
        self,
        api_url: str = "https://api.openai.com/v1",
        key_name_of_api_key: str = "DF_API_KEY",
        llm_model_name: str = "gpt-4o",
        embed_model_name: str = "bge-m3:latest",
        embed_binding_host: str = "http://localhost:11434",
        embedding_dim: int = 1024,
        max_embed_tokens: int = 8192,
        document_list: Sequence[str] = (),
        *,
        working_dir: str | None = None,
        mode: str = "hybrid",
        max_workers: int = 4,
        **settings: Any,
    ) -> None:
        self.chat = APILLMServing(api_url, key_name_of_api_key, llm_model_name)
        host = embed_binding_host.rstrip("/")
        self.vectors = APILLMServing(
            host if host.endswith("/v1") else f"{host}/v1", key_name_of_api_key, embed_model_name
        )
        self.shape = {"embedding_dim": embedding_dim, "max_token_size": max_embed_tokens}
        self.documents, self.working_dir = tuple(document_list), working_dir
        self.mode, self.settings = mode, settings
        super().__init__(llm_model_name, Policy(max_workers, max_retries=0))

    @classmethod
    async def create(cls, *args: Any, **keys: Any) -> Self:
        """A serving whose documents are indexed already."""
        made = cls(*args, **keys)
        await background.arun(made._index())
        return made

    async def _index(self) -> None:
        if self._chat is None:
            self._chat = self.make_chat()
            self._opened.append(self._chat)
        assert isinstance(self._chat, LightRAGBackend)
        await self._chat.index()

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "serving": "lightrag", "chat": self.chat.fingerprint, "vectors": self.vectors.fingerprint, "mode": self.mode,
            "documents": [_digest(path) for path in self.documents],
        }  # fmt: skip

    def check(self) -> str | None:
        if self._lacks_package():
            return str(self._missing())
        missing = [path for path in self.documents if not Path(path).is_file()]
        if missing:
            return f"document_list: there is no file {missing[0]!r}"
        return self.chat.check() or self.vectors.check()

    def make_chat(self) -> ChatBackend:
        self._checked()
        return LightRAGBackend(self)

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = "", json_schema: dict[str, Any] | None = None
    ) -> Ready[str | None]:
        """One answer a question; `system_prompt` says how to answer, and what was found stays in the prompt."""
        return Ready(super().generate_from_input(user_inputs, system_prompt, json_schema))

    def cleanup(self) -> Ready[None]:  # type: ignore[override]
        done = super().cleanup()  # which embeds what is still to be written
        self.chat.cleanup()
        self.vectors.cleanup()
        return done


class LightRAGBackend:
    """Questions to a LightRAG index (`ChatBackend`), which is made at the first one."""

    def __init__(self, serving: LightRAGServing) -> None:
        self.identity = {"family": "lightrag", "deterministic": True, **serving.fingerprint}
        self._chat, self._vectors, self._shape = serving.chat, serving.vectors, serving.shape
        self._documents, self._settings, self._mode = serving.documents, serving.settings, serving.mode
        self._folder = serving.working_dir
        self._own: str | None = None
        self._rag: Any = None
        self._faults: list[DataFlowError] = []
        self._turn = asyncio.Lock()

    async def index(self) -> Any:
        """The index, with all documents in it.

        Raises:
            ServingError: it cannot be made.
        """
        async with self._turn:
            if self._rag is None:
                try:
                    self._rag = await self._made()
                    await self._insert(self._rag)
                except FOREIGN as error:
                    await self.close()
                    raise ServingError(f"LightRAG cannot index the documents: {said(error)}") from error
                except ServingError:
                    await self.close()
                    raise
        return self._rag

    async def _made(self) -> Any:
        lightrag, utils = import_module("lightrag"), import_module("lightrag.utils")
        if self._folder is None:
            self._own = self._folder = tempfile.mkdtemp(prefix="dataflow-lightrag-")
        rag = lightrag.LightRAG(
            working_dir=self._folder,
            llm_model_func=_answering(self._chat, self._faults),
            embedding_func=utils.EmbeddingFunc(func=_embedding(self._vectors, self._faults), **self._shape),
            # its documents are known by process and workspace, wherever they are kept
            **{"workspace": _digest_of(str(Path(self._folder).resolve()).encode()), **self._settings},
        )
        await rag.initialize_storages()
        return rag

    async def _insert(self, rag: Any) -> None:
        """Index the documents. It only logs what fails, so their states are looked at."""
        texts = [await asyncio.to_thread(Path(path).read_text, "utf-8") for path in self._documents]
        if texts:
            await rag.ainsert(texts, file_paths=[str(path) for path in self._documents])
        failed = await rag.doc_status.get_docs_by_statuses([import_module("lightrag.base").DocStatus.FAILED])
        true = [doc for doc in failed.values() if not (doc.metadata or {}).get("is_duplicate")]
        if true:
            raise ServingError(
                f"LightRAG could not index {len(true)} of {len(texts)} documents, {true[0].file_path} for one: "
                f"{str(true[0].error_msg)[:300]}"
            )

    async def chat(self, request: Request) -> Reply:
        rag, before = await self.index(), len(self._faults)
        *turns, question = request.messages
        wish = "\n".join(str(t["content"]) for t in turns if t.get("role") == "system" and t["content"])
        # its own system prompt is what holds the passages found; another in its place would drop them
        param = import_module("lightrag").QueryParam(mode=self._mode, user_prompt=wish or None)
        try:
            answer = await rag.aquery(str(question["content"]), param=param)
        except DataFlowError:
            raise
        except FOREIGN as error:
            raise CallError(f"LightRAG: {said(error)}") from error
        nothing = import_module("lightrag.prompt").PROMPTS["fail_response"]
        if isinstance(answer, str) and answer and answer != nothing:
            return Reply(answer)
        if self._faults[before:]:  # it only logs those, too
            raise self._faults[-1]
        raise CallError("LightRAG found nothing to answer from")

    async def close(self) -> None:
        rag, self._rag = self._rag, None
        if rag is not None:
            await rag.finalize_storages()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            self._own = self._folder = None


def _digest(path: str) -> str:
    try:
        return _digest_of(Path(path).read_bytes())
    except OSError:
        return path


def _digest_of(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


# Functions, for LightRAG makes deep copies of what it is given, and methods would take their objects with them.


def _answering(serving: APILLMServing, faults: list[DataFlowError]) -> Callable[..., Awaitable[str]]:
    async def answer(
        prompt: str, system_prompt: str | None = None, history_messages: Sequence[Message] = (), **_: Any
    ) -> str:
        *before, last = Request.of(prompt, system_prompt).messages
        try:
            return (await serving.ask(Request((*before, *history_messages, last)), Scope())).whole().text
        except DataFlowError as error:
            faults.append(error)
            raise

    return answer


def _embedding(serving: APILLMServing, faults: list[DataFlowError]) -> Callable[..., Awaitable[Any]]:
    async def embed(texts: Sequence[str], **_: Any) -> Any:
        try:
            vectors = await serving.embed(list(texts), Scope())
            if any(vector is None for vector in vectors):
                raise CallError("a passage could not be embedded")
        except DataFlowError as error:
            faults.append(error)
            raise
        return np.stack(vectors)

    return embed
