"""How many answers of a benchmark agree with their references."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, prompt_restrict
from dataflow.core.replies import clip, parse_json
from dataflow.core.tables import Selection
from dataflow.operators._lib.answer_bench import AnswerBenchmark, Cells
from dataflow.operators._lib.bench import is_blank, readable, share
from dataflow.prompts.model_evaluation.general import (
    AnswerJudgeMultipleQuestionsPrompt,
    AnswerJudgePrompt,
    AnswerJudgePromptQuestion,
)


@prompt_restrict(AnswerJudgePrompt)
class BenchDatasetEvaluator(AnswerBenchmark):
    """Mark which answers agree with their references, and write the accuracy to a file.

    Accuracy is the share of right answers among the rows that could be judged. A blank answer is wrong; a row
    without a reference, or whose judge gave no readable verdict, is null and not counted. `semantic` makes one
    model call a row.

    Raises:
        MissingDependency: with `match`, where answers must be compared as mathematics without math-verify.
    """

    prompt_template: AnswerJudgePrompt | DIYPromptABC | None = None
    """How the judge is asked."""

    def select(self, answers: list[Any], references: list[Any]) -> Selection:
        prompt = self.prompt_template or AnswerJudgePrompt()
        verdicts = self.verdicts(answers, references, None, prompt)
        return Selection(columns={"output_key": verdicts}, metrics=self.statistics(verdicts, references))


@prompt_restrict(AnswerJudgePromptQuestion, AnswerJudgeMultipleQuestionsPrompt)
class BenchDatasetEvaluatorQuestion(AnswerBenchmark):
    """Mark which answers to questions agree with their references, and write the accuracy to a file.

    As `BenchDatasetEvaluator`, but the judge also sees the question. With `support_subquestions` (and `semantic`)
    it judges each part of the question: an answer agrees if all its parts do, parts to which the reference has
    no answer are not counted, and the counts are written as columns of their own.
    """

    prompt_template: AnswerJudgePromptQuestion | AnswerJudgeMultipleQuestionsPrompt | DIYPromptABC | None = (
        None
    )
    """How the judge is asked."""
    support_subquestions: bool = False
    """Whether the parts of a question are judged one by one."""

    input_test_answer_key = In("generated_cot", "the answer under test", type="any")
    input_gt_answer_key = In("golden_answer", "the reference answer", type="any")
    input_question_key = In(doc="the question", type="any", optional=True)
    output_key = Out(
        "answer_match_result", "whether they agree; null where it could not be told", type="bool"
    )
    output_correct_key = Out("correct_answer_num", "how many parts are right", type="int")
    output_total_key = Out("total_subquestions", "how many parts were judged", type="int")
    output_response_key = Out("response_evaluation", "what the judge said")

    def bind(self, **keys: Any) -> Binding:
        bound = super().bind(**keys)
        return (
            bound if self._by_parts() else replace(bound, writes={"output_key": bound.writes["output_key"]})
        )

    def _by_parts(self) -> bool:
        return self.support_subquestions and self.compare_method == "semantic"

    def select(self, answers: list[Any], references: list[Any], questions: list[Any] | None) -> Selection:
        if self._by_parts():
            return self._select_by_parts(answers, references, questions)
        plain = AnswerJudgePrompt() if questions is None else AnswerJudgePromptQuestion()
        verdicts = self.verdicts(answers, references, questions, self.prompt_template or plain)
        return Selection(columns={"output_key": verdicts}, metrics=self.statistics(verdicts, references))

    def _select_by_parts(self, answers: Cells, references: Cells, questions: Cells | None) -> Selection:
        prompt = self.prompt_template or AnswerJudgeMultipleQuestionsPrompt()
        given = ["(no answer)" if is_blank(a) else a for a in answers]
        replies = self.replies(given, references, questions, prompt)
        counts = [readable(reply, parse_parts) or (None, None) for reply in replies]
        verdicts = [right == total if total else None for right, total in counts]
        columns: dict[str, Cells] = {
            "output_key": verdicts,
            "output_correct_key": [right for right, _ in counts],
            "output_total_key": [total for _, total in counts],
            "output_response_key": replies,
        }
        right, total = (sum(c[i] or 0 for c in counts) for i in (0, 1))
        parts = {
            "total_subquestions": total, "correct_subquestions": right, "subquestion_accuracy": share(right, total)
        }  # fmt: skip
        return Selection(columns=columns, metrics=self.statistics(verdicts, references) | parts)


def parse_parts(reply: str) -> tuple[int, int]:
    """How many parts a judge calls right, and how many it judged; those it calls `empty` are not counted."""
    found = parse_json(reply, dict).get("judgement")
    marks = [str(mark).strip().lower() for mark in found] if isinstance(found, list) else []
    if not marks or set(marks) - {"true", "false", "empty"}:
        raise ReplyError(f"no list of true, false or empty in the reply {clip(reply)}")
    return marks.count("true"), marks.count("true") + marks.count("false")
