"""Scores that a classifier gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataflow.core.errors import ConfigError, did_you_mean
from dataflow.core.outcome import Failure
from dataflow.core.ports import In
from dataflow.operators._lib.scoring.asking import label_scores
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore


class ClassifierScore(ModelScore):
    """Scores a text by a classifier: its one output as it is, or the probability of one label."""

    label: str | None = None
    """The label whose probability is the score; left out for a model with a single output."""

    input_key = In("raw_content", "the text")

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        outputs = label_scores(loaded, self.tokens(loaded, self.texts(rows)), self.batch_tokens)
        pick = self._pick(loaded)
        return [o if o is None or isinstance(o, Failure) else pick(o) for o in outputs]

    def texts(self, rows: list[tuple[Any, ...]]) -> list[Any]:
        """What is scored of each row."""
        return [text for (text,) in rows]

    def _pick(self, loaded: Loaded) -> Any:
        """The score in a row of outputs."""
        if self.label is None:
            return self._single
        place = place_of(self.label, loaded, self.named())
        return lambda outputs: softmax(outputs)[place]

    def _single(self, outputs: list[float]) -> float:
        if len(outputs) != 1:
            raise ConfigError(
                f"{self.named()!r} has {len(outputs)} labels: label= names the one whose probability is the score"
            )
        return outputs[0]


def place_of(label: str, loaded: Loaded, model: str) -> int:
    """Which output is that of a label."""
    found = next((i for i, name in loaded.labels.items() if name == label), None)
    if found is None:
        known = list(loaded.labels.values())
        raise ConfigError(
            f"{model!r} has no label {label!r}; there are {', '.join(known)}.{did_you_mean(label, known)}"
        )
    return found


def softmax(values: Sequence[float]) -> list[float]:
    import numpy as np

    shifted = np.exp(np.asarray(values, np.float64) - max(values))
    return list((shifted / shifted.sum()).tolist())
