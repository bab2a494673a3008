"""Counts over source files: their lines as they stand, and encoded data in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import WORD, Classes, classes, length_of, point_at
from dataflow.kernels.texts import Texts, run

Bytes = NDArray[np.uint8]
Counts = NDArray[np.int64]

HEAD_LINES = 5
BASE64_RUN = 64
"""Characters of a run of base64, at least."""
CODES_RUN = 8
"""Bytes in hexadecimal, or escapes, of a run, at least."""

COUNTS = {
    "source_lines": "lines, blank ones too: each line feed ends one, and what follows the last is one unless it is empty",
    "source_line_chars": "code points in lines, without line feeds and the carriage returns before these",
    "longest_source_line": "code points of the longest",
    "alphanumerics": "as `str.isalnum`",
    "base64_chars": f"in runs of at least {BASE64_RUN} characters of base64, line feeds among them",
    "hex_chars": f"in runs of at least {CODES_RUN} bytes of two hexadecimal digits, each alone or after `0x` or `\\\\x`, with "
    "commas and white space between, or nothing before `\\\\x`",
    "escape_chars": f"in runs of at least {CODES_RUN} escapes such as `\\\\u0041`",
}
"""What is counted, in the order of the columns."""

HEAD_COUNTS = {"head_bytes": f"bytes of the first {HEAD_LINES} lines"}

_BASE64, _HEX, _GAP, _INSIDE, _ALNUM = 1, 2, 4, 8, 16
"""What a byte can be; one that is `_INSIDE` of words keeps two hexadecimal digits beside it from standing alone."""


def _kinds() -> Bytes:
    """For each byte what it can be, `(256,)`."""
    table = np.zeros(256, np.uint8)
    for byte in range(256):
        c = chr(byte)
        letter = c.isascii() and c.isalnum()
        table[byte] |= _BASE64 if letter or c in "+/=\n" else 0
        table[byte] |= _HEX if c in "0123456789abcdefABCDEF" else 0
        table[byte] |= _GAP if c in ", \t\r\n" else 0
        table[byte] |= _INSIDE if letter or c == "_" or byte >= 0x80 else 0
        table[byte] |= _ALNUM if letter else 0
    return table


def count_source(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `COUNTS`."""
    run(_count, texts, out, classes(), _kinds())


def count_heads(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `HEAD_COUNTS`."""
    run(_heads, texts, out)


@njit(nogil=True, cache=True)
def _heads(data: Bytes, offsets: Counts, first: int, last: int, out: Counts) -> None:
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        lines = 0
        while at < end and lines < HEAD_LINES:
            lines += data[at] == 10
            at += 1
        out[row, 0] = at - offsets[row]


@njit(nogil=True, cache=True)
def _is_code(data: Bytes, begin: int, length: int, slashed: bool, kinds: Bytes) -> bool:
    """Whether a word is a byte in hexadecimal: `41`, `0x41`, or `x41` after a backslash."""
    if length > 2 and (data[begin + length - 3] | 0x20) != 0x78:
        return False
    if (length == 3 and not slashed) or (length == 4 and data[begin] != 0x30):
        return False
    return bool(kinds[data[begin + length - 1]] & kinds[data[begin + length - 2]] & 2)


@njit(nogil=True, cache=True)
def _escape_chars(data: Bytes, first: int, end: int, kinds: Bytes) -> int:
    at = first
    covered = units = 0
    while at < end:
        if data[at] == 0x5C and at + 6 <= end and data[at + 1] == 0x75:
            digits = 0
            for i in range(at + 2, at + 6):
                digits += (kinds[data[i]] & 2) != 0
            if digits == 4:
                units += 1
                at += 6
                continue
        if units >= CODES_RUN:
            covered += 6 * units
        units = 0
        at += 1
    return covered + (6 * units if units >= CODES_RUN else 0)


@njit(nogil=True, cache=True)
def _count(
    data: Bytes, offsets: Counts, first: int, last: int, out: Counts, table: Classes, kinds: Bytes
) -> None:
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        begin = at
        lines = line_chars = longest = alphanumerics = base64 = run = size = escapes = 0
        returned = False  # the character before is a carriage return
        word = 0  # bytes of the word under way
        slash = np.int64(-1)  # where the last backslash is
        codes = start = stop = hexadecimal = (
            0  # bytes in hexadecimal, one after the other: how many, from where to where
        )
        near = nearer = (
            False  # whether there are but gaps since the last one, now and before the last backslash
        )
        while True:
            byte: Any = data[at] if at < end else np.uint8(0)
            kind = kinds[byte]
            if kind & 8 and at < end:
                if kind & 1:
                    run += 1
                else:
                    base64 += run if run >= BASE64_RUN else 0
                    run = 0
                size += 1
                if byte < 0x80:
                    escapes += byte == 0x75 and slash == at - 1
                    alphanumerics += (kind & 16) != 0
                    at += 1
                    word += 1
                    continue
                length = length_of(byte)
                alphanumerics += (table[point_at(data, at)] & WORD) != 0
                at += length
                word += length
                continue
            if word:
                slashed = slash == at - word - 1
                if 2 <= word <= 4 and _is_code(data, at - word, word, slashed, kinds):
                    if word == 3:
                        near = nearer
                    if not near:
                        hexadecimal += stop - start if codes >= CODES_RUN else 0
                        codes, start = 0, at - word - (word == 3)
                    codes, stop, near = codes + 1, at, True
                else:
                    near = False
                returned = False
                word = 0
            if at >= end:
                break
            if kind & 1:
                run += 1
            else:
                base64 += run if run >= BASE64_RUN else 0
                run = 0
            if byte == 0x5C:
                slash, nearer, near = at, near, False
            elif not kind & 4:
                near = False
            at += 1
            if byte == 10:
                size -= returned
                lines += 1
                line_chars += size
                longest = max(longest, size)
                size = 0
            else:
                size += 1
            returned = byte == 13
        base64 += run if run >= BASE64_RUN else 0
        hexadecimal += stop - start if codes >= CODES_RUN else 0
        if size:
            lines += 1
            line_chars += size
            longest = max(longest, size)
        escaped = _escape_chars(data, begin, end, kinds) if escapes >= CODES_RUN else 0
        out[row] = (
            lines, line_chars, longest, alphanumerics, base64, hexadecimal, escaped,
        )  # fmt: skip
