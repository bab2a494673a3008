"""What the usual measures of readability are made of: words, sentences, syllables, difficult words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from dataflow.core.errors import MissingDependency

MANY = 3
"""Syllables of a long word, at least."""
_NO_LETTER, _SPACE = re.compile(r"\W"), re.compile(r"\s")
_SENTENCE = re.compile(r"\b[^.!?]+[.!?]*")
_PUNCTUATION = re.compile(r"[^\w\s']|'(?![tsd]|ve|ll|re)")


class Readability(NamedTuple):
    """The measures of an English text."""

    flesch_reading_ease: float
    automated_readability_index: float
    aggregate_reading_level: float
    syllable_count: int
    lexicon_count: int
    sentence_count: int
    character_count: int
    letter_count: int
    polysyllable_count: int
    monosyllable_count: int
    difficult_words: int


def measured(text: str) -> Readability:
    """The measures of a text.

    They are those of textstat, reckoned anew: textstat would fetch a dictionary of syllables, which are told by
    hyphenation alone here, and keeps the last texts in memory. Its list of easy words is used.

    Raises:
        MissingDependency: textstat is not installed.
    """
    words = _bare(text).split()
    counts = [syllables(word) for word in words]
    sentences = sentences_of(text)
    letters, chars = len(_NO_LETTER.sub("", text)), len(_SPACE.sub("", text))
    many = sum(n >= MANY for n in counts)
    hard = {w for w, n in zip(words, counts, strict=True) if _is_difficult(w, n, 2)}
    spoken = sum(counts)
    n = max(1, len(words))
    per_sentence = len(words) / max(1, sentences)
    ease = 206.835 - 1.015 * per_sentence - 84.6 * spoken / n if words else 0.0
    index = 4.71 * chars / len(text.split()) + 0.5 * per_sentence - 21.43 if words else 0.0
    grades = [
        0.39 * per_sentence + 11.8 * spoken / n - 15.59,  # Flesch-Kincaid
        1.043 * math.sqrt(30 * many / max(1, sentences)) + 3.1291,  # SMOG
        5.8 * letters / n - 29.6 * sentences / n - 15.8,  # Coleman-Liau, whose own factor is 5.88
        index,
        _dale_chall(100 * _difficult(words, counts, 0) / n, per_sentence),
        _linsear(text),
        0.4 * (per_sentence + 100 * _difficult(words, counts, MANY) / n),  # Gunning fog
    ]
    level = aggregate(ease, grades) if words else 0.0
    return Readability(
        ease, index, level, spoken, len(words), sentences, chars, letters, many, counts.count(1), len(hard)
    )  # fmt: skip


def sentences_of(text: str) -> int:
    """The sentences of a text: runs up to `.`, `!` or `?` of more than two words; one where there are none."""
    return max(min(1, len(text)), sum(len(_bare(s).split()) > 2 for s in _SENTENCE.findall(text)))


def _bare(text: str) -> str:
    """The text without punctuation, but with the apostrophes of contractions."""
    return _PUNCTUATION.sub("", text)


def aggregate(ease: float, grades: list[float]) -> float:
    """The school grade on which most formulas agree, 1 to 18; each votes for itself rounded down, up and to the nearest."""
    votes = [v for g in grades[:1] for v in (math.floor(g), math.ceil(g), round(g))]
    votes += _grades_of_ease(ease)
    votes += [v for g in grades[1:] for v in (math.floor(g), math.ceil(g), round(g))]
    return float(max(1, min(18, Counter(votes).most_common(1)[0][0])))


def _grades_of_ease(ease: float) -> list[int]:
    if not 30 <= ease < 100:
        return [13]
    return [8, 9] if 60 <= ease < 70 else {9: [5], 8: [6], 7: [7], 5: [10], 4: [11], 3: [12]}[int(ease // 10)]


def _dale_chall(percent_hard: float, per_sentence: float) -> float:
    return 0.1579 * percent_hard + 0.0496 * per_sentence + (3.6365 if percent_hard > 5 else 0)


def _linsear(text: str) -> float:
    """Linsear Write, of the first hundred words."""
    parts = text.split()
    taken, words = 0, list[str]()
    for part in parts:
        if len(words) == 100:
            break
        taken += 1
        if bare := _bare(part):
            words.append(bare)
    points: int = sum(3 if n >= MANY else 1 for n in map(syllables, words) if n)
    number: float = points / max(1, sentences_of(" ".join(parts[:taken])))
    return (number - 2 if number <= 20 else number) / 2


def _difficult(words: Sequence[str], counts: Sequence[int], least: int) -> int:
    return sum(_is_difficult(word, n, least) for word, n in zip(words, counts, strict=True))


def _is_difficult(word: str, count: int, least: int) -> bool:
    """Whether a word is no easy one of Dale and Chall, and has at least so many syllables."""
    return count >= least and word.lower() not in easy_words()


@lru_cache(100_000)
def syllables(word: str) -> int:
    """The syllables of a word: the places where it can be hyphenated, and one."""
    return len(_hyphenation().positions(word.lower())) + 1


@cache
def easy_words() -> frozenset[str]:
    """The words that most pupils of the fourth grade know, by Dale and Chall."""
    found = find_spec("textstat")  # importing it would load nltk
    if found is None or found.origin is None:
        raise MissingDependency("textstat", "text", "Measuring readability")
    listed = Path(found.origin).parent / "resources" / "en" / "easy_words.txt"
    return frozenset(line.strip() for line in listed.read_text("utf-8").splitlines())


@cache
def _hyphenation() -> Any:
    try:
        pyphen: Any = import_module("pyphen")  # comes with textstat
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Counting syllables") from None
    return pyphen.Pyphen(lang="en_US")
