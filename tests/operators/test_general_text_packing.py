"""Sequences are full, none too long, and no text is cut or lost; whatever the batches."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from general_text_packing_cases import CASES
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.operators._lib.packing import best_fit_decreasing, next_fit
from dataflow.operators.general_text.packing import SequencePackRefiner, TokenChunkSplitter
from dataflow.testing import check_operator, run_rows


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_promises(case: Any) -> None:
    check_operator(case.op, rows=case.rows, **case.keys)


def plain_best_fit(sizes: list[int], capacity: int) -> list[int]:
    """Each bin looked at for each thing."""
    rooms, bins, freed = list[int](), [0] * len(sizes), dict[int, int]()
    for turn, at in enumerate(sorted(range(len(sizes)), key=lambda i: -sizes[i])):
        fits = [b for b, room in enumerate(rooms) if room >= sizes[at]]
        if not fits:
            rooms.append(capacity)
            fits = [len(rooms) - 1]
        best = min(fits, key=lambda b: (rooms[b], freed.get(b, -1)))
        rooms[best] -= sizes[at]
        freed[best], bins[at] = turn, best
    return bins


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 30).flatmap(lambda c: st.tuples(st.just(c), st.lists(st.integers(0, c), max_size=60))))
def test_bins_are_those_of_a_slow_twin(given_: tuple[int, list[int]]) -> None:
    capacity, sizes = given_
    bins = best_fit_decreasing(np.array(sizes, np.int64), capacity)
    assert bins.tolist() == plain_best_fit(sizes, capacity)
    for made in (bins, next_fit(sizes, capacity)):
        filled = np.bincount(made, weights=sizes) if sizes else np.zeros(0)
        assert (filled <= capacity).all()


def corpus(rows: int = 300) -> list[str]:
    draw = random.Random(4)
    return [" ".join(f"w{i}_{n}" for n in range(draw.randint(1, 60))) for i in range(rows)]


@pytest.mark.parametrize("method", ["best_fit", "in_order"])
def test_nothing_is_cut_or_lost(method: Any) -> None:
    texts = corpus()
    op = SequencePackRefiner(100, separator=" <end> ", method=method)
    done = run_rows(op, [{"raw_content": t} for t in texts])
    sequences = done.frame["raw_content"].to_list()
    assert [len(s.split()) for s in sequences] == done.frame["sequence_size"].to_list()
    assert max(done.frame["sequence_size"]) <= 100
    found = [part for s in sequences for part in s.split(" <end> ")]
    assert sorted(found) == sorted(texts)
    assert [s.count("<end>") + 1 for s in sequences] == done.frame["sequence_texts"].to_list()
    for sequence in sequences:
        places = [texts.index(part) for part in sequence.split(" <end> ")]
        assert places == sorted(places)
    filled = sum(done.frame["sequence_size"]) / (100 * len(sequences))
    assert filled > (0.98 if method == "best_fit" else 0.7)
    whys = done.dropped.select("row", "reason").rows()
    leads = {text: s.split(" <end> ")[0] for s in sequences for text in s.split(" <end> ")}
    assert all(why == f"joined: to row {texts.index(leads[texts[int(row)]])}" for row, why in whys)


def test_batches_do_not_matter() -> None:
    op, frame = SequencePackRefiner(100), pl.DataFrame({"raw_content": corpus(100)})
    binding = op.bind()
    whole = op.decide(iter([frame]), binding)
    for size in (1, 33):
        parts = op.decide(frame.iter_slices(size), binding)
        assert (parts.rows, parts.columns) == (whole.rows, whole.columns)


def test_reasons() -> None:
    done = run_rows(
        SequencePackRefiner(2), [{"raw_content": t} for t in ("a b", None, " ", "a b c", "d", "e")]
    )
    assert done.dropped["reason"].to_list() == ["null", "null", "too long: 3", "joined: to row 4"]


@settings(max_examples=100, deadline=None)
@given(st.text("ab .!\n字", max_size=80), st.integers(1, 9), st.sampled_from(["word", "char"]))
def test_chunks_join_to_the_text(text: str, size: int, unit: Any) -> None:
    op = TokenChunkSplitter(size, unit=unit)
    made = op.expand(text)
    assert "".join("".join(made).split()) == "".join(text.split())
    assert all(op.size_of()(chunk) <= size for chunk in made)


@pytest.mark.parametrize("op", [TokenChunkSplitter(2, "nowhere"), SequencePackRefiner(2, "nowhere")])
def test_a_tokenizer_that_is_nowhere(op: Any) -> None:
    assert [name for name, _ in op.check(op.bind())] == ["tokenizer"]
