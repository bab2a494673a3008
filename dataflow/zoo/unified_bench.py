"""Benchmarks of six types, answered and scored."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import BenchAnswerGenerator, UnifiedBenchDatasetEvaluator
from dataflow.operators.core_text.bench_answer import EvalType
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo import _examples

EXAMPLES: dict[EvalType, str] = {
    "key1_text_score": _examples.TEXTS,
    "key2_qa": _examples.BENCH_ANSWERS,
    "key2_q_ma": _examples.BENCH_TARGETS,
    "key3_q_choices_a": _examples.BENCH_CHOICE,
    "key3_q_choices_as": _examples.BENCH_CHOICES,
    "key3_q_a_rejected": _examples.BENCH_PREFERENCE,
}
_ABOUT = {"input_context_key": "context", "input_question_key": "question"}
COLUMNS: dict[EvalType, dict[str, str]] = {
    "key1_text_score": {"input_text_key": "text"},
    "key2_qa": {"input_question_key": "question", "input_target_key": "golden_label"},
    "key2_q_ma": {**_ABOUT, "input_targets_key": "targets"},
    "key3_q_choices_a": {**_ABOUT, "input_choices_key": "choices", "input_label_key": "label"},
    "key3_q_choices_as": {**_ABOUT, "input_choices_key": "choices", "input_labels_key": "labels"},
    "key3_q_a_rejected": {**_ABOUT, "input_better_key": "better", "input_rejected_key": "rejected"},
}
"""The columns of each type, as both operators name them."""


class UnifiedBenchEvalPipeline(PipelineABC):
    """Answer a benchmark of any of six types, and score the answers.

    `key1_text_score` and `key3_q_a_rejected` are scored by likelihood, which only a serving with a method
    `loglikelihood` can tell; without it their scores are null. `key3_q_choices_a` is scored so where it can be,
    else by the letter that the model answers.

    Args:
        llm_serving: the model under test; `gpt-4o-mini` where left out.
        judge_serving: the judge of `key2_qa` with `use_semantic_judge`; the model under test where left out.
        eval_type: what the benchmark asks for, and is scored by.
        use_semantic_judge: whether a model judges the answers of `key2_qa`, in place of a rule.
        source: a table with the columns of the type, see `COLUMNS`; an example of the type where left out.
        cache_path: where tables, journal, report and `unified_bench_<type>_statistics.json` go; with a judge,
            the last is `…_semantic_statistics.json`.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        judge_serving: Any = None,
        *,
        eval_type: EvalType = "key2_qa",
        use_semantic_judge: bool = False,
        source: str | None = None,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.eval_type = eval_type
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.judge_serving = judge_serving or self.llm_serving
        name = f"unified_bench_{eval_type}"
        measured = callable(getattr(self.llm_serving, "loglikelihood", None))
        self.answer = BenchAnswerGenerator(
            eval_type, self.llm_serving, force_generate=eval_type == "key3_q_choices_a" and not measured
        )
        self.evaluate = UnifiedBenchDatasetEvaluator(
            f"{cache_path}/{name}{'_semantic' * use_semantic_judge}_statistics.json",
            eval_type,
            self.judge_serving if use_semantic_judge else self.llm_serving,
            use_semantic_judge=use_semantic_judge,
        )
        self.storage = FileStorage(
            source or EXAMPLES[eval_type], cache_path=cache_path, file_name_prefix=name, cache_type="jsonl"
        )

    def forward(self) -> None:
        self.answer.run(self.storage.step(), **COLUMNS[self.eval_type])
        self.evaluate.run(self.storage.step(), **COLUMNS[self.eval_type])
