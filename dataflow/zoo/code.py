"""Programs that models write, kept where they run: from code, from loose requests, and by agreement."""

from __future__ import annotations

from typing import Any

from dataflow.operators.code import (
    CodeCodeToInstructionGenerator,
    CodeDualExecutionFilter,
    CodeEnhancementInstructionGenerator,
    CodeGenericScoreFilter,
    CodeInstructionToCodeGenerator,
    CodeQualityScoreFilter,
    CodeSandboxSampleEvaluator,
    CodeSandboxStatusFilter,
    CodeSolutionGenerator,
    CodeTestGenerator,
)
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import CODE_SNIPPETS, CODE_TASKS, HUMAN_EVAL


class CodeSFTSynthesis_APIPipeline(PipelineABC):  # noqa: N801  # named as the other published pipelines
    """Turn code into instruction data: the task it solves, and new code for that task that runs.

    Args:
        llm_serving: the model that tells the task, writes the code and grades it; `gpt-4o-mini` where left out.
        min_score: the lowest grade, of 1 to 10, with which code is kept.
        unsafe_local: runs programs without isolation where the machine has none.
        source: a table with the column `raw_code`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        min_score: int = 7,
        unsafe_local: bool = False,
        source: str = CODE_SNIPPETS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="code_sft", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.tell = CodeCodeToInstructionGenerator(self.llm_serving)
        self.write = CodeInstructionToCodeGenerator(self.llm_serving)
        self.execute = CodeSandboxSampleEvaluator(timeout_length=10, unsafe_local=unsafe_local)
        self.runs = CodeSandboxStatusFilter()
        self.good = CodeQualityScoreFilter(self.llm_serving, min_score=min_score)

    def forward(self) -> None:
        self.tell.run(self.storage.step(), input_key="raw_code", output_key="generated_instruction")
        self.write.run(self.storage.step(), input_key="generated_instruction", output_key="generated_code")
        self.execute.run(self.storage.step(), input_key="generated_code")
        self.runs.run(self.storage.step(), input_key="sandbox_status", input_log_key="sandbox_log")
        self.good.run(
            self.storage.step(),
            input_instruction_key="generated_instruction",
            input_code_key="generated_code",
        )


class CodeGenDataset_APIPipeline(PipelineABC):  # noqa: N801
    """Turn loose requests into strict tasks with code that passes its tests and is graded well.

    Args:
        llm_serving: the model that tells the task, writes tests and code, and grades; `gpt-4o-mini` where left out.
        min_score: the lowest grade, of 1 to 10, with which code is kept.
        num_tests: tests asked for.
        unsafe_local: runs programs without isolation where the machine has none.
        source: a table with the column `instruction`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        min_score: int = 7,
        num_tests: int = 5,
        unsafe_local: bool = False,
        source: str = CODE_TASKS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="code_gen", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.enhance = CodeEnhancementInstructionGenerator(self.llm_serving)
        self.write = CodeInstructionToCodeGenerator(self.llm_serving)
        self.test = CodeTestGenerator(self.llm_serving, num_tests=num_tests)
        self.execute = CodeSandboxSampleEvaluator(timeout_length=10, unsafe_local=unsafe_local)
        self.passes = CodeSandboxStatusFilter()
        self.good = CodeQualityScoreFilter(self.llm_serving, min_score=min_score)

    def forward(self) -> None:
        task, code = "generated_instruction", "generated_code"
        self.enhance.run(self.storage.step(), input_key="instruction", output_key=task)
        self.write.run(self.storage.step(), input_key=task, output_key=code)
        self.test.run(self.storage.step(), input_key=task, output_key="generated_tests")
        self.execute.run(self.storage.step(), input_key=code, input_tests_key="generated_tests")
        self.passes.run(self.storage.step(), input_key="sandbox_status", input_log_key="sandbox_log")
        self.good.run(self.storage.step(), input_instruction_key=task, input_code_key=code)


class CodeAgreement_APIPipeline(PipelineABC):  # noqa: N801
    """Write several programs and several tests for each task, and keep the program that most agree on.

    Args:
        llm_serving: the model that writes both, with a temperature; `gpt-4o-mini` where left out.
        num_codes: programs written for a task.
        num_tests: tests asked for.
        min_agreement: the least agreement kept: programs that pass the same tests, times these tests.
        unsafe_local: runs programs without isolation where the machine has none.
        source: a table with the column `prompt`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        num_codes: int = 5,
        num_tests: int = 5,
        min_agreement: int = 4,
        unsafe_local: bool = False,
        source: str = HUMAN_EVAL,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="code_agreement", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(
            model_name="gpt-4o-mini", max_workers=32, temperature=0.8
        )
        self.write = CodeSolutionGenerator(self.llm_serving, num_samples=num_codes)
        self.test = CodeTestGenerator(self.llm_serving, num_tests=num_tests)
        self.agree = CodeDualExecutionFilter(unsafe_local=unsafe_local)
        self.enough = CodeGenericScoreFilter(min_agreement)

    def forward(self) -> None:
        self.write.run(self.storage.step(), input_key="prompt", output_key="generated_codes")
        self.test.run(self.storage.step(), input_key="prompt", output_key="generated_tests")
        self.agree.run(
            self.storage.step(), input_codes_key="generated_codes", input_tests_key="generated_tests"
        )
        self.enough.run(self.storage.step(), input_key="agreement_score")
