"""How good code is, by a model, and keeping what is good enough."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.protocols import Request, Scope
from dataflow.core.replies import parse_score, without_thinking
from dataflow.operators._lib.replies import read_object
from dataflow.operators.code._rules import label
from dataflow.prompts.code import CodeGrade, CodeQualityEvaluatorPrompt

_DEFAULT = CodeQualityEvaluatorPrompt()
_FEEDBACK = re.compile(r"\**\bfeedback\b[ \t*]*[:：][ \t*]*", re.IGNORECASE)
_SCORE_LINE = re.compile(r"^[ \t*#-]*score\b.*$", re.IGNORECASE | re.MULTILINE)


@prompt_restrict(CodeQualityEvaluatorPrompt)
class CodeQualitySampleEvaluator(Generate):
    """Grade how well code does what was asked for, from 1 to 10, with the reason: one model call a row.

    The reply is a JSON object with `score` and `feedback`, or has lines that begin so. One without a whole number from 1 to 10
    fails its row. Null where the task or the code is null.
    """

    prompt_template: CodeQualityEvaluatorPrompt | DIYPromptABC | None = None
    """What is asked; your own may take `instruction` and `code`."""

    input_instruction_key = In(doc="the task", type="any")
    input_code_key = In(doc="the code", type="any")
    output_score_key = Out("quality_score", "the grade, 1 to 10", type="int")
    output_feedback_key = Out("quality_feedback", "the reason; empty where the model gives none")

    @property
    def prompt(self) -> PromptABC:
        return getattr(self, "prompt_template", None) or _DEFAULT

    def request(self, instruction: Any, code: Any) -> Request:
        return build(self.prompt, {"instruction": as_text(instruction), "code": as_text(code)})

    def parse(self, reply: str) -> tuple[int, str]:
        try:
            grade = read_object(reply, CodeGrade)
        except ReplyError:
            return _lines(without_thinking(reply))
        return grade.score, grade.feedback.strip()


def _lines(text: str) -> tuple[int, str]:
    """The grade and the reason in a reply with a line `Score:` and one `Feedback:`, in either order."""
    head, *feedback = _FEEDBACK.split(text, maxsplit=1)
    lines = _SCORE_LINE.findall(text)
    score = int(parse_score(lines[0] if lines else head, 1, 10))
    return score, _SCORE_LINE.sub("", feedback[0]).strip() if feedback else ""


class CodeQualityScoreFilter(CodeQualitySampleEvaluator):
    """Keep code that a model grades well: one model call a row, none where grades are there.

    Where the table has the column of the grades, those count. Both bounds are inclusive. A row without a task, code or grade is dropped with the reason `null`; a reply without a grade
    fails its row.
    """

    min_score: float = Field(7, ge=0, le=10)
    """Lowest grade kept."""
    max_score: float = Field(10, ge=0, le=10)
    """Highest grade kept."""
    prompt_template: CodeQualityEvaluatorPrompt | DIYPromptABC | None = None
    """What is asked; your own may take `instruction` and `code`."""

    leading: ClassVar[tuple[str, ...]] = ("llm_serving", "min_score", "max_score", "prompt_template")
    kind: ClassVar[str] = "Filter"

    input_instruction_key = In(doc="the task", type="any")
    input_code_key = In(doc="the code", type="any")
    output_score_key = Out("quality_score", "the grade, 1 to 10", type="int")
    output_feedback_key = Out("quality_feedback", "the reason; empty where the model gives none")
    output_key = label("quality_score_filter_label")

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        score = binding.writes["output_score_key"]
        if score not in frame.columns:
            return self._within(await super().apply(frame, binding, scope), binding)
        feedback = binding.writes["output_feedback_key"]
        absent = [] if feedback in frame.columns else [pl.lit(None, pl.String).alias(feedback)]
        return self._within(Outcome(frame.with_columns(absent)), binding)

    def written(self, frame: pl.DataFrame, binding: Binding, results: Any) -> pl.DataFrame:
        graded = {k: v for k, v in binding.writes.items() if k != "output_key"}
        whole = [(None, None, None) if r is None else (*r, 1) for r in results]
        return super().written(frame, Binding(binding.reads, graded, binding.args), whole)

    def _within(self, done: Outcome, binding: Binding) -> Outcome:
        grades = done.frame[binding.writes["output_score_key"]].cast(pl.Float64)
        keep = grades.is_between(self.min_score, self.max_score).fill_null(value=False)
        lost = (~keep).arg_true().to_list()
        if lost:
            reasons = ["null" if grades[i] is None else self._reason(grades[i]) for i in lost]
            done.dropped = pl.concat([done.dropped, dropped(done.frame, lost, reasons, binding.first_read)])
        done.measured = pl.DataFrame({"measure": grades, "kept": keep}).drop_nulls()
        labels = [pl.lit(1, pl.Int64).alias(c) for p, c in binding.writes.items() if p == "output_key"]
        done.frame = done.frame.with_columns(labels).filter(keep)
        return done

    def keeps(self, measure: float) -> bool:
        """Whether a grade is kept."""
        return self.min_score <= measure <= self.max_score

    def _reason(self, grade: float) -> str:
        if grade < self.min_score:
            return f"score < {self.min_score:g}: {grade:g}"
        return f"score > {self.max_score:g}: {grade:g}"
