"""Monomers as records, and whether two SMILES mean the same."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from dataflow.core.errors import MissingDependency

FIELDS = ("abbreviation", "full_name", "smiles")
_LOOSE = re.compile(r"[\W_]+")

Record = dict[str, str]


def records_of(cell: Any) -> list[Record]:
    """The monomers of a cell: a list of records, one record, or their JSON text; whatever else is in it is left out."""
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except ValueError:
            return []
    items = cell if isinstance(cell, list) else [cell]
    found = [{f: _text(i.get(f)) for f in FIELDS} for i in items if isinstance(i, dict)]
    return [r for r in found if r["abbreviation"] or r["full_name"]]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def paired(golden: list[Record], made: list[Record]) -> list[Record | None]:
    """For each golden record the made one of its abbreviation, each taken once: as written, else but for case and marks."""
    found: list[Record | None] = [None] * len(golden)
    left = list(made)
    keys: tuple[Callable[[str], str], ...] = (str, loose)
    for key in keys:
        for i, want in enumerate(golden):
            if found[i] is None and want["abbreviation"]:
                found[i] = next((r for r in left if _alike(key, want, r)), None)
                left = [r for r in left if r is not found[i]]
    return found


def _alike(key: Callable[[str], str], a: Record, b: Record) -> bool:
    return key(a["abbreviation"]) == key(b["abbreviation"])


def loose(abbreviation: str) -> str:
    """An abbreviation without case, width, spaces, hyphens and brackets; primes stay, as they tell monomers apart."""
    text = unicodedata.normalize("NFKC", abbreviation).casefold()
    text = re.sub(r"[’′´`]", "'", text)
    return "'".join(_LOOSE.sub("", piece) for piece in text.split("'"))


@lru_cache(maxsize=65536)
def canonical(smiles: str, stereo: bool = True, salts: bool = True) -> str | None:
    """The canonical SMILES, without stereochemistry or without counter-ions and charges if so wanted; null if unreadable."""
    try:
        from rdkit import Chem, rdBase
        from rdkit.Chem.MolStandardize import rdMolStandardize
    except ImportError:
        raise MissingDependency("rdkit", "chemistry", "Comparing structures") from None
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles) if smiles.strip() else None
        if mol is None:
            return None
        if not salts:
            mol = rdMolStandardize.Uncharger().uncharge(rdMolStandardize.LargestFragmentChooser().choose(mol))
        if not stereo:
            Chem.RemoveStereochemistry(mol)
        return str(Chem.MolToSmiles(mol))
