"""How far a data set is from another: maximum mean discrepancy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflow.core.errors import BindError, ConfigError
from dataflow.core.frames import as_text
from dataflow.core.generate import check_serving
from dataflow.core.outcome import Failure
from dataflow.core.ports import Binding, In, NoPort
from dataflow.core.protocols import EmbeddingServing
from dataflow.core.rows import cells_of
from dataflow.operators._lib.scoring.asking import vectors_of
from dataflow.operators._lib.scoring.held import HeldModel, Key, held
from dataflow.operators._lib.scoring.operator import ModelSummary

BLOCK = 1024
_ORDER = (
    "ref_frame", "max_sample_num", "shuffle_seed", "ref_instruction_key", "ref_output_key", "kernel_type", "bias", "rbf_sigma",
    "embedding_type", "embedding_model_name", "st_device", "st_batch_size", "st_normalize_embeddings",
)  # fmt: skip


class MMDDatasetEvaluator(ModelSummary):
    """Measure how far instruction data is from a reference set: squared maximum mean discrepancy.

    Each instruction with its answer becomes one vector; the two sets of vectors are compared with a Gaussian kernel. 0 is for the same
    distribution; without `bias` the estimate may be a little below. Rows with a null do not count. An unbiased estimate
    needs two rows a set, a biased one needs one; where there are fewer it is null. Gretton et al. 2012.
    """

    leading: ClassVar[tuple[str, ...]] = _ORDER

    ref_frame: Any
    """The storage whose table is the reference."""
    max_sample_num: int = Field(5000, ge=1)
    """At most so many rows of each set are looked at, drawn by `shuffle_seed`."""
    shuffle_seed: int = 42
    """Draws the rows looked at."""
    ref_instruction_key: str = "input"
    """The column of instructions in the reference."""
    ref_output_key: str = "output"
    """The column of answers in the reference."""
    kernel_type: Literal["RBF"] = "RBF"
    """The kernel: Gaussian."""
    bias: bool = True
    """Whether the pairs of a vector with itself count, as in the biased estimate."""
    rbf_sigma: float = Field(1.0, gt=0)
    """The width of the kernel."""
    embedding_type: Literal["sentence_transformers", "vllm"] = "sentence_transformers"
    """Where vectors come from: an encoder in this process, or, with `vllm`, `embedding_serving`."""
    embedding_model_name: str | None = None
    """The encoder: its name on the Hugging Face Hub, or the path of a folder. A vector is the mean over the tokens."""
    st_device: str = "cuda"
    """Where the encoder runs; on the CPU where there is no such accelerator."""
    st_batch_size: int = 32
    """Has no effect: `batch_tokens` says how much is encoded at once."""
    st_normalize_embeddings: bool = True
    """Whether vectors are given the length 1."""
    vllm_max_num_seqs: int = 128
    """Has no effect: a serving has its own settings."""
    vllm_gpu_memory_utilization: float = 0.9
    """Has no effect: a serving has its own settings."""
    vllm_tensor_parallel_size: int = 1
    """Has no effect: a serving has its own settings."""
    vllm_pipeline_parallel_size: int = 1
    """Has no effect: a serving has its own settings."""
    vllm_truncate_max_length: int = 40960
    """Has no effect: a serving has its own settings."""
    cache_type: Literal["none", "redis"] = "none"
    """Has no effect: replies of servings are kept in the run's journal."""
    redis_url: str = "redis://127.0.0.1:6379"
    """Has no effect."""
    max_concurrent_requests: int = 50
    """Has no effect."""
    redis_db: int = 0
    """Has no effect."""
    cache_model_id: str | None = None
    """Has no effect."""
    embedding_serving: EmbeddingServing | None = None
    """The model that embeds, instead of an encoder in this process."""
    model_name: str = ""
    """Another name of `embedding_model_name`."""
    device: str = ""
    """Another name of `st_device`, which it goes before."""

    input_key = NoPort()  # type: ignore[assignment]
    input_instruction_key = In(None, "the instruction", type="any")
    input_output_key = In(None, "the answer", type="any")

    def named(self) -> str:
        return self.embedding_model_name or self.model_name

    def held_model(self, name: str, architecture: str) -> HeldModel:
        return held(Key(architecture, name, self.model_cache_dir, self.device or self.st_device, self.dtype))

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        if self.embedding_serving is None and self.embedding_type == "vllm":
            yield "embedding_serving", " is needed with embedding_type='vllm'"
        elif self.embedding_serving is None and not self.named():
            yield "embedding_model_name", " is needed, or embedding_serving"
        yield from check_serving(self.embedding_serving, "embedding_serving")

    def summarise(self, instructions: list[Any], outputs: list[Any]) -> dict[str, Any]:
        ours, theirs = (self._sampled(a, b) for a, b in ((instructions, outputs), self._reference()))
        vectors = self._vectors([*ours, *theirs])
        x, y = ([v for v in part if v is not None] for part in (vectors[: len(ours)], vectors[len(ours) :]))
        least = 1 if self.bias else 2
        value = None
        if min(len(x), len(y)) >= least:
            value = squared_mmd(self._rows(x), self._rows(y), self.rbf_sigma, bias=self.bias)
        return {
            "MMD": value,
            "rows": len(x),
            "reference_rows": len(y),
            "failed": len(vectors) - len(x) - len(y),
        }

    def _reference(self) -> tuple[list[Any], list[Any]]:
        """The instructions and answers of the reference."""
        frame = self.ref_frame.frame()
        keys = (self.ref_instruction_key, self.ref_output_key)
        if absent := [k for k in keys if k not in frame.columns]:
            raise BindError(
                f"the reference has no column {absent[0]!r}; there are {', '.join(frame.columns)}"
            )
        first, second = (cells_of(frame, k) for k in keys)
        return first, second

    def _sampled(self, instructions: list[Any], outputs: list[Any]) -> list[str]:
        """Pairs as one text each."""
        both = zip(instructions, outputs, strict=True)
        texts = [f"{as_text(i)}\n\n{as_text(o)}" for i, o in both if i is not None and o is not None]
        order = np.random.default_rng(self.shuffle_seed).permutation(len(texts))[: self.max_sample_num]
        return [texts[i] for i in sorted(order.tolist())]

    def _vectors(self, texts: list[str]) -> list[Any]:
        """A vector a text; null where there is none."""
        if not texts:
            return []
        if self.embedding_serving is not None:
            return list(self.embedding_serving.generate_embedding_from_input(texts))
        if not self.named() or self.embedding_type == "vllm":
            raise ConfigError("MMDDatasetEvaluator needs embedding_model_name or embedding_serving")
        with self._held.in_use() as loaded:
            found = vectors_of(self.fitted(loaded), texts, self.batch_tokens)
        return [None if isinstance(v, Failure) else v for v in found]

    def _rows(self, vectors: list[Any]) -> np.ndarray:
        rows = np.asarray(vectors, np.float64)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.maximum(norms, 1e-12) if self.st_normalize_embeddings else rows


def squared_mmd(x: np.ndarray, y: np.ndarray, sigma: float, *, bias: bool) -> float:
    """The squared discrepancy of two sets of vectors under a Gaussian kernel; memory is one block of pairs."""
    within = [
        (_kernel_sum(v, v, sigma) - (0 if bias else len(v)))
        / (len(v) ** 2 if bias else len(v) * (len(v) - 1))
        for v in (x, y)
    ]
    return float(within[0] + within[1] - 2 * _kernel_sum(x, y, sigma) / (len(x) * len(y)))


def _kernel_sum(x: np.ndarray, y: np.ndarray, sigma: float) -> float:
    """The sum of the kernel over all pairs."""
    total, squares = 0.0, np.einsum("ij,ij->i", y, y)
    for first in range(0, len(x), BLOCK):
        block = x[first : first + BLOCK]
        distances = np.einsum("ij,ij->i", block, block)[:, None] + squares - 2 * (block @ y.T)
        total += float(np.exp(-np.maximum(distances, 0) / (2 * sigma**2)).sum())
    return total
