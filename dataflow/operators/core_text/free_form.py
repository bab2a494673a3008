"""Operators given as Python functions over a pandas frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from dataflow.core.errors import ConfigError
from dataflow.core.operator import OperatorABC

if TYPE_CHECKING:
    import pandas as pd

Rule = Callable[["pd.DataFrame"], Any] | pl.Expr


class GeneralFilter(OperatorABC):
    """Keep the rows for which every rule holds.

    A rule is a function of the pandas frame that gives one truth value a row (`lambda df: df["score"] > 3`),
    or a polars expression (`pl.col("score") > 3`). Null and NaN count as false. Columns keep their types: the
    pandas frame is only looked at.

    Args:
        filter_rules: the rules.

    Raises:
        ConfigError: a rule that is neither, or gives something else than one truth value a row.
    """

    def __init__(self, filter_rules: Sequence[Rule]) -> None:
        super().__init__()
        self.filter_rules = list(filter_rules)
        for number, rule in enumerate(self.filter_rules):
            if not callable(rule) and not isinstance(rule, pl.Expr):
                raise ConfigError(
                    f"filter_rules[{number}] is {rule!r}, neither a function nor a polars expression"
                )

    def run(self, storage: Any) -> str:
        frame: pl.DataFrame = storage.frame()
        shown = storage.read("dataframe") if any(map(callable, self.filter_rules)) else None
        masks = [self._mask(number, frame, shown) for number in range(len(self.filter_rules))]
        kept = frame.filter(*masks) if masks else frame
        storage.put(kept)
        self.logger.info("GeneralFilter: %d rows in, %d out", frame.height, kept.height)
        return ""

    def _mask(self, number: int, frame: pl.DataFrame, shown: Any) -> pl.Series:
        rule = self.filter_rules[number]
        if isinstance(rule, pl.Expr):
            made: Any = frame.select(rule).to_series()
        else:
            made = rule(shown)
            made = made.reindex(shown.index) if _same_rows(made, shown) else made
        return _truths(made, frame.height, f"filter_rules[{number}] ({_name(rule)})")


def _same_rows(made: Any, shown: Any) -> bool:
    """Whether a rule gave a Series for all rows in another order."""
    return (
        hasattr(made, "reindex") and len(made) == len(shown) and not len(made.index.difference(shown.index))
    )


def _truths(made: Any, height: int, rule: str) -> pl.Series:
    """One truth value a row; null and NaN are false."""
    listed = getattr(made, "to_list", None) or getattr(made, "tolist", None)
    cells = listed() if listed else made
    if not isinstance(cells, list):
        raise ConfigError(f"{rule} gave {type(made).__name__}, where one truth value a row is needed")
    if len(cells) != height:
        raise ConfigError(f"{rule} gave {len(cells)} truth values for {height} rows")
    truths = [False if _is_missing(cell) else cell for cell in cells]
    if wrong := [cell for cell in truths if not isinstance(cell, (bool, np.bool_))]:
        raise ConfigError(f"{rule} gave {wrong[0]!r}, where a truth value is needed")
    return pl.Series(truths, dtype=pl.Boolean)


def _is_missing(cell: Any) -> bool:
    """Whether a cell is None, NaN or pandas' NA."""
    return cell is None or type(cell).__name__ == "NAType" or (isinstance(cell, float) and math.isnan(cell))


class PandasOperator(OperatorABC):
    """Put the table through functions from pandas frame to pandas frame, one after another.

    Args:
        process_fn: the functions.

    Raises:
        ConfigError: one that cannot be called, or that gives no frame.
    """

    def __init__(self, process_fn: Sequence[Callable[[pd.DataFrame], pd.DataFrame]]) -> None:
        super().__init__()
        self.process_fn = list(process_fn)
        for number, function in enumerate(self.process_fn):
            if not callable(function):
                raise ConfigError(f"process_fn[{number}] is {function!r}, not a function")

    def run(self, storage: Any, output_key: str | None = None) -> str:
        frame = storage.read("dataframe")
        before, kind = len(frame), type(frame)
        for number, function in enumerate(self.process_fn):
            frame = function(frame)
            if not isinstance(frame, kind):
                made = type(frame).__name__
                raise ConfigError(
                    f"process_fn[{number}] ({_name(function)}) gave {made}, where a DataFrame is needed"
                )
        storage.write(frame)
        self.logger.info("PandasOperator: %d rows in, %d out", before, len(frame))
        return ""


def _name(function: object) -> str:
    return getattr(function, "__name__", None) or str(function)[:60]
