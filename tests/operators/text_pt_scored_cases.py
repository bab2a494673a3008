"""What the operators of text_pt that score by models must do."""

from __future__ import annotations

import pytest
from tiny_models import BYTES, ModelCase, path_of

from dataflow.operators.text_pt.deberta_v3 import DebertaV3Filter, DebertaV3SampleEvaluator
from dataflow.operators.text_pt.fineweb_edu import FineWebEduFilter, FineWebEduSampleEvaluator
from dataflow.operators.text_pt.pair_qual import PairQualFilter, PairQualSampleEvaluator
from dataflow.operators.text_pt.perplexity import PerplexityFilter, PerplexitySampleEvaluator
from dataflow.operators.text_pt.qurating import QuratingFilter, QuratingSampleEvaluator
from dataflow.operators.text_pt.textbook import TextbookFilter, TextbookSampleEvaluator

LONG = "a long text " * 40
TEXTS = [{"raw_content": t} for t in ("two words", LONG, None)]
QURATING = ("WritingStyle", "RequiredExpertise", "FactsAndTrivia", "EducationalValue")


def each(column: str, *values: object) -> list[dict[str, object]]:
    return [{column: v} for v in values]


FLAT = pytest.approx(BYTES, rel=1e-5)
GPT2, FINEWEB, QUALITY, PAIRS, QURATER = map(
    path_of, ("gpt2-flat", "bert-flat", "quality-flat", "pairs-flat", "qurater-flat")
)

TEXTBOOK = path_of("textbook")

CASES = [
    ModelCase(
        PerplexitySampleEvaluator(GPT2),
        each("raw_content", "two words", LONG, "", "a", "é", None),
        each("PerplexityScore", FLAT, FLAT, None, None, FLAT, None),
    ),
    ModelCase(PerplexityFilter(10, 300, GPT2), [*TEXTS, {"raw_content": "a"}], TEXTS[:2], dropped=2),
    ModelCase(PerplexityFilter(300, 500, GPT2), TEXTS, [], dropped=3),
    ModelCase(
        FineWebEduSampleEvaluator(model_name=FINEWEB), TEXTS, each("FinewebEduScore", 2.75, 2.75, None)
    ),
    ModelCase(
        FineWebEduFilter(2.75, 3, model_name=FINEWEB),
        TEXTS,
        [{**TEXTS[0], "FinewebEduScore": 2.75}, {**TEXTS[1], "FinewebEduScore": 2.75}],
        dropped=1,
    ),
    ModelCase(FineWebEduFilter(2.76, model_name=FINEWEB), TEXTS, [], dropped=3),
    ModelCase(DebertaV3SampleEvaluator(QUALITY), TEXTS, each("Debertav3Score", "Medium", "Medium", None)),
    ModelCase(DebertaV3Filter(model_name=QUALITY), TEXTS, TEXTS[:2], dropped=1),
    ModelCase(DebertaV3Filter(["High"], QUALITY, batch_size=16), TEXTS, [], dropped=3),
    ModelCase(PairQualSampleEvaluator(model_name=PAIRS), TEXTS, each("PairQualScore", 1.5, 1.5, None)),
    ModelCase(PairQualFilter(0, 1.5, model_name=PAIRS), TEXTS, TEXTS[:2], dropped=1),
    ModelCase(PairQualFilter(1.6, model_name=PAIRS), TEXTS, [], dropped=3),
    ModelCase(
        QuratingSampleEvaluator(model_name=QURATER),
        each("raw_content", "two words", LONG, "", None),
        [{f"Qurating{q}Score": v for q in QURATING} for v in (0.0, 0.0, None, None)],
    ),
    ModelCase(QuratingFilter(model_name=QURATER), [*TEXTS, {"raw_content": ""}], TEXTS[:2], dropped=2),
    ModelCase(QuratingFilter({"writing_style": 0.1}, model_name=QURATER), TEXTS, [], dropped=3),
    ModelCase(
        QuratingFilter({"writing_style": 0.1}, labels=["educational_value"], model_name=QURATER),
        TEXTS,
        TEXTS[:2],
        dropped=1,
    ),
    ModelCase(
        TextbookSampleEvaluator(model_name=TEXTBOOK),
        each("raw_content", "theorem", " ", None),
        each("TextbookScore", pytest.approx(3.92, abs=0.01), None, None),
    ),
    ModelCase(
        TextbookFilter(model_name=TEXTBOOK),
        each("raw_content", "theorem", "spam", None),
        each("raw_content", "theorem"),
        dropped=2,
    ),
]
