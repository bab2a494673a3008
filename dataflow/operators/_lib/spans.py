"""Spans of a text: those that overlap, and what is put in their place."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """A part of a text, and what it is."""

    start: int
    end: int
    label: str
    score: float = 1.0


def apart(spans: Iterable[Span]) -> list[Span]:
    """Spans of which no two overlap, in order: of two the surer stays, then the longer, then the first."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (-s.score, s.start - s.end, s.start)):
        at = bisect(kept, span)
        before = kept[at - 1].end if at else 0
        after = kept[at].start if at < len(kept) else span.end
        if span.start < span.end and before <= span.start and span.end <= after:
            insort(kept, span)
    return kept


def replaced(text: str, spans: Iterable[Span], form: str) -> str:
    """The text with each span replaced by its label in `form`, such as `<{}>`; spans do not overlap."""
    parts, at = [], 0
    for span in sorted(spans):
        parts += [text[at : span.start], form.format(span.label)]
        at = span.end
    return "".join([*parts, text[at:]])
