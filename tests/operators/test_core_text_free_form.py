"""Operators given as functions of a pandas frame."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pytest

from dataflow.core.errors import ConfigError
from dataflow.core.frames import records
from dataflow.operators.core_text.free_form import GeneralFilter, PandasOperator
from dataflow.testing import Table, run_rows

Rows = list[dict[str, Any]]


# Free forms


TYPED: Rows = [
    {"id": "007", "tags": ["a"], "n": 1},
    {"id": "008", "tags": [], "n": None},
    {"id": "009", "tags": ["b"], "n": 3},
]


def filtered(*rules: Any, rows: Rows = TYPED) -> list[str]:
    return [r["id"] for r in records(run_rows(GeneralFilter(list(rules)), rows).frame)]


def test_rules_are_joined_and_null_counts_as_false() -> None:
    assert filtered() == ["007", "008", "009"]
    assert filtered(lambda df: df["n"].astype("Int64") > 1) == ["009"]
    assert filtered(lambda df: pd.Series([True, float("nan"), None], dtype=object)) == ["007"]
    assert filtered(lambda df: (df["n"] > 0).to_numpy(), pl.col("n") < 2) == ["007"]
    assert filtered(pl.col("n") > 1) == ["009"]
    assert filtered(lambda df: df.sort_values("n", ascending=False)["n"] > 2) == ["009"]
    assert filtered(lambda df: df["n"] > 9) == []


def test_a_filtered_table_keeps_its_types() -> None:
    table = Table(pl.DataFrame({"id": ["007", "008"], "tags": [["a"], []], "n": [1, None]}))
    schema = table.table.schema
    assert GeneralFilter([lambda df: df["id"] == "008"]).run(table) == ""
    assert table.table.schema == schema
    assert table.table["n"].to_list() == [None]


def odd(df: Any) -> Any:
    return df["id"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (odd, r"filter_rules\[0\] \(odd\) gave '007', where a truth value is needed"),
        (lambda df: df["n"].fillna(0).astype(int) * 0, "gave 0, where a truth value is needed"),
        (lambda df: True, "gave bool, where one truth value a row is needed"),
        (lambda df: df["n"].head(1) > 0, "gave 1 truth values for 3 rows"),
        (pl.col("id"), "gave '007'"),
    ],
)
def test_wrong_rules_are_named(rule: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        filtered(rule)


def test_functions_are_asked_for_when_operators_are_made() -> None:
    with pytest.raises(ConfigError, match=r"filter_rules\[1\]"):
        GeneralFilter([odd, "score > 3"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match=r"process_fn\[0\]"):
        PandasOperator([3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"process_fn\[0\] \(odd\) gave Series"):
        run_rows(PandasOperator([odd]), TYPED)


def test_pandas_functions_are_applied_in_order() -> None:
    op = PandasOperator([lambda df: df.assign(m=df["n"] + 1), lambda df: df[df["m"] > 2]])
    table = Table(pl.DataFrame(TYPED))
    assert op.run(table, output_key="m") == ""
    assert [r["id"] for r in records(table.table)] == ["009"]


def test_free_forms_take_an_empty_table() -> None:
    assert run_rows(GeneralFilter([lambda df: pd.Series([], dtype=bool)]), []).frame.height == 0
    assert run_rows(PandasOperator([lambda df: df]), []).frame.height == 0
