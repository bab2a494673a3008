"""What an operator is tried with: rows of awkward texts, and one run over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from dataflow.core.frames import numbered
from dataflow.core.operator import Operator
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding
from dataflow.testing.cases import run_rows, table_of

Rows = list[dict[str, Any]]

AWKWARD = [
    None, "", " ", "\x00", "\ud800", "é", "e\u0301", "👩‍👩‍👧", "שלום", "日本語", "ไทย", "{question} {0} {", "a\r\nb\rc\n", "\ufeffx",
    "a" * 5000, "<text></text>", '{"a": 1}', "1e5", "007",
]  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """An operator, the rows it is tried with and the columns it is bound to; it runs when first asked."""

    op: Operator
    rows: Rows
    keys: Mapping[str, Any]

    @cached_property
    def binding(self) -> Binding:
        return self.op.bind(**self.keys)

    @cached_property
    def given(self) -> pl.DataFrame:
        """The rows as the operator is given them, with their ids."""
        return numbered(table_of(self.op, self.rows, **self.keys))

    @cached_property
    def done(self) -> Outcome:
        """What becomes of all rows together."""
        return self.run(self.rows)

    def run(self, rows: Rows) -> Outcome:
        return run_rows(self.op, rows, **self.keys)


def awkward_rows(op: Operator, keys: Mapping[str, Any]) -> Rows:
    """A row for each awkward text, with a value of the right type in every column that the operator reads."""
    if op.makes_rows:
        return []
    ports = {c: p for p, c in op.bind(**keys).columns_read()}
    types = {c: op.inputs[p].type if p in op.inputs else "text" for c, p in ports.items()}
    return [{c: _cell(types[c], text) for c in types} for text in AWKWARD]


def _cell(port_type: str, text: str | None) -> Any:
    if text is None:
        return None
    samples: dict[str, Any] = {
        "int": len(text), "float": len(text) / 2, "number": len(text) / 2, "bool": bool(text), "embedding": [float(len(text)), 1.0],
        "list[text]": [text], "list[float]": [1.0, 2.0], "list[int]": [1, 2], "json": {"text": text},
    }  # fmt: skip
    return samples.get(port_type, text)
