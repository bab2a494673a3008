"""How likely readers find a text toxic, by the Perspective API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import polars as pl

from dataflow.core.asking import Ask, askers, attempted
from dataflow.core.background import gathered
from dataflow.core.errors import ReplyError
from dataflow.core.frames import ROW
from dataflow.core.generate import check_serving
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In, Out
from dataflow.core.protocols import LLMServing, Scope
from dataflow.core.replies import clip
from dataflow.core.rows import RowOperator, outcome
from dataflow.operators._lib.score_range import ScoreRange


class PerspectiveSampleEvaluator(RowOperator):
    """Score how likely readers find each text toxic, 0 to 1, by the Perspective API: one call a row.

    The serving (`PerspectiveAPIServing`) says what is scored; the API reads the first 20,480 bytes of a text. A text
    that is null or blank has null; a call that fails fails its row.
    """

    kind: ClassVar[str] = "Judge"
    calls_models: ClassVar[bool] = True
    input_key = In("raw_content", "the text")
    output_key = Out("PerspectiveScore", "probability that a reader finds it toxic", type="float")

    serving: LLMServing | None = None
    """What scores: a `PerspectiveAPIServing`, or any serving that replies with a number from 0 to 1."""

    @property
    def llm_serving(self) -> LLMServing | None:
        """The serving, under the name that other operators have it."""
        return self.serving

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        if self.serving is None:
            yield "serving", " is needed: serving=PerspectiveAPIServing()"
        yield from check_serving(self.serving, "serving")

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        rows = self.cells(frame, binding)
        asks = askers(self.serving, scope, frame[ROW].to_list(), type(self).__name__)
        results = await gathered(self._one(ask, row) for ask, row in zip(asks, rows, strict=True))
        return outcome(frame, results, lambda kept, done: Outcome(self.written(kept, binding, done)))

    async def _one(self, ask: Ask, row: tuple[Any, ...]) -> Any:
        if row[0] is None or not str(row[0]).strip():
            return None
        return await attempted(self.score(ask, str(row[0])))

    async def score(self, ask: Ask, text: str) -> float:
        """The score in the reply to one text."""
        reply = str(await ask(text))
        try:
            score = float(reply)
        except ValueError:
            score = -1.0
        if not 0 <= score <= 1:
            raise ReplyError(f"no score from 0 to 1 in the reply {clip(reply)}")
        return score


class PerspectiveFilter(ScoreRange, PerspectiveSampleEvaluator):
    """Keep texts that readers are unlikely to find toxic, by the Perspective API: one call a row.

    The bounds are inclusive. A call that fails fails its row: a text that was never judged does not pass. One that is
    null or blank is dropped.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score")

    min_score: float = 0.0
    max_score: float = 0.5
