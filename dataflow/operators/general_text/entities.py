"""Names and personal data, found by a small model that runs in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.ports import In, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.entities import ENGLISH, entities, personal_data
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.spans import Span, replaced


class _Analysed(Map):
    """Makes a value of each text and the spans that a model finds in it; texts are read in batches."""

    runs_model: ClassVar[bool] = True
    extras: ClassVar[tuple[str, ...]] = ("pii",)
    input_key = In("raw_content", "the text")

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        raise NotImplementedError

    def made(self, text: str, spans: list[Span]) -> Any:
        raise NotImplementedError

    def map(self, text: str) -> Any:
        return self.made(text, self.spans([text])[0])

    def map_batch(self, texts: pl.Series) -> pl.Series:
        known = [text for text in texts.to_list() if text is not None]
        made = iter([self.made(*both) for both in zip(known, self.spans(known), strict=True)])
        port = self.outputs["output_key"]
        dtype = pl.Int64 if port.type == "int" else pl.String
        return pl.Series([None if null else next(made) for null in texts.is_null()], dtype=dtype)


class _Personal(_Analysed):
    """Finds personal data by Presidio."""

    lang: str = "en"
    """The language of the texts; for another than English name a model of it."""
    device: str = "cuda"
    """Not used: the model is small, and runs on the processor."""
    model_cache_dir: str = "./dataflow_cache"
    """Not used: the model is an installed package, and nothing is fetched."""
    model_name: str = ENGLISH
    """An installed spaCy model; names of Hugging Face models (with a `/`) stand for the one set by default."""
    min_confidence: float = Field(0.35, ge=0, le=1)
    """Least confidence of a find; below it are mostly plain numbers that could be of some document."""

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        model = ENGLISH if "/" in self.model_name else self.model_name
        return personal_data(texts, self.lang, model, self.min_confidence)


class PresidioSampleEvaluator(_Personal):
    """Count the pieces of personal data in each text: names, places, dates, numbers, addresses.

    By Presidio: names are found by a small spaCy model, the rest by patterns and checksums. Of finds that overlap the
    surest counts. The model reads some 30 kB of text a second.
    """

    leading: ClassVar[tuple[str, ...]] = ("device", "lang", "model_cache_dir")
    output_key = Out("PresidioScore", "pieces of personal data", type="int")

    def made(self, text: str, spans: list[Span]) -> int:
        return len(spans)


class PresidioFilter(ScoreRange, PresidioSampleEvaluator):
    """Keep texts with few pieces of personal data: the count of `PresidioSampleEvaluator` within a range.

    The bounds are inclusive. The count is written for the rows that stay.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", "lang", "device", "model_cache_dir")

    min_score: int = 0
    max_score: int = 5


class PIIAnonymizeRefiner(_Personal):
    """Put the type of each piece of personal data in its place, such as `<PERSON>`, as found by Presidio.

    Names are found by a small spaCy model, the rest by patterns and checksums. Of finds that overlap the surest is
    replaced. The model reads some 30 kB of text a second; `PIIRefiner` finds less, and takes no model.
    """

    leading: ClassVar[tuple[str, ...]] = ("lang", "device", "model_cache_dir", "model_name")
    output_key = Out(doc="where the text goes; the column read, unless named", like="input_key")

    def made(self, text: str, spans: list[Span]) -> str:
        return replaced(text, spans, "<{}>")


class NERRefiner(_Analysed):
    """Put the label of each named entity in an English text in its place, such as `[PERSON]`.

    Entities are found by a small spaCy model. The labels are those of OntoNotes: PERSON, ORG, GPE, DATE, MONEY and
    others. Only the entity itself is replaced, not the same word elsewhere.
    """

    output_key = Out(doc="where the text goes; the column read, unless named", like="input_key")

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        return entities(texts)

    def made(self, text: str, spans: list[Span]) -> str:
        return replaced(text, spans, "[{}]")
