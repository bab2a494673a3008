"""The counts of repetition once more, slowly and plainly: what they must equal."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import groupby
from typing import Any

from dataflow.kernels.repetition import BULLETS, CLOSERS, FULL_STOPS, STOP_WORDS


def lower(word: str) -> str:
    """Lower case, character by character, where that is a single one."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in word)


def plain(word: str) -> str:
    def outer(c: str) -> bool:
        return unicodedata.category(c)[0] in "PS"

    while word and outer(word[0]):
        word = word[1:]
    while word and outer(word[-1]):
        word = word[:-1]
    return lower(word)


def paragraphs_of(text: str) -> list[str]:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return [" ".join(group) for filled, group in groupby(lines, key=bool) if filled]


def ngrams_of(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def covered(words: list[str], n: int, places: list[int]) -> int:
    return sum(len(words[i]) for i in {place + k for place in places for k in range(n)})


def top_chars(words: list[str], n: int) -> int:
    grams = ngrams_of(words, n)
    counts = Counter(grams)
    if not counts or max(counts.values()) < 2:
        return 0
    best = max(counts, key=lambda g: (counts[g], sum(map(len, g))))  # of several, the first one
    return covered(words, n, [i for i, g in enumerate(grams) if g == best])


def again(items: list[Any]) -> list[int]:
    """The places of what occurred before."""
    first = {item: i for i, item in reversed(list(enumerate(items)))}
    return [i for i, item in enumerate(items) if first[item] != i]


def repetition(text: str) -> dict[str, int]:
    runs = text.split()
    words = [w for w in map(plain, runs) if w]
    paragraphs = paragraphs_of(text)
    duplicates = [paragraphs[i] for i in again(paragraphs)]
    return {
        "runs": len(runs),
        "lettered_runs": sum(any(unicodedata.category(c)[0] == "L" for c in r) for r in runs),
        "hash_marks": text.count("#"),
        "ellipsis_marks": sum(len(re.findall(r"\.\.\.|…", r)) for r in runs),
        "plain_words": len(words),
        "plain_word_chars": sum(map(len, words)),
        "stop_words": len(set(words) & set(STOP_WORDS)),
        "sentence_ends": sum(r.rstrip(CLOSERS)[-1:] in FULL_STOPS and bool(r.rstrip(CLOSERS)) for r in runs),
        "listed_lines": sum(line.strip()[:1] in BULLETS for line in text.split("\n") if line.strip()),
        "paragraphs": len(paragraphs),
        "paragraph_chars": sum(map(len, paragraphs)),
        "duplicate_paragraphs": len(duplicates),
        "duplicate_paragraph_chars": sum(map(len, duplicates)),
        **{f"top_{n}gram_chars": top_chars(words, n) for n in (2, 3, 4)},
        **{f"repeated_{n}gram_chars": covered(words, n, again(ngrams_of(words, n))) for n in range(5, 11)},
    }
