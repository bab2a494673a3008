"""Servings on this machine: a small chat model, a multilingual embedder and a reranker, without a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dataflow.core import background
from dataflow.core.errors import did_you_mean
from dataflow.core.protocols import ChatBackend, EmbedBackend, RankBackend
from dataflow.serving.base import Serving
from dataflow.serving.engine import Policy

CHAT_MODEL = "qwen2.5-coder-0.5b-instruct"
EMBEDDING_MODEL = "use-multilingual-v3"
RERANK_MODEL = "ms-marco-minilm-l12-v2"


class LocalLLMServing(Serving):
    """The built-in chat model through llama.cpp, in this process: continuous batching, no key, no server.

    Args:
        model_name: a built-in model (`dataflow env` lists them) or the path of a GGUF file. Built-in weights
            are fetched at the first call and checked against a pinned SHA-256.
        temperature: 0 asks for the likeliest reply, and equal prompts are asked once.
        max_tokens: the longest reply, in tokens.
        slots: prompts answered side by side; each has `context` tokens for prompt and reply together.
        threads: CPU threads; one a core where left out.
        seed: where sampling starts; drawn anew for each call where left out.
    """

    holds_model: ClassVar[bool] = True

    def __init__(
        self,
        model_name: str = CHAT_MODEL,
        temperature: float = 0.0,
        max_tokens: int = 512,
        *,
        slots: int = 8,
        context: int = 2048,
        threads: int | None = None,
        seed: int | None = None,
        top_p: float = 1.0,
    ) -> None:
        self.model_name, self.slots, self.context, self.threads = model_name, slots, context, threads
        self.sampling: dict[str, Any] = {
            "temperature": temperature,
            "max_tokens": max_tokens,
            "seed": seed,
            "top_p": top_p,
        }
        super().__init__(model_name, Policy(workers=slots, max_retries=0))

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {"serving": "llama", "model": self.model_name, "sampling": self.sampling}

    def check(self) -> str | None:
        return _known(self.model_name)

    def make_chat(self) -> ChatBackend:
        from dataflow.serving.backends.llama import LlamaBackend

        return LlamaBackend(
            self.model_name, context=self.context, slots=self.slots, threads=self.threads, **self.sampling
        )


class LocalEmbeddingServing(Serving):
    """Unit vectors from an encoder on this machine; the default reads 16 languages, `(n, 512) float32`.

    Args:
        model_name: a built-in embedding model; the old default `all-MiniLM-L6-v2` means the built-in one.
        batch_size: texts encoded at once.
    """

    holds_model: ClassVar[bool] = True

    def __init__(
        self,
        model_name: str = EMBEDDING_MODEL,
        device: str | None = None,
        max_workers: int = 2,
        max_retries: int = 3,
        *,
        batch_size: int = 64,
    ) -> None:
        self.model_name = EMBEDDING_MODEL if model_name == "all-MiniLM-L6-v2" else model_name
        super().__init__(self.model_name, Policy(workers=max_workers, max_retries=0))
        self.embed_batch = batch_size  # type: ignore[misc]

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {"serving": "onnx", "model": self.model_name}

    def check(self) -> str | None:
        return _known(self.model_name)

    def make_embed(self) -> EmbedBackend:
        from dataflow.serving.backends.onnx import OnnxEmbedder

        return OnnxEmbedder(self.model_name)


class LocalRerankServing:
    """Scores of how well documents answer a query, from a cross-encoder on this machine."""

    def __init__(self, model_name: str = RERANK_MODEL) -> None:
        self.model_name = model_name
        self._backend: RankBackend | None = None

    def check(self) -> str | None:
        return _known(self.model_name)

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        return {"serving": "onnx", "model": self.model_name}

    async def arank(self, query: str, documents: Sequence[str]) -> list[float]:
        if self._backend is None:
            from dataflow.serving.backends.onnx import OnnxReranker

            self._backend = OnnxReranker(self.model_name)
        scores: list[float] = (await self._backend.rank(query, documents)).tolist()
        return scores

    def rank(self, query: str, documents: Sequence[str]) -> list[float]:
        """One score a document; higher is better."""
        return background.run(self.arank(query, documents))

    def start_serving(self) -> None: ...

    def cleanup(self) -> None:
        if self._backend is not None:
            background.run(self._backend.close())
            self._backend = None


def _known(model: str) -> str | None:
    from pathlib import Path

    from dataflow.serving.models import MODELS

    if model in MODELS or Path(model).is_file():
        return None
    return f"model_name={model!r} is neither a built-in model ({', '.join(MODELS)}) nor a file.{did_you_mean(model, MODELS)}"


__all__ = ["LocalEmbeddingServing", "LocalLLMServing", "LocalRerankServing"]
