"""Embeddings and reranking with ONNX models in this process.

Every text goes through the graph by itself, several at once on as many threads. The models are quantised with scales
taken from the whole batch, so in a batch a vector would depend on its neighbours (cosines down to 0.99), and padding
to the longest text costs about what batching saves.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from dataflow.core.errors import MissingDependency
from dataflow.serving.models import DEFAULT_EMBEDDING, DEFAULT_RERANK, Model, fetch, find

T = TypeVar("T")
R = TypeVar("R")


class _Graph:
    """A loaded ONNX model: string or token tensors in, its first output out."""

    def __init__(self, model: Model) -> None:
        try:
            import onnxruntime as ort
            import onnxruntime_extensions as extensions
            import tokenizers
        except ImportError as error:
            package = (error.name or "onnxruntime").replace("_", "-")
            raise MissingDependency(package, "local", model.name) from error
        graph, *tokenizer = fetch(model.name)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.register_custom_ops_library(extensions.get_library_path())
        self._session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._tokenizer: Any = None
        if tokenizer:
            self._tokenizer = tokenizers.Tokenizer.from_str(Path(tokenizer[0]).read_text("utf-8"))
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(model.context)

    def run(self, *texts: str) -> tuple[np.ndarray, int]:
        """The output for a text, or a pair of them, and its tokens: 0 where the graph takes strings."""
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        if self._tokenizer is None:
            return self._session.run(None, {"inputs": clean})[0], 0
        encoding = self._tokenizer.encode(*clean)
        rows = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        return self._session.run(None, {k: np.array([v], np.int64) for k, v in rows.items()})[0], len(
            encoding.ids
        )


class _OnnxBackend:
    """Loads a graph at the first call and maps it over texts without holding up the event loop."""

    def __init__(self, model: Model, threads: int | None) -> None:
        self.model = model
        self.threads = threads or min(os.cpu_count() or 1, 4)
        self._graph: _Graph | None = None
        self._lock = threading.Lock()

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"family": "onnx", "model": self.model.name, "weights": self.model.files[0].sha256}

    async def close(self) -> None:
        """Free the model; the next call loads it again."""
        self._graph = None

    async def _map(self, ask: Callable[[_Graph, T], R], items: Sequence[T]) -> list[R]:
        return await asyncio.to_thread(self._map_now, ask, items)

    def _map_now(self, ask: Callable[[_Graph, T], R], items: Sequence[T]) -> list[R]:
        with self._lock:
            graph = self._graph = self._graph or _Graph(self.model)
        with ThreadPoolExecutor(self.threads, "onnx") as pool:
            return list(pool.map(lambda item: ask(graph, item), items))


class OnnxEmbedder(_OnnxBackend):
    """Turns texts into unit vectors; a text's vector depends on that text alone."""

    def __init__(self, model: str = DEFAULT_EMBEDDING, *, threads: int | None = None) -> None:
        super().__init__(find(model, "embedding"), threads)

    async def embed(self, texts: Sequence[str]) -> tuple[np.ndarray, int]:
        """Unit vectors `(n_texts, dim) float32` in the order of the texts, and the tokens read.

        The tokens are 0 for a model that splits its text inside the graph. A text past the model's limit is cut.
        """
        if not texts:
            return np.empty((0, self.model.dim), np.float32), 0
        answers = await self._map(_embed, texts)
        return np.stack([vector for vector, _ in answers]), sum(tokens for _, tokens in answers)


class OnnxReranker(_OnnxBackend):
    """Scores query and document together with a cross-encoder; English."""

    def __init__(self, model: str = DEFAULT_RERANK, *, threads: int | None = None) -> None:
        super().__init__(find(model, "rerank"), threads)

    async def rank(self, query: str, documents: Sequence[str]) -> np.ndarray:
        """One logit a document, `(n_documents,) float32`, about -11 to 11; the longer side of a long pair is cut."""
        scores = await self._map(lambda graph, document: graph.run(query, document)[0][0, 0], documents)
        return np.array(scores, np.float32)


def _embed(graph: _Graph, text: str) -> tuple[np.ndarray, int]:
    output, tokens = graph.run(text)
    vector = (
        output[0] if output.ndim == 2 else output[0, 0]
    )  # a vector a text, or a token: then the first, [CLS]
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32), tokens
