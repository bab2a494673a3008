"""Merging whole tables of branches: which columns and rows come out, and under which names and ids."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from dataflow.core.errors import BindError, DataFlowError
from dataflow.core.frames import JSON, ROW
from dataflow.core.merge import Merge, keys_of, merged


def table(ids: str, **columns: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({ROW: ids.split(), **columns}, schema_overrides={ROW: pl.String})


def merge(*wrote: str, names: str = "a b c", **how: Any) -> Merge:
    """A merge of as many branches as there are lists of columns written."""
    return Merge(
        names=tuple(names.split())[: len(wrote)], wrote=tuple(tuple(w.split()) for w in wrote), **how
    )


@pytest.mark.parametrize(
    ("ids", "base", "keys"),
    [
        ("0 1", "0 1", "0 1"),
        ("0/0 0/1 2/0", "0 1 2", "0 0 2"),
        ("0/0/1 1/2", "0/0 1", "0/0 1"),
        ("0/a/0 0/1/b/0 1/b", "0/a 0/1/b 1/b", "0/a 0/1/b 1/b"),
        ("0/a/b 0/a/0", "0/a 0/a/b", "0/a/b 0/a"),
        ("7/0 7", "0", "7/0 7"),
        ("6:0/1", "6:0", "6:0"),
        ("10/0", "1 0", "10/0"),
        ("", "0", ""),
        ("0/1", "", "0/1"),
    ],
)
def test_the_key_of_a_row_is_the_nearest_row_it_was_made_from(ids: str, base: str, keys: str) -> None:
    given = [pl.Series(text.split(), dtype=pl.String) for text in (ids, base)]
    assert keys_of(*given).to_list() == keys.split()


def test_columns_come_once_under_their_name_or_once_of_each_writer() -> None:
    a = table("0 1", text=["x", "y"], answer=["a0", "a1"], only=[1, 2])
    b = table("0 1", text=["x", "y"], answer=["b0", "b1"], score=[3, 4])
    made, lost = merged(merge("answer only", "answer score"), [a, b])
    assert made.columns == [ROW, "text", "answer_a", "only", "answer_b", "score"]
    assert made.rows() == [("0", "x", "a0", 1, "b0", 3), ("1", "y", "a1", 2, "b1", 4)]
    assert lost.is_empty()


def test_a_column_refined_in_one_branch_is_taken_from_it() -> None:
    a, b = table("0", text=["as it was"]), table("0", text=["refined"])
    assert merged(merge("", "text"), [a, b])[0]["text"].to_list() == ["refined"]


def test_rows_are_matched_by_id_whatever_their_order() -> None:
    a, b = table("2 0 1", x=[12, 10, 11]), table("1 2 0", y=[21, 22, 20])
    made, _ = merged(merge("x", "y"), [a, b])
    assert made.rows() == [("2", 12, 22), ("0", 10, 20), ("1", 11, 21)]


def test_a_row_that_a_branch_has_lost_is_dropped_or_stays_with_nulls() -> None:
    a, b = table("0 1 2", x=[0, 1, 2]), table("2 0", y=[22, 20])
    made, lost = merged(merge("x", "y"), [a, b])
    assert made.rows() == [("0", 0, 20), ("2", 2, 22)]
    assert lost.rows() == [("1", "not in branch b", None)]
    made, lost = merged(merge("x", "y", missing="null"), [a, b])
    assert made.rows() == [("0", 0, 20), ("1", 1, None), ("2", 2, 22)]
    assert lost.is_empty()


def test_rows_made_in_one_branch_are_all_there_with_what_the_others_know() -> None:
    a = table("0 1", x=["x0", "x1"])
    b = table("0/0 0/1 1/0", word=["p", "q", "r"])
    c = table("0 1", z=[5, 6])
    made, _ = merged(merge("x", "word", "z"), [a, b, c])
    assert made.rows() == [("0/0", "x0", "p", 5), ("0/1", "x0", "q", 5), ("1/0", "x1", "r", 6)]


def test_rows_made_in_two_branches_cannot_be_matched() -> None:
    many = table("0/0 0/1", x=[1, 2])
    with pytest.raises(DataFlowError, match=r"the branches 'a' and 'b' both hold several rows for one"):
        merged(merge("x", "y", "", many=("a", "b")), [many, many.rename({"x": "y"}), table("0", t=["t"])])
    twice = table("0 0", x=[1, 2])
    with pytest.raises(DataFlowError, match=r"the branches 'a' and 'c' both"):
        merged(merge("x", "y", "z"), [twice, table("0", y=[1]), twice.rename({"x": "z"})])


def test_rows_of_an_operators_own_making_cannot_be_matched() -> None:
    with pytest.raises(DataFlowError, match=r"the rows of branch 'b' are not those .* how='rows'"):
        merged(merge("", "y"), [table("0 1", x=[1, 2]), table("3:0 3:1", y=[1, 2])])
    both = merged(merge("x", "y"), [table("3:0 3:1", x=[1, 2]), table("3:0 3:1", y=[3, 4])])
    assert both[0].rows() == [("3:0", 1, 3), ("3:1", 2, 4)]


def test_two_columns_of_one_name_are_a_mistake() -> None:
    a, b = table("0", x=[1], x_b=[2]), table("0", x=[3])
    with pytest.raises(BindError, match="two columns 'x_b'"):
        merged(merge("x x_b", "x"), [a, b])


def test_stacked_rows_name_their_branch_and_have_all_columns() -> None:
    a, b = table("0 1", x=[1, 2]), table("1/0", y=["p"], x=[7])
    made, lost = merged(merge("x", "y", how="rows"), [a, b])
    assert made.columns == [ROW, "x", "y", "branch"]
    assert made.rows() == [("0/a", 1, None, "a"), ("1/a", 2, None, "a"), ("1/0/b", 7, "p", "b")]
    assert lost.is_empty()


def test_stacked_columns_of_unlike_types_become_json() -> None:
    made, _ = merged(merge("x", "x", how="rows"), [table("0", x=[1]), table("0", x=["one"])])
    assert made.schema["x"] == JSON


def test_a_column_named_branch_is_in_the_way_of_stacked_rows() -> None:
    with pytest.raises(BindError, match="'branch', which tells the branch of a row, is there already"):
        merged(merge("branch", "x", how="rows"), [table("0", branch=["b"]), table("0", x=[1])])


@pytest.mark.parametrize("how", ["columns", "rows"])
def test_empty_branches_merge_to_an_empty_table_with_all_columns(how: Any) -> None:
    a, b = (table("", text=[]).cast({"text": pl.String}) for _ in range(2))
    made, lost = merged(merge("", "y", how=how), [a, b.with_columns(y=pl.lit(1))])
    assert made.height == lost.height == 0
    assert made.columns[:3] == [ROW, "text", "y"]


def test_one_empty_branch_empties_the_merged_table() -> None:
    a, b = table("0 1", x=[1, 2]), table("0", y=[1]).clear()
    made, lost = merged(merge("x", "y"), [a, b])
    assert made.height == 0
    assert lost["reason"].to_list() == ["not in branch b"] * 2
