"""How near a text comes to its references."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from dataflow.core.errors import MissingDependency, RowError
from dataflow.core.ports import In, Out
from dataflow.core.rows import Map
from dataflow.core.tables import Dataset, Selection
from dataflow.operators._lib.cider import Frequencies, Grams, cider_d, grams_of


class BleuSampleEvaluator(Map):
    """Score each text by its BLEU against its references, 0 to 1.

    BLEU is from Papineni et al. (2002): the precision of n-grams of up to `n` words, and a penalty for brevity.
    Words are parted by white space. Orders for which the text is too short do not count. A row without a reference
    has null.
    """

    input_key = In("raw_content", "the text")
    input_reference_key = In("reference", "the reference, or a list of them", type="any")
    output_key = Out("BleuScore", "BLEU, 0 to 1", type="float")

    n: int = Field(4, ge=1)
    """Words of the longest n-grams."""
    eff: Literal["average", "shortest", "longest"] = "average"
    """Which length of several references the text should have."""
    special_reflen: int | None = Field(None, ge=1)
    """The length that the text should have, in words, instead of the references'."""
    smoothing: Literal["exp", "floor", "add-k", "none"] = "exp"
    """What stands for an order of which no n-gram is met, as sacreBLEU names it; with `none` the score is 0."""

    def map(self, text: str, reference: Any) -> float | None:
        references = texts_of(reference)
        if not references:
            return None
        bleu = _sacrebleu(self.n)
        met = bleu.sentence_score(text, references)
        lengths = [len(r.split()) for r in references]
        wanted = {"average": sum(lengths) / len(lengths), "shortest": min(lengths), "longest": max(lengths)}
        size, length = met.sys_len, self.special_reflen or wanted[self.eff]
        precise = bleu.compute_bleu(
            met.counts,
            met.totals,
            size,
            size,
            smooth_method=self.smoothing,
            effective_order=True,
            max_ngram_order=self.n,
        )
        brevity = math.exp(1 - length / size) if 0 < size < length else 1.0
        return float(min(1.0, brevity * precise.score / 100))


class CiderSampleEvaluator(Dataset):
    """Score each text by its CIDEr-D against its references, 0 to 10.

    CIDEr-D is from Vedantam, Zitnick and Parikh (2015), arXiv 1411.5726: n-grams count that are rare in the corpus.
    Words are parted by white space, and are compared as they are. How rare an n-gram is, is counted
    over the references of the whole table, so that all rows are read before the first is scored; or is read from
    `idf_path`. A row without a text or reference has null; so have all where fewer than two rows have references, for
    nothing is rare then.

    Raises:
        ConfigError: a file of frequencies that is not there or cannot be read.
    """

    input_key = In("raw_content", "the text")
    input_reference_key = In("reference", "the reference, or a list of them", type="any")
    output_key = Out("CiderScore", "CIDEr-D, 0 to 10", type="float")

    n: int = Field(4, ge=1)
    """Words of the longest n-grams."""
    sigma: float = Field(6.0, gt=0)
    """How far lengths may differ before it costs much, in bigrams."""
    df_mode: Literal["corpus", "coco-val-df"] = "corpus"
    """Where frequencies come from: the references of the table, or `idf_path`, which chooses itself where it is given."""
    idf_path: str | None = None
    """A JSON file, `{"documents": 40504, "df": {"a": 39000, "a white whale": 3}}`: in how many documents n-grams come."""

    @model_validator(mode="after")
    def _has_frequencies(self) -> CiderSampleEvaluator:
        if self.df_mode == "coco-val-df" and self.idf_path is None:
            raise ValueError(
                "df_mode='coco-val-df' needs idf_path, a JSON file; leave both out to count the table's own"
            )
        return self

    def select(self, texts: list[Any], references: list[Any]) -> Selection:
        counted = [self._references(r) for r in references]
        if self.idf_path is not None:
            corpus = Frequencies.read(Path(self.idf_path))
        else:
            corpus = Frequencies.of(c for c in counted if c)
        scores = [
            None
            if not isinstance(text, str) or not known or corpus.documents < 2
            else cider_d(grams_of(text, self.n), known, corpus, self.n, self.sigma)
            for text, known in zip(texts, counted, strict=True)
        ]
        return Selection(columns={"output_key": scores})

    def _references(self, cell: Any) -> list[Grams]:
        try:
            return [grams_of(text, self.n) for text in texts_of(cell)]
        except RowError:
            return []


def texts_of(cell: Any) -> list[str]:
    """The references in a cell: a text, or a list of texts of which some may be null.

    Raises:
        RowError: the cell holds something else.
    """
    items: Sequence[Any] = cell if isinstance(cell, list) else [cell]
    texts = [item for item in items if item is not None]
    for text in texts:
        if not isinstance(text, str):
            raise RowError(f"a reference is a text or a list of texts, not {type(text).__name__}")
    return texts


@cache
def _sacrebleu(n: int) -> Any:
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "BLEU") from None
    return BLEU(tokenize="none", max_ngram_order=n, smooth_method="none", effective_order=True)
