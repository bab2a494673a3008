"""How rich the vocabulary of a text is, whatever its length."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Sequence
from math import exp, lgamma

LEAST_WORDS = 51
"""Words of a text that can be measured, at least."""
THRESHOLD = 0.72
SAMPLE = 42


def words_of(text: str) -> list[str]:
    """Words parted by white space, in lower case, without ASCII punctuation around them."""
    stripped = (word.strip(string.punctuation) for word in text.lower().split())
    return [word for word in stripped if word]


def mtld(words: Sequence[str]) -> float | None:
    """Mean length of the stretches over which different words stay above 72 % of all (McCarthy and Jarvis 2010).

    The mean of the text read forward and backward. Null below `LEAST_WORDS` words. A text in which no word comes
    twice has no such length; it is given that of one in which a single word does.
    """
    if len(words) < LEAST_WORDS:
        return None
    least = 1 / len(words) / (1 - THRESHOLD)
    return sum(len(words) / (_factors(read) or least) for read in (words, reversed(words))) / 2


def _factors(words: Iterable[str]) -> float:
    """The stretches of a text; the last is counted as far as it went."""
    factors, ratio, size = 0.0, 1.0, 0
    seen: set[str] = set()
    for word in words:
        size += 1
        seen.add(word)
        ratio = len(seen) / size
        if ratio <= THRESHOLD:
            factors, ratio, size = factors + 1, 1.0, 0
            seen.clear()
    return factors + (1 - ratio) / (1 - THRESHOLD)


def hdd(words: Sequence[str]) -> float | None:
    """Different words over all that 42 words drawn from the text have in the mean, 0 to 1 (McCarthy and Jarvis 2007).

    Null below `LEAST_WORDS` words.
    """
    total = len(words)
    if total < LEAST_WORDS:
        return None
    of_count = Counter(Counter(words).values())
    met = sum(types * (1 - _missed(count, total)) for count, types in of_count.items())
    return min(1.0, met / SAMPLE)


def _missed(count: int, total: int) -> float:
    """How likely a word that comes `count` times is not among 42 drawn, by the logarithms of factorials."""
    rest = total - count
    if rest < SAMPLE:
        return 0.0
    return exp(lgamma(rest + 1) - lgamma(rest - SAMPLE + 1) - lgamma(total + 1) + lgamma(total - SAMPLE + 1))
