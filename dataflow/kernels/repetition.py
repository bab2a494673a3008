"""How much of a text repeats itself: the counts of the Gopher rules, in one pass over its words and one over its n-grams.

What is counted is said at `COUNTS`, and once more, slowly and plainly, by the tests' reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit

from dataflow.kernels.characters import (
    LETTER,
    PUNCTUATION,
    SPACE,
    SYMBOL,
    Classes,
    classes,
    length_of,
    lowered,
    point_at,
)
from dataflow.kernels.repeated import bits_for, ngrams, place_of
from dataflow.kernels.sets import fold, hash_of
from dataflow.kernels.texts import Bytes, Counts, Hashes, Places, Texts, run

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Words of which an English text has some (Gopher, arXiv 2112.11446, A1.1)."""
FULL_STOPS = ".!?…。！？"
"""What ends a sentence, before closing quotes and brackets."""
BULLETS = "•‣▶◀◦■□▪▫●○·–-*"
"""What an item of a list begins with."""
CLOSERS = "\"'”’»)]」』）"
TOP = (2, 3, 4)
REPEATED = (5, 6, 7, 8, 9, 10)

COUNTS: Mapping[str, str] = {
    "runs": "runs without white space",
    "lettered_runs": "those with a letter of any alphabet",
    "hash_marks": "`#`",
    "ellipsis_marks": "`...`, not overlapping, and `…`",
    "plain_words": "runs without white space, less the punctuation and symbols at both ends; of those alone, none",
    "plain_word_chars": "code points in plain words",
    "stop_words": f"how many of {', '.join(STOP_WORDS)} are among the plain words, case aside",
    "sentence_ends": f"runs without white space that end in one of {FULL_STOPS}, quotes and brackets aside",
    "listed_lines": f"lines that begin with one of {BULLETS}",
    "paragraphs": "parted by blank lines; all white space in one counts as single spaces between words",
    "paragraph_chars": "code points in paragraphs",
    "duplicate_paragraphs": "paragraphs that an earlier paragraph equals",
    "duplicate_paragraph_chars": "code points in those",
    **{
        f"top_{n}gram_chars": f"code points of plain words in the most frequent {n}-gram of them, case aside, if it "
        "occurs twice; in the longest of several, and each once where they overlap"
        for n in TOP
    },
    **{
        f"repeated_{n}gram_chars": f"code points of plain words in {n}-grams that occurred before, each once"
        for n in REPEATED
    },
}
"""The counts of the group `repetition`, in their order."""


@njit(nogil=True, cache=True)
def _paragraphs(
    hashes: Hashes, sizes: Counts, number: int, slots: Hashes, places: Places, out: Counts
) -> None:
    bits = bits_for(number)
    table, shift = slots[: 1 << bits], np.uint64(64 - bits)
    table[:] = 0
    out[0] = number
    for i in range(number):
        out[1] += sizes[i]
        key = hashes[i] if hashes[i] else np.uint64(1)
        if place_of(table, places, shift, key, i) != i:
            out[2] += 1
            out[3] += sizes[i]


@njit(nogil=True, cache=True)
def _repetition(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    table: Classes,
    marks: Bytes,
    lower: Places,
    stops: Hashes,
) -> None:
    room = 2
    for row in range(first, last):
        room = max(room, (offsets[row + 1] - offsets[row]) // 2 + 2)
    values, names, counts, found = (
        np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    )  # fmt: skip
    hashes, sizes, ends = np.empty(room, np.uint64), np.empty(room, np.int64), np.zeros(room + 1, np.int64)
    slots, places = np.empty(1 << bits_for(room), np.uint64), np.empty(1 << bits_for(room), np.int32)
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        words = closed = paragraphs = seen = listed = runs = lettered = hash_marks = ellipses = 0
        dots = kinds = 0
        value: Any = np.uint64(
            0
        )  # of the word under way, as read, and up to its last character that is no punctuation
        core: Any = np.uint64(0)
        whole: Any = np.uint64(0)  # of the paragraph under way
        size = core_size = length = feeds = 0
        in_word = closing = False
        line_begins = True
        while True:
            at_end = at >= end
            flags: Any = SPACE
            point: Any = 32
            if not at_end:
                point = np.int64(data[at])
                if point < 0x80:
                    at += 1
                else:
                    point = point_at(data, at)
                    at += length_of(data[at])
                flags = table[point]
            if flags & SPACE == 0:
                mark = marks[point]
                if not in_word:
                    listed += line_begins and mark == 3
                    line_begins = False
                    if feeds >= 2 and length:
                        hashes[paragraphs], sizes[paragraphs] = whole, length
                        paragraphs += 1
                        length = 0
                    if length:
                        whole = fold(whole, 32)
                        length += 1
                    else:
                        whole = np.uint64(0)
                    in_word, feeds = True, 0
                whole = fold(whole, point)
                length += 1
                kinds |= flags
                if mark == 1 and (point == 0x2E or point == 0x2026):
                    dots += 1
                    if dots == 3 or point == 0x2026:
                        ellipses += 1
                        dots = 0
                else:
                    dots = 0
                    hash_marks += point == 0x23
                closing = mark == 1 or (closing and mark == 2)
                plain = flags & (PUNCTUATION | SYMBOL) == 0
                if plain or size:
                    value = fold(value, lower[point])
                    size += 1
                    if plain:
                        core, core_size = value, size
                continue
            if in_word:
                runs += 1
                lettered += kinds & LETTER != 0
                dots = kinds = 0
                closed += closing
                if core_size:
                    values[words] = core
                    ends[words + 1] = ends[words] + core_size
                    words += 1
                    if core_size <= 4:
                        for i in range(len(stops)):
                            if stops[i] == core:
                                seen |= 1 << i
                value, core = np.uint64(0), np.uint64(0)
                size = core_size = 0
                in_word = closing = False
            if at_end:
                break
            if point == 10:
                feeds += 1
                line_begins = True
        if length:
            hashes[paragraphs], sizes[paragraphs] = whole, length
            paragraphs += 1
        made = out[row]
        made[:] = 0
        made[0], made[1], made[2], made[3] = runs, lettered, hash_marks, ellipses
        made[4], made[5], made[7], made[8] = words, ends[words], closed, listed
        while seen:
            made[6] += seen & 1
            seen >>= 1
        _paragraphs(hashes, sizes, paragraphs, slots, places, made[9:13])
        ngrams(values, ends, words, names, counts, found, slots, places, made[13:])


def _marks() -> Bytes:
    """For each code point 1 where it ends a sentence, 2 where it may follow that, 3 where it begins an item."""
    table = np.zeros(len(classes()), np.uint8)
    table[[ord(c) for c in FULL_STOPS]] = 1
    table[[ord(c) for c in CLOSERS]] = 2
    table[[ord(c) for c in BULLETS]] = 3
    return table


def count_repetition(texts: Texts, out: Counts) -> None:
    """Fill a row of counts, in the order of `COUNTS`, for each text."""
    stops = np.array([hash_of(w) for w in STOP_WORDS], np.uint64)
    run(_repetition, texts, out, classes(), _marks(), lowered(), stops)
