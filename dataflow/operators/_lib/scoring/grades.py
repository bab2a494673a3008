"""Grades that a language model would give: the mean of the numbers it may say next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from dataflow.core.errors import ConfigError
from dataflow.core.outcome import Failure
from dataflow.core.prompt import fill
from dataflow.operators._lib.scoring.asking import next_tokens
from dataflow.operators._lib.scoring.batching import Tokens, whole
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore


class NextTokenGrade(ModelScore):
    """Asks for a grade, and takes the mean of the grades weighted by how likely each is to be said next."""

    architecture: ClassVar[str] = "causal"
    grades: ClassVar[tuple[int, ...]] = (1, 2, 3, 4, 5, 6)
    slots: ClassVar[tuple[str, ...]] = ()
    """The names of the columns read, in `input_format`."""

    input_format: str
    """What the model is shown; slots are the short names of the columns read."""

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        wanted = [self._token(loaded, grade) for grade in self.grades]
        found = [self._asked(loaded, row) for row in rows]
        told = next_tokens(loaded, found, self.batch_tokens, wanted)
        return [t if t is None or isinstance(t, Failure) else self._mean(t) for t in told]

    def _mean(self, probabilities: Sequence[float]) -> float:
        return math.fsum(g * p for g, p in zip(self.grades, probabilities, strict=True))

    def _token(self, loaded: Loaded, grade: int) -> int:
        """The token of a grade by itself."""
        token = loaded.tokenizer.convert_tokens_to_ids(str(grade))
        if token is None or token == loaded.tokenizer.unk_token_id:
            raise ConfigError(f"{self.named()!r} has no token {str(grade)!r}, so it cannot give grades")
        return int(token)

    def _asked(self, loaded: Loaded, row: tuple[Any, ...]) -> Tokens | Failure:
        """The question as tokens; where it is too long the end of the last column is left out, not what follows it."""
        try:
            return asked(loaded, self.input_format, dict(zip(self.slots, row, strict=True)))
        except (TypeError, ValueError) as error:
            return Failure.of(error)


def asked(loaded: Loaded, form: str, values: dict[str, Any]) -> Tokens:
    """A form filled in, as tokens that fit: the text before the last fixed part is cut at its end."""
    from dataflow.core.frames import clean

    text = fill(form, {k: clean(v) for k, v in values.items()})
    ids = list(loaded.tokenizer(text, truncation=False, verbose=False)["input_ids"])
    if len(ids) <= loaded.limit:
        return Tokens(ids)
    tail = whole(loaded, form[form.rindex("}") + 1 :])
    return Tokens(ids[: max(loaded.limit - len(tail), 0)] + tail[-loaded.limit :], cut=True)
