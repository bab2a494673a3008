"""MinHash, SimHash and clusters: against plain Python, theory and brute force."""

from __future__ import annotations

import os
import random
import re
import unicodedata
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dataflow.kernels import texts as texts_module
from dataflow.kernels.clusters import alike_clusters, band_clusters, first_sharing
from dataflow.kernels.folding import folded_bytes, folded_hashes
from dataflow.kernels.minhash import band_keys, permutations, signatures
from dataflow.kernels.shingles import BASE, MIX
from dataflow.kernels.simhash import fingerprints, first_near, tables

ALL = (1 << 64) - 1


# The same hashes, slowly


def folded_in(value: int, point: int) -> int:
    mixed = (value + point + 1) * 0x9E3779B97F4A7C15 & ALL
    return mixed ^ (mixed >> 29)


def hash_of(characters: str) -> int:
    value = 0
    for character in characters:
        value = folded_in(value, ord(character))
    return value


def mixed(value: int) -> int:
    value = (value ^ (value >> 32)) * MIX & ALL
    value = (value ^ (value >> 29)) * MIX & ALL
    return value ^ (value >> 32)


def lower(text: str) -> str:
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def shingles_of(parts: list[str], n: int) -> list[int]:
    hashes = [hash_of(part) for part in parts]
    runs = [hashes[i : i + n] for i in range(max(1, len(hashes) - n + 1))] if hashes else []
    return [mixed(sum(h * pow(BASE, len(run) - 1 - i) for i, h in enumerate(run)) & ALL) for run in runs]


def slow_signature(text: str, count: int, n: int, by_words: bool, folded: bool) -> list[int]:
    if folded:
        text = " ".join(lower(text).split())
    parts = text.split() if by_words else list(text)
    numbers = [s >> 32 for s in shingles_of(parts, n)]
    a, b = (p.tolist() for p in permutations(count, 1))
    least = ALL >> 32
    return [min([(a[k] * x + b[k]) & least for x in numbers], default=least) for k in range(count)]


def slow_fingerprint(text: str, bits: int, by_words: bool, n: int) -> int:
    text = lower(text)
    lettered = "".join(c if c.isalnum() or c == "_" else " " for c in text)
    if lettered.strip():
        parts = lettered.split() if by_words else list("".join(lettered.split()))
    else:
        parts = text.split() if by_words else list(" ".join(text.split()))
    values = shingles_of(parts, n)
    made = 0
    for bit in range(bits):
        if bit and bit % 64 == 0:
            values = [mixed(v + bit // 64 & ALL) for v in values]
        if 2 * sum(v >> bit % 64 & 1 for v in values) > len(values):
            made |= 1 << bit
    return made


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=4), st.integers(1, 7), st.booleans(), st.booleans())
def test_signatures_equal_those_of_plain_python(
    given_texts: list[str], n: int, by_words: bool, folded: bool
) -> None:
    made = signatures(pl.Series(given_texts, dtype=pl.String), 16, n, by_words=by_words, folded=folded)
    assert made.tolist() == [slow_signature(t, 16, n, by_words, folded) for t in given_texts]


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=4), st.integers(1, 5), st.booleans(), st.sampled_from([8, 64, 100]))
def test_fingerprints_equal_those_of_plain_python(
    given_texts: list[str], n: int, by_words: bool, bits: int
) -> None:
    made = fingerprints(pl.Series(given_texts, dtype=pl.String), bits, by_words=by_words, n=n)
    whole = [sum(int(word) << 64 * i for i, word in enumerate(row)) for row in made]
    assert whole == [slow_fingerprint(t, bits, by_words, n) for t in given_texts]


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS | st.text("A\u023a \n-\x01\u00b2", max_size=30), max_size=4))
@example(["\u023a" * 50, "x"])
def test_folded_texts_equal_those_of_plain_python(given_texts: list[str]) -> None:
    column = pl.Series(given_texts, dtype=pl.String)
    made = [bytes(text).decode() for text in folded_bytes(column)]
    assert made == [slow_folded(text) for text in given_texts]
    assert folded_hashes(column).tolist() == [[mixed(hash_of(text)), len(text)] for text in made]


def slow_folded(text: str) -> str:
    kept = []
    for c in lower(text):
        if c.isspace():
            kept.append(c if c == "\n" else " ")
        elif unicodedata.category(c)[0] != "P" and unicodedata.category(c) != "Cc":
            kept.append("0" if c.isdigit() else c)
    gaps = re.sub(r"[ \n]*\n[ \n]*", "\n", "".join(kept))
    return re.sub(" +", " ", gaps).strip(" \n")


def test_a_text_longer_than_the_buffers() -> None:
    text = "ab cd\u4e2d " * 3000
    made = signatures(pl.Series(["x", text, "y"]), 4, 5, by_words=False)
    assert made[1].tolist() == slow_signature(text, 4, 5, False, False)


@pytest.fixture
def _many_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(texts_module, "PARALLEL_BYTES", 0)
    texts_module._pool.cache_clear()
    yield
    texts_module._pool.cache_clear()


