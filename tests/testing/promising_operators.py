"""Operators that keep every promise, and operators that break one each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl
from pydantic import ConfigDict, field_validator

from dataflow.core import Dataset, Expand, Filter, Judge, Map, Out, Source, Summary
from dataflow.core.generate import Ask
from dataflow.core.operator import Operator
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding


class Shout(Map):
    """Put a text into capitals."""

    suffix: str = "!"
    """What is put after it."""

    def map(self, text: str) -> str:
        return text.upper() + self.suffix


class ShoutFast(Shout):
    """Put a text into capitals, a column at once."""

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.map_elements(self.map, return_dtype=pl.String)


class Shorter(Filter):
    """Keep texts that are shorter than some others."""

    def keep(self, text: str) -> bool:
        return len(text) < 9

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.len_chars() < 9


class Letters(Expand):
    """Make a row of each letter."""

    def expand(self, text: str) -> Iterable[str]:
        return text[:5]


class Unique(Dataset):
    """Keep the first row of each text."""

    def select(self, texts: list[str | None]) -> Iterator[int]:
        return iter({text: i for i, text in reversed(list(enumerate(texts)))}.values())


class Lengths(Summary):
    """Count the characters of all texts."""

    def summarise(self, texts: list[str | None]) -> dict[str, Any]:
        return {"chars": sum(len(t or "") for t in texts)}


class Grader(Judge):
    """Grade a text."""

    def request(self, text: str) -> str:
        return text


class Maker(Source):
    """Make three rows."""

    def total(self) -> int:
        return 3

    async def make(self, ask: Ask, number: int) -> str:
        return await ask(f"number {number}")


class Undocumented(Map):
    def map(self, text: str) -> str:
        return text


class Unended(Shout):
    """Put a text into capitals"""


class LongWinded(Shout):
    """Put a text into capitals, which are letters as they were written in the times of the Romans, by everybody."""


class Bare(Map):
    """Cut a text."""

    max_chars: int = 3

    def map(self, text: str) -> str:
        return text[: self.max_chars]


class TakesAnyKey(Shout):
    """Take keys that it does not have."""

    def bind(self, **keys: Any) -> Binding:
        return super().bind(**{k: v for k, v in keys.items() if k.startswith(("input", "output"))})


class Conjurer(Shout):
    """Make a row of none."""

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        return super().transform(frame, binding) if frame.height else Outcome(frame.clear(1))


class Loser(Shout):
    """Lose the first row."""

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        return Outcome(super().transform(frame, binding).frame[1:])


class KeepsAndFails(Shorter):
    """Keep the rows that it drops."""

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        return Outcome(frame, super().transform(frame, binding).dropped)


class Overwriter(Shout):
    """Change the column that it reads."""

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        done = super().transform(frame, binding).frame
        return Outcome(done.with_columns(raw_content=pl.lit("x")))


class Narrower(Shout):
    """Give no more than it makes."""

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        return Outcome(super().transform(frame, binding).frame.drop("raw_content"))


class Scribbler(Shout):
    """Write a column more than it declares."""

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        return Outcome(super().transform(frame, binding).frame.with_columns(note=pl.lit("x")))


class Idler(Shout):
    """Write nothing."""

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        return Outcome(frame)


class Counts(Map):
    """Say how many rows there are."""

    output_key = Out("output", type="int")

    def map_batch(self, texts: pl.Series) -> pl.Series:
        return pl.Series([texts.len()] * texts.len(), dtype=pl.Int64)


class Torn(Shout):
    """Put a text into capitals, or into small letters."""

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.to_lowercase()


class TornFilter(Shorter):
    """Keep other texts by column than by row."""

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.len_chars() < 3


class Slow(Shout):
    """Take half a second for a megabyte, and four times as long for twice the text."""

    def map(self, text: str) -> str:
        end = time.process_time() + (len(text) / 1e6) ** 2 / 2
        while time.process_time() < end:
            pass
        return text


class Growing(Shout):
    """Change its own setting."""

    @field_validator("suffix")
    @classmethod
    def longer(cls, value: str) -> str:
        return value + "!"


class Thawed(Shout):
    """Let its settings be changed."""

    model_config = ConfigDict(frozen=False)


class Forgetful(Shout):
    """Forget its settings when pickled."""

    def __reduce__(self) -> Any:
        return Forgetful, ()


def local() -> Operator:
    class Hidden(Shout):
        """Stand where no other process finds it."""

    return Hidden()


class Fussy(Unique):
    """Raise where a text is missing."""

    def select(self, texts: list[Any]) -> Iterator[int]:
        return iter(sorted({len(text) for text in texts}))


class FussyFast(Map):
    """Raise for texts that are no numbers."""

    def map_batch(self, texts: pl.Series) -> pl.Series:
        return texts.cast(pl.Int64).cast(pl.String)
