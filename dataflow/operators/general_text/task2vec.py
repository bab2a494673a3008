"""How varied a data set is to a language model: the diversity coefficient of Task2Vec."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflow.core.outcome import Failure
from dataflow.operators._lib.scoring.batching import tokenised
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelSummary, said


class Task2VecDatasetEvaluator(ModelSummary):
    """Measure how varied texts are to a language model: the mean Task2Vec distance of random samples.

    For each sample the output layer is tuned, in a copy, and the sample's vector is the diagonal of the Fisher information
    of the other linear layers, averaged by output of a layer. `Task2VecDiversityScore` is the mean cosine distance of two
    samples, `ConfidenceInterval` its standard deviation; both are null without two samples. The model stays as it
    was, and the same `seed` gives the same numbers. Miranda et al. 2023, arXiv 2306.13840; Achille et al. 2019, arXiv 1902.03545.
    """

    architecture: ClassVar[str] = "causal"
    leading: ClassVar[tuple[str, ...]] = ("device", "sample_nums", "sample_size", "method", "model_cache_dir")

    sample_nums: int = Field(10, ge=1)
    """Samples drawn."""
    sample_size: int = Field(1, ge=1)
    """Texts a sample."""
    method: Literal["montecarlo", "variational"] = "montecarlo"
    """How Fisher information is estimated: from labels drawn from the model, or from the noise that the weights bear."""
    model_name: str = "gpt2"
    epochs: int = Field(5, ge=0)
    """How often the output layer is tuned on a sample."""
    seed: int = 42
    """Draws the samples, and what is drawn from the model."""

    def summarise(self, texts: list[Any]) -> dict[str, Any]:
        wanted = said(texts)
        told: dict[str, Any] = {"Task2VecDiversityScore": None, "ConfidenceInterval": None, "samples": 0}
        if not wanted or self.sample_nums < 2:
            return told
        with self._held.in_use() as loaded:
            vectors = self._vectors(self.fitted(loaded), wanted)
        if len(vectors) > 1:
            distances = pair_distances(vectors)
            told |= {
                "Task2VecDiversityScore": float(np.mean(distances)),
                "ConfidenceInterval": float(np.std(distances)),
            }
        return told | {"samples": len(vectors)}

    def _vectors(self, loaded: Loaded, texts: list[str]) -> list[np.ndarray]:
        """A vector a sample; samples without two tokens in a row have none."""
        from dataflow.operators._lib.scoring.fisher import Probe  # loads torch

        made = []
        for number in range(self.sample_nums):
            draw = np.random.default_rng([self.seed, number])
            chosen = draw.choice(len(texts), min(self.sample_size, len(texts)), replace=False)
            found = tokenised(loaded, [texts[i] for i in chosen.tolist()])
            rows = [t.ids for t in found if not isinstance(t, Failure) and len(t.ids) > 1]
            if rows:
                probe = Probe(loaded, rows, seed=int(draw.integers(1 << 31)))
                made.append(probe.information(self.method, self.epochs))
        return made


def pair_distances(vectors: list[np.ndarray]) -> list[float]:
    """The cosine distance of each pair, each entry taken as its share of the pair's."""
    made = []
    for i, a in enumerate(vectors):
        for b in vectors[i + 1 :]:
            whole = a + b + 1e-8
            x, y = a / whole, b / whole
            norm = float(np.linalg.norm(x) * np.linalg.norm(y))
            made.append(max(0.0, 1.0 - float(x @ y) / norm) if norm else 0.0)
    return made
