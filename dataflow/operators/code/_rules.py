"""Evaluators of source files by rules, and the filters made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import polars as pl

from dataflow.core.frames import values
from dataflow.core.outcome import Failure, Outcome, dropped
from dataflow.core.ports import Binding, In, Out
from dataflow.core.rows import RowOperator, outcome
from dataflow.operators._lib.text_filter import TextStats, note
from dataflow.operators._lib.text_rules import Rule
from dataflow.operators.code._cells import FILES, LANGUAGES, record_field, source_texts
from dataflow.operators.code._languages import detected, language_named, language_of_file

MARK = "__mark__"
SOURCE = "the source file: text, a list of lines, or a record with `text`, `content`, `code` or `lines`"


def label(name: str) -> Out:
    """The port of the column that filters write for those who look for it."""
    return Out(name, "1 on every kept row; written where it is named", type="int", optional=True)


@dataclass(frozen=True)
class Judged:
    """Measures of source files, and which rules they keep."""

    frame: pl.DataFrame
    """The rows with their measures."""
    null: pl.Series
    rules: Sequence[Rule]
    values: pl.DataFrame
    """What each rule measures, a column a rule."""
    kept: pl.DataFrame
    """Whether it is kept."""

    def broken(self, row: int) -> str | None:
        """The first rule that a row breaks, with its measure."""
        for i, rule in enumerate(self.rules):
            if not self.kept[row, i]:
                return rule.reason(self.values[row, i])
        return None


class SourceScore(RowOperator):
    """Measures source files, and scores each by rules: 1.0 where it keeps them all, else 0.0; null for null.

    The kernels are `measures`, of the file to an expression a port, and `rules`.
    """

    kind: ClassVar[str] = "Map"
    kernel: ClassVar[str] = "rules"

    input_key = In(doc=SOURCE, type="any")

    @classmethod
    def check_definition(cls) -> None:
        """The kernels take the file alone, whatever else is read."""

    def measures(self, source: TextStats) -> Mapping[str, pl.Expr]:
        """What is written, by output port; the score is not among them."""
        raise NotImplementedError

    def rules(self, source: TextStats) -> Sequence[Rule]:
        """What a file must keep, in the order in which it is told."""
        raise NotImplementedError

    def excused(self, source: TextStats) -> Sequence[Rule]:
        """What a file must keep instead, where `excuses` says so; nothing where there are no exceptions."""
        return ()

    def excuses(self, frame: pl.DataFrame, texts: pl.Series, binding: Binding) -> list[bool]:
        """For rows that break the rules, but not those of exceptions: which of them are exceptions."""
        return [False] * frame.height

    def marks(self, texts: pl.Series) -> list[Any] | None:
        """A value for each file, or the `Failure` of it, that expressions find in the column `MARK`."""
        return None

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        texts, faults = source_texts(frame[str(binding.reads["input_key"])])
        marks = self.marks(texts)
        failures = [next((f for f in row if isinstance(f, Failure)), None) for row in zip(faults or [None] * len(texts), marks or [None] * len(texts), strict=True)] if faults or marks else []  # fmt: skip
        judge = partial(self._judge, texts=texts, marks=marks, binding=binding)
        if not any(failures):
            return judge(frame, list(range(frame.height)))
        return outcome(frame, [f or i for i, f in enumerate(failures)], judge)

    def _judge(
        self,
        frame: pl.DataFrame,
        rows: list[int],
        *,
        texts: pl.Series,
        marks: list[Any] | None,
        binding: Binding,
    ) -> Outcome:
        column = str(binding.reads["input_key"])
        texts = texts if len(rows) == len(texts) else texts[rows]
        source = TextStats(column)
        measures, rules, others = self.measures(source), self.rules(source), self.excused(source)
        work = frame.with_columns(texts.alias(column))
        if marks is not None:
            work = work.with_columns(pl.Series(MARK, [marks[i] for i in rows], dtype=pl.Int64))
        notes = [note(work, column, group) for group in source.groups]
        work = work.with_columns(notes)
        null = texts.is_null()
        tried = work.select(rule.measure.alias(str(i)) for i, rule in enumerate(rules))
        kept = tried.select(rule.kept(pl.col(str(i))).alias(str(i)) for i, rule in enumerate(rules))
        good = _all(kept)
        if others:
            loose = _all(work.select(rule.kept(rule.measure).alias(str(i)) for i, rule in enumerate(others)))
            asked = (loose & ~good & ~null).arg_true()
            if len(asked):
                good = good.scatter(
                    asked, pl.Series(self.excuses(frame[asked], texts[asked], binding)) | good[asked]
                )
        written = work.select(
            pl.when(texts.is_not_null()).then(measure).alias(binding.writes[port])
            for port, measure in measures.items()
        )
        score = pl.DataFrame({"good": good.cast(pl.Float64), "null": null}).select(
            pl.when(~pl.col("null")).then("good").alias(binding.writes["output_score_key"])
        )
        whole = frame.with_columns(*notes, *written.iter_columns(), *score.iter_columns())
        return self.decided(Judged(whole, null, rules, tried, kept), binding)

    def decided(self, judged: Judged, binding: Binding) -> Outcome:
        """What becomes of the rows; by default all go on."""
        return Outcome(judged.frame)


def _all(kept: pl.DataFrame) -> pl.Series:
    return kept.select(pl.all_horizontal(pl.all()).alias("good"))["good"]


class SourceFilter(SourceScore):
    """Makes a filter of the evaluator that it is put in front of; it writes what that one writes.

    A row that is dropped is told the first rule that it breaks, with its measure.
    """

    kind: ClassVar[str] = "Filter"

    min_score: float = 1.0
    """Lowest score kept."""
    max_score: float = 1.0
    """Highest score kept."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__mro__[
            1:
        ]:  # a port that the class names itself would replace those of the evaluator
            for name, port in vars(base).items():
                if isinstance(port, (In, Out)) and name not in vars(cls):
                    setattr(cls, name, port)

    def decided(self, judged: Judged, binding: Binding) -> Outcome:
        score = judged.frame[binding.writes["output_score_key"]]
        keep = score.is_between(self.min_score, self.max_score).fill_null(value=False)
        labels = [pl.lit(1, pl.Int64).alias(c) for p, c in binding.writes.items() if p == "output_key"]
        done = Outcome(judged.frame.with_columns(labels).filter(keep))
        lost = (~keep).arg_true().to_list()
        if lost:
            reasons = ["null" if judged.null[i] else self._reason(judged, i, score[i]) for i in lost]
            done.dropped = dropped(judged.frame, lost, reasons, binding.first_read)
        return done

    def _reason(self, judged: Judged, row: int, score: float) -> str:
        if score > self.max_score:
            return f"score > {self.max_score:g}: {score:g}"
        return judged.broken(row) or f"score < {self.min_score:g}: {score:g}"


