"""What the operators of general_text that score by models must do."""

from __future__ import annotations

import pytest
from tiny_models import ModelCase, path_of

from dataflow.operators.general_text.bert_score import BertSampleEvaluator
from dataflow.operators.general_text.classifier import ClassifierSampleEvaluator
from dataflow.operators.general_text.fast_text import FastTextFilter, FastTextSampleEvaluator
from dataflow.operators.general_text.task2vec import Task2VecDatasetEvaluator
from dataflow.operators.general_text.vendi import VendiDatasetEvaluator

REGRESSION, ENCODER, CAUSAL = map(path_of, ("bert-flat", "distilbert", "gpt2"))
FAST_TEXT = path_of("textbook")
ROWS = [{"raw_content": "one"}, {"raw_content": "one and two"}, {"raw_content": None}]

CASES = [
    ModelCase(
        ClassifierSampleEvaluator(REGRESSION), ROWS, [{"ClassifierScore": v} for v in (2.75, 2.75, None)]
    ),
    ModelCase(
        BertSampleEvaluator(model_name=ENCODER),
        [{"t": t, "r": r} for t, r in (("a b", "a b"), ("", "a"), ("a", ""), (None, "a"), ("a", None))],
        [{"BertScore": v} for v in (pytest.approx(1, abs=1e-5), 0.0, 0.0, None, None)],
        {"input_key": "t", "input_reference_key": "r"},
    ),
    ModelCase(
        FastTextSampleEvaluator(FAST_TEXT, "__label__High"),
        [{"raw_content": t} for t in ("theorem\ntheorem", "spam", " ", None)],
        [
            {"FastTextScore": v}
            for v in (pytest.approx(0.665, abs=1e-3), pytest.approx(0.132, abs=1e-3), None, None)
        ],
    ),
    ModelCase(
        FastTextFilter(FAST_TEXT, "High", 0.5),
        [{"raw_content": t} for t in ("theorem", "spam", "", None)],
        [{"raw_content": "theorem"}],
        dropped=3,
    ),
    ModelCase(VendiDatasetEvaluator(model_name=ENCODER, simcse_model_name=ENCODER), ROWS, ROWS),
    ModelCase(Task2VecDatasetEvaluator(sample_nums=2, model_name=CAUSAL), ROWS, ROWS),
]
