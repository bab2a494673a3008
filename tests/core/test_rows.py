"""`Map`, `Filter`, `Expand`, `Dataset` and `Summary`: what becomes of each row, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.core.errors import ConfigError, DataFlowError, MissingDependency, ServingError, StorageError
from dataflow.core.frames import ROW, from_records, is_json, numbered, records
from dataflow.core.operator import Operator
from dataflow.core.outcome import Failure, Outcome, dropped, failed, shown
from dataflow.core.ports import Arg, Binding, In, NoPort, Out
from dataflow.core.rows import Expand, Filter, Map
from dataflow.core.tables import Dataset, Selection, Summary
from dataflow.testing import run_rows


class Invert(Map):
    """Divide 12 by a number."""

    input_key = In("n", type="number")
    output_key = Out("out", type="float")

    def map(self, n: float) -> float:
        return 12 / n


class Shout(Map):
    """Write in capitals."""

    output_key = Out(like="input_key")

    def map(self, text: Any) -> Any:
        return text.upper() if isinstance(text, str) else text


class ShoutByExpression(Shout):
    """Write in capitals, a column at a time."""

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.to_uppercase()


class ShoutByBatch(Shout):
    """Write in capitals, a series at a time."""

    def map_batch(self, text: pl.Series) -> pl.Series:
        return text.str.to_uppercase()


class Halves(Map):
    """Split a text in two, if it can be."""

    output_key = NoPort()
    output_head_key = Out("head")
    output_tail_key = Out("tail")

    def map(self, text: str) -> tuple[str, str] | None:
        head, _, tail = text.partition("|")
        return (head, tail) if tail else None


class Describe(Map):
    """Tell what was given."""

    input_key = In("a", type="any")
    input_hint_key = In(optional=True, type="any")
    input_more_keys = In("b", many=True, type="any")

    def map(self, a: Any, hint: Any, more: list[Any]) -> str:
        return repr((a, hint, more))


class Gather(Map):
    """Join whatever is named."""

    open_inputs = True
    input_key = NoPort()

    def map(self, row: dict[str, Any]) -> str:
        return ";".join(f"{k}={v}" for k, v in row.items())


class CountNulls(Map):
    """Tell nulls from texts."""

    accepts_none = True
    output_key = Out("is_null", type="bool")

    def map(self, text: str | None) -> bool:
        return text is None


class Typed(Map):
    """Give back what the row holds, whatever the port says."""

    input_key = In("raw_content", type="any")
    output_key = Out("out", type="int")

    def map(self, value: Any) -> Any:
        return value


class Anything(Typed):
    """Give back what the row holds."""

    output_key = Out("out", type="any")


class Long(Filter):
    """Keep texts of a length."""

    min_chars: int = 3
    flag: bool = True
    words: tuple[str, ...] = ()

    def keep(self, text: str) -> Any:
        return {
            "tuple": (False, "is a tuple"),
            "keep!": (True, "unused"),
            "none": None,
            "zero": len(text) // 0 if text == "zero" else 0,
        }.get(text, len(text) >= self.min_chars)


class Labelled(Filter):
    """Keep small numbers, by expression."""

    input_key = In("n", type="number")
    output_label_key = Out(optional=True)

    def expr(self, n: pl.Expr) -> pl.Expr:
        return n < 3


class LabelledByRow(Labelled):
    """Keep small numbers, by either kernel."""

    def keep(self, n: Any) -> bool:
        return isinstance(n, (int, float)) and n < 3


class Bare(Filter):
    """Keep rows without looking."""

    input_key = NoPort()

    def keep(self) -> bool:
        return False


class Letters(Expand):
    """A row a letter."""

    def expand(self, text: str) -> Iterable[str]:
        for letter in text:
            if letter == "!":
                raise ValueError("shouted")
            yield letter


class Pairs(Expand):
    """Two columns a letter."""

    output_key = NoPort()
    output_low_key = Out("low")
    output_rank_key = Out("rank", type="int")

    def expand(self, text: str) -> Iterable[tuple[str, int]]:
        return [(letter.lower(), ord(letter)) for letter in text]


def texts(*cells: Any) -> list[dict[str, Any]]:
    return [{"raw_content": c} for c in cells]


def column(done: Outcome, name: str) -> list[Any]:
    return [row[name] for row in records(done.frame)]


def test_one_bad_row_is_set_aside_alone() -> None:
    done = run_rows(Invert(), [{"n": 1}, {"n": 0}, {"n": None}, {"n": 3}])
    assert records(done.frame) == [{"n": 1, "out": 12.0}, {"n": None, "out": None}, {"n": 3, "out": 4.0}]
    assert done.frame[ROW].to_list() == ["0", "2", "3"]
    assert done.failed.rows() == [("1", "division by zero", "ZeroDivisionError", '{"n":0}')]
    assert done.dropped.height == 0


def test_every_row_may_fail() -> None:
    done = run_rows(Invert(), [{"n": 0}, {"n": 0}])
    assert (done.frame.height, done.failed.height) == (0, 2)
    assert done.frame.schema["out"] == pl.Float64


@pytest.mark.parametrize("error", [ConfigError, ServingError, StorageError])
def test_what_every_row_would_meet_stops_the_run(error: type[DataFlowError]) -> None:
    class Stops(Map):
        """Find that it cannot work."""

        def map(self, text: str) -> str:
            raise error("not now")

    with pytest.raises(error, match="not now"):
        run_rows(Stops(), texts("a", "b"))


def test_a_missing_package_stops_the_run() -> None:
    class Needs(Map):
        """Need a package."""

        def map(self, text: str) -> str:
            raise MissingDependency("sparkles", "shiny", "Needs")

    with pytest.raises(MissingDependency, match=r'Needs needs sparkles: pip install "dataflow-llm\[shiny\]"'):
        run_rows(Needs(), texts("a"))


@pytest.mark.parametrize(
    "operator", [Shout(), ShoutByExpression(), ShoutByBatch()], ids=lambda o: type(o).__name__
)
@pytest.mark.parametrize("cells", [["a", None, "B"], [None], [], ["a", 1, None, ["x"]], [1, True]], ids=str)
def test_column_kernels_equal_row_kernels(operator: Map, cells: list[Any]) -> None:
    done = run_rows(operator, texts(*cells), input_key="raw_content")
    assert column(done, "raw_content") == [c.upper() if isinstance(c, str) else c for c in cells]
    assert done.failed.height == 0


def test_a_text_refined_in_place_stays_json() -> None:
    done = run_rows(Shout(), texts("a", 1))
    assert is_json(done.frame.schema["raw_content"])


def test_several_outputs() -> None:
    done = run_rows(Halves(), texts("a|b", "c", None))
    assert [(r["head"], r["tail"]) for r in records(done.frame)] == [("a", "b"), (None, None), (None, None)]


def test_optional_and_many_ports() -> None:
    rows = [
        {"a": 1, "b": None, "h": "x"},
        {"a": None, "b": 2, "h": None},
        {"a": [3], "b": {"k": 1}, "h": None},
    ]
    done = run_rows(Describe(), rows)
    assert column(done, "output") == ["(1, None, [None])", None, "([3], None, [{'k': 1}])"]
    done = run_rows(Describe(), rows, input_hint_key="h", input_more_keys=["b", "a"])
    assert column(done, "output") == ["(1, 'x', [None, 1])", None, "([3], None, [{'k': 1}, [3]])"]


def test_open_inputs() -> None:
    rows = [{"x": "1", "y": "2"}, {"x": None, "y": "3"}]
    assert column(run_rows(Gather(), rows, b="y", a="x"), "output") == ["b=2;a=1", None]
    assert column(run_rows(Gather(), rows), "output") == ["", ""]


def test_a_kernel_may_ask_for_nulls() -> None:
    assert column(run_rows(CountNulls(), texts("a", None)), "is_null") == [False, True]


def test_a_value_of_another_type_fails_its_row_alone() -> None:
    done = run_rows(Typed(), texts(1, "2", True, 2.5, None, 2**70, -1))
    assert column(done, "out") == [1, None, -1]
    assert done.failed["row"].to_list() == ["1", "2", "3", "5"]
    assert set(done.failed["kind"]) == {"Misfit"}
    assert done.failed["error"][0] == "column 'out' is declared int, but the kernel gave text"


def test_failed_and_misfitting_rows_together() -> None:
    class Careful(Typed):
        """Refuse some texts."""

        def map(self, value: Any) -> Any:
            return 1 // len(value) if value != "text" else value

    done = run_rows(Careful(), texts("a", "", "text", "b"))
    assert column(done, "out") == [1, 1]
    assert done.failed["kind"].to_list() == ["ZeroDivisionError", "Misfit"]


def test_a_port_of_any_type_keeps_values_apart() -> None:
    cells = [1, 1.0, True, "1", None, [1], {"a": None}]
    assert str(column(run_rows(Anything(), texts(*cells)), "out")) == str(cells)


def test_filter() -> None:
    done = run_rows(Long(), texts("abc", "a", None, "tuple", "keep!", "none", "zero", ""))
    assert column(done, "raw_content") == ["abc", "keep!"]
    why = "min_chars=3, flag=True, words=()"
    assert done.dropped.rows() == [
        ("1", why, "a"),
        ("2", "null", None),
        ("3", "is a tuple", "tuple"),
        ("5", why, "none"),
        ("7", why, ""),
    ]
    assert done.failed["row"].to_list() == ["6"]


@pytest.mark.parametrize("operator", [Labelled(), LabelledByRow()], ids=lambda o: type(o).__name__)
def test_filter_by_expression(operator: Filter) -> None:
    done = run_rows(operator, [{"n": 1}, {"n": 5}, {"n": None}], output_label_key="ok")
    assert records(done.frame) == [{"n": 1, "ok": 1}]
    assert done.dropped.rows() == [("1", "not kept", "5"), ("2", "null", None)]
    assert run_rows(operator, [{"n": 1}]).frame.columns == [ROW, "n"]


def test_filter_by_expression_reads_json_row_by_row() -> None:
    done = run_rows(LabelledByRow(), [{"n": 1}, {"n": "x"}, {"n": 2.5}])
    assert column(done, "n") == [1, 2.5]


def test_filter_without_inputs() -> None:
    assert run_rows(Bare(), texts("a")).dropped.rows() == [("0", "not kept", None)]


def test_expand() -> None:
    done = run_rows(Letters(), texts("ab", "", None, "x!", "c"))
    assert [
        (i, r["raw_content"], r["output"]) for i, r in zip(done.frame[ROW], records(done.frame), strict=True)
    ] == [
        ("0/0", "ab", "a"),
        ("0/1", "ab", "b"),
        ("4/0", "c", "c"),
    ]
    assert done.dropped.rows() == [("1", "empty", ""), ("2", "empty", None)]
    assert done.failed["error"].to_list() == ["shouted"]


def test_expand_twice_nests_the_row_ids() -> None:
    first = run_rows(Letters(), texts("ab")).frame
    second = Letters().transform(first, Letters().bind(output_key="again"))
    assert second.frame[ROW].to_list() == ["0/0/0", "0/0/1", "0/1/0", "0/1/1"]


def test_expand_to_several_columns() -> None:
    done = run_rows(Pairs(), texts("Ab", ""))
    assert [(r["low"], r["rank"]) for r in records(done.frame)] == [("a", 65), ("b", 98)]


@pytest.mark.parametrize(
    "operator", [Invert(), Shout(), ShoutByExpression(), Halves(), Long(), Labelled(), Letters(), Pairs()],
    ids=lambda o: type(o).__name__,
)  # fmt: skip
def test_no_rows_give_no_rows_of_the_same_columns(operator: Operator) -> None:
    full = run_rows(operator, [{"raw_content": "abcd|e", "n": 1}])
    frame = full.frame.select(c for c in full.frame.columns if c in (ROW, "raw_content", "n")).clear()
    done = operator.transform(frame, operator.bind())
    assert done.frame.schema == full.frame.schema
    assert (done.dropped.height, done.failed.height) == (0, 0)


@given(st.lists(st.none() | st.text("ab!|z", max_size=4), max_size=12), st.integers(1, 5))
def test_batches_do_not_matter(cells: list[str | None], size: int) -> None:
    for operator in (Halves(), Long(), Letters()):
        frame = numbered(pl.DataFrame({"raw_content": pl.Series(cells, dtype=pl.String)}))
        binding = operator.bind()
        whole = operator.transform(frame, binding)
        parts = [operator.transform(s, binding) for s in frame.iter_slices(size)]
        for name in ("frame", "dropped", "failed"):
            made = [getattr(p, name).rows() for p in parts]
            assert [row for part in made for row in part] == getattr(whole, name).rows()


def test_undefined_kernels_say_so() -> None:
    binding = Binding({"input_key": "raw_content"}, {"output_key": "output"})
    for operator, kernel in ((Map(), Map().map), (Filter(), Filter().keep), (Expand(), Expand().expand)):
        with pytest.raises(NotImplementedError):
            kernel("x")
        done = operator.transform(numbered(pl.DataFrame({"raw_content": ["a"]})), binding)
        assert done.failed["kind"].to_list() == ["NotImplementedError"]
    with pytest.raises(NotImplementedError):
        Operator().transform(pl.DataFrame(), binding)


# ---- whole columns


class Distinct(Dataset):
    """Keep the first row of each text; nulls are texts."""

    def select(self, texts: Sequence[Any]) -> Iterable[int]:
        return {repr(t): i for i, t in reversed(list(enumerate(texts)))}.values()


class Ranked(Dataset):
    """Order rows by a number, largest first, and number them; null goes last."""

    input_key = In("n", type="number")
    input_extra_keys = In(optional=True, many=True, type="any")
    output_rank_key = Out("rank", type="int")
    output_unused_key = Out("unused")
    top = Arg(2)

    def select(self, numbers: Sequence[Any], extra: Any) -> Selection:
        order = sorted(range(len(numbers)), key=lambda i: -(numbers[i] or 0))
        ranks = [order.index(i) for i in range(len(numbers))]
        return Selection(
            order[:2], {"output_rank_key": ranks}, "not in the top", {"n": len(order), "extra": extra}
        )


class Marked(Dataset):
    """Add a column, keep every row."""

    output_key = Out("seen", type="int")

    def select(self, texts: Sequence[Any]) -> Selection:
        return Selection(columns={"output_key": list(range(len(texts)))}, metrics={"rows": len(texts)})


class Count(Summary):
    """Count values."""

    def summarise(self, texts: Sequence[Any]) -> dict[str, Any]:
        return {"n": len(texts), "nulls": sum(t is None for t in texts)}


def test_dataset() -> None:
    done = run_rows(Distinct(), texts("a", "b", "a", None, None))
    assert sorted(map(str, column(done, "raw_content"))) == ["None", "a", "b"]
    assert done.dropped.rows() == [("2", "not selected", "a"), ("4", "not selected", None)]


def test_dataset_orders_and_adds() -> None:
    done = run_rows(Ranked(), [{"n": 1}, {"n": 3}, {"n": None}, {"n": 2}])
    assert records(done.frame) == [{"n": 3, "rank": 0}, {"n": 2, "rank": 1}]
    assert done.frame[ROW].to_list() == ["1", "3"]
    assert done.dropped.rows() == [("0", "not in the top", "1"), ("2", "not in the top", None)]
    assert done.metrics == {"n": 4, "extra": None}
    done = run_rows(Ranked(), [{"n": 1, "a": "x", "b": 2}], input_extra_keys=["a", "b"])
    assert done.metrics["extra"] == [["x", 2]]


def test_dataset_that_drops_nothing() -> None:
    done = run_rows(Marked(), texts("a", "b"))
    assert column(done, "seen") == [0, 1]
    assert (done.dropped.height, done.metrics) == (0, {"rows": 2})
    assert column(run_rows(Distinct(), texts("a")), "raw_content") == ["a"]


def test_a_selection_is_enacted_slice_by_slice() -> None:
    frame = numbered(pl.DataFrame({"raw_content": ["a", "b", "c", "d", "e"]}))
    operator, binding = Marked(), Marked().bind()
    chosen = operator.decide(iter([frame]), binding)
    parts = [operator.enact(frame[i : i + 2], i, chosen, binding) for i in (0, 2, 4)]
    assert pl.concat(parts).equals(operator.transform(frame, binding).frame)


def test_summary_leaves_the_table_alone() -> None:
    done = run_rows(Count(), texts("a", None))
    assert done.metrics == {"n": 2, "nulls": 1}
    assert column(done, "raw_content") == ["a", None]


def test_undefined_decisions_say_so() -> None:
    with pytest.raises(NotImplementedError):
        Dataset().select([])
    with pytest.raises(NotImplementedError):
        Summary().summarise([])


# ---- accounts


def test_accounts_of_lost_rows() -> None:
    frame = numbered(pl.DataFrame({"a": ["x\ufffd", None]}))
    assert failed(frame, {1: Failure("why")}).rows() == [("1", "why", "RowError", '{"a":null}')]
    frame = from_records([{ROW: "2", "v": 1}, {ROW: "3", "v": [1, "\ud800"]}])
    assert dropped(frame, [1], ["r"], "v").rows() == [("3", "r", '[1, "\\ud800"]')]
    assert dropped(frame, [], [], "v").schema == pl.Schema(
        {"row": pl.String, "reason": pl.String, "value": pl.String}
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("a", "a"),
        ("é\ud800", "é\ufffd"),
        (1.5, "1.5"),
        ("x" * 500, "x" * 199 + "…"),
        ({"a": 1}, '{"a":1}'),
    ],
    ids=lambda v: ascii(v)[:20],
)
def test_shown(value: Any, text: str | None) -> None:
    assert shown(value) == text


def test_a_failure_always_says_something() -> None:
    assert Failure.of(ValueError()) == Failure("ValueError()", "ValueError")
    assert Failure.of(KeyError("a\ud800é")).error.encode()
