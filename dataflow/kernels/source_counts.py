"""Counts over source files: their characters, their lines as they stand, and encoded data in them.

Encoded data is rare, and its runs are long: a run of `n` characters of a kind is looked for from the end of the `n` bytes where
it might be, so that most bytes are never read. Only a file that has such a run is read byte by byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import LETTER, WORD, Classes, classes, point_at
from dataflow.kernels.texts import Bytes, Counts, Texts, run

HEAD_LINES = 5
BASE64_RUN = 64
"""Characters of a run of base64, at least."""
CODES_RUN = 8
"""Bytes in hexadecimal, or escapes, of a run, at least."""

COUNTS = {
    "source_chars": "code points",
    "source_letters": "of a category L*",
    "source_braces": "`{` and `}`",
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

_BASE64, _HEX, _GAP, _INSIDE, _CODES, _ESCAPES = 1, 2, 4, 8, 16, 32
"""What a byte can be; one that is `_INSIDE` of words keeps two hexadecimal digits beside it from standing alone.

Runs of bytes in hexadecimal are made of `_CODES`, and runs of escapes of `_ESCAPES`.
"""
_LEAST_CODES, _LEAST_ESCAPES = 3 * CODES_RUN - 1, 6 * CODES_RUN
"""Bytes of the shortest run of either."""


def _kinds() -> Bytes:
    """For each byte what it can be, `(256,)`."""
    table = np.zeros(256, np.uint8)
    for byte in range(256):
        c = chr(byte)
        letter = c.isascii() and c.isalnum()
        digit = c in "0123456789abcdefABCDEF"
        table[byte] |= _BASE64 if letter or c in "+/=\n" else 0
        table[byte] |= _HEX if digit else 0
        table[byte] |= _GAP if c in ", \t\r\n" else 0
        table[byte] |= _INSIDE if letter or c == "_" or byte >= 0x80 else 0
        table[byte] |= _CODES if digit or c in "xX\\, \t\r\n" else 0
        table[byte] |= _ESCAPES if digit or c in "u\\" else 0
    return table


def _ones() -> NDArray[np.uint64]:
    """For each byte a 1 in byte `i` if it is: inside of a character, a letter, a letter or digit, a curly bracket."""
    table = np.zeros(256, np.uint64)
    for byte in range(256):
        c = chr(byte)
        told = (0x80 <= byte < 0xC0, c.isascii() and c.isalpha(), c.isascii() and c.isalnum(), c in "{}")
        table[byte] = sum(1 << 8 * i for i, is_so in enumerate(told) if is_so)
    return table


def count_source(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `COUNTS`."""
    run(_count, texts, out, classes(), _kinds(), _ones())


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
def _hex_chars(data: Bytes, first: int, end: int, kinds: Bytes) -> int:
    at = first
    covered = 0
    word = 0  # bytes of the word under way
    slash: Any = -1  # where the last backslash is
    codes = start = stop = 0  # bytes in hexadecimal, one after the other: how many, from where to where
    near = nearer = False  # whether there are but gaps since the last one, now and before the last backslash
    while True:
        kind = kinds[data[at]] if at < end else np.uint8(0)
        if kind & 8:
            at += 1
            word += 1
            continue
        if word:
            slashed = slash == at - word - 1
            if 2 <= word <= 4 and _is_code(data, at - word, word, slashed, kinds):
                if word == 3:
                    near = nearer
                if not near:
                    covered += stop - start if codes >= CODES_RUN else 0
                    codes, start = 0, at - word - (word == 3)
                codes, stop, near = codes + 1, at, True
            else:
                near = False
            word = 0
        if at >= end:
            break
        if data[at] == 0x5C:
            slash, nearer, near = at, near, False
        elif not kind & 4:
            near = False
        at += 1
    return covered + (stop - start if codes >= CODES_RUN else 0)


@njit(nogil=True, cache=True)
def _next_run(data: Bytes, at: int, end: int, kinds: Bytes, kind: int, least: int) -> tuple[int, int]:
    """Where the next run of at least so many bytes of a kind begins and ends; `(end, end)` if there is none."""
    while at + least <= end:
        probe = at + least - 1
        while probe >= at and kinds[data[probe]] & kind:
            probe -= 1
        if probe < at:
            stop = at + least
            while stop < end and kinds[data[stop]] & kind:
                stop += 1
            return at, stop
        at = probe + 1
    return end, end


@njit(nogil=True, cache=True)
def _base64_chars(data: Bytes, first: int, end: int, kinds: Bytes) -> int:
    covered = 0
    start, stop = _next_run(data, first, end, kinds, 1, BASE64_RUN)
    while start < end:
        covered += stop - start
        start, stop = _next_run(data, stop, end, kinds, 1, BASE64_RUN)
    return covered


@njit(nogil=True, cache=True)
def _may_have_codes(data: Bytes, first: int, end: int, kinds: Bytes) -> bool:
    start, stop = _next_run(data, first, end, kinds, 16, _LEAST_CODES)
    while start < end:
        digits = 0
        for i in range(start, stop):
            digits += (kinds[data[i]] & 2) != 0
        if digits >= 2 * CODES_RUN:
            return True
        start, stop = _next_run(data, stop, end, kinds, 16, _LEAST_CODES)
    return False


@njit(nogil=True, cache=True)
def _count(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    table: Classes,
    kinds: Bytes,
    ones: NDArray[np.uint64],
) -> None:
    for row in range(first, last):
        begin, end = offsets[row], offsets[row + 1]
        letters: Any = 0
        alphanumerics: Any = 0
        braces: Any = 0
        inside: Any = 0  # bytes inside of characters so far
        lines = line_chars = longest = 0
        line = 0  # characters before the line
        at: Any = begin
        while at < end:
            stop = min(end, at + 255)
            packed = np.uint64(0)  # four counts of up to 255
            for i in range(at, stop):
                byte = data[i]
                packed += ones[byte]
                if byte == 10:
                    upto = i - begin - inside - np.int64(packed & np.uint64(0xFF))
                    size = upto - line - (i > begin and data[i - 1] == 13)
                    lines += 1
                    line_chars += size
                    longest = max(longest, size)
                    line = upto + 1
            inside += np.int64(packed & np.uint64(0xFF))
            letters += np.int64((packed >> np.uint64(8)) & np.uint64(0xFF))
            alphanumerics += np.int64((packed >> np.uint64(16)) & np.uint64(0xFF))
            braces += np.int64((packed >> np.uint64(24)) & np.uint64(0xFF))
            at = stop
        chars = end - begin - inside
        if chars > line:
            lines += 1
            line_chars += chars - line
            longest = max(longest, chars - line)
        if inside:
            for i in range(begin, end):
                if data[i] >= 0xC0:
                    flags = table[point_at(data, i)]
                    letters += (flags & LETTER) != 0
                    alphanumerics += (flags & WORD) != 0
        base64 = _base64_chars(data, begin, end, kinds)
        codes = _hex_chars(data, begin, end, kinds) if _may_have_codes(data, begin, end, kinds) else 0
        start, _ = _next_run(data, begin, end, kinds, 32, _LEAST_ESCAPES)
        escapes = _escape_chars(data, begin, end, kinds) if start < end else 0
        out[row] = (
            chars, letters, braces, lines, line_chars, longest, alphanumerics, base64, codes, escapes,
        )  # fmt: skip
