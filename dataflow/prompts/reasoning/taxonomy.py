"""The fields to which questions are assigned: for mathematics, and for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

Taxonomy = Mapping[str, tuple[str, ...]]
"""Primary category to its secondary ones; the order gives them their numbers."""


@cache
def math_taxonomy() -> Taxonomy:
    """Seven fields of mathematics."""
    return _read("math_topics.txt")


@cache
def general_taxonomy() -> Taxonomy:
    """Ten fields of knowledge."""
    return _read("general_topics.txt")


def _read(file: str) -> Taxonomy:
    text = resources.files(__package__).joinpath(file).read_text("utf-8")
    blocks = (block.splitlines() for block in text.split("# ")[1:])
    return {name: tuple(line for line in lines if line) for name, *lines in blocks}


def listed(taxonomy: Taxonomy) -> str:
    """A taxonomy as a numbered list, for a prompt."""
    lines = []
    for i, (primary, secondaries) in enumerate(taxonomy.items(), 1):
        lines.append(f"{i}. {primary}")
        lines += [f"   {i}.{j} {secondary}" for j, secondary in enumerate(secondaries, 1)]
    return "\n".join(lines)
