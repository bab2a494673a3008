"""The operators of chemistry: their cases, their promises, and what they ask."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from chemistry_cases import ALANINE, CASES, MPD, SALT, TMC, record

from dataflow.core.errors import MissingDependency
from dataflow.core.prompt import DIYPromptABC
from dataflow.operators._lib.monomers import canonical, loose
from dataflow.operators.chemistry.extract_smiles import ExtractSmilesFromTextGenerator
from dataflow.operators.chemistry.smiles_equivalence import SmilesEquivalenceDatasetEvaluator
from dataflow.prompts.chemistry import ExtractSmilesFromTextPrompt
from dataflow.testing import Case, ScriptedServing, check_operator
from dataflow.testing.cases import run_rows

ROW = {"text": "MPD met TMC.", "abbreviations": [{"abbreviation": "MPD"}, "TMC", None, " "]}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_promises() -> None:
    check_operator(ExtractSmilesFromTextGenerator(ScriptedServing("[]")))
    check_operator(SmilesEquivalenceDatasetEvaluator())
    rows = [{"golden_label": [record("a", MPD)], "synth_smiles": [record("a", TMC)]}]
    check_operator(SmilesEquivalenceDatasetEvaluator(ignore_stereo=True, ignore_salts=True), rows)


def asked(prompt: Any, row: dict[str, Any] = ROW) -> str:
    serving = ScriptedServing("[]")
    run_rows(ExtractSmilesFromTextGenerator(serving, prompt), [row])
    return serving.prompts[0]


class Own(DIYPromptABC):
    def build_prompt(self, target_monomers: str) -> str:
        return f"Find {target_monomers}."


@pytest.mark.parametrize(
    "prompt",
    [None, ExtractSmilesFromTextPrompt(), ExtractSmilesFromTextPrompt("Find {target_monomers}."), Own()],
)
def test_every_prompt_tells_the_text_once_and_the_monomers(prompt: Any) -> None:
    text = asked(prompt)
    assert text.count("<content>\nMPD met TMC.\n</content>") == 1
    assert '["MPD","TMC"]' in text


def test_no_monomers_named_asks_for_all() -> None:
    assert "<target_monomers>\n[]\n" in asked(None, {"text": "MPD met TMC.", "abbreviations": None})


def test_a_prompt_class_is_refused() -> None:
    with pytest.raises(TypeError, match="the class itself"):
        ExtractSmilesFromTextGenerator(ScriptedServing("[]"), ExtractSmilesFromTextPrompt)  # type: ignore[arg-type]


def test_the_sums_over_the_table_are_metrics() -> None:
    rows = [
        {"golden_label": [record("a", MPD), record("b", TMC)], "synth_smiles": [record("a", MPD)]},
        {"golden_label": None, "synth_smiles": [record("c", TMC)]},
    ]
    done = run_rows(SmilesEquivalenceDatasetEvaluator(), rows)
    assert done.metrics == {
        "overall_score": 1,
        "overall_total": 2,
        "overall_accuracy": 0.5,
        "overall_extra": 1,
    }


def test_canonical_forms() -> None:
    assert canonical(ALANINE) != canonical(ALANINE, stereo=False) == "CC(N)C(=O)O"
    assert "Na" not in (canonical(SALT, salts=False) or "Na")
    assert (canonical(" "), canonical("no smiles")) == (None, None)


def test_loose_abbreviations() -> None:
    assert loose("m-PDA (1)") == loose("MPDA1") == loose("ｍＰＤＡ-1")
    assert loose("ODA'") == loose("oda′") != loose("ODA")


def test_without_rdkit_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("rdkit"):
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    canonical.cache_clear()
    with pytest.raises(MissingDependency, match=r"dataflow-llm\[chemistry\]"):
        canonical("C")
