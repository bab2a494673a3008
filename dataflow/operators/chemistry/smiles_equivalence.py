"""How many structures were drawn out of a text rightly."""

from __future__ import annotations

from typing import Any

from dataflow.core.ports import In, Out
from dataflow.core.protocols import LLMServing
from dataflow.core.tables import Dataset, Selection
from dataflow.operators._lib.monomers import Record, canonical, paired, records_of


class SmilesEquivalenceDatasetEvaluator(Dataset):
    """Score the SMILES made for each row against the right ones: 1 for the same molecule, else 0.

    Two SMILES mean the same if their canonical forms are equal; one that cannot be read, or is empty, equals none.
    Golden and made records are paired by abbreviation, each once: as written, else apart from case, spaces,
    hyphens and brackets. Made records that no golden one asks for are counted as extra. A golden cell that is null or empty has the
    accuracy null; a null cell of made ones scores 0 throughout. Sums over the table (`overall_score`, `…_total`,
    `…_accuracy`, `…_extra`) are metrics of the run.

    Raises:
        MissingDependency: rdkit is not installed.
    """

    llm_serving: LLMServing | None = None
    """Kept for pipelines that give it; nothing is asked."""
    ignore_stereo: bool = False
    """Whether molecules that differ only in their stereochemistry are taken as the same."""
    ignore_salts: bool = False
    """Whether counter-ions, solvent and charges that can be taken off are left aside."""

    input_golden_key = In("golden_label", "the right records", type="any")
    input_synth_key = In("synth_smiles", "the records made", type="any")
    output_key = Out(
        "final_result", "the golden records, with the SMILES made for each and its score", type="json"
    )
    output_score_key = Out("block_score", "how many are right", type="int")
    output_total_key = Out("block_total", "how many golden records there are", type="int")
    output_accuracy_key = Out("block_accuracy", "the share of them, 0 to 1", type="float")
    output_extra_key = Out("block_extra", "how many were made that no golden record asks for", type="int")

    def select(self, golden: list[Any], made: list[Any]) -> Selection:
        blocks = [self._block(records_of(g), records_of(m)) for g, m in zip(golden, made, strict=True)]
        scores = [sum(r["score"] for r in block) for block, _ in blocks]
        totals = [len(block) for block, _ in blocks]
        extras = [extra for _, extra in blocks]
        columns = {
            "output_key": [block for block, _ in blocks],
            "output_score_key": scores,
            "output_total_key": totals,
            "output_accuracy_key": [_share(s, t) for s, t in zip(scores, totals, strict=True)],
            "output_extra_key": extras,
        }
        summary = {
            "overall_score": sum(scores),
            "overall_total": sum(totals),
            "overall_accuracy": _share(sum(scores), sum(totals)),
            "overall_extra": sum(extras),
        }
        return Selection(columns=columns, metrics=summary)

    def _block(self, golden: list[Record], made: list[Record]) -> tuple[list[dict[str, Any]], int]:
        pairs = paired(golden, made)
        block = [self._scored(want, got) for want, got in zip(golden, pairs, strict=True)]
        return block, len(made) - sum(got is not None for got in pairs)

    def _scored(self, want: Record, got: Record | None) -> dict[str, Any]:
        smiles = got["smiles"] if got else None
        right = self._canonical(want["smiles"])
        score = int(right is not None and smiles is not None and self._canonical(smiles) == right)
        return {**want, "golden_smiles": want["smiles"], "smiles": smiles, "score": score}

    def _canonical(self, smiles: str) -> str | None:
        return canonical(smiles, not self.ignore_stereo, not self.ignore_salts)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
