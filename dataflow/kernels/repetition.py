"""How much of a text repeats itself: the counts of the Gopher rules, in one pass over its words and one over its n-grams.

What is counted is said at `NAMES`, and once more, slowly and plainly, by the tests' reference.

An n-gram is looked for only where both the (n-1)-grams in it occur more than once. That leaves little to do beyond
pairs in texts that do not repeat themselves, and it makes n-grams exact: one is named by the first place where it
occurs, and known by the names of the two (n-1)-grams in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import (
    LETTER,
    PUNCTUATION,
    SPACE,
    SYMBOL,
    classes,
    length_of,
    lowered,
    point_at,
)
from dataflow.kernels.sets import Hashes, fold, hash_of
from dataflow.kernels.texts import Texts, run

Bytes = NDArray[np.uint8]
Counts = NDArray[np.int64]
Places = NDArray[np.int32]

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""Words of which an English text has some (Gopher, arXiv 2112.11446, A1.1)."""
FULL_STOPS = ".!?…。！？"
"""What ends a sentence, before closing quotes and brackets."""
BULLETS = "•‣▶◀◦■□▪▫●○·–-*"
"""What an item of a list begins with."""
CLOSERS = "\"'”’»)]」』）"
TOP = (2, 3, 4)
REPEATED = (5, 6, 7, 8, 9, 10)

NAMES: Mapping[str, str] = {
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


@njit(nogil=True, cache=True, inline="always")
def _place(slots: Hashes, places: Places, shift: Any, key: Any, own: Any) -> Any:
    """Where a key was first seen; it is `own` where that is now."""
    mask = np.uint64(len(slots) - 1)
    place = (key * np.uint64(0x9E3779B97F4A7C15)) >> shift
    while slots[place] != 0 and slots[place] != key:
        place = (place + np.uint64(1)) & mask
    if slots[place] == 0:
        slots[place] = key
        places[place] = own
    return places[place]


@njit(nogil=True, cache=True, inline="always")
def _bits(number: int) -> int:
    """Of a table in which so many keys have room."""
    bits = 3
    while (1 << bits) < 2 * number:
        bits += 1
    return bits


@njit(nogil=True, cache=True)
def _covered(found: Places, count: int, names: Places, ends: Counts, n: int, only: int) -> int:
    """Characters in the n-grams at the places found: of one name only, or of all that occurred before."""
    chars = 0
    upto: Any = 0
    for k in range(count):
        at = found[k]
        if names[at] == only or (only < 0 and names[at] != at):
            chars += ends[at + n] - ends[max(at, upto)]
            upto = at + n
    return chars


@njit(nogil=True, cache=True)
def _ngrams(
    values: Hashes,
    ends: Counts,
    words: int,
    names: Places,
    counts: Places,
    found: Places,
    slots: Hashes,
    places: Places,
    out: Counts,
) -> None:
    count = words
    for n in range(1, 11):
        if n > 1:  # those of which both parts occur more than once
            kept = 0
            for k in range(count - 1):
                if found[k + 1] == found[k] + 1:
                    found[kept] = found[k]
                    kept += 1
            count = kept
        if count < 2:
            return
        bits = _bits(count)
        table, shift = slots[: 1 << bits], np.uint64(64 - bits)
        table[:] = 0
        for k in range(count):
            at: Any = k if n == 1 else np.int64(found[k])
            if n == 1:
                key = values[at] if values[at] else np.uint64(1)
            else:
                key = (np.uint64(names[at] + 1) << np.uint64(32)) | np.uint64(names[at + 1])
            name = _place(table, places, shift, key, at)
            names[at] = name
            counts[at] = 0
            counts[name] += 1
        kept = 0
        best: Any = -1
        for k in range(count):
            at = k if n == 1 else np.int64(found[k])
            name = names[at]
            if counts[name] > 1:
                found[kept] = at
                kept += 1
                if name == at and (
                    best < 0
                    or counts[name] > counts[best]
                    or (
                        counts[name] == counts[best] and ends[at + n] - ends[at] > ends[best + n] - ends[best]
                    )
                ):
                    best = at
        count = kept
        if 2 <= n <= 4 and best >= 0:
            out[n - 2] = _covered(found, count, names, ends, n, best)
        if n >= 5:
            out[n - 2] = _covered(found, count, names, ends, n, -1)


@njit(nogil=True, cache=True)
def _paragraphs(
    hashes: Hashes, sizes: Counts, number: int, slots: Hashes, places: Places, out: Counts
) -> None:
    bits = _bits(number)
    table, shift = slots[: 1 << bits], np.uint64(64 - bits)
    table[:] = 0
    out[0] = number
    for i in range(number):
        out[1] += sizes[i]
        key = hashes[i] if hashes[i] else np.uint64(1)
        if _place(table, places, shift, key, i) != i:
            out[2] += 1
            out[3] += sizes[i]


@njit(nogil=True, cache=True)
def _repetition(
    data: Bytes,
    offsets: Counts,
    first: int,
    last: int,
    out: Counts,
    table: Bytes,
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
    slots, places = np.empty(1 << _bits(room), np.uint64), np.empty(1 << _bits(room), np.int32)
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
        _ngrams(values, ends, words, names, counts, found, slots, places, made[13:])


def _marks() -> Bytes:
    """For each code point 1 where it ends a sentence, 2 where it may follow that, 3 where it begins an item."""
    table = np.zeros_like(classes())
    table[[ord(c) for c in FULL_STOPS]] = 1
    table[[ord(c) for c in CLOSERS]] = 2
    table[[ord(c) for c in BULLETS]] = 3
    return table


def repetition_of(texts: Texts, out: Counts) -> None:
    """Fill a row of counts, in the order of `NAMES`, for each text."""
    stops = np.array([hash_of(w) for w in STOP_WORDS], np.uint64)
    run(_repetition, texts, out, classes(), _marks(), lowered(), stops)
