"""One operator over one table, now: what it needs, what it leaves, what it logs."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dataflow.core.eager import EAGER_ROWS, identity, journal_of
from dataflow.core.errors import BindError
from dataflow.core.frames import from_records, records
from dataflow.core.generate import Generate
from dataflow.core.ports import In, NoPort, Out
from dataflow.core.rows import Expand, Filter, Map
from dataflow.testing import ScriptedServing, Table


class Half(Map):
    """Divide by two, where it can be done."""

    input_key = In("n", type="int")
    output_key = Out("half", type="float")

    def map(self, n: int) -> float:
        if n < 0:
            raise ValueError(f"{n} is negative")
        return n / 2


class Join(Map):
    """Join texts and numbers."""

    input_key = NoPort()
    input_text_keys = In(many=True)
    input_score_key = In("score", type="number", optional=True)

    def map(self, texts: list[str], score: float | None) -> str:
        return "".join(texts)


class Even(Filter):
    """Keep even numbers."""

    input_key = In("n", type="int")

    def keep(self, n: int) -> Any:
        return n % 2 == 0 or (False, "odd")


class Repeat(Expand):
    """As many rows as the number says."""

    input_key = In("n", type="int")

    def expand(self, n: int) -> list[str]:
        return ["x"] * n


class Say(Generate):
    """Ask."""

    def request(self, text: str) -> str:
        return text


class Files(Table):
    """A table that has paths, as a file storage has."""

    operator_step = 2

    def __init__(self, frame: pl.DataFrame, folder: Path) -> None:
        super().__init__(frame)
        self.run_dir = folder

    def path_of(self, step: int) -> str:
        return str(self.run_dir / f"out_step{step}.jsonl")


def table(*numbers: int | None) -> Table:
    return Table(pl.DataFrame({"n": pl.Series(numbers, dtype=pl.Int64)}))


def test_failed_rows_leave_the_table() -> None:
    storage = table(4, -1, None)
    assert Half().run(storage) == "half"
    assert records(storage.table) == [{"n": 4, "half": 2.0}, {"n": None, "half": None}]
    assert storage.table.columns == ["n", "half"]
    assert storage.outcome.failed["error"].to_list() == ["-1 is negative"]


def test_failed_rows_are_written_beside_the_table(tmp_path: Path) -> None:
    Half().run(Files(table(-1, 3).table, tmp_path))
    (line,) = (tmp_path / "out_step3.failed.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "row": "0",
        "error": "-1 is negative",
        "kind": "ValueError",
        "record": '{"n":-1}',
    }


def test_nothing_is_written_where_nothing_failed(tmp_path: Path) -> None:
    Half().run(Files(table(3).table, tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("operator", "keys", "message"),
    [
        (
            Half(),
            {"input_key": "mny"},
            "Half: input_key='mny' is not a column here; there are n, text, score, many. Did you mean 'many'?",
        ),
        (
            Half(),
            {"input_key": "text"},
            "Half: input_key='text' holds text, where int is read. Columns of type int: n.",
        ),
        (Half(), {"input_key": "score"}, "Half: input_key='score' holds float, where int is read. Columns of type int: n."),
        (
            Join(),
            {"input_text_keys": ["text", "nn"]},
            "Join: input_text_keys='nn' is not a column here; there are n, text, score, many. Did you mean 'n'?",
        ),
        (
            Join(),
            {"input_text_keys": "text", "input_score_key": "many"},
            "Join: input_score_key='many' holds list[bool], where number is read. Columns of type number: n, score.",
        ),
    ],
)  # fmt: skip
def test_columns_that_are_not_there_or_of_another_type(
    operator: Any, keys: dict[str, Any], message: str
) -> None:
    storage = Table(from_records([{"n": 1, "text": "a", "score": 0.5, "many": [True]}]))
    before = storage.table
    with pytest.raises(BindError) as caught:
        operator.run(storage, **keys)
    assert str(caught.value) == message
    assert storage.table is before


def test_no_column_of_the_type() -> None:
    with pytest.raises(BindError, match=r"holds text, where int is read\. No column here is of type int\."):
        Half().run(Table(pl.DataFrame({"n": ["a"]})))
    with pytest.raises(BindError, match="there are none"):
        Half().run(Table(pl.DataFrame()))


def test_row_ids_are_not_columns_to_users() -> None:
    with pytest.raises(BindError, match=r"there are a\.$"):
        Half().run(Table(pl.DataFrame({"a": [1]})), input_key="__row")


def test_long_tables_go_in_parts() -> None:
    numbers = [i - 1 for i in range(EAGER_ROWS + 10)]
    storage = table(*numbers)
    Half().run(storage)
    assert storage.table["half"].to_list() == [n / 2 for n in numbers[1:]]
    assert storage.outcome.failed["row"].to_list() == ["0"]
    storage = table(*numbers[1:])
    Even().run(storage)
    assert storage.table["n"].to_list() == [n for n in numbers[1:] if n % 2 == 0]
    assert storage.outcome.dropped.height == (len(numbers) - 1) // 2


def test_one_line_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dataflow.eager")
    Half().run(table(-1, 2))
    Even().run(table(1, 2, 3, None))
    Repeat().run(table(2, 0))
    Say(llm_serving=ScriptedServing("x")).run(Table(pl.DataFrame({"raw_content": ["a", "b"]})))
    lines = [r.getMessage().rpartition(",")[0] for r in caplog.records]
    assert lines == [
        "Half: 2 rows in, 1 out, 1 failed (-1 is negative)",
        "Even: 4 rows in, 1 out, 2 dropped (odd), 1 dropped (null)",
        "Repeat: 2 rows in, 2 out, 1 dropped (empty)",
        "Say: 2 rows in, 2 out, 2 calls, 0 from the journal",
    ]


def test_replies_are_kept_under_class_and_columns() -> None:
    assert identity(Half(), Half().bind(output_key="h")) == "Half:h"
    assert identity(Even(), Even().bind()) == "Even:n"


def test_where_replies_are_kept(tmp_path: Path) -> None:
    assert journal_of(Files(pl.DataFrame(), tmp_path)) == tmp_path / "journal.sqlite"
    assert journal_of(table()) is None