@pytest.mark.usefixtures("_many_threads")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_any_number_of_threads_makes_the_same(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    column = pl.Series([" ".join(words(seed, 40)) for seed in range(50)])
    expected = [slow_signature(t, 8, 3, True, False) for t in column.to_list()]
    assert signatures(column, 8, 3, by_words=True).tolist() == expected


# Estimates


def words(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)
    return [f"w{draw.randrange(10**9)}" for _ in range(count)]


@pytest.mark.parametrize(("same", "other"), [(300, 300), (600, 100), (20, 1), (950, 50)])
def test_estimates_are_unbiased_and_err_as_theory_says(same: int, other: int) -> None:
    """`same` words in common and `other` in each text alone, single words compared."""
    pairs, count = 400, 128
    exact = same / (same + 2 * other)
    left, right = [], []
    for pair in range(pairs):
        common = words(3 * pair, same)
        left.append(" ".join(common + words(3 * pair + 1, other)))
        right.append(" ".join(common + words(3 * pair + 2, other)))
    one, two = (signatures(pl.Series(t), count, 1, by_words=True) for t in (left, right))
    errors = (one == two).mean(axis=1) - exact
    deviation = np.sqrt(exact * (1 - exact) / count)
    assert abs(errors.mean()) < 4 * deviation / np.sqrt(pairs)
    assert 0.85 < errors.std() / deviation < 1.15


def test_another_seed_errs_otherwise() -> None:
    column = pl.Series([" ".join(words(1, 50)), " ".join(words(1, 30) + words(2, 20))])
    made = [signatures(column, 64, 1, by_words=True, seed=seed) for seed in range(8)]
    assert len({int((m[0] == m[1]).sum()) for m in made}) > 1


# Clusters


def clusters_of(linked: np.ndarray) -> list[int]:
    """The first row of each row's cluster, by a walk from each."""
    first = [-1] * len(linked)
    for start in range(len(linked)):
        stack = [start] if first[start] < 0 else []
        while stack:
            row = stack.pop()
            if first[row] < 0:
                first[row] = start
                stack += np.flatnonzero(linked[row]).tolist()
    return first


def near_copies(rows: int, seed: int) -> list[str]:
    """Texts of which a third are earlier ones with some words changed."""
    draw, made = random.Random(seed), list[list[str]]()
    for _ in range(rows):
        if made and draw.random() < 0.35:
            text = list(draw.choice(made))
            for _ in range(draw.choice([0, 0, 1, 2, 5, 12])):
                text[draw.randrange(len(text))] = f"v{draw.randrange(10**6)}"
        else:
            text = [f"v{draw.randrange(10**6)}" for _ in range(draw.randint(1, 60))]
        made.append(text)
    return [" ".join(text) for text in made]


def test_clusters_are_those_of_all_pairs() -> None:
    rows, bands, width, least = 5000, 10, 6, 48
    signed = signatures(pl.Series(near_copies(rows, 5)), 64, 2, by_words=True)
    alike = np.zeros((rows, rows), bool)
    keys = np.column_stack([band_keys(signed, b * width, (b + 1) * width) for b in range(bands)])
    shares = np.zeros((rows, rows), bool)
    for row in range(rows):
        alike[row] = (signed == signed[row]).sum(axis=1) >= least
        shares[row] = (keys == keys[row]).any(axis=1)
    made = alike_clusters(signed, bands, width, least).tolist()
    assert made == clusters_of(alike & shares)
    assert 500 < sum(first != row for row, first in enumerate(made)) < 3000
    assert band_clusters(keys).tolist() == clusters_of(shares)


def test_many_copies_are_one_cluster() -> None:
    signed = signatures(pl.Series(["the same words again"] * 30_000 + ["others"]), 32, 2, by_words=True)
    made = alike_clusters(signed, 4, 8, 30)
    assert made.tolist() == [0] * 30_000 + [30_000]


def brute_near(prints: list[int], most: int) -> list[int]:
    kept, made = list[int](), list[int]()
    for row, value in enumerate(prints):
        near = next((k for k in kept if (prints[k] ^ value).bit_count() <= most), row)
        made.append(near)
        if near == row:
            kept.append(row)
    return made


@pytest.mark.parametrize(("bits", "most"), [(64, 0), (64, 3), (64, 6), (16, 2), (128, 9), (100, 4), (8, 7)])
def test_no_near_fingerprint_is_missed(bits: int, most: int) -> None:
    draw = random.Random(bits)
    prints = [draw.getrandbits(bits) for _ in range(200)]
    for _ in range(600):
        value = draw.choice(prints)
        for bit in draw.sample(range(bits), draw.randint(0, min(bits, most + 2))):
            value ^= 1 << bit
        prints.append(value)
    array = np.array([[p >> 64 * w & ALL for w in range(-(-bits // 64))] for p in prints], np.uint64)
    assert first_near(array, bits, most).tolist() == brute_near(prints, most)


@pytest.mark.parametrize("rows", [10, 10**5, 10**7])
def test_any_bits_that_differ_leave_a_table_whose_bits_do_not(rows: int) -> None:
    masks = tables(16, 3, rows)[:, 0].tolist()
    for bits in combinations(range(16), 3):
        apart = sum(1 << bit for bit in bits)
        assert any(mask & apart == 0 for mask in masks)


def test_all_fingerprints_are_alike_where_all_bits_may_differ() -> None:
    assert first_near(np.array([[1], [2], [255]], np.uint64), 8, 8).tolist() == [0, 0, 0]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 8), min_size=3, max_size=3), min_size=1, max_size=30), st.integers(1, 4)
)
def test_slices_shared_are_those_of_all_pairs(rows: list[list[int]], least: int) -> None:
    kept, expected = list[int](), list[int]()
    for row, hashes in enumerate(rows):
        mine = set(hashes)
        like = [k for k in kept if len(mine & set(rows[k])) >= least or mine == set(rows[k])]
        expected.append(min(like, default=row))
        if not like:
            kept.append(row)
    assert first_sharing(np.array(rows, np.uint64), least).tolist() == expected
