"""The import paths that scripts of open-dataflow 1.x use, and what they promise."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from dataflow.core import DIYPromptABC
from dataflow.operators.core_text import FormatStrPromptedGenerator
from dataflow.testing import ScriptedServing

IMPORTS = {
    "dataflow": ["get_logger", "__version__", "version_info"],
    "dataflow.core": [
        "OperatorABC", "LLMServingABC", "WrapperABC", "get_operator", "OPERATOR_CLASSES", "LLM_SERVING_CLASSES",
    ],
    "dataflow.core.operator": ["OperatorABC"],
    "dataflow.core.prompt": ["PromptABC", "DIYPromptABC", "prompt_restrict"],
    "dataflow.logger": ["get_logger"],
    "dataflow.operators.core_text": [
        "BenchAnswerGenerator", "BenchDatasetEvaluator", "BenchDatasetEvaluatorQuestion", "ChunkedPromptedGenerator",
        "EmbeddingGenerator", "FormatStrPromptedGenerator", "GeneralFilter", "KCenterGreedyFilter", "PandasOperator",
        "PromptedEvaluator", "PromptedFilter", "PromptedGenerator", "PromptedRefiner",
        "RandomDomainKnowledgeRowGenerator", "RetrievalGenerator", "Text2MultiHopQAGenerator", "Text2QAGenerator",
        "Text2QASampleEvaluator", "UnifiedBenchDatasetEvaluator",
    ],
    "dataflow.pipeline": ["PipelineABC", "BatchedPipelineABC", "StreamBatchedPipelineABC"],
    "dataflow.pipeline.Pipeline": ["PipelineABC", "BatchedPipelineABC", "StreamBatchedPipelineABC"],
    "dataflow.pipeline.nodes": ["OperatorNode", "KeyNode"],
    "dataflow.prompts.core_text": ["FormatStrPrompt"],
    "dataflow.prompts.model_evaluation.general": [
        "AnswerJudgePrompt", "AnswerJudgePromptQuestion", "AnswerJudgeMultipleQuestionsPrompt",
    ],
    "dataflow.prompts.reasoning.diy": [
        "DiyAnswerGeneratorPrompt", "DiyQuestionFilterPrompt", "DiyQuestionSynthesisPrompt",
    ],
    "dataflow.prompts.reasoning.general": [
        "GeneralAnswerGeneratorPrompt", "GeneralQuestionFilterPrompt", "GeneralQuestionSynthesisPrompt",
    ],
    "dataflow.prompts.reasoning.math": [
        "MathAnswerGeneratorPrompt", "MathQuestionCategoryPrompt", "MathQuestionConditionFusionGeneratorPrompt",
        "MathQuestionDifficultyPrompt", "MathQuestionEvaluatorPrompt", "MathQuestionFilterPrompt",
        "MathQuestionParallelFusionGeneratorPrompt", "MathQuestionSequentialFusionGeneratorPrompt",
        "MathQuestionSynthesisPrompt",
    ],
    "dataflow.utils.reasoning.CategoryFuzz": ["CategoryUtils"],
    "dataflow.serving": ["APILLMServing_request", "LocalEmbeddingServing"],
    "dataflow.utils": ["OPERATOR_REGISTRY"],
    "dataflow.utils.registry": ["OPERATOR_REGISTRY", "PROMPT_REGISTRY"],
    "dataflow.utils.storage": [
        "BatchedFileStorage", "DataFlowStorage", "DummyStorage", "FileStorage", "LazyFileStorage",
        "StreamBatchedFileStorage",
    ],
}  # fmt: skip


@pytest.mark.parametrize("module", IMPORTS)
def test_names_are_where_they_were(module: str) -> None:
    found = importlib.import_module(module)
    assert [name for name in IMPORTS[module] if not hasattr(found, name)] == []


def test_both_paths_give_one_class() -> None:
    from dataflow.operators.core_text import PromptedGenerator
    from dataflow.utils.registry import OPERATOR_REGISTRY

    assert OPERATOR_REGISTRY.get("PromptedGenerator") is PromptedGenerator
    assert "PromptedGenerator" in OPERATOR_REGISTRY


def test_the_logger_of_1_x(tmp_path: Path) -> None:
    """Lines below ERROR go to stdout, the others to stderr; there is a level SUCCESS."""
    program = (
        "from dataflow import get_logger\n"
        "log = get_logger()\n"
        "log.info('one'); log.success('two'); log.error('three')\n"
        "assert log.name == 'DataFlow'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ("one" in done.stdout, "two" in done.stdout, "three" in done.stderr) == (True, True, True)
    assert "three" not in done.stdout


def test_get_operator_makes_one_by_name() -> None:
    from dataflow.core import get_operator

    made = get_operator("PromptedGenerator", {"llm_serving": ScriptedServing("3"), "system_prompt": "Say."})
    assert type(made).__name__ == "PromptedGenerator"
    assert made.system_prompt == "Say."


def test_an_own_prompt_suits_every_operator() -> None:
    class Own(DIYPromptABC):
        """Anything."""

        def build_prompt(self, **values: str) -> str:
            return str(values)

    assert FormatStrPromptedGenerator(ScriptedServing("3"), prompt_template=Own())
