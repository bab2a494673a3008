"""Benchmarks whose answers are compared with reference answers, by rule or by a judge."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import (
    BenchAnswerGenerator,
    BenchDatasetEvaluator,
    BenchDatasetEvaluatorQuestion,
)
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import BENCH, BENCH_ANSWERS


class BenchEvalPipeline(PipelineABC):
    """Answer the questions of a benchmark, and match the answers with the right ones by rule.

    Args:
        llm_serving: the model under test; `gpt-4o-mini` where left out.
        source: a table with the columns `question` and `answer`.
        cache_path: where tables, journal, report and `bench_eval_statistics.json` go.
    """

    def __init__(self, llm_serving: Any = None, *, source: str = BENCH, cache_path: str = "./cache") -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="bench_eval", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.answer = BenchAnswerGenerator(llm_serving=self.llm_serving)
        self.evaluate = BenchDatasetEvaluator(f"{cache_path}/bench_eval_statistics.json")

    def forward(self) -> None:
        self.answer.run(self.storage.step(), input_question_key="question", output_key="generated_cot")
        self.evaluate.run(
            self.storage.step(), input_test_answer_key="generated_cot", input_gt_answer_key="answer"
        )


class BenchEvalSemanticPipeline(PipelineABC):
    """Judge by their meaning whether given answers agree with the right ones.

    Args:
        llm_serving: the judge; `gpt-4o-mini` where left out.
        source: a table with the columns `model_answer` and `golden_label`.
        cache_path: where tables, journal, report and `bench_eval_semantic_statistics.json` go.
    """

    def __init__(
        self, llm_serving: Any = None, *, source: str = BENCH_ANSWERS, cache_path: str = "./cache"
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="bench_eval_semantic", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.evaluate = BenchDatasetEvaluator(
            f"{cache_path}/bench_eval_semantic_statistics.json", "semantic", llm_serving=self.llm_serving
        )

    def forward(self) -> None:
        self.evaluate.run(
            self.storage.step(), input_test_answer_key="model_answer", input_gt_answer_key="golden_label"
        )


class BenchEvalSemanticQuestionPipeline(PipelineABC):
    """Answer the questions of a benchmark, and let a judge who sees them compare with the right answers.

    Args:
        llm_serving: the model under test; `gpt-4o-mini` where left out.
        judge_serving: the judge; the model under test where left out.
        source: a table with the columns `question` and `answer`.
        cache_path: where tables, journal, report and `bench_eval_question_statistics.json` go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        judge_serving: Any = None,
        *,
        source: str = BENCH,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="bench_eval_question", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.judge_serving = judge_serving or self.llm_serving
        self.answer = BenchAnswerGenerator(llm_serving=self.llm_serving)
        self.evaluate = BenchDatasetEvaluatorQuestion(
            f"{cache_path}/bench_eval_question_statistics.json", "semantic", llm_serving=self.judge_serving
        )

    def forward(self) -> None:
        self.answer.run(self.storage.step(), input_question_key="question", output_key="generated_cot")
        self.evaluate.run(
            self.storage.step(),
            input_test_answer_key="generated_cot",
            input_gt_answer_key="answer",
            input_question_key="question",
        )


class BenchEvalSemanticQuestionSingleStepPipeline(PipelineABC):
    """Let a judge who sees the questions compare given answers with the right ones.

    Args:
        llm_serving: the judge; `gpt-4o-mini` where left out.
        source: a table with the columns `question`, `model_answer` and `golden_label`.
        cache_path: where tables, journal, report and `bench_eval_single_step_statistics.json` go.
    """

    def __init__(
        self, llm_serving: Any = None, *, source: str = BENCH_ANSWERS, cache_path: str = "./cache"
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="bench_eval_single_step", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.evaluate = BenchDatasetEvaluatorQuestion(
            f"{cache_path}/bench_eval_single_step_statistics.json", "semantic", llm_serving=self.llm_serving
        )

    def forward(self) -> None:
        self.evaluate.run(
            self.storage.step(),
            input_test_answer_key="model_answer",
            input_gt_answer_key="golden_label",
            input_question_key="question",
        )
