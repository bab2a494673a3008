"""How varied a data set is: Vendi scores."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflow.core.outcome import Failure
from dataflow.operators._lib.scoring.asking import Pooling, vectors_of
from dataflow.operators._lib.scoring.held import HeldModel
from dataflow.operators._lib.scoring.operator import ModelSummary, said

BLOCK = 1024


class VendiDatasetEvaluator(ModelSummary):
    """Measure how varied texts are by the Vendi score, with the vectors of BERT and of SimCSE.

    e to the entropy of the eigenvalues of K/n, where K holds the cosines of all pairs: as many as there are texts where all
    differ, 1 where all are the same. They are found from the vectors' own matrix, so that memory hangs on the length of a vector and
    not on the number of texts. BERT's vector is the mean over the tokens, SimCSE's that of the first token. Null and blank texts
    do not count; without any the scores are null. Friedman and Dieng 2023, arXiv 2210.02410.
    """

    leading: ClassVar[tuple[str, ...]] = ("device",)

    model_name: str = "bert-base-uncased"
    """The encoder of `BERTVendiScore`: its name on the Hugging Face Hub, or the path of a folder."""
    simcse_model_name: str = "princeton-nlp/unsup-simcse-bert-base-uncased"
    """The encoder of `SimCSEVendiScore`."""
    max_samples: int | None = Field(None, ge=1)
    """At most so many texts are looked at, drawn by `seed`; all where left out."""
    seed: int = 42
    """Draws the texts looked at."""

    def summarise(self, texts: list[Any]) -> dict[str, Any]:
        wanted = sampled(said(texts), self.max_samples, self.seed)
        simcse = self.held_model(self.simcse_model_name, self.architecture)
        bert, failed = self._score(self._held, wanted, "mean")
        second, _ = self._score(simcse, wanted, "first")
        simcse.cleanup()
        return {"BERTVendiScore": bert, "SimCSEVendiScore": second, "texts": len(wanted), "failed": failed}

    def _score(self, model: HeldModel, texts: list[str], pooling: Pooling) -> tuple[float | None, int]:
        """The score of texts by a model, and how many could not be read."""
        gram, count = np.zeros((0, 0)), 0
        if not texts:
            return None, 0
        with model.in_use() as loaded:
            for first in range(0, len(texts), BLOCK):
                found = vectors_of(
                    self.fitted(loaded), texts[first : first + BLOCK], self.batch_tokens, pooling
                )
                unit = unit_rows([v for v in found if v is not None and not isinstance(v, Failure)])
                if len(unit):
                    gram = unit.T @ unit + (gram if gram.size else 0.0)
                    count += len(unit)
        return (round(vendi(gram / count), 2) if count else None), len(texts) - count


def sampled(texts: list[str], most: int | None, seed: int) -> list[str]:
    """At most so many of the texts, in their order."""
    if most is None or len(texts) <= most:
        return texts
    chosen = np.random.default_rng(seed).choice(len(texts), most, replace=False)
    return [texts[i] for i in sorted(chosen.tolist())]


def unit_rows(vectors: list[Any]) -> np.ndarray:
    """Vectors of length 1, `(n, dim) float64`."""
    rows = np.asarray(vectors, np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) if len(rows) else rows


def vendi(kernel: np.ndarray) -> float:
    """e to the entropy of the eigenvalues of a symmetric matrix of trace 1."""
    values = np.linalg.eigvalsh(kernel)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
