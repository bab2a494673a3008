"""Sentences and words of texts in scripts with and without spaces."""

from __future__ import annotations

import functools
import re
from importlib import resources

_END = re.compile(r"(?<=[。！？!?…])[”’』」）)\"']*\s*|(?<=\.)[”’)\"']*\s+|\n{2,}")
_LAST_WORD = re.compile(r"([\w.]+)\.$")
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def sentences(text: str) -> list[str]:
    """The sentences of a text, with their punctuation; decimals, initials and abbreviations end none."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        piece = text[start : end.end()].strip()
        if piece and not is_abbreviated(piece):
            found.append(piece)
            start = end.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


@functools.cache
def _abbreviations() -> frozenset[str]:
    return frozenset(resources.files(__package__).joinpath("abbreviations.txt").read_text("utf-8").split())


def is_abbreviated(piece: str) -> bool:
    """Whether a piece ends in `Dr.`, `e.g.` or an initial like `J.`, so that its sentence goes on."""
    match = _LAST_WORD.search(piece[-24:])
    word = match.group(1).lower() if match else ""
    return word in _abbreviations() or (len(word) == 1 and word.isalpha())


def count_words(text: str) -> int:
    """How many words a text has; each Chinese or Japanese character counts as one."""
    return sum(1 for _ in _WORD.finditer(text))
