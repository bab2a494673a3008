"""Structures drawn out of papers, and how many of them are right."""

from __future__ import annotations

from typing import Any

from dataflow.operators.chemistry import ExtractSmilesFromTextGenerator, SmilesEquivalenceDatasetEvaluator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import MONOMERS


class ExtractSmiles(PipelineABC):
    """Draw the SMILES of monomers out of texts, and compare them with the right ones as molecules.

    Args:
        llm_serving: the model that reads; `gpt-4o-mini` where left out.
        ignore_stereo: whether stereochemistry makes no difference.
        ignore_salts: whether counter-ions and charges make no difference.
        source: a table with the columns `text`, `abbreviations` and `golden_label`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        ignore_stereo: bool = False,
        ignore_salts: bool = False,
        source: str = MONOMERS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="extract_smiles", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.extract = ExtractSmilesFromTextGenerator(self.llm_serving)
        self.compare = SmilesEquivalenceDatasetEvaluator(
            ignore_stereo=ignore_stereo, ignore_salts=ignore_salts
        )

    def forward(self) -> None:
        self.extract.run(self.storage.step())
        self.compare.run(self.storage.step())
