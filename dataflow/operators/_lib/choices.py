"""Multiple choice: the options of a question, and those that an answer picks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text, loads
from dataflow.core.replies import parse_json, without_thinking

_CUE = re.compile(r"(?:answers?|choices?|options?)\b(?:\s+(?:is|are)\b)?[ \t:*(]{0,6}([^\n]+)", re.IGNORECASE)
_BARE = re.compile(r"\W*[A-Z](?:(?:\W|\band\b|\bor\b)+[A-Z])*\W*", re.IGNORECASE)
_LEADING = re.compile(r"\W*(?:([A-Z])\s*(?:[.:,;)\]}*]|$)|([B-HJ-Z])\b(?!['’]))")
_MARKED = re.compile(r"\(([A-Z])\)|\\boxed\{\W*([A-Z])\W*\}|\*\*([A-Z])\b")
_LONE = re.compile(r"(?<![A-Za-z'’])[B-HJ-Z](?![A-Za-z'’])")


def as_list(cell: Any, separators: str = "") -> list[Any]:
    """A cell that is a list, JSON text of one, or text parted by the first of `separators` that it has."""
    if isinstance(cell, str):
        try:
            cell = loads(cell)
        except ValueError:
            mark = next((s for s in separators.split() if s in cell), None)
            return [part.strip() for part in cell.split(mark) if part.strip()] if mark else [cell]
    return cell if isinstance(cell, list) else [] if cell is None else [cell]


def lettered(choices: Sequence[Any]) -> str:
    """The choices, one a line, as `A. …`, `B. …`."""
    return "\n".join(f"{letter(i)}. {as_text(choice)}" for i, choice in enumerate(choices))


def letter(index: int) -> str:
    return chr(ord("A") + index)


def label_index(label: Any, choices: Sequence[Any]) -> int | None:
    """Which choice a label names: a letter, a number from 0 (from 1 where that is out of range), or its text."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if isinstance(label, str):
        text = label.strip()
        if len(text) == 1 and text.isalpha():
            return _within(ord(text.upper()) - ord("A"), len(choices))
        if not text.isdecimal():
            return next((i for i, c in enumerate(choices) if as_text(c).strip() == text), None)
        label = int(text)
    if isinstance(label, bool) or not isinstance(label, int):
        return None
    return label if 0 <= label < len(choices) else label - 1 if label == len(choices) else None


def _within(index: int, count: int) -> int | None:
    return index if 0 <= index < count else None


def picked(answer: str, choices: Sequence[Any]) -> set[int]:
    """The choices that an answer picks, by index: JSON, letters after a cue, letters alone, or their text.

    A lone `a` or `I` in a sentence is no letter.

    Raises:
        ReplyError: it picks none.
    """
    text = without_thinking(answer).strip()
    for read in (_from_json, _from_text, _from_letters):
        found = {i for label in read(text, choices) if (i := label_index(label, choices)) is not None}
        if found:
            return found
    raise ReplyError("no choice in the answer")


def _from_json(text: str, choices: Sequence[Any]) -> list[Any]:
    if not any(mark in text for mark in ("[", "{")) or "\\boxed" in text:
        return []
    try:
        value = parse_json(text)
    except ReplyError:
        return []
    if isinstance(value, dict):
        value = next((value[k] for k in ("choices", "answers", "answer", "choice") if k in value), [])
    return [v for v in as_list(value) if isinstance(v, (str, int))]


def _from_text(text: str, choices: Sequence[Any]) -> list[Any]:
    said = {_plain(t) for t in (text, *_CUE.findall(text)[-1:])}
    return [i for i, choice in enumerate(choices) if _plain(as_text(choice)) in said]


def _plain(text: str) -> str:
    return text.strip().rstrip(".").casefold()


def _from_letters(text: str, choices: Sequence[Any]) -> list[Any]:
    if text.isdecimal():
        return [text]
    for part in (text.partition("\n")[0], *_CUE.findall(text)[-1:]):
        if _BARE.fullmatch(part):
            return re.findall(r"\b[A-Z]\b", part.upper())
        if lead := _LEADING.match(part):
            return [lead.group(1) or lead.group(2)]
    marked = ["".join(m) for m in _MARKED.findall(text)]
    return marked[-1:] or _LONE.findall(text)[-1:]
