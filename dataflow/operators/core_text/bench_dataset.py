"""How many answers of a benchmark agree with their references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import build, check_serving
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.protocols import LLMServing, Request
from dataflow.core.replies import clip, parse_json, parse_verdict
from dataflow.core.tables import Selection
from dataflow.operators._lib.answers import agrees
from dataflow.operators._lib.bench import Benchmark, is_blank, readable, replies_to, share
from dataflow.prompts.model_evaluation.general import (
    AnswerJudgeMultipleQuestionsPrompt,
    AnswerJudgePrompt,
    AnswerJudgePromptQuestion,
)

Cells = Sequence[Any]
Verdicts = list[bool | None]


class AnswerBenchmark(Benchmark):
    """Compares each answer with its reference, by rule or by a model."""

    compare_method: Literal["match", "semantic"] = "match"
    """By the final answer, as mathematics or as text; or by a model's judgement of the meaning."""
    system_prompt: str = "You are a helpful assistant specialized in evaluating answer correctness."
    """What the judge is told it is, where its prompt does not say."""
    llm_serving: LLMServing | None = None
    """The judge; not needed to match."""

    input_test_answer_key = In("generated_cot", "the answer under test", type="any")
    input_gt_answer_key = In("golden_answer", "the reference answer", type="any")
    output_key = Out(
        "answer_match_result", "whether they agree; null where it could not be told", type="bool"
    )

    def check(self, binding: Binding) -> Any:
        if self.compare_method == "semantic" and self.llm_serving is None:
            yield "llm_serving", " is needed with compare_method='semantic'"
        yield from check_serving(self.llm_serving, "llm_serving")

    def replies(
        self, answers: Cells, references: Cells, questions: Cells | None, prompt: PromptABC
    ) -> list[str | None]:
        """What the judge says of each row that has a reference and an answer."""
        asked = [
            None
            if is_blank(answer) or is_blank(reference)
            else self._request(prompt, answer, reference, question)
            for answer, reference, question in zip(
                answers, references, questions or [None] * len(answers), strict=True
            )
        ]
        return replies_to(self.llm_serving, asked, type(self).__name__)

    def _request(self, prompt: PromptABC, answer: Any, reference: Any, question: Any) -> Request:
        slots = {"answer": as_text(answer), "reference_answer": as_text(reference)}
        asked = {"question": "" if question is None else as_text(question)}
        return build(prompt, slots | asked, self.system_prompt)

    def verdicts(
        self, answers: Cells, references: Cells, questions: Cells | None, prompt: PromptABC
    ) -> Verdicts:
        """Whether each answer agrees; a blank one does not, and without a reference nothing can be told."""
        if self.compare_method == "semantic":
            replies = self.replies(answers, references, questions, prompt)
            told = [readable(reply, parse_verdict) for reply in replies]
        else:
            told = [match(a, r) for a, r in zip(answers, references, strict=True)]
        return [
            None if is_blank(r) else False if is_blank(a) else verdict
            for verdict, a, r in zip(told, answers, references, strict=True)
        ]

    def statistics(self, verdicts: Verdicts, references: Cells) -> dict[str, Any]:
        """Counts, and the share of right answers among the rows that could be judged."""
        valid = [v for v in verdicts if v is not None]
        without = sum(map(is_blank, references))
        return {
            "total_samples": len(verdicts),
            "valid_samples": len(valid),
            "matched_samples": sum(valid),
            "accuracy": share(sum(valid), len(valid)),
            "empty_responses_count": len(verdicts) - len(valid) - without,
            "no_reference_count": without,
            "compare_method": self.compare_method,
        }


def match(answer: Any, reference: Any) -> bool:
    """Whether an answer's final answer is the reference."""
    return not is_blank(answer) and not is_blank(reference) and agrees(as_text(reference), as_text(answer))


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
    """Mark which answers to which questions agree with their references, and write the accuracy to a file.

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
        columns: dict[str, Sequence[Any]] = {
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
