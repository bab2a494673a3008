"""Merging the branches of a table: the same rows with the columns of all of them, or the rows of all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Literal

import polars as pl

from dataflow.core.errors import BindError, DataFlowError
from dataflow.core.frames import ROW, merge_types, series, values
from dataflow.core.operator import Operator
from dataflow.core.outcome import DROPPED

MAIN = "main"
"""The name of the line that others branch off."""
BRANCH = "branch"
"""The column that tells which branch a row came from, where rows are merged."""
KEY = "__key__"


class Merge(Operator):
    """Make one table of several branches.

    `how="columns"` joins the branches by the rows they were at the branching: a column that one branch wrote
    comes under its name, one that several wrote once of each, as `name_branch`. A row that a branch has lost is
    dropped, or with `missing="null"` stays as it is in the first branch. At most one branch may have made several
    rows of one. `how="rows"` puts the rows of all branches one after the other, with a column `branch`.
    """

    kind: ClassVar[str] = "Merge"
    streams: ClassVar[bool] = False

    names: tuple[str, ...]
    """The branches, in order."""
    wrote: tuple[tuple[str, ...], ...]
    """The columns that each of them has written since they parted."""
    many: tuple[str, ...] = ()
    """The branches that may have made several rows of one since then."""
    how: Literal["columns", "rows"] = "columns"
    missing: Literal["drop", "null"] = "drop"

    def taken(self, schemas: Sequence[Collection[str]]) -> list[dict[str, str]]:
        """What comes of each branch's columns: for each branch its columns, and their names in the merged table.

        Raises:
            BindError: two columns would have one name.
        """
        if self.how == "rows":
            return [{c: c for c in schema if c != ROW} for schema in schemas]
        writers: dict[str, list[int]] = {}
        for i, columns in enumerate(self.wrote):
            for column in columns:
                writers.setdefault(column, []).append(i)
        chosen: list[dict[str, str]] = [{} for _ in schemas]
        for i, schema in enumerate(schemas):
            for column in schema:
                mine = writers.get(column) or [next(j for j, s in enumerate(schemas) if column in s)]
                if column != ROW and i in mine:
                    chosen[i][column] = column if len(mine) == 1 else f"{column}_{self.names[i]}"
        _check_names(chosen)
        return chosen

    @property
    def added(self) -> list[str]:
        """The columns that the merged table has from its branches."""
        if self.how == "rows":
            return [BRANCH, *dict.fromkeys(c for columns in self.wrote for c in columns)]
        every = [c for columns in self.wrote for c in columns]
        return [
            c if every.count(c) == 1 else f"{c}_{name}"
            for name, columns in zip(self.names, self.wrote, strict=True)
            for c in columns
        ]

    def merged_schema(self, schemas: Sequence[Mapping[str, pl.DataType]]) -> pl.Schema:
        """The columns of the merged table.

        Raises:
            BindError: two columns would have one name, or rows do not fit under each other.
        """
        made: dict[str, pl.DataType] = {}
        for schema, columns in zip(schemas, self.taken(schemas), strict=True):
            for column, name in columns.items():
                made[name] = merge_types(made[name], schema[column]) if name in made else schema[column]
        if self.how == "rows":
            if any(BRANCH in schema for schema in schemas):
                raise BindError(f"the column {BRANCH!r}, which tells the branch of a row, is there already")
            made[BRANCH] = pl.String()
        return pl.Schema(made)


def _check_names(chosen: Sequence[Mapping[str, str]]) -> None:
    names = [n for columns in chosen for n in columns.values()]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise BindError(f"the merged table would have two columns {', '.join(map(repr, twice))}")


def stacked(frame: pl.DataFrame, name: str, schema: pl.Schema) -> pl.DataFrame:
    """The rows of one branch as they are in the merged table: its columns, and new ids that name the branch."""
    ids = frame[ROW] + f"/{name}"
    columns = [_as(frame, c, d) for c, d in schema.items() if c != BRANCH]
    told = pl.Series(BRANCH, [name], dtype=pl.String).new_from_index(0, frame.height)
    return pl.DataFrame([ids, *columns, told])


def _as(frame: pl.DataFrame, column: str, dtype: pl.DataType) -> pl.Series:
    if column not in frame.columns:
        return series(column, [None] * frame.height, dtype)
    have = frame[column]
    return have if have.dtype == dtype else series(column, values(have), dtype)


def keys_of(ids: pl.Series, base: pl.Series) -> pl.Series:
    """For each row the one of `base` that it is or was made from, or itself where there is none."""
    known, depths = base.implode(), ids.str.count_matches("/", literal=True)
    keys, deepest = ids.alias(KEY), int(depths.max() or 0)  # type: ignore[arg-type]
    unknown = ~ids.is_in(known)
    for depth in range(deepest if unknown.any() else 0):  # the longest that is known comes last
        parts = ids.str.split("/").list.head(depth + 1).list.join("/")
        found = unknown & (depths > depth) & parts.is_in(known)
        keys = pl.select(pl.when(found).then(parts).otherwise(keys).alias(KEY)).to_series()
    return keys


def keys_among(ids: Sequence[pl.Series]) -> list[pl.Series]:
    """The rows of each branch by the rows of the others that they are, or were made from."""
    others = (pl.concat([o for j, o in enumerate(ids) if j != i]) for i in range(len(ids)))
    return [keys_of(mine, base) for mine, base in zip(ids, others, strict=True)]


def require_one_origin(ids: Sequence[pl.Series], names: Sequence[str]) -> None:
    """That no branch has rows of its own making, which match none of the others'.

    Raises:
        DataFlowError: one has.
    """
    made = [str(i[0]).rpartition(":")[0] if len(i) else None for i in ids]
    known = next((m for m in made if m is not None), None)
    for name, maker in zip(names, made, strict=True):
        if maker not in (known, None):
            raise DataFlowError(
                f"the rows of branch {name!r} are not those that it began with, or those of the others are not: an "
                "operator with a run of its own wrote them. Merge with how='rows'"
            )


def require_one_to_many(keys: Sequence[pl.Series], merge: Merge) -> int:
    """The branch that has several rows for one key, or the first.

    Raises:
        DataFlowError: there are two such branches.
    """
    many = [i for i, k in enumerate(keys) if merge.names[i] in merge.many or k.n_unique() < len(k)]
    if len(many) > 1:
        both = " and ".join(repr(merge.names[i]) for i in many)
        raise DataFlowError(
            f"the branches {both} both hold several rows for one: merge them with how='rows', or make rows in one only"
        )
    return many[0] if many else 0


def joined(
    left: pl.DataFrame, others: Sequence[tuple[str, pl.DataFrame]], missing: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The left rows with the columns of the others by key, and an account of those that are not in all."""
    lost: list[pl.DataFrame] = []
    for name, other in others:
        if missing == "drop":
            gone = left.join(other.select(KEY), on=KEY, how="anti")
            lost.append(not_in_branch(gone[ROW], name))
            left = left.filter(pl.col(KEY).is_in(other[KEY].implode()))
        left = left.join(other, on=KEY, how="left", maintain_order="left")
    return left.drop(KEY), pl.concat([pl.DataFrame(schema=DROPPED), *lost])