class ByLanguage(SourceScore):
    """Makes exceptions for files in some languages."""

    exceptions: ClassVar[frozenset[str]] = frozenset()

    language: str = ""
    """The language of all files, by its name; left out, it is looked for as told above."""
    detect_language: bool = True
    """Whether the language of a file that nothing tells is looked for in its content (pygments)."""

    input_key = In(doc=SOURCE + "; one may also have `language` and `filename`", type="any")
    input_language_key = In(doc="the name of the language", optional=True)
    input_filename_key = In(doc="the name of the file; its extension tells the language", optional=True)

    def excuses(self, frame: pl.DataFrame, texts: pl.Series, binding: Binding) -> list[bool]:
        cells = {port: values(frame[c]) for port, c in binding.reads.items() if isinstance(c, str)}
        rows = (dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True))
        return [self._language(row, text) in self.exceptions for row, text in zip(rows, texts, strict=True)]

    def _language(self, row: Mapping[str, Any], text: str) -> str | None:
        cell = row["input_key"]
        for name in (self.language, row.get("input_language_key"), record_field(cell, LANGUAGES)):
            if isinstance(name, str) and name.strip():
                return language_named(name)
        for name in (row.get("input_filename_key"), record_field(cell, FILES)):
            if isinstance(name, str) and (found := language_of_file(name)):
                return found
        return detected(text) if self.detect_language else None


__all__ = ["MARK", "ByLanguage", "SourceFilter", "SourceScore", "label"]
