"""Counts of the lines of texts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from dataflow.kernels.characters import (
    BULLET,
    BULLETS,
    DASH,
    DASHES,
    SPACE,
    TERMINAL,
    TERMINALS,
    Classes,
    classes,
    length_of,
    point_at,
)
from dataflow.kernels.sets import fold, place_of
from dataflow.kernels.texts import Bytes, Counts, Texts, run

SHORT_LINE = 30
"""Characters of a short line, at most."""

COUNTS = {
    "lines": "lines that are not blank, parted by line feeds; white space around a line is no part of it",
    "line_chars": "code points in lines",
    "longest_line": "code points of the longest",
    "ellipsis_lines": "lines that end in `...` or `…`",
    "bullet_lines": f"lines that begin with one of {BULLETS}, or with one of {DASHES} that stands alone",
    "javascript_lines": "lines that contain `javascript`, in any case",
    "terminal_lines": f"lines that end with one of {TERMINALS}",
    "short_lines": f"lines of up to {SHORT_LINE} code points",
    "newlines": "line feeds",
    "duplicate_lines": "lines that an earlier line of the text equals",
    "duplicate_line_chars": "code points in those",
}
"""What is counted, in the order of the columns."""


def count_lines(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `COUNTS`."""
    run(_count, texts, out, classes(), np.frombuffer(b"javascript", np.uint8))


@njit(nogil=True, cache=True)
def _count(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    table: Classes,
    script: Bytes,
) -> None:
    hashes = np.empty(256, np.uint64)
    slots = np.zeros(1024, np.uint64)
    sizes = np.empty(256, np.int64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        if (end - at) // 2 + 1 > len(hashes):  # room made in the loop over characters would slow all of it
            hashes, sizes = np.empty(end - at + 1, np.uint64), np.empty(end - at + 1, np.int64)
        lines = longest = ellipses = bullets = scripts = terminal = short = newlines = repeated = 0
        repeated_chars = line_chars = 0
        size = trailing = dots = matched = 0  # characters of the line; white space at its end so far
        value: Any = np.uint64(0)  # hash of the line up to its last character that is no space
        tail = begun = 0
        is_ellipsis = found = apart = False  # `apart`: white space follows the first character
        while True:
            at_end = at >= end
            point = 10 if at_end else point_at(data, at)
            if not at_end:
                at += length_of(data[at])
            if point == 10:
                newlines += not at_end
                if size:
                    hashes[lines], sizes[lines] = value, size
                    lines += 1
                    line_chars += size
                    longest = max(longest, size)
                    ellipses += is_ellipsis
                    bullets += (table[begun] & BULLET) != 0 or (
                        (apart or size == 1) and (table[begun] & DASH) != 0
                    )
                    terminal += (table[tail] & TERMINAL) != 0
                    short += size <= SHORT_LINE
                    scripts += found
                size = trailing = dots = matched = 0
                value, found, is_ellipsis, apart = np.uint64(0), False, False, False
                if at_end:
                    break
                continue
            if not found:
                folded = point | 0x20 if 65 <= point <= 90 else point
                matched = matched + 1 if folded == script[matched] else 1 if folded == script[0] else 0
                found = matched == len(script)
            if table[point] & SPACE:
                apart = apart or size == 1
                trailing += size > 0
                continue
            for _ in range(trailing):
                value = fold(value, 32)
            begun = begun if size else point
            size += trailing + 1
            dots = 0 if trailing else dots
            trailing = 0
            value, tail = fold(value, point), point
            dots = dots + 1 if point == 0x2E else 0
            is_ellipsis = point == 0x2026 or dots >= 3
        while len(slots) < 2 * lines + 2:
            slots = np.zeros(2 * len(slots), np.uint64)
        slots[:] = 0
        for i in range(lines):
            key = hashes[i] if hashes[i] else np.uint64(1)
            place = place_of(slots, key)
            if slots[place] == key:
                repeated += 1
                repeated_chars += sizes[i]
            slots[place] = key
        out[row] = (
            lines, line_chars, longest, ellipses, bullets, scripts, terminal, short, newlines, repeated, repeated_chars,
        )  # fmt: skip
