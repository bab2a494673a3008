"""Rewrites: what comes out stays as it was, each applies only where it may, and each can be turned off."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflow.core import Dataset, Expand, Filter, Generate, In, Judge, Map, OperatorABC, Out, Prompt
from dataflow.core.errors import ConfigError, ReplyError
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding
from dataflow.pipeline import PipelineABC
from dataflow.plan.optimise import REWRITES
from dataflow.runtime.runs import Run, trace
from dataflow.storage import FileStorage
from dataflow.testing import ScriptedServing

Step = tuple[Any, dict[str, Any]]


def size(text: Any) -> int:
    """A small number that hangs on a text alone."""
    return sum(map(ord, str(text)))


def scripted(prompt: str) -> str | None:
    """A reply that hangs on the prompt alone: some are refused, some cannot be read."""
    if size(prompt) % 13 == 0:
        return None
    return "bad" if size(prompt) % 11 == 0 else f"{1 + size(prompt) % 5}"


class Marked(Map):
    """Put a mark after a text; one text in nine cannot have it."""

    mark: str = "!"
    input_key = In("a")
    output_key = Out("b")

    def map(self, text: str) -> str:
        if size(text) % 9 == 0:
            raise ValueError("no mark for this")
        return text[-20:] + self.mark


class Even(Filter):
    """Keep texts of even size; one in seventeen cannot be told."""

    input_key = In("a")

    def keep(self, text: str) -> bool | tuple[bool, str]:
        if size(text) % 17 == 0:
            raise ValueError("neither even nor odd")
        return size(text) % 2 == 0 or (False, "odd")


class Long(Filter):
    """Keep texts of some length, by an expression."""

    chars: int = 3
    input_key = In("a")

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.len_chars() >= self.chars


class Labelled(Filter):
    """Keep every text, with a label."""

    input_key = In("a")
    output_key = Out("label", type="int", optional=True)

    def keep(self, text: str) -> bool:
        return bool(text)


class Pieces(Expand):
    """Make a row of each half of a text, none of an empty one."""

    input_key = In("a")
    output_key = Out("b")

    def expand(self, text: str) -> Iterator[str]:
        return iter([text[::2], text[1::2]] if text else [])


class Asked(Generate):
    """Ask about a text."""

    default_prompt: ClassVar[Prompt] = Prompt("Of {text}?")
    input_text_key = In("a")
    output_key = Out("b")

    def parse(self, reply: str) -> str:
        if reply == "bad":
            raise ReplyError("a bad reply")
        return f"reply {reply}"


class Split(Asked):
    """Ask about a text, and make rows of the reply."""

    expands: ClassVar[bool] = True

    def parse(self, reply: str) -> list[str]:
        return [reply, reply * 2][: size(reply) % 3]


class Scored(Judge):
    """Ask for a score of a text."""

    default_prompt: ClassVar[Prompt] = Prompt("Score {text}.")
    input_text_key = In("a")
    output_key = Out("s", type="int")


class Good(Scored):
    """Keep texts of a good score."""

    filters: ClassVar[bool] = True

    def keeps(self, score: Any) -> bool:
        return bool(score >= 3)


class Unlike(Dataset):
    """Keep the first row of each text."""

    input_key = In("a")

    def select(self, texts: list[str | None]) -> list[int]:
        return sorted({t: i for i, t in reversed(list(enumerate(texts)))}.values())


class Steps(PipelineABC):
    """Operators one after another."""

    def __init__(self, folder: Path, rows: Iterable[Any], steps: Sequence[Step]) -> None:
        super().__init__()
        folder.mkdir(exist_ok=True)
        source = folder / "in.jsonl"
        source.write_text("".join(json.dumps(r) + "\n" for r in rows))
        self.storage = FileStorage(str(source), cache_path=str(folder), file_name_prefix="p")
        self.steps = steps

    def forward(self) -> None:
        for operator, keys in self.steps:
            operator.run(self.storage.step(), **keys)


def run_of(
    folder: Path, rows: Iterable[Any], steps: Sequence[Step], optimise: Any = True, **options: Any
) -> Run:
    pipeline = Steps(folder, rows, steps)
    pipeline.compile(optimise=optimise)
    return pipeline.run(progress=False, **options)


ROW_OPERATORS = (Marked(), Even(), Long(), Labelled(), Pieces())
LLM = ScriptedServing(by=scripted)
MODEL_OPERATORS = (
    Asked(llm_serving=LLM),
    Split(llm_serving=LLM),
    Scored(llm_serving=LLM),
    Good(llm_serving=LLM),
)


@st.composite
def pipelines(draw: Any) -> list[Step]:
    """Up to seven steps, each over columns that are there; every text column may be read, and may be refined."""
    texts, steps = ["a", "c"], list[Step]()
    for number in range(draw(st.integers(2, 7))):
        op = draw(st.sampled_from((*ROW_OPERATORS, *MODEL_OPERATORS, *MODEL_OPERATORS, Unlike())))
        port = "input_text_key" if isinstance(op, Generate) else "input_key"
        column = draw(st.sampled_from(texts))
        keys = {port: column}
        if isinstance(op, Filter):
            keys |= (
                {"output_key": f"label{number}"} if isinstance(op, Labelled) and draw(st.booleans()) else {}
            )
        elif not isinstance(op, Dataset):
            written = column if not isinstance(op, Judge) and draw(st.integers(0, 4)) == 0 else f"n{number}"
            keys["output_key"] = written
            texts += [written] if not isinstance(op, Judge) and written not in texts else []
        steps.append((op, keys))
    return steps


TABLES = st.lists(
    st.fixed_dictionaries(
        {"a": st.sampled_from([None, "", "x", "yes", "some text", "{a}", "ten"]), "c": st.text("abcd", max_size=4),
         "unused": st.sampled_from([1, None])}
    ),
    min_size=1, max_size=12,
)  # fmt: skip


def lost(run: Run) -> set[str]:
    return {*run.dropped["row"], *run.failed["row"]}


def has_kin(row: str, rows: Iterable[str]) -> bool:
    """Whether a row, one it was made from, or one made from it is among these."""
    return any(f"{row}/".startswith(f"{r}/") or f"{r}/".startswith(f"{row}/") for r in rows)


@settings(max_examples=16, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(pipelines(), TABLES)
def test_rewrites_change_neither_the_table_nor_which_rows_reach_it(
    steps: list[Step], rows: list[Any]
) -> None:
    """The same bytes, the same rows kept by id; a row that is lost may be lost at another step.

    Where it is lost before an expansion instead of after it, its descendants are never made: so of each row lost in
    one run that row, one that it was made from, or one made from it is lost in the other.
    """
    LLM.requests.clear()
    with tempfile.TemporaryDirectory() as folder:
        plain = run_of(Path(folder, "plain"), rows, steps, optimise=False)
        rewritten = run_of(Path(folder, "rewritten"), rows, steps)
        assert plain.path is not None
        assert rewritten.path is not None
        assert rewritten.path.read_bytes() == plain.path.read_bytes()
        assert rewritten.table.equals(plain.table)
        kept = [r.lineage.filter(pl.col("fate") == "kept")["row"].to_list() for r in (plain, rewritten)]
        assert kept[0] == kept[1]
        assert all(has_kin(row, lost(rewritten)) for row in lost(plain))
        assert all(has_kin(row, lost(plain)) for row in lost(rewritten))
        assert all("unused" in json.loads(record) for record in rewritten.failed["record"])


class OwnApply(Even):
    """Has an `apply` of its own, of which nothing is known."""

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Any) -> Outcome:
        return await super().apply(frame, binding, scope)


class OwnTransform(Even):
    """Has a `transform` of its own."""

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        return super().transform(frame, binding)


class Chance(Even):
    """Says that it keeps rows by chance."""

    deterministic: ClassVar[bool] = False


class OwnFinish(Asked):
    """Drops rows in a `finish` of its own."""

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        return super().finish(frame, binding, results)


class Same(OperatorABC):
    """Hand on the table, by a `run` of its own."""

    def run(self, storage: Any) -> None:
        storage.write(storage.read("polars"))


ASKED, SCORED, GOOD, SPLIT = MODEL_OPERATORS[0], MODEL_OPERATORS[2], MODEL_OPERATORS[3], MODEL_OPERATORS[1]
ROWS = [{"a": f"text {i}", "c": "abc"[: i % 4]} for i in range(12)]


def order_of(folder: Path, *steps: Step, optimise: Any = True) -> list[list[int]]:
    """The steps of each wave of each stage."""
    plan = Steps(folder, ROWS, steps).compile(optimise=optimise)
    return [[c.step for c in wave] for stage in plan.flows[0].stages for wave in stage.waves]


MOVES: dict[str, tuple[list[Step], list[list[int]]]] = {
    "ahead of a model step": ([(ASKED, {}), (Even(), {})], [[2], [1]]),
    "ahead of two": ([(ASKED, {}), (SCORED, {}), (Even(), {})], [[3], [1, 2]]),
    "an expression": ([(ASKED, {}), (Long(), {})], [[2], [1]]),
    "ahead of a filtering judge": ([(GOOD, {}), (Even(), {})], [[2], [1]]),
    "ahead of an expanding generator": ([(SPLIT, {}), (Even(), {})], [[2], [1]]),
    "past a map on the way": ([(ASKED, {}), (Marked(), {"output_key": "m"}), (Even(), {})], [[3], [1], [2]]),
    "past an expansion on the way": ([(ASKED, {}), (Pieces(), {"output_key": "m"}), (Even(), {})], [[3], [1], [2]]),
    "not ahead of what needs no model": ([(Marked(), {}), (Even(), {})], [[1], [2]]),
    "as far as what it reads": ([(ASKED, {}), (SCORED, {}), (Even(), {"input_key": "b"})], [[1], [3], [2]]),
    "not past what it reads": ([(ASKED, {}), (Even(), {"input_key": "b"})], [[1], [2]]),
    "not past what refines what it reads": ([(ASKED, {"output_key": "a"}), (Even(), {})], [[1], [2]]),
    "two in their order": ([(ASKED, {}), (Even(), {}), (Long(), {})], [[2], [3], [1]]),
    "not with a label": ([(ASKED, {}), (Labelled(), {"output_key": "label"})], [[1], [2]]),
    "without its label": ([(ASKED, {}), (Labelled(), {})], [[2], [1]]),
    "not an own apply": ([(ASKED, {}), (OwnApply(), {})], [[1], [2]]),
    "not an own transform": ([(ASKED, {}), (OwnTransform(), {})], [[1], [2]]),
    "not by chance": ([(ASKED, {}), (Chance(), {})], [[1], [2]]),
    "not past an own apply": ([(ASKED, {}), (OwnApply(), {}), (Even(), {})], [[1], [2], [3]]),
    "not past chance": ([(ASKED, {}), (Chance(), {}), (Even(), {})], [[1], [2], [3]]),
    "not past a dataset operator": ([(ASKED, {}), (Unlike(), {}), (Even(), {})], [[1], [2], [3]]),
    "not past a free form": ([(ASKED, {}), (Same(), {}), (Even(), {})], [[1], [2], [3]]),
    "two at once": ([(ASKED, {}), (SCORED, {})], [[1, 2]]),
    "three at once": ([(ASKED, {}), (SCORED, {}), (SCORED, {"output_key": "t"})], [[1, 2, 3]]),
    "at once past a map": ([(ASKED, {}), (Marked(), {"output_key": "m"}), (SCORED, {})], [[1, 3], [2]]),
    "not what reads the other": ([(ASKED, {}), (SCORED, {"input_text_key": "b"})], [[1], [2]]),
    "not what writes the same": ([(ASKED, {}), (ASKED, {"input_text_key": "b"})], [[1], [2]]),
    "not what refines what the other reads": ([(ASKED, {}), (ASKED, {"output_key": "a"})], [[1], [2]]),
    "the earliest wave that it may": (
        [(ASKED, {}), (SCORED, {"input_text_key": "b"}), (ASKED, {"output_key": "d"})], [[1, 3], [2]]),
    "not a filtering judge": ([(ASKED, {}), (GOOD, {})], [[1], [2]]),
    "not past a filtering judge": ([(GOOD, {}), (ASKED, {})], [[1], [2]]),
    "not past a filter": ([(ASKED, {}), (Even(), {"input_key": "b"}), (SCORED, {})], [[1], [2], [3]]),
    "not an expanding generator": ([(ASKED, {}), (SPLIT, {"output_key": "d"})], [[1], [2]]),
    "not past an expansion": ([(ASKED, {}), (Pieces(), {"output_key": "m"}), (SCORED, {})], [[1], [2], [3]]),
    "not what may drop rows by itself": ([(OwnFinish(llm_serving=LLM), {}), (SCORED, {})], [[1], [2]]),
    "not past a dataset operator either": ([(ASKED, {}), (Unlike(), {}), (SCORED, {})], [[1], [2], [3]]),
}  # fmt: skip


@pytest.mark.parametrize("case", MOVES)
def test_what_moves_and_what_must_not(tmp_path: Path, case: str) -> None:
    steps, expected = MOVES[case]
    assert order_of(tmp_path, *steps) == expected
    assert order_of(tmp_path, *steps, optimise=False) == [[n] for n in range(1, len(steps) + 1)]


def all_three(serving: ScriptedServing) -> list[Step]:
    """Steps to which each of the three rewrites applies."""
    return [(Asked(llm_serving=serving), {}), (Scored(llm_serving=serving), {}), (Even(), {})]


ALL_THREE = all_three(LLM)


@pytest.mark.parametrize(
    ("optimise", "order", "aside"),
    [
        (True, [[3], [1, 2]], True),
        (False, [[1], [2], [3]], False),
        ((), [[1], [2], [3]], False),
        (["together"], [[1, 2], [3]], False),
        (["filters_first"], [[3], [1], [2]], False),
        (["columns"], [[1], [2], [3]], True),
        (["filters_first", "together"], [[3], [1, 2]], False),
    ],
)
def test_each_rewrite_has_a_switch(
    tmp_path: Path, optimise: Any, order: list[list[int]], aside: bool
) -> None:
    plan = Steps(tmp_path, ROWS, ALL_THREE).compile(optimise=optimise)
    (stage,) = plan.flows[0].stages
    assert [[c.step for c in wave] for wave in stage.waves] == order
    assert (stage.aside is not None) == aside
    assert len(plan.flows[0].rewrites) == (len(REWRITES) if optimise is True else len(list(optimise or ())))


def test_an_unknown_rewrite_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"there is no rewrite 'togther'; there are .* Did you mean 'together'\?"
    ):
        Steps(tmp_path, ROWS, ALL_THREE).compile(optimise=["togther"])


def test_the_plan_tells_what_is_rewritten(tmp_path: Path) -> None:
    shown = str(Steps(tmp_path, ROWS, ALL_THREE).plan())
    assert "rewrite  step 3 Even runs before step 1 Asked: fewer rows to ask about" in shown
    assert "step 1 Asked and step 2 Scored ask at the same time: neither reads what another writes" in shown
    assert "steps 1 to 3 do not use c: kept aside until the rows are through" in shown
    assert shown.index("3  Even") < shown.index("1  Asked")


def test_the_choice_holds_for_plan_and_run_too(tmp_path: Path) -> None:
    pipeline = Steps(tmp_path, ROWS, ALL_THREE)
    pipeline.compile(optimise=["together"])
    assert "ask at the same time" in str(pipeline.plan())
    assert "runs before" not in str(pipeline.plan())
    assert len(pipeline.run(progress=False).summary["rewrites"]) == 1


def test_rewrites_do_not_change_the_fingerprints(tmp_path: Path) -> None:
    """A run with other rewrites uses again what is there."""
    run_of(tmp_path, ROWS, all_three(ScriptedServing("3")))
    serving = ScriptedServing("3")
    again = run_of(tmp_path, ROWS, all_three(serving), optimise=False)
    assert not serving.requests
    assert all(s["reused"] for s in again.summary["steps"])


def test_a_run_that_keeps_every_step_is_not_rewritten(tmp_path: Path) -> None:
    run = run_of(tmp_path, ROWS, ALL_THREE, keep_steps=True)
    assert run.summary["rewrites"] == []
    eager = Steps(tmp_path / "e", ROWS, ALL_THREE)
    eager.forward()
    for step in (1, 2, 3):
        name = f"p_step{step}.jsonl"
        assert (tmp_path / name).read_bytes() == (tmp_path / "e" / name).read_bytes()


def test_a_cheap_filter_first_saves_calls(tmp_path: Path) -> None:
    kept = sum(size(r["a"]) % 2 == 0 and size(r["a"]) % 17 != 0 for r in ROWS)
    calls = {}
    for name, optimise in (("with", True), ("without", False)):
        serving = ScriptedServing("3")
        run = run_of(tmp_path / name, ROWS, all_three(serving), optimise)
        calls[name] = len(serving.requests)
        assert run.rows == kept
    assert calls == {"with": 2 * kept, "without": 2 * len(ROWS)}


def failing(*texts: str) -> ScriptedServing:
    return ScriptedServing(
        by=lambda prompt: None if any(f"{t}?" in prompt or f"{t}." in prompt for t in texts) else "3"
    )


def test_a_row_that_fails_in_a_wave_fails_at_the_first_step_that_failed_it(tmp_path: Path) -> None:
    steps = [
        (Asked(llm_serving=failing("text 1", "text 2")), {}),
        (Scored(llm_serving=failing("text 2", "text 3")), {}),
    ]
    rewritten, plain = (
        run_of(tmp_path / "r", ROWS, steps),
        run_of(tmp_path / "p", ROWS, steps, optimise=False),
    )
    expected = [(1, "Asked", "1"), (1, "Asked", "2"), (2, "Scored", "3")]
    assert sorted(rewritten.failed.select("step", "operator", "row").iter_rows()) == expected
    assert sorted(plain.failed.select("step", "operator", "row").iter_rows()) == expected
    counts = [
        [(s["rows_in"], s["rows_out"], s["failed"]) for s in r.summary["steps"]] for r in (rewritten, plain)
    ]
    assert counts == [[(12, 10, 2), (10, 9, 1)]] * 2


AWKWARD = [
    {"a": f"text {i}", "wide": {"x": i, "y": [None, "\ud800"]}, "big": 2**70 + i, "c": c}
    for i, c in enumerate(["", None, "é\u0000", "\ud83d", "b"])
]


def test_columns_kept_aside_are_there_again_in_every_account(tmp_path: Path) -> None:
    steps = [(Asked(llm_serving=failing("text 3")), {}), (Pieces(), {"input_key": "b", "output_key": "d"})]
    plain = run_of(tmp_path / "p", AWKWARD, steps, optimise=False)
    run = run_of(tmp_path / "r", AWKWARD, steps)
    assert "do not use wide, big, c" in run.summary["rewrites"][0]
    assert run.table.columns == ["a", "wide", "big", "c", "b", "d"]
    assert run.table.equals(plain.table)
    assert run.rows == 8
    assert run.failed["record"].to_list() == plain.failed["record"].to_list()
    (seen,) = [e for e in trace(run.run_dir, "3") if e["step"] == 0 or e["fate"].startswith("failed")][-1:]
    assert seen["values"] == AWKWARD[3]
    assert trace(run.run_dir, "4") == trace(plain.run_dir, "4")


def test_rows_selected_twice_keep_what_tells_them_apart(tmp_path: Path) -> None:
    """Rows that a dataset operator repeats have one id; a column that numbers them is kept with the right one."""

    class Twice(Dataset):
        """Every row twice."""

        input_key = In("a")

        def select(self, texts: list[str | None]) -> list[int]:
            return [i for i in range(len(texts)) for _ in range(2)]

    class Numbered(Dataset):
        """Number the rows."""

        input_key = In("a")
        output_key = Out("number", type="int")

        def select(self, texts: list[str | None]) -> Any:
            from dataflow.core import Selection

            return Selection(None, {"output_key": list(range(len(texts)))})

    steps: list[Step] = [(Twice(), {}), (Numbered(), {}), (Asked(llm_serving=ScriptedServing("3")), {})]
    assert run_of(tmp_path, ROWS[:3], steps).table["number"].to_list() == list(range(6))
