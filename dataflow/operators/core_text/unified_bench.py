"""One evaluator for six types of benchmark."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import model_validator

from dataflow.core.errors import BindError
from dataflow.core.frames import as_text
from dataflow.core.generate import build, check_serving
from dataflow.core.ports import Binding, In, Out, short
from dataflow.core.prompt import DIYPromptABC, prompt_restrict
from dataflow.core.protocols import LLMServing, Request
from dataflow.core.replies import parse_verdict
from dataflow.core.tables import Selection
from dataflow.operators._lib.bench import Benchmark, is_blank, readable, replies_to, share
from dataflow.operators._lib.grading import (
    Grade,
    Likelihood,
    Row,
    choices_of,
    grade_answer,
    grade_choice,
    grade_choices,
    grade_pair,
    grade_text,
    per_byte,
    targets,
)
from dataflow.operators.core_text.bench_answer import EvalType, context_text
from dataflow.prompts.model_evaluation.general import AnswerJudgePrompt

METRICS = {
    "key1_text_score": ("ppl",),
    "key2_qa": ("math_verify", "semantic_judge"),
    "key2_q_ma": ("any_math_verify",),
    "key3_q_choices_a": ("ll_choice_acc",),
    "key3_q_choices_as": ("micro_f1",),
    "key3_q_a_rejected": ("pairwise_ll_winrate",),
}
NEEDS = {
    "key1_text_score": ("text",),
    "key2_qa": ("target",),
    "key2_q_ma": ("targets",),
    "key3_q_choices_a": ("question", "choices", "label"),
    "key3_q_choices_as": ("choices", "labels"),
    "key3_q_a_rejected": ("question", "better", "rejected"),
}
Pairs = list[tuple[str, str]]


@prompt_restrict(AnswerJudgePrompt)
class UnifiedBenchDatasetEvaluator(Benchmark):
    """Score a benchmark of any of six types row by row, and write its statistics to a file.

    `key1_text_score`: the perplexity of `text`. `key2_qa`: whether the prediction agrees with `target`, by rule or
    by a judge. `key2_q_ma`: whether it agrees with any of `targets`. `key3_q_choices_a`: whether the likeliest
    choice is `label`. `key3_q_choices_as`: the F1 of the choices picked against `labels`. `key3_q_a_rejected`:
    whether `better` is likelier than `rejected`.

    Likelihoods come from the serving's own `loglikelihood(contexts, continuations)`, which gives for each pair the
    summed natural-log probability and the number of tokens, or null; choices and pairs are compared by log
    probability a UTF-8 byte, so that length alone wins nothing. Where a serving has none, a choice is read from
    the prediction. A blank or unreadable prediction is wrong; a row that cannot be graded has a null score, an
    error code, and no part in the statistics.

    Raises:
        BindError: a column that the type needs is not named.
        MissingDependency: answers must be compared as mathematics without math-verify.
    """

    eval_type: EvalType = "key2_qa"
    """What the benchmark asks for and is scored by."""
    llm_serving: LLMServing | None = None
    """The model under test for likelihoods; the judge where `use_semantic_judge`."""
    prompt_template: AnswerJudgePrompt | DIYPromptABC | None = None
    """How the judge is asked."""
    system_prompt: str = "You are a helpful assistant specialized in evaluating answer correctness."
    """What the judge is told it is, where its prompt does not say."""
    metric_type: str | None = None
    """The metric, where the type has several: `math_verify` or `semantic_judge` for `key2_qa`."""
    use_semantic_judge: bool = False
    """Whether a model judges the answers of `key2_qa`."""

    input_text_key = In(doc="the text to be scored", optional=True)
    input_question_key = In(doc="the question", type="any", optional=True)
    input_target_key = In(doc="its answer", type="any", optional=True)
    input_targets_key = In(
        doc="its answers: a list, or text parted by `||`, `|` or `;`", type="any", optional=True
    )
    input_choices_key = In(doc="the list of choices", type="any", optional=True)
    input_label_key = In(doc="the right choice: number, letter or text", type="any", optional=True)
    input_labels_key = In(doc="the right choices", type="any", optional=True)
    input_better_key = In(doc="the preferred answer", type="any", optional=True)
    input_rejected_key = In(doc="the rejected answer", type="any", optional=True)
    input_context_key = In(doc="what the question is about", type="any", optional=True)
    input_pred_key = In("generated_ans", "the answer under test", type="any", optional=True)
    output_eval_valid_key = Out("eval_valid", "whether the row could be graded", type="bool")
    output_eval_error_key = Out("eval_error", "why not, or what was wrong with the prediction; else empty")
    output_eval_pred_key = Out("eval_pred", "what was read from the prediction", type="json")
    output_eval_score_key = Out(
        "eval_score", "the score; null where the row could not be graded", type="float"
    )

    @model_validator(mode="after")
    def _known_metric(self) -> UnifiedBenchDatasetEvaluator:
        if self.metric not in (known := METRICS[self.eval_type]):
            raise ValueError(
                f"eval_type={self.eval_type!r} has the metrics {', '.join(known)}, not {self.metric!r}"
            )
        return self

    @property
    def metric(self) -> str:
        if self.use_semantic_judge and self.eval_type == "key2_qa":
            return "semantic_judge"
        return self.metric_type or METRICS[self.eval_type][0]

    def bind(self, **keys: Any) -> Binding:
        bound = super().bind(**keys)
        absent = [n for n in NEEDS[self.eval_type] if bound.reads[f"input_{n}_key"] is None]
        if absent:
            names = ", ".join(f"input_{n}_key" for n in absent)
            raise BindError(f"{type(self).__name__}.run with eval_type={self.eval_type!r} needs {names}")
        return bound if self._reads_pred() else replace(bound, reads={**bound.reads, "input_pred_key": None})

    def _reads_pred(self) -> bool:
        if self.eval_type == "key3_q_choices_a":
            return not callable(getattr(self.llm_serving, "loglikelihood", None))
        return self.eval_type in ("key2_qa", "key2_q_ma", "key3_q_choices_as")

    def check(self, binding: Binding) -> Any:
        if self.metric == "semantic_judge" and self.llm_serving is None:
            yield "llm_serving", " is needed to judge"
        yield from check_serving(self.llm_serving, "llm_serving")

    def select(self, *columns: list[Any] | None) -> Selection:
        names = [short(port) for port in self.inputs]
        height = max(len(c) for c in columns if c is not None)
        cells = (c if c is not None else [None] * height for c in columns)
        rows: list[Row] = [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]
        grades = self.grade(rows)
        written: dict[str, list[Any]] = {
            "output_eval_valid_key": [g.score is not None for g in grades],
            "output_eval_error_key": [g.error for g in grades],
            "output_eval_pred_key": [g.pred for g in grades],
            "output_eval_score_key": [g.score for g in grades],
        }
        return Selection(columns=written, metrics=self.statistics(grades))

    def grade(self, rows: list[Row]) -> list[Grade]:
        """The grade of each row, by the metric in force."""
        if self.metric == "semantic_judge":
            return self._judged(rows)
        by_row: dict[str, Callable[[Row], Grade]] = {
            "math_verify": lambda row: grade_answer(row, [row["target"]]),
            "any_math_verify": lambda row: grade_answer(row, targets(row)),
            "micro_f1": grade_choices,
        }
        if self.metric in by_row:
            return [by_row[self.metric](row) for row in rows]
        return self._by_likelihood(rows)

    def _judged(self, rows: list[Row]) -> list[Grade]:
        asked = [None if is_blank(r["target"]) or is_blank(r["pred"]) else self._request(r) for r in rows]
        replies = replies_to(self.llm_serving, asked, type(self).__name__)
        return [self._verdict(row, reply) for row, reply in zip(rows, replies, strict=True)]

    def _request(self, row: Row) -> Request:
        slots = {"answer": as_text(row["pred"]), "reference_answer": as_text(row["target"])}
        question = "" if row["question"] is None else as_text(row["question"])
        return build(
            self.prompt_template or AnswerJudgePrompt(), {**slots, "question": question}, self.system_prompt
        )

    @staticmethod
    def _verdict(row: Row, reply: str | None) -> Grade:
        if is_blank(row["target"]):
            return Grade(error="empty_reference")
        if is_blank(row["pred"]):
            return Grade(0.0, error="empty_prediction")
        right = readable(reply, parse_verdict)
        return (
            Grade(error="semantic_judge_failed")
            if right is None
            else Grade(float(right), as_text(row["pred"]))
        )

    def _by_likelihood(self, rows: list[Row]) -> list[Grade]:
        pairs = [self._pairs(row) for row in rows]
        asked = iter(self._likelihoods([p for of_row in pairs for p in of_row]))
        found = [[next(asked) for _ in of_row] for of_row in pairs]
        if self.metric == "ppl":
            return [grade_text(row, f[0] if f else None) for row, f in zip(rows, found, strict=True)]
        grader = grade_choice if self.metric == "ll_choice_acc" else grade_pair
        scores = [
            [per_byte(value, text) for value, (_, text) in zip(f, p, strict=True)]
            for f, p in zip(found, pairs, strict=True)
        ]
        known = [[s for s in of_row if s is not None] for of_row in scores]
        return [
            grader(row, k if k and len(k) == len(s) else None)
            for row, k, s in zip(rows, known, scores, strict=True)
        ]

    def _pairs(self, row: Row) -> Pairs:
        """The contexts and continuations whose likelihood decides a row."""
        if self.metric == "ppl":
            return [] if is_blank(row["text"]) else [("", as_text(row["text"]))]
        options = choices_of(row)[0] if self.metric == "ll_choice_acc" else [row["better"], row["rejected"]]
        if any(map(is_blank, options)):
            return []
        before = [context_text(row["context"]), as_text(row["question"] or ""), "Answer:"]
        context = "\n".join(part for part in before if part)
        return [(context, " " + as_text(option)) for option in options]

    def _likelihoods(self, pairs: Pairs) -> Sequence[Likelihood | None]:
        measure = getattr(self.llm_serving, "loglikelihood", None)
        if not pairs or not callable(measure):
            return [None] * len(pairs)
        found: Sequence[Likelihood | None] = measure([c for c, _ in pairs], [t for _, t in pairs])
        return found

    def statistics(self, grades: list[Grade]) -> dict[str, Any]:
        """Counts, error codes, and the mean score of the rows that could be graded."""
        scores = [g.score for g in grades if g.score is not None]
        mean = math.fsum(scores) / len(scores) if scores else None
        kept = {"eval_type": self.eval_type, "metric": self.metric, "total_samples": len(grades)}
        kept |= {"valid_samples": len(scores), "errors": dict(Counter(g.error for g in grades if g.error))}
        if self.metric == "ppl":
            return {**kept, "ppl_mean": mean}
        if self.metric != "micro_f1":
            return {**kept, "accuracy": mean}
        details = [g.pred for g in grades if g.score is not None]
        exact = share(sum(d["exact_set"] for d in details), len(details))
        return {**kept, "accuracy": exact, "micro_f1_mean": mean, "micro_f1": pooled_f1(details)}


def pooled_f1(details: list[dict[str, Any]]) -> float | None:
    """The F1 over all choices of all rows taken together."""
    both = sum(len(set(d["pred"]) & set(d["gold"])) for d in details)
    return share(2 * both, sum(len(d["pred"]) + len(d["gold"]) for d in details))
