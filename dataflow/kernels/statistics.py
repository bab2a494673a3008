"""Counts over texts, in groups that are each computed in one pass: `characters`, `words`, `lines`, `repetition`.

What is counted is said at `GROUPS`, and once more, slowly and plainly, by the tests' reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import (
    DIGIT,
    LETTER,
    LOWER,
    PUNCTUATION,
    SPACE,
    SYMBOL,
    UPPER,
    WORD,
    classes,
    length_of,
    lowered,
    point_at,
)
from dataflow.kernels.repetition import NAMES as REPETITION
from dataflow.kernels.repetition import repetition_of
from dataflow.kernels.sets import distinct, fold
from dataflow.kernels.texts import Texts, run

Bytes = NDArray[np.uint8]
Counts = NDArray[np.int64]

ENDS = ".!?\n。！？"
"""What ends a sentence."""
BREAKS = "–.!?,;•/|…\n。！？，；、"
"""What ends a run of words without punctuation."""
BULLETS = "•‣▶◀◦■□▪▫–"
TERMINAL = ".!?\"'”’…。！？"
"""What ends a line of prose."""
SHORT_LINE = 30
"""Characters of a short line, at most."""


@njit(nogil=True, cache=True)
def _characters(
    data: Bytes, offsets: Counts, first: int, last: int, out: Counts, table: Bytes, marks: Bytes
) -> None:
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        chars = spaces = letters = digits = uppers = punctuation = symbols = braces = hashes = ellipses = 0
        tokens = sentences = run = longest = dots = 0
        spoken = in_word = False  # a word character since the last end of a sentence; within a word
        kind = 0  # of the token under way: 1 of word characters, 2 of others, 0 none
        while at < end:
            lead = data[at]
            point = point_at(data, at)
            at += length_of(lead)
            flags, mark = table[point], marks[point]
            chars += 1
            spaces += (flags & SPACE) != 0
            letters += (flags & LETTER) != 0
            digits += (flags & DIGIT) != 0
            uppers += (flags & UPPER) != 0
            punctuation += (flags & PUNCTUATION) != 0
            symbols += (flags & SYMBOL) != 0
            braces += point in (0x7B, 0x7D)
            hashes += point == 0x23
            dots = dots + 1 if point == 0x2E else 0
            if dots == 3 or point == 0x2026:
                ellipses += 1
                dots = 0
            now = 1 if flags & WORD else 0 if flags & SPACE else 2
            tokens += now != 0 and now != kind
            kind = now
            spoken = spoken or now == 1
            if mark & 1:
                sentences += spoken
                spoken = False
            if mark & 2:
                longest = max(longest, run)
                run, in_word = 0, False
            else:
                inside = (flags & SPACE) == 0
                run += inside and not in_word
                in_word = inside
        out[row] = (
            chars, spaces, letters, digits, uppers, punctuation, symbols, braces, hashes, ellipses, tokens,
            sentences + spoken, max(longest, run),
        )  # fmt: skip


@njit(nogil=True, cache=True)
def _words(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    table: Bytes,
    lower: NDArray[np.int32],
) -> None:
    hashes = np.empty(1024, np.uint64)
    slots = np.zeros(4096, np.uint64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        words = word_chars = longest = capital = latin = lettered = 0
        size = 0  # of the word under way
        value: Any = np.uint64(0)
        seen, ascii_letter = 0, False
        while True:
            inside = False
            if at < end:
                point = point_at(data, at)
                at += length_of(data[at])
                flags = table[point]
                inside = (flags & SPACE) == 0
                if inside:
                    value = fold(value if size else np.uint64(0), lower[point])
                    size += 1
                    seen |= flags
                    ascii_letter = ascii_letter or (65 <= point <= 90) or (97 <= point <= 122)
            if not inside and size:
                if words == len(hashes):
                    grown = np.empty(2 * words, np.uint64)
                    grown[:words] = hashes
                    hashes = grown
                hashes[words] = value
                words += 1
                word_chars += size
                longest = max(longest, size)
                capital += (seen & UPPER) != 0 and (seen & LOWER) == 0
                latin += ascii_letter
                lettered += (seen & LETTER) != 0
                size, seen, ascii_letter = 0, 0, False
            if not inside and at >= end:
                break
        while len(slots) < 2 * words + 2:
            slots = np.zeros(2 * len(slots), np.uint64)
        out[row] = (words, word_chars, longest, capital, latin, lettered, distinct(hashes[:words], slots))


@njit(nogil=True, cache=True)
def _lines(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    table: Bytes,
    marks: Bytes,
    script: Bytes,
) -> None:
    hashes = np.empty(256, np.uint64)
    slots = np.zeros(1024, np.uint64)
    sizes = np.empty(256, np.int64)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        lines = longest = ellipses = bullets = scripts = terminal = short = newlines = repeated = 0
        repeated_chars = line_chars = 0
        size = trailing = dots = matched = 0  # characters of the line; white space at its end so far
        value: Any = np.uint64(0)  # hash of the line up to its last character that is no space
        tail = begun = 0
        is_ellipsis = found = False
        while True:
            at_end = at >= end
            point = 10 if at_end else point_at(data, at)
            if not at_end:
                at += length_of(data[at])
            if point == 10:
                newlines += not at_end
                if size:
                    if lines == len(hashes):
                        more, wide = np.empty(2 * lines, np.uint64), np.empty(2 * lines, np.int64)
                        more[:lines], wide[:lines] = hashes, sizes
                        hashes, sizes = more, wide
                    hashes[lines], sizes[lines] = value, size
                    lines += 1
                    line_chars += size
                    longest = max(longest, size)
                    ellipses += is_ellipsis
                    bullets += (marks[begun] & 4) != 0
                    terminal += (marks[tail] & 8) != 0
                    short += size <= SHORT_LINE
                    scripts += found
                size = trailing = dots = matched = 0
                value, found, is_ellipsis = np.uint64(0), False, False
                if at_end:
                    break
                continue
            if not found:
                folded = point | 0x20 if 65 <= point <= 90 else point
                matched = matched + 1 if folded == script[matched] else 1 if folded == script[0] else 0
                found = matched == len(script)
            if table[point] & SPACE:
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
            # the same search as in `distinct`, which does not tell which ones were there before
            key = hashes[i] if hashes[i] else np.uint64(1)
            place = key & np.uint64(len(slots) - 1)
            while slots[place] != 0 and slots[place] != key:
                place = (place + np.uint64(1)) & np.uint64(len(slots) - 1)
            if slots[place] == key:
                repeated += 1
                repeated_chars += sizes[i]
            slots[place] = key
        out[row] = (
            lines, line_chars, longest, ellipses, bullets, scripts, terminal, short, newlines, repeated, repeated_chars,
        )  # fmt: skip


def _marks() -> Bytes:
    """For each code point the sum of: 1 ends a sentence, 2 ends a run of words, 4 is a bullet, 8 ends a line of prose."""
    table = np.zeros_like(classes())
    for bit, characters in enumerate((ENDS, BREAKS, BULLETS, TERMINAL)):
        table[[ord(c) for c in characters]] |= 1 << bit
    return table


def _characters_of(texts: Texts, out: Counts) -> None:
    run(_characters, texts, out, classes(), _marks())


def _words_of(texts: Texts, out: Counts) -> None:
    run(_words, texts, out, classes(), lowered())


def _lines_of(texts: Texts, out: Counts) -> None:
    run(_lines, texts, out, classes(), _marks(), np.frombuffer(b"javascript", np.uint8))


GROUPS: Mapping[str, tuple[Callable[[Texts, Counts], None], Mapping[str, str]]] = {
    "characters": (
        _characters_of,
        {
            "chars": "code points",
            "spaces": "white space, as `str.isspace`",
            "letters": "of a category L*",
            "digits": "as `str.isdigit`",
            "uppers": "of the categories Lu and Lt",
            "punctuation": "of a category P*",
            "symbols": "of a category S*",
            "braces": "`{` and `}`",
            "hashes": "`#`",
            "ellipses": "`...`, not overlapping, and `…`",
            "tokens": "runs of word characters, and runs of what is neither that nor white space",
            "sentences": f"runs without {ENDS.strip()} and line feed, that have a word character",
            "longest_unpunctuated": f"the most words in a run without {BREAKS.strip()} and line feed",
        },
    ),
    "words": (
        _words_of,
        {
            "words": "runs without white space, as `str.split`; a text without spaces is one word",
            "word_chars": "code points in words",
            "longest_word": "code points of the longest",
            "capital_words": "words with an upper-case letter and without a lower-case one",
            "latin_words": "words with a letter of A-Z, a-z",
            "lettered_words": "words with a letter of any alphabet",
            "unique_words": "different words, case aside",
        },
    ),
    "lines": (
        _lines_of,
        {
            "lines": "lines that are not blank, parted by line feeds; white space around a line is no part of it",
            "line_chars": "code points in lines",
            "longest_line": "code points of the longest",
            "ellipsis_lines": "lines that end in `...` or `…`",
            "bullet_lines": f"lines that begin with one of {BULLETS}",
            "javascript_lines": "lines that contain `javascript`, in any case",
            "terminal_lines": f"lines that end with one of {TERMINAL}",
            "short_lines": f"lines of up to {SHORT_LINE} code points",
            "newlines": "line feeds",
            "duplicate_lines": "lines that an earlier line of the text equals",
            "duplicate_line_chars": "code points in those",
        },
    ),
    "repetition": (repetition_of, REPETITION),
}
"""The groups: what computes each, and what its counts are, in their order."""


def statistics(column: pl.Series, group: str) -> pl.Series:
    """The counts of a group for each text, as a column of structs of Int64; of an empty text for null."""
    compute, names = GROUPS[group]
    out = np.zeros((len(column), len(names)), np.int64)
    compute(Texts.of(column), out)
    return pl.DataFrame(out, schema=dict.fromkeys(names, pl.Int64)).to_struct(column.name)
