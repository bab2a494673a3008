"""Samples are what their probabilities say, whatever the batches; and promises."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from general_text_sampling_cases import CASES

from dataflow.core.errors import ConfigError
from dataflow.core.tables import Dataset
from dataflow.operators._lib.draws import gumbels, labels, uniforms, whole_shares
from dataflow.operators.general_text.mixing import MixtureSampleFilter
from dataflow.operators.general_text.sampling import StratifiedSampleFilter, WeightedSampleFilter
from dataflow.testing import check_operator, run_rows


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_promises(case: Any) -> None:
    check_operator(case.op, rows=case.rows, **case.keys)


def sampled(op: Dataset, column: list[Any]) -> list[int]:
    key = op.inputs["input_key"].default or ""
    done = run_rows(op, [{key: cell} for cell in column])
    return [int(row) for row in done.frame["__row__"]]


def test_numbers_of_a_row_hang_on_no_other() -> None:
    assert uniforms(1000, 3)[:10].tolist() == uniforms(10, 3).tolist()
    assert uniforms(10, 3).tolist() != uniforms(10, 4).tolist()
    drawn = np.concatenate([uniforms(5000, seed) for seed in range(20)])
    assert abs(drawn.mean() - 0.5) < 0.005
    assert np.histogram(drawn, 10, (0, 1))[0].min() > 9500
    assert abs(np.corrcoef(uniforms(5000, 1), uniforms(5000, 2))[0, 1]) < 0.05
    assert abs(gumbels(100_000, 1).mean() - 0.5772) < 0.02


def test_the_first_draw_has_the_probabilities_of_the_weights() -> None:
    scores, rounds = [0.0, 1.0, 2.0, 3.0], 4000
    for temperature in (1.0, 2.0):
        op = WeightedSampleFilter(1, temperature=temperature)
        found = Counter(
            op.model_copy(update={"seed": s}).choose([np.array(scores)]).rows[0] for s in range(rounds)
        )
        weights = np.exp(np.array(scores) / temperature)
        for row, weight in enumerate(weights / weights.sum()):
            assert abs(found[row] / rounds - weight) < 4 * np.sqrt(weight * (1 - weight) / rounds)


def test_draws_are_without_replacement() -> None:
    """Of weights 1, 2 and 3 two are drawn: each pair as often as drawing one after the other gives it."""
    rounds, weights = 4000, np.array([1.0, 2.0, 3.0])
    op = WeightedSampleFilter(2, weighting="linear")
    found = Counter(
        tuple(op.model_copy(update={"seed": s}).choose([weights]).rows.tolist()) for s in range(rounds)
    )
    chance = {(0, 1): 1 / 6 * 2 / 5 + 2 / 6 * 1 / 4, (0, 2): 1 / 6 * 3 / 5 + 3 / 6 * 1 / 3}
    for pair, p in chance.items():
        assert abs(found[pair] / rounds - p) < 4 * np.sqrt(p * (1 - p) / rounds)


OPERATORS: list[tuple[Dataset, str]] = [
    (WeightedSampleFilter(100), "score"),
    (StratifiedSampleFilter(share=0.3), "source"),
    (StratifiedSampleFilter(100, allocation="equal"), "source"),
    (MixtureSampleFilter({"a": 0.5, "b": 0.3, "c": 0.2}), "source"),
]


@pytest.mark.parametrize(("op", "column"), OPERATORS, ids=lambda x: type(x).__name__)
def test_batches_do_not_matter_and_seeds_do(op: Any, column: str) -> None:
    draw = np.random.default_rng(1)
    source = [["a", "b", "c", None][i] for i in draw.choice(4, 500, p=[0.6, 0.3, 0.05, 0.05])]
    frame = pl.DataFrame({"score": draw.normal(size=500), "source": source})
    binding = op.bind(input_key=column)
    whole = op.decide(iter([frame]), binding)
    assert 30 < len(whole.rows) < 400
    assert (np.diff(whole.rows) > 0).all()
    for size in (1, 7, 250):
        assert op.decide(frame.iter_slices(size), binding).rows.tolist() == whole.rows.tolist()
    other = op.model_copy(update={"seed": 1}).decide(iter([frame]), binding)
    assert other.rows.tolist() != whole.rows.tolist()
    assert abs(len(other.rows) - len(whole.rows)) <= 3


@pytest.mark.parametrize("allocation", ["proportional", "equal"])
def test_each_label_has_its_number(allocation: Any) -> None:
    column = ["a"] * 60 + ["b"] * 30 + ["c"] * 9 + ["d"]
    for size in (0, 1, 7, 10, 33, 100, 200):
        rows = sampled(StratifiedSampleFilter(size, allocation=allocation), column)
        assert len(rows) == min(size, 100)
        found = Counter(column[i] for i in rows)
        if allocation == "proportional":
            assert all(abs(found[x] - column.count(x) * min(size, 100) / 100) < 1 for x in "abcd")
        else:
            full = [found[x] for x in "abcd" if found[x] < column.count(x)]
            assert not full or max(found.values(), default=0) - min(full) <= 1


def test_shares_hold_in_any_unit() -> None:
    draw = np.random.default_rng(2)
    rows = [
        {"source": ["a", "b", "c"][i], "n": int(n), "text": "é" * int(n)}
        for i, n in zip(draw.choice(3, 3000), draw.integers(1, 50, 3000), strict=True)
    ]
    wanted = {"a": 0.6, "b": 0.3, "c": 0.1}
    for keys in ({"input_size_key": "n"}, {"input_text_key": "text"}):
        done = run_rows(MixtureSampleFilter(wanted, total=20_000), rows, **keys)
        sizes = done.frame.group_by("source").agg(pl.col("n").sum())
        found = dict(sizes.iter_rows())
        assert all(0 <= share * 20_000 - found[s] < 50 for s, share in wanted.items())
        assert done.metrics["shares"] == pytest.approx(wanted, abs=0.01)
    assert {r.partition(":")[0] for r in done.dropped["reason"]} == {"not drawn"}


def test_reasons() -> None:
    rows = [
        {"source": s, "n": n} for s, n in [("a", 1), ("a", 1), ("b", 1), ("x", 1), (None, 1), ("b", None)]
    ]
    done = run_rows(MixtureSampleFilter({"a": 1, "b": 1}), rows, input_size_key="n")
    assert sorted(done.dropped["reason"]) == ["no share", "no share", "no size", "not drawn"]
    done = run_rows(StratifiedSampleFilter(1), [{"label": x} for x in (1, None, 1)])
    assert sorted(done.dropped["reason"]) == ["not drawn", "null"]


def test_labels_are_equal_where_values_are() -> None:
    made = labels(pl.Series(["a", None, "a", "b"])).tolist()
    assert made[0] == made[2] != made[3]
    assert made[1] == 0
    assert len(set(labels(pl.Series([[1], [2], [1]])).tolist())) == 2


def test_shares_become_whole_numbers() -> None:
    assert whole_shares(np.array([1.0, 1.0, 1.0]), 4).tolist() == [2, 1, 1]
    assert whole_shares(np.array([0.0, 0.0]), 0).tolist() == [0, 0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: WeightedSampleFilter(),
        lambda: WeightedSampleFilter(1, 0.5),
        lambda: WeightedSampleFilter(1, temperature=0),
        lambda: MixtureSampleFilter({}),
        lambda: MixtureSampleFilter({"a": -1}),
        lambda: MixtureSampleFilter({"a": 0}),
    ],
)
def test_settings_that_cannot_be(make: Any) -> None:
    with pytest.raises(ConfigError):
        make()
