"""What kernels know of a character: its class by Unicode, its lower-case form, and how it is read from UTF-8."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

SPACE, LETTER, UPPER, LOWER, DIGIT, PUNCTUATION, SYMBOL, WORD = (1 << i for i in range(8))
"""White space as `str.isspace`; general categories L*, Lu and Lt, Ll, `str.isdigit`, P*, S*; what `\\w` matches."""


@cache
def classes() -> NDArray[np.uint8]:
    """For each code point the sum of its classes, `(0x110000,) uint8`."""
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        category = unicodedata.category(character)
        if category in {"Cn", "Co", "Cs"}:
            continue
        found = 0
        if category[0] == "L":
            found |= LETTER | (UPPER if category in {"Lu", "Lt"} else LOWER if category == "Ll" else 0)
        elif category[0] == "P":
            found |= PUNCTUATION
        elif category[0] == "S":
            found |= SYMBOL
        if character.isspace():
            found |= SPACE
        if character.isdigit():
            found |= DIGIT
        if character.isalnum() or point == 0x5F:
            found |= WORD
        table[point] = found
    return table


@cache
def lowered() -> NDArray[np.int32]:
    """For each code point that of its lower-case form where it is a single one, else itself, `(0x110000,) int32`."""
    table = np.arange(sys.maxunicode + 1, dtype=np.int32)
    for point in range(sys.maxunicode + 1):
        lower = chr(point).lower()
        if len(lower) == 1:
            table[point] = ord(lower)
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
