"""Cutting long texts into pieces that a model can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_SENTENCES = re.compile(r".+?(?:[.!?]\s+|[。！？；]\s*|\Z)", re.DOTALL)
_WORDS = re.compile(r"\s*\S+|\s+")
_LEVELS = (_LINES, _SENTENCES, _WORDS)


def estimated_tokens(text: str) -> float:
    """About as many tokens as a text has: one for four ASCII characters, one for each other character."""
    others = 0 if text.isascii() else sum(c > "\x7f" for c in text)
    return (len(text) - others) / 4 + others


def chunks(text: str, limit: float, size: Callable[[str], float] = estimated_tokens) -> Iterator[str]:
    """Pieces of at most `limit` tokens that join to the text again; each is as long as its parts allow.

    It is cut between lines, in a line that is too long between sentences, then between words, and only a
    word that is itself too long is cut inside. Each level measures every character once.
    """
    held: list[str] = []
    tokens = 0.0
    for part, cost in _parts(text, limit, size):
        if held and tokens + cost > limit:
            yield "".join(held)
            held, tokens = [], 0.0
        held.append(part)
        tokens += cost
    if held:
        yield "".join(held)


def _parts(
    text: str, limit: float, size: Callable[[str], float], level: int = 0
) -> Iterator[tuple[str, float]]:
    cost = size(text)
    if cost <= limit or len(text) < 2:
        yield from [(text, cost)] if text else []
        return
    half = len(text) // 2
    pieces = _LEVELS[level].findall(text) if level < len(_LEVELS) else [text[:half], text[half:]]
    for piece in pieces:
        yield from _parts(piece, limit, size, min(level + 1, len(_LEVELS)))
