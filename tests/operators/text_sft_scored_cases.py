"""What the operators of text_sft that score by models must do."""

from __future__ import annotations

import pytest
from tiny_models import ModelCase, path_of

from dataflow.core.frames import from_records
from dataflow.operators.text_sft.deita import (
    DeitaComplexityFilter,
    DeitaComplexitySampleEvaluator,
    DeitaQualityFilter,
    DeitaQualitySampleEvaluator,
)
from dataflow.operators.text_sft.instag import InstagFilter, InstagSampleEvaluator
from dataflow.operators.text_sft.mmd import MMDDatasetEvaluator
from dataflow.operators.text_sft.reward import RewardSampleEvaluator, RMFilter, RMSampleEvaluator
from dataflow.operators.text_sft.superfiltering import SuperfilteringFilter, SuperfilteringSampleEvaluator
from dataflow.testing import ScriptedServing

LLAMA, REWARD, GPT2 = map(path_of, ("llama-flat", "reward-flat", "gpt2-flat"))
LONG = "a long text " * 40
ROWS = [
    {"instruction": i, "output": o} for i, o in (("Say it", "Yes, I do"), (LONG, "short"), ("short", LONG))
]
NULLS = [{"instruction": None, "output": "x"}, {"instruction": "x", "output": None}]
GRADE, ONE = pytest.approx(3.5, abs=1e-5), pytest.approx(1.0, abs=1e-5)


def scored(column: str, value: object) -> list[dict[str, object]]:
    return [{column: value}] * 3 + [{column: None}] * 2


class Reference:
    """A storage, as far as the reference of a comparison goes."""

    def __init__(self, *rows: dict[str, str | None]) -> None:
        self.rows = rows

    def frame(self) -> object:
        return from_records([dict(r) for r in self.rows])


SAME = Reference(*({"input": r["instruction"], "output": r["output"]} for r in ROWS))

CASES = [
    ModelCase(
        DeitaQualitySampleEvaluator(model_name=LLAMA), ROWS + NULLS, scored("DeitaQualityScore", GRADE)
    ),
    ModelCase(DeitaQualityFilter(model_name=LLAMA), ROWS + NULLS, ROWS, dropped=2),
    ModelCase(DeitaQualityFilter(3.6, model_name=LLAMA), ROWS + NULLS, [], dropped=5),
    ModelCase(
        DeitaComplexitySampleEvaluator(model_name=LLAMA),
        [*ROWS, NULLS[0]],
        [{"DeitaComplexityScore": v} for v in (GRADE, GRADE, GRADE, None)],
    ),
    ModelCase(DeitaComplexityFilter(model_name=LLAMA), ROWS, ROWS, dropped=0),
    ModelCase(DeitaComplexityFilter(1, 3, model_name=LLAMA), ROWS, [], dropped=3),
    ModelCase(RMSampleEvaluator(model_name=REWARD), ROWS + NULLS, scored("RMScore", 0.5)),
    ModelCase(RMFilter(model_name=REWARD), ROWS + NULLS, ROWS, dropped=2),
    ModelCase(RMFilter(0.6, model_name=REWARD), ROWS, [], dropped=3),
    ModelCase(RewardSampleEvaluator(REWARD), ROWS + NULLS, scored("RewardScore", 0.5)),
    ModelCase(
        SuperfilteringSampleEvaluator(model_name=GPT2), ROWS + NULLS, scored("SuperfilteringScore", ONE)
    ),
    ModelCase(
        SuperfilteringSampleEvaluator(model_name=GPT2),
        [
            {"instruction": "i", "output": "", "about": "x"},
            {"instruction": "", "output": "yes", "about": None},
        ],
        [{"SuperfilteringScore": None}, {"SuperfilteringScore": ONE}],
        {"input_input_key": "about"},
    ),
    ModelCase(
        SuperfilteringFilter(0.9, 1.1, model_name=GPT2),
        [*ROWS, *NULLS, {"instruction": "i", "output": ""}],
        ROWS,
        dropped=3,
    ),
    ModelCase(SuperfilteringFilter(1.1, 2, model_name=GPT2), ROWS, [], dropped=3),
    ModelCase(
        InstagSampleEvaluator(model_name=LLAMA, max_new_tokens=4),
        [*ROWS, NULLS[0]],
        [{"InstagScore": None}],
        failed=3,
    ),
    ModelCase(InstagFilter(model_name=LLAMA, max_new_tokens=4), [*ROWS, NULLS[0]], [], failed=3, dropped=1),
    ModelCase(
        MMDDatasetEvaluator(SAME, embedding_serving=ScriptedServing()),
        ROWS,
        ROWS,
        {"input_instruction_key": "instruction", "input_output_key": "output"},
    ),
]
