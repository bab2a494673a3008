"""CIDEr-D: how alike a text and its references are in the n-grams that are rare in the corpus."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataflow.core.errors import ConfigError
from dataflow.core.frames import loads

Grams = Counter[tuple[str, ...]]


def grams_of(text: str, n: int) -> Grams:
    """How often each n-gram of 1 to `n` words comes; words are parted by white space."""
    words = text.split()
    return Counter(tuple(words[i : i + k]) for k in range(1, n + 1) for i in range(len(words) - k + 1))


@dataclass(frozen=True)
class Frequencies:
    """In how many documents of a corpus each n-gram comes; a document is all the references of a sample."""

    documents: int
    counts: Mapping[tuple[str, ...], int]

    @classmethod
    def of(cls, corpus: Iterable[Sequence[Grams]]) -> Frequencies:
        counts: Counter[tuple[str, ...]] = Counter()
        documents = 0
        for references in corpus:
            documents += 1
            counts.update({gram for grams in references for gram in grams})
        return cls(documents, counts)

    @classmethod
    def read(cls, path: Path) -> Frequencies:
        """Those of a JSON file: `{"documents": 40504, "df": {"a": 39000, "a white whale": 3}}`.

        Raises:
            ConfigError: there is no such file, or it holds something else.
        """
        try:
            table = loads(path.read_bytes())
            counts = {tuple(gram.split()): int(count) for gram, count in table["df"].items()}
            return cls(int(table["documents"]), counts)
        except FileNotFoundError:
            raise ConfigError(f"idf_path={str(path)!r}: there is no such file") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError(
                f'idf_path={str(path)!r} is no JSON file of the form {{"documents": 2, "df": {{"a b": 1}}}}: {error!r}'
            ) from error

    def rarity(self, gram: tuple[str, ...]) -> float:
        return math.log(self.documents) - math.log(max(1, self.counts.get(gram, 0)))


def cider_d(
    candidate: Grams, references: Sequence[Grams], corpus: Frequencies, n: int, sigma: float
) -> float:
    """CIDEr-D of a text against its references, 0 to 10 (Vedantam, Zitnick and Parikh 2015, arXiv 1411.5726)."""
    mine, norms, size = _vector(candidate, corpus, n)
    total = 0.0
    for reference in references:
        theirs, other, length = _vector(reference, corpus, n)
        shared = [0.0] * n
        for gram, weight in mine.items():
            if (of_other := theirs.get(gram)) is not None:
                shared[len(gram) - 1] += min(weight, of_other) * of_other
        alike = sum(s / (a * b) for s, a, b in zip(shared, norms, other, strict=True) if a and b)
        total += alike / n * math.exp(-((size - length) ** 2) / (2 * sigma**2))
    return 10 * total / len(references)


def _vector(
    grams: Grams, corpus: Frequencies, n: int
) -> tuple[dict[tuple[str, ...], float], list[float], int]:
    """The weight of each n-gram, the norm for each n, and the length, which is counted in bigrams."""
    weights = {gram: count * corpus.rarity(gram) for gram, count in grams.items()}
    squares = [0.0] * n
    for gram, weight in weights.items():
        squares[len(gram) - 1] += weight * weight
    words = sum(count for gram, count in grams.items() if len(gram) == 1)
    return weights, [math.sqrt(s) for s in squares], max(0, words - 1)
