"""What a table of questions and answers is made up of, for the report of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from statistics import median_high
from typing import Any, ClassVar

import polars as pl

from dataflow.core.frames import as_text
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In
from dataflow.core.rows import cells_of
from dataflow.core.tables import Summary
from dataflow.operators._lib.tokenizer_files import count, missing


class _Distribution(Summary):
    """A summary of one number a row, whose distribution the report draws."""

    measured: ClassVar[str] = ""

    def measures(self, *columns: Any) -> Iterable[float]:
        """The numbers that are drawn."""
        raise NotImplementedError

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        done = super().transform(frame, binding)
        columns = (cells_of(frame, column) for column in binding.reads.values())
        found = [float(m) for m in self.measures(*columns)]
        done.measured = pl.DataFrame({"measure": found, "kept": [True] * len(found)}, {"measure": pl.Float64, "kept": pl.Boolean})  # fmt: skip
        return done


class ReasoningCategoryDatasetEvaluator(Summary):
    """Count questions by field, and by part of it.

    The counts go to the run's report: `primary_counts` a field, `secondary_counts` a field and a part of it. Questions without a field
    count as `none`, in a part of their field as nothing.
    """

    input_primary_category_key = In("primary_category", "the field", type="any")
    input_secondary_category_key = In("secondary_category", "the part of the field", type="any")

    def summarise(self, primaries: list[Any], secondaries: list[Any]) -> dict[str, Any]:
        named = [_label(p) for p in primaries]
        parts = [
            f"{p} / {as_text(s)}"
            for p, s in zip(named, secondaries, strict=True)
            if p != "none" and s is not None and as_text(s).strip()
        ]
        return {"primary_counts": _counted(named), "secondary_counts": _counted(parts)}


class ReasoningDifficultyDatasetEvaluator(_Distribution):
    """Count questions by difficulty, with mean and median.

    The counts and a histogram go to the run's report. What is null or no number counts as `none`.
    """

    measured: ClassVar[str] = "difficulty"
    input_diffulty_key = In("difficulty_score", "the difficulty", type="any")

    def summarise(self, scores: list[Any]) -> dict[str, Any]:
        known = [s for s in scores if _is_number(s)]
        counts = {f"{s:g}": n for s, n in sorted(Counter(known).items())}
        if len(known) < len(scores):
            counts["none"] = len(scores) - len(known)
        metrics: dict[str, Any] = {"difficulty_counts": counts}
        if known:
            metrics |= {"mean": sum(known) / len(known), "median": median_high(known)}
        return metrics

    def measures(self, scores: list[Any]) -> Iterable[float]:
        return filter(_is_number, scores)


class ReasoningTokenDatasetEvaluator(_Distribution):
    """Tell how long questions and answers are in tokens of a given model.

    For each the number of empty ones, least, most, mean and upper median, without special tokens; what is null has no tokens.
    The report draws the lengths of the answers. The tokenizer is loaded once; nothing is downloaded.

    Raises:
        ConfigError: the tokenizer is not there, or cannot be read.
        MissingDependency: tokenizers is not installed.
    """

    measured: ClassVar[str] = "tokens of answers"
    extras: ClassVar[tuple[str, ...]] = ("local",)

    model_name_or_path: str
    """A `tokenizer.json`, a folder with one, or the name of a model in the Hugging Face cache."""

    input_question_key = In(doc="the question", type="any")
    input_answer_key = In(doc="its answer", type="any")

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        yield from missing("model_name_or_path", self.model_name_or_path)

    def summarise(self, questions: list[Any], answers: list[Any]) -> dict[str, Any]:
        return self._of("questions", questions) | self._of("answers", answers)

    def measures(self, questions: list[Any], answers: list[Any]) -> Iterable[float]:
        return self._lengths(answers)

    def _of(self, name: str, texts: list[Any]) -> dict[str, Any]:
        lengths = self._lengths(texts)
        if not lengths:
            return {}
        return {
            f"{name}_zeros_count": lengths.count(0),
            f"{name}_min": min(lengths),
            f"{name}_max": max(lengths),
            f"{name}_mean": sum(lengths) / len(lengths),
            f"{name}_median": median_high(lengths),
        }

    def _lengths(self, texts: list[Any]) -> list[int]:
        plain = ["" if t is None else as_text(t) for t in texts]
        return [count(t, self.model_name_or_path) if t else 0 for t in plain]


def _label(name: Any) -> str:
    return as_text(name) if name is not None and as_text(name).strip() else "none"


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _is_number(score: Any) -> bool:
    return isinstance(score, (int, float)) and not isinstance(score, bool) and score == score
