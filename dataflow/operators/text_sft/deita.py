"""Quality and complexity of instruction data, by the Deita scorers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from dataflow.core.ports import In, Out
from dataflow.operators._lib.score_range import ScoreRange
from dataflow.operators._lib.scoring.grades import NextTokenGrade

_ORDER = ("device", "model_cache_dir", "max_length")


class DeitaQualitySampleEvaluator(NextTokenGrade):
    """Grade how good each answer is for its instruction, from 1 to 6, by the Deita quality scorer.

    The mean of the grades weighted by how likely each is to be said next: one pass, nothing is generated. What is too long for
    `max_length` is cut at the end of the answer. Liu et al. 2023, arXiv 2312.15685.
    """

    leading: ClassVar[tuple[str, ...]] = _ORDER
    slots: ClassVar[tuple[str, ...]] = ("instruction", "output")

    max_length: int | None = Field(512, ge=1)
    batch_tokens: int = Field(4096, ge=1)
    model_name: str = "hkust-nlp/deita-quality-scorer"
    input_format: str = (
        "Grade how well the answer serves the question, from 1 (worst) to 6 (best).\n"
        "<question>\n{instruction}\n</question>\n<answer>\n{output}\n</answer>\nGrade: "
    )
    """What the model is shown. A scorer grades best in the form that it was trained on, which its model card tells."""

    input_instruction_key = In("instruction", "the instruction")
    input_output_key = In("output", "the answer")
    output_key = Out("DeitaQualityScore", "the grade, 1 to 6", type="float")


class DeitaQualityFilter(ScoreRange, DeitaQualitySampleEvaluator):
    """Keep answers that are good for their instruction, by the Deita quality scorer.

    Both bounds are inclusive; the scale is 1 to 6.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", *_ORDER)

    min_score: float = 2.5
    max_score: float = 10_000.0


class DeitaComplexitySampleEvaluator(NextTokenGrade):
    """Grade how complex each instruction is, from 1 to 6, by the Deita complexity scorer.

    The mean of the grades weighted by how likely each is to be said next: one pass, nothing is generated. What is too long for
    `max_length` is cut at the end of the instruction. Liu et al. 2023, arXiv 2312.15685.
    """

    leading: ClassVar[tuple[str, ...]] = _ORDER
    slots: ClassVar[tuple[str, ...]] = ("instruction",)

    max_length: int | None = Field(512, ge=1)
    batch_tokens: int = Field(4096, ge=1)
    model_name: str = "hkust-nlp/deita-complexity-scorer"
    input_format: str = (
        "Grade how complex the request is, from 1 (simplest) to 6 (most complex).\n"
        "<request>\n{instruction}\n</request>\nGrade: "
    )
    """What the model is shown. A scorer grades best in the form that it was trained on, which its model card tells."""

    input_instruction_key = In("instruction", "the instruction")
    output_key = Out("DeitaComplexityScore", "the grade, 1 to 6", type="float")


class DeitaComplexityFilter(ScoreRange, DeitaComplexitySampleEvaluator):
    """Keep instructions whose complexity lies within a range, by the Deita complexity scorer.

    Both bounds are inclusive; the scale is 1 to 6.
    """

    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", *_ORDER)

    min_score: float = 3.0
    max_score: float = 5.0
