"""Operators whose kernel is a pass of a model over many rows at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from dataflow.core.frames import as_text
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, Out
from dataflow.core.rows import RowOperator, outcome
from dataflow.core.tables import Summary
from dataflow.operators._lib.scoring.batching import Tokens, tokenised
from dataflow.operators._lib.scoring.held import HeldModel, Key, Loaded, held

log = logging.getLogger(__name__)


class ModelSettings(BaseModel):
    """Which model scores, where, and how much at once."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())
    extras: ClassVar[tuple[str, ...]] = ("hf",)
    architecture: ClassVar[str] = "classifier"
    """How the model is loaded; a key of `loading.LOADERS`."""

    model_name: str
    """The model: its name on the Hugging Face Hub, or the path of a folder."""
    model_cache_dir: str | None = "./dataflow_cache"
    """Where models from the Hub are kept; null is the Hub's own cache."""
    device: str = "cuda"
    """Where the model runs; on the CPU where there is no such accelerator."""
    batch_tokens: int = Field(8192, ge=1)
    """Tokens at once, padding counted."""
    max_length: int | None = Field(None, ge=1)
    """Tokens read of a row; as many as the model can read where left out."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """The precision of the model; float32 where left out."""

    _held: HeldModel = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        self._held = self.held_model(self.named(), self.architecture)

    def named(self) -> str:
        """The model that scores."""
        return self.model_name

    def held_model(self, name: str, architecture: str) -> HeldModel:
        """A model with this operator's settings, which all who name it share."""
        return held(Key(architecture, name, self.model_cache_dir, self.device, self.dtype))

    @property
    def scoring_model(self) -> HeldModel:
        """The model in memory, which a run lets go of after the last step that needs it."""
        return self._held

    def release(self) -> None:
        """Free the model's memory; it is loaded again when it is needed."""
        self._held.cleanup()

    def fitted(self, loaded: Loaded) -> Loaded:
        """The model with the limit that `max_length` sets, where it is the lower one."""
        limit = min(loaded.limit, self.max_length or loaded.limit)
        return Loaded(loaded.tokenizer, loaded.network, loaded.device, limit, loaded.pad, loaded.labels)


class ModelScore(ModelSettings, RowOperator):
    """Scores rows by a model, many at once; null in gives null out.

    The kernel is `scores`: of the cells of many rows to a result each, or a `Failure`.
    """

    kind: ClassVar[str] = "Map"
    calls_models: ClassVar[bool] = True

    output_key = Out("score", "the score", type="float")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        raise NotImplementedError

    def tokens(self, loaded: Loaded, texts: Sequence[Any]) -> list[Any]:
        """The texts as tokens; how many were too long is told in the log."""
        found = tokenised(loaded, texts)
        cut = sum(isinstance(t, Tokens) and t.cut for t in found)
        if cut:
            log.info(
                "%s: %d of %d texts were cut to %d tokens", type(self).__name__, cut, len(texts), loaded.limit
            )
        return found

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        rows = self.cells(frame, binding)
        asked = [i for i, row in enumerate(rows) if not self.skips(row)]
        results: list[Any] = [None] * len(rows)
        if asked:
            for i, result in zip(asked, self._scored([rows[i] for i in asked]), strict=True):
                results[i] = None if result != result else result  # NaN
        return outcome(frame, results, lambda kept, done: self.finish(kept, binding, done))

    def _scored(self, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        cells = [tuple(None if c is None else as_text(c) for c in row) for row in rows]
        with self._held.in_use() as loaded:
            return self.scores(self.fitted(loaded), cells)

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        return Outcome(self.written(frame, binding, results))


class ModelSummary(ModelSettings, Summary):
    """Metrics of a whole data set by a model; null and blank texts count for nothing."""

    architecture: ClassVar[str] = "encoder"
    calls_models: ClassVar[bool] = True

    def publish(self, metrics: Any) -> None:
        log.info("%s: %s", type(self).__name__, dict(metrics))


def said(texts: Sequence[Any]) -> list[str]:
    """The texts that say anything."""
    return [t for t in (as_text(c) for c in texts if c is not None) if t.strip()]
