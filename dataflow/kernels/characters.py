"""What kernels know of a character: its class by Unicode, its lower-case form, and how it is read from UTF-8."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

(
    SPACE, LETTER, UPPER, LOWER, DIGIT, PUNCTUATION, SYMBOL, WORD, IDEOGRAPH, END, BREAK, BULLET, DASH, TERMINAL, BRACE, HASH,
) = (1 << i for i in range(16))  # fmt: skip
"""What a character can be, as bits of a class.

White space as `str.isspace`; general categories L*, Lu and Lt, Ll, `str.isdigit`, P*, S*; what `\\w` matches; one of
`IDEOGRAPHS`; one of `ENDS`, `BREAKS`, `BULLETS`, `DASHES`, `TERMINALS`; a curly bracket; `#`.
"""

ENDS = ".!?\n。！？｡؟۔।"
"""What ends a sentence."""
BREAKS = "–.!?,;•/|…\n。！？，；、｡؟۔।،؛"
"""What ends a run of words without punctuation."""
BULLETS = "•‣▶◀◦■□▪▫–"
DASHES = "-*+·"
"""What is a bullet where it stands alone before a line."""
TERMINALS = ".!?\"'”’…。！？｡؟۔।"
"""What ends a line of prose."""
_MARKS = {
    END: ENDS,
    BREAK: BREAKS,
    BULLET: BULLETS,
    DASH: DASHES,
    TERMINAL: TERMINALS,
    BRACE: "{}",
    HASH: "#",
}

IDEOGRAPHS = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
"""Characters of Chinese and Japanese, which are written without spaces: each counts as a word."""
ASSIGNED = (range(0x40000), range(0xE0000, 0xE1000))
"""Where code points are that have a meaning of their own."""

Classes = NDArray[np.uint16]


@cache
def classes() -> Classes:
    """For each code point the sum of its classes, `(0x110000,) uint16`; none where it is not assigned."""
    table = np.zeros(sys.maxunicode + 1, np.uint16)
    for point in chain(*ASSIGNED):
        table[point] = _class(chr(point))
    for low, high in IDEOGRAPHS:
        table[low : high + 1] |= np.where(table[low : high + 1] & WORD, IDEOGRAPH, 0).astype(np.uint16)
    for mark, characters in _MARKS.items():
        table[[ord(c) for c in characters]] |= mark
    return table


def _class(character: str) -> int:
    category = unicodedata.category(character)
    if category in {"Cn", "Co", "Cs"}:
        return 0
    found = {"L": LETTER, "P": PUNCTUATION, "S": SYMBOL}.get(category[0], 0)
    found |= {"Lu": UPPER, "Lt": UPPER, "Ll": LOWER}.get(category, 0)
    found |= SPACE if character.isspace() else 0
    found |= DIGIT if character.isdigit() else 0
    return found | (WORD if character.isalnum() or character == "_" else 0)


COUNTED = (SPACE, LETTER, DIGIT, UPPER, PUNCTUATION, SYMBOL, BRACE, HASH)
"""The classes that are counted eight at a time."""


class Kinds(NamedTuple):
    """The classes once more, by way of the few sums of them that there are: small tables, that stay in the cache."""

    kinds: NDArray[np.uint8]
    """For each code point its kind, `(0x110000,)`."""
    classes: Classes
    """For each kind the sum of its classes."""
    ones: NDArray[np.uint64]
    """For each kind a 1 in byte `i` if it is of class `COUNTED[i]`; up to 255 of these add up to eight counts."""


@cache
def kinds() -> Kinds:
    sums, kinds = np.unique(classes(), return_inverse=True)
    ones = np.zeros(len(sums), np.uint64)
    for i, one in enumerate(COUNTED):
        ones |= np.where(sums & one, np.uint64(1 << 8 * i), np.uint64(0))
    return Kinds(kinds.astype(np.uint8), sums, ones)


def lower(text: str) -> str:
    """A text in lower case; characters whose lower-case form is several stay as they are."""
    return "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


@cache
def lowered() -> NDArray[np.int32]:
    """For each code point that of its lower-case form where it is a single one, else itself, `(0x110000,) int32`."""
    table = np.arange(sys.maxunicode + 1, dtype=np.int32)
    for point, form in enumerate(map(str.lower, map(chr, ASSIGNED[0]))):
        if len(form) == 1:
            table[point] = ord(form)
    return table


@njit(nogil=True, cache=True, inline="always")
def length_of(lead: int) -> int:
    """The bytes of a character that begins with this one."""
    if lead < 0x80:
        return 1
    if lead < 0xE0:
        return 2
    return 3 if lead < 0xF0 else 4


@njit(nogil=True, cache=True, inline="always")
def point_at(data: NDArray[np.uint8], at: int) -> Any:
    """The code point of the character at a byte of valid UTF-8."""
    lead = np.int64(data[at])
    if lead < 0x80:
        return lead
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | (np.int64(data[at + 1]) & 0x3F)
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | (np.int64(data[at + 1]) & 0x3F) << 6 | (np.int64(data[at + 2]) & 0x3F)
    return (
        (lead & 0x07) << 18
        | (np.int64(data[at + 1]) & 0x3F) << 12
        | (np.int64(data[at + 2]) & 0x3F) << 6
        | (np.int64(data[at + 3]) & 0x3F)
    )