def not_in_branch(rows: pl.Series, name: str) -> pl.DataFrame:
    """An account of rows that a branch has lost."""
    reason = pl.lit(f"not in branch {name}")
    return pl.DataFrame({"row": rows}).select("row", reason=reason, value=pl.lit(None, pl.String))


def side(frame: pl.DataFrame, columns: Mapping[str, str], keys: pl.Series, *, ids: bool) -> pl.DataFrame:
    """One branch for the join: its key, its columns under their new names, and for the left one its row ids."""
    kept = [frame[ROW]] if ids else []
    renamed = [frame[c].alias(n) for c, n in columns.items()]
    return pl.DataFrame([*kept, keys, *renamed])


def merged(merge: Merge, frames: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The merged table of whole branches, with row ids, and an account of the rows that were lost."""
    schema = merge.merged_schema([f.drop(ROW).schema for f in frames])
    if merge.how == "rows":
        stack = [stacked(f, n, schema) for f, n in zip(frames, merge.names, strict=True)]
        return pl.concat(stack), pl.DataFrame(schema=DROPPED)
    chosen = merge.taken([f.columns for f in frames])
    require_one_origin([f[ROW] for f in frames], merge.names)
    keys = keys_among([f[ROW] for f in frames])
    first = require_one_to_many(keys, merge)
    sides = [
        side(f, c, k, ids=i == first) for i, (f, c, k) in enumerate(zip(frames, chosen, keys, strict=True))
    ]
    others = [(n, s) for i, (n, s) in enumerate(zip(merge.names, sides, strict=True)) if i != first]
    table, lost = joined(sides[first], others, merge.missing)
    return table.select(ROW, *schema), lost
