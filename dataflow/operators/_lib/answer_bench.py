"""Comparing answers with their references, by rule or by a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from dataflow.core.frames import as_text
from dataflow.core.generate import build, check_serving
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import PromptABC
from dataflow.core.protocols import LLMServing, Request
from dataflow.core.replies import parse_verdict
from dataflow.operators._lib.answers import agrees
from dataflow.operators._lib.bench import Benchmark, is_blank, readable, replies_to, share

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
        """Whether each answer agrees, null where that cannot be told; a blank one does not."""
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


def match(answer: Any, reference: Any) -> bool | None:
    """Whether an answer's final answer is the reference; null where that cannot be told."""
    if is_blank(answer) or is_blank(reference):
        return False
    return agrees(as_text(reference), as_text(answer))
