"""What each operator of chemistry must do, as cases."""

from __future__ import annotations

import json
from typing import Any

from dataflow.operators.chemistry.extract_smiles import ExtractSmilesFromTextGenerator
from dataflow.operators.chemistry.smiles_equivalence import SmilesEquivalenceDatasetEvaluator
from dataflow.testing import FAILED, Case, ScriptedServing, replies

MPD, MPD_OTHERWISE = "Nc1cccc(N)c1", "c1c(N)cccc1N"
TMC = "O=C(Cl)c1cc(C(=O)Cl)cc(C(=O)Cl)c1"
ALANINE, MIRRORED, FLAT = "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC(N)C(=O)O"
SALT, ACID = "C=Cc1ccc(S(=O)(=O)[O-])cc1.[Na+]", "C=Cc1ccc(S(=O)(=O)O)cc1"

Record = dict[str, Any]


def record(abbreviation: str, smiles: str | None = "", full_name: str = "") -> Record:
    return {"abbreviation": abbreviation, "full_name": full_name, "smiles": smiles}


READ = [record("MPD", MPD, "m-phenylenediamine")]
EXTRACTION = [
    replies(
        ExtractSmilesFromTextGenerator,
        {
            json.dumps({"monomers": READ}): READ,
            json.dumps(READ): READ,
            f"Here it is:\n```json\n{json.dumps(READ)}\n```": READ,
            f"json\n{json.dumps(READ)}": READ,
            json.dumps(json.dumps(READ)): READ,  # JSON text within JSON
            json.dumps(READ[0]): READ,  # one record alone
            json.dumps([{"abbreviation": " TMC ", "smiles": None}, "and more"]): [record("TMC")],
            '{"monomers": []}': [],
            "[]": [],
            "I found none.": FAILED,
            '["MPD"]': FAILED,
            "": FAILED,
            None: FAILED,
        },
        row=("MPD was dissolved in water.", [{"abbreviation": "MPD"}]),
    ),
    Case(
        ExtractSmilesFromTextGenerator(ScriptedServing("[]")),
        [{"text": "a", "abbreviations": None}, {"text": None, "abbreviations": ["MPD"]}],
        [{"synth_smiles": []}, {"synth_smiles": None}],
    ),
]


def scored(golden: Any, made: Any, right: int, extra: int = 0, **settings: bool) -> Case:
    """A case of one row, of which only the counts are compared."""
    total = len(golden) if isinstance(golden, list) else 0
    gives = {
        "block_score": right,
        "block_total": total,
        "block_accuracy": right / total if total else None,
        "block_extra": extra,
    }
    op = SmilesEquivalenceDatasetEvaluator(**settings)
    return Case(op, [{"golden_label": golden, "synth_smiles": made}], [gives], shown=False)


EQUIVALENCE = [
    Case(
        SmilesEquivalenceDatasetEvaluator(),
        [
            {
                "golden_label": [record("MPD", MPD), record("TMC", TMC)],
                "synth_smiles": [record("mpd", MPD_OTHERWISE)],
            }
        ],
        [
            {
                "final_result": [
                    record("MPD", MPD_OTHERWISE) | {"golden_smiles": MPD, "score": 1},
                    record("TMC", None) | {"golden_smiles": TMC, "score": 0},
                ],
                "block_score": 1,
                "block_total": 2,
                "block_accuracy": 0.5,
                "block_extra": 0,
            }
        ],
    ),
    # abbreviations: case, spaces, hyphens and brackets make no difference, primes do; each is taken once
    scored([record("m-PDA", MPD)], [record("(mPDA)", MPD)], 1),
    scored([record("4,4'-ODA", MPD)], [record("4,4’-oda", MPD)], 1),
    scored([record("ODA", MPD)], [record("ODA'", MPD)], 0, 1),
    scored([record("MPD", MPD), record("mpd", TMC)], [record("mpd", TMC), record("MPD", MPD)], 2),
    scored([record("MPD", MPD)], [record("MPD", TMC), record("MPD", MPD), record("DMF", "CN(C)C=O")], 0, 2),
    # what cannot be read, or is not told, equals nothing
    scored([record("MPD", "")], [record("MPD", "")], 0),
    scored([record("MPD", "C(")], [record("MPD", "C(")], 0),
    scored([record("MPD", MPD)], [record("MPD", "C(")], 0),
    scored([record("MPD", MPD)], None, 0),
    scored([record("MPD", MPD)], json.dumps([record("MPD", MPD)]), 1),
    scored([record("MPD", MPD)], record("MPD", MPD), 1),
    scored(None, [record("MPD", MPD)], 0, 1),
    scored([], None, 0),
    # stereochemistry and salts, unless they are ignored
    scored([record("Ala", ALANINE)], [record("Ala", MIRRORED)], 0),
    scored([record("Ala", ALANINE)], [record("Ala", FLAT)], 0),
    scored([record("Ala", ALANINE)], [record("Ala", MIRRORED)], 1, ignore_stereo=True),
    scored([record("NaSS", SALT)], [record("NaSS", "[Na+].C=Cc1ccc(cc1)S([O-])(=O)=O")], 1),
    scored([record("NaSS", SALT)], [record("NaSS", ACID)], 0),
    scored([record("NaSS", SALT)], [record("NaSS", ACID)], 1, ignore_salts=True),
]
CASES: list[Case] = [*EXTRACTION, *EQUIVALENCE]
