"""Branches and merges: alike in both modes, each branch used again by itself, every row accounted for."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from flows import (
    Asks,
    Backwards,
    FirstOfEach,
    Halves,
    Louder,
    NotEnding,
    Ranked,
    Words,
    asked_of,
    chat,
    column,
    echo,
    lines,
    numbers,
    reused,
)

from dataflow.core import Prompt
from dataflow.core.errors import CompileError, ConfigError, DataFlowError
from dataflow.pipeline import PipelineABC
from dataflow.plan.draw import _card, _wired
from dataflow.runtime.runs import Run, trace
from dataflow.storage import FileStorage, LazyFileStorage, MemoryStorage
from dataflow.testing.server import FaultyServer, ServerProcess

Forward = Callable[[Any], None]


class Branched(PipelineABC):
    """A pipeline whose forward is a function of its storage."""

    def __init__(
        self,
        source: Path | str,
        cache: Path,
        forward: Forward,
        storage: type[FileStorage] = FileStorage,
        **more: Any,
    ) -> None:
        super().__init__()
        self.storage = storage(str(source), cache_path=str(cache), file_name_prefix="p", **more)
        self.how = forward

    def forward(self) -> None:
        self.how(self.storage)


class Again(Asks):
    """Ask in other words."""

    default_prompt: ClassVar[Prompt] = Prompt("And what of {text}?", "You answer.")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyServer]:
    with FaultyServer(reply=echo) as running:
        yield running


@pytest.fixture
def llm(server: FaultyServer) -> Any:
    server.reset()
    return chat(server)


def tables(folder: Path) -> dict[str, bytes]:
    """The tables of the steps, by name."""
    return {f.name: f.read_bytes() for f in folder.glob("p_step*.jsonl") if ".failed." not in f.name}


def both(folder: Path, rows: Iterable[Any], forward: Forward, **more: Any) -> Run:
    """The compiled run, which left every table that the eager one left, byte for byte; and so without the others."""
    source = lines(folder / "in.jsonl", rows)
    eager = Branched(source, folder / "eager", forward, **more)
    eager.forward()
    if isinstance(eager.storage, LazyFileStorage):
        eager.storage.flush_all()
    kept = Branched(source, folder / "kept", forward).run(keep_steps=True, progress=False)
    assert tables(folder / "kept") == tables(folder / "eager")
    run = Branched(source, folder / "run", forward).run(progress=False)
    assert run.path is not None
    assert run.path.read_bytes() == (folder / "eager" / run.path.name).read_bytes()
    assert run.table.equals(kept.table)
    return run


def test_columns_of_two_branches(tmp_path: Path, llm: Any) -> None:
    def forward(storage: Any) -> None:
        Louder().run(storage.step())
        a, b = storage.branch("a"), storage.branch("b")
        Asks(llm_serving=llm).run(a.step())
        Again(llm_serving=llm).run(b.step())
        Louder().run(b.step(), input_key="answer", output_key="louder")
        storage.merge(a, b)
        NotEnding().run(storage.step(), input_key="louder")

    run = both(tmp_path, numbers(9), forward)
    assert run.table.columns == ["text", "loud", "answer_a", "answer_b", "louder"]
    assert column(run, "answer_a") == [f"echo of What of {t}?" for t in numbers(9)]
    assert column(run, "answer_b") == [f"echo of And what of {t}?" for t in numbers(9)]


def test_rows_of_three_branches(tmp_path: Path, llm: Any) -> None:
    def forward(storage: Any) -> None:
        a, b, c = (storage.branch(n) for n in "abc")
        Asks(llm_serving=llm).run(a.step())
        Words().run(b.step())
        NotEnding(end="2").run(c.step())
        storage.merge(a, b, c, how="rows")
        Asks(llm_serving=llm).run(storage.step(), output_key="last")

    run = both(tmp_path, numbers(4), forward)
    assert column(run, "branch") == ["a"] * 4 + ["b"] * 8 + ["c"] * 3
    assert column(run, "word")[3:8] == [None, "text", "0", "text", "1"]
    kept = run.lineage.filter(pl.col("fate") == "kept")["row"].to_list()
    assert kept[:6] == ["0/a", "1/a", "2/a", "3/a", "0/0/b", "0/1/b"]
    assert set(run.lineage["source_row"]) == {"0", "1", "2", "3"}


@pytest.mark.parametrize("how", ["columns", "rows"])
@pytest.mark.parametrize("count", [0, 1])
def test_one_row_and_none(tmp_path: Path, llm: Any, how: Any, count: int) -> None:
    def forward(storage: Any) -> None:
        Asks(llm_serving=llm).run(storage.step())
        a, b = storage.branch("a"), storage.branch("b")
        NotEnding(end="0").run(a.step())
        Words().run(b.step())
        storage.merge(a, b, how=how)
        Asks(llm_serving=llm).run(storage.step(), input_text_key="word", output_key="last")

    source = tmp_path / "in.parquet"
    pl.DataFrame({"text": numbers(count)}, schema={"text": pl.String}).write_parquet(source)
    run = Branched(source, tmp_path / "c", forward).run(progress=False)
    Branched(source, tmp_path / "e", forward).forward()
    assert tables(tmp_path / "c")["p_step5.jsonl"] == tables(tmp_path / "e")["p_step5.jsonl"]
    assert run.table.columns[-1] == "last"
    assert run.rows == (2 * count if how == "rows" else 0)


@pytest.mark.parametrize("missing", ["drop", "null"])
def test_rows_that_a_branch_loses(tmp_path: Path, llm: Any, missing: Any) -> None:
    """Filtered in one branch, failed in the other: each is accounted for where it went."""

    def forward(storage: Any) -> None:
        a, b = storage.branch("a"), storage.branch("b")
        NotEnding(end="3").run(a.step())
        Louder().run(a.step())
        Louder().run(b.step(), output_key="second")
        storage.merge(a, b, missing=missing)

    run = both(tmp_path, [*numbers(5), "cannot"], forward)
    kept = ["text 0", "text 1", "text 2", "text 4"]
    assert column(run, "text") == kept
    assert run.failed.select("step", "row").rows() == [(2, "5"), (3, "5")]
    reasons = run.dropped.select("step", "row", "reason").rows()
    assert reasons[0] == (1, "3", "ends in 3")
    assert (4, "3", "not in branch a") in reasons
    assert len(reasons) == 2


def test_rows_that_are_missing_stay_with_nulls(tmp_path: Path) -> None:
    def forward(storage: Any) -> None:
        a, b = storage.branch("a"), storage.branch("b")
        Louder().run(a.step())
        NotEnding(end="1").run(b.step())
        Louder().run(b.step(), output_key="second")
        storage.merge(a, b, missing="null")

    run = both(tmp_path, numbers(3), forward)
    assert column(run, "second") == ["text 0!", None, "text 2!"]
    assert run.dropped["reason"].to_list() == ["ends in 1"]


def test_rows_made_in_one_branch(tmp_path: Path, llm: Any) -> None:
    def forward(storage: Any) -> None:
        Halves(llm_serving=llm).run(storage.step())
        a, b = storage.branch("a"), storage.branch("b")
        Asks(llm_serving=llm).run(a.step(), input_text_key="half")
        Words().run(b.step(), input_key="half")
        NotEnding(end="of").run(b.step(), input_key="word")
        storage.merge(a, b)
        Louder().run(storage.step(), input_key="word")

    run = both(tmp_path, numbers(3), forward)
    assert run.table.columns == ["text", "half", "answer", "word", "loud"]
    assert all(w in h for w, h in zip(column(run, "word"), column(run, "half"), strict=True))
    assert run.lineage.filter(pl.col("fate") == "kept")["row"][0] == "0/0/0"


def test_rows_made_in_two_branches(tmp_path: Path) -> None:
    def forward(storage: Any, how: Any = "columns") -> None:
        a, b = storage.branch("a"), storage.branch("b")
        Words().run(a.step())
        Words().run(b.step(), output_key="other")
        storage.merge(a, b, how=how)

    source = lines(tmp_path / "in.jsonl", numbers(3))
    said = r"the branches 'a' and 'b' .*several rows"
    with pytest.raises(CompileError, match=said):
        Branched(source, tmp_path / "c", forward).compile()
    with pytest.raises(DataFlowError, match=said):
        Branched(source, tmp_path / "e", forward).forward()
    assert both(tmp_path, numbers(3), lambda s: forward(s, "rows")).rows == 12


@pytest.mark.parametrize("then", [False, True])
def test_a_run_of_ones_own_in_a_branch(tmp_path: Path, then: bool) -> None:
    def forward(storage: Any, how: Any = "columns") -> None:
        a, b = storage.branch("a"), storage.branch("b")
        Louder().run(a.step())
        Backwards().run(b.step())
        if then:
            Louder().run(b.step(), output_key="second")
        storage.merge(a, b, how=how)

    source = lines(tmp_path / "in.jsonl", numbers(3))
    with pytest.raises(CompileError, match="branch 'b': Backwards has a run of its own"):
        Branched(source, tmp_path / "c", forward).compile()
    with pytest.raises(DataFlowError, match="branch 'b' are not those that it began with"):
        Branched(source, tmp_path / "e", forward).forward()
    run = both(tmp_path, numbers(3), lambda s: forward(s, "rows"))
    assert column(run, "text") == numbers(3) + numbers(3)[::-1]


@pytest.mark.parametrize("first_branched", [False, True])
def test_a_run_of_ones_own_before_the_branches(tmp_path: Path, first_branched: bool) -> None:
    def forward(storage: Any) -> None:
        Louder().run(storage.step())
        if first_branched:
            NotEnding(end="1").run(storage.branch("aside").step())
        Backwards().run(storage.step())
        a, b = storage.branch("a"), storage.branch("b")
        Louder(mark="?").run(a.step(), output_key="x")
        Louder(mark=".").run(b.step(), output_key="y")
        storage.merge(a, b)

    run = both(tmp_path, numbers(3), forward)
    assert column(run, "x") == ["text 2?", "text 1?", "text 0?"]
    assert column(run, "y") == ["text 2.", "text 1.", "text 0."]


def test_a_dataset_operator_in_a_branch(tmp_path: Path) -> None:
    def forward(storage: Any) -> None:
        Louder().run(storage.step())
        a, b = storage.branch("a"), storage.branch("b")
        Ranked().run(a.step())
        FirstOfEach().run(b.step())
        Louder().run(b.step(), output_key="second")
        storage.merge(a, b)
        FirstOfEach().run(storage.step(), input_key="second")

    run = both(tmp_path, ["b", "a", "b", "c"], forward)
    assert column(run, "text") == ["a", "b", "c"]
    assert column(run, "rank") == [0, 1, 3]


def test_branches_of_a_branch(tmp_path: Path, llm: Any) -> None:
    """Merged back into the branch they are of, which is merged with another."""

    def forward(storage: Any) -> None:
        outer, other = storage.branch("outer"), storage.branch("other")
        Louder().run(outer.step())
        a, b = outer.branch("a"), outer.branch("b")
        Asks(llm_serving=llm).run(a.step(), input_text_key="loud")
        Again(llm_serving=llm).run(b.step(), input_text_key="loud")
        outer.merge(a, b)
        Louder(mark="?").run(other.step(), output_key="asked")
        Words().run(other.step())
        storage.merge(outer, other)
        Asks(llm_serving=llm).run(storage.step(), input_text_key="asked", output_key="last")

    run = both(tmp_path, numbers(4), forward)
    assert run.table.columns == ["text", "loud", "answer_a", "answer_b", "asked", "word", "last"]
    assert run.rows == 8


def test_rows_of_unlike_descent_can_branch_again(tmp_path: Path, llm: Any) -> None:
    """After a merge by rows some rows were made from others more often than the rest; all find their partners."""

    def forward(storage: Any) -> None:
        a, b = storage.branch("a"), storage.branch("b")
        Words().run(a.step())
        Louder().run(b.step())
        storage.merge(b, a, how="rows")
        Asks(llm_serving=llm).run(storage.step())
        c, d = storage.branch("c"), storage.branch("d")
        Louder().run(c.step(), output_key="c")
        Words().run(d.step(), output_key="d")
        storage.merge(c, d)

    run = both(tmp_path, numbers(3), forward)
    assert run.rows == 6 + 12
    assert all(d in t for d, t in zip(column(run, "d"), column(run, "text"), strict=True))
    assert column(run, "c") == [f"{t}!" for t in column(run, "text")]


def test_the_main_line_merged_with_a_branch(tmp_path: Path) -> None:
    def forward(storage: Any) -> None:
        side = storage.branch("side")
        Louder().run(storage.step())
        Louder(mark="?").run(side.step())
        storage.merge(storage, side)

    run = both(tmp_path, numbers(2), forward)
    assert run.table.columns == ["text", "loud_main", "loud_side"]
    assert column(run, "loud_side") == ["text 0?", "text 1?"]


def test_a_later_branch_refines_what_the_main_line_wrote_in_between(tmp_path: Path) -> None:
    """Only what a branch wrote since it parted from the others is its own."""

    def forward(storage: Any) -> None:
        early = storage.branch("early")
        Louder().run(storage.step())
        late = storage.branch("late")
        Louder(mark="?").run(late.step(), input_key="loud", output_key="loud")
        Louder(mark=".").run(early.step(), output_key="calm")
        storage.merge(storage, late)
        storage.merge(storage, early)

    run = both(tmp_path, numbers(1), forward)
    assert run.records == [{"text": "text 0", "loud": "text 0!?", "calm": "text 0."}]


def test_what_an_early_and_a_late_branch_both_have_is_kept_of_both(tmp_path: Path) -> None:
    def forward(storage: Any) -> None:
        early = storage.branch("early")
        Louder().run(storage.step())
        late = storage.branch("late")
        NotEnding().run(late.step())
        Louder(mark=".").run(early.step())
        storage.merge(early, late)

    run = both(tmp_path, numbers(1), forward)
    assert run.records == [{"text": "text 0", "loud_early": "text 0.", "loud_late": "text 0!"}]


def test_a_merged_column_that_is_there_already_is_a_mistake(tmp_path: Path) -> None:
    def forward(storage: Any) -> None:
        Louder().run(storage.step(), output_key="loud_b")
        a, b = storage.branch("a"), storage.branch("b")
        Louder().run(a.step())
        Louder().run(b.step())
        storage.merge(a, b)

    source = lines(tmp_path / "in.jsonl", numbers(1))
    for start in (lambda p: p.compile(), lambda p: p.forward()):
        with pytest.raises(DataFlowError, match="two columns 'loud_b'"):
            start(Branched(source, tmp_path / "c", forward))


def test_branches_of_the_source_itself(tmp_path: Path) -> None:
    def forward(storage: Any) -> None:
        a, b = storage.branch("a"), storage.branch("b")
        Louder().run(a.step())
        FirstOfEach().run(b.step())
        storage.merge(a, b)

    assert column(both(tmp_path, ["x", "y", "x"], forward), "loud") == ["x!", "y!"]


@pytest.mark.parametrize("storage", [FileStorage, LazyFileStorage])
def test_a_branch_that_is_never_merged_has_a_table_too(tmp_path: Path, storage: type[FileStorage]) -> None:
    def forward(storage: Any) -> None:
        Louder().run(storage.step())
        side = storage.branch("side")
        Words().run(side.step())
        Louder(mark="?").run(storage.step(), output_key="asked")

    source = lines(tmp_path / "in.jsonl", numbers(2))
    run = Branched(source, tmp_path / "c", forward, storage).run(progress=False)
    assert sorted(tables(tmp_path / "c")) == ["p_step2.jsonl", "p_step3.jsonl"]
    assert column(run, "asked") == ["text 0?", "text 1?"]
    eager = Branched(source, tmp_path / "e", forward, storage)
    eager.forward()
    if isinstance(eager.storage, LazyFileStorage):
        eager.storage.flush_all()
    assert tables(tmp_path / "c").items() <= tables(tmp_path / "e").items()


def test_a_storage_in_memory_until_the_end(tmp_path: Path, llm: Any) -> None:
    def forward(storage: Any) -> None:
        Louder().run(storage.step())
        a, b = storage.branch("a"), storage.branch("b")
        for mark in "123":
            Louder(mark=mark).run(a.step(), output_key=f"a{mark}")
        Words().run(b.step())
        storage.merge(a, b)

    both(tmp_path, numbers(4), forward, storage=LazyFileStorage, flush_all_steps=True)


def test_what_is_no_branch_is_told(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(2))

    def storage() -> Any:
        return FileStorage(str(source), cache_path=str(tmp_path))

    one, other = storage(), storage()
    a = one.branch("a")
    for name in ("a", "main", "no name", ""):
        with pytest.raises(ConfigError, match="a branch needs a name of its own"):
            one.branch(name)
    for branches in ((a,), (a, other), (a, other.branch("b")), ()):
        with pytest.raises(ConfigError, match="merge takes two or more branches of this storage"):
            one.merge(*branches)
    memory = MemoryStorage([{"text": "x"}])
    with pytest.raises(ConfigError, match="keeps one table only; branches need a FileStorage"):
        memory.branch("a")


def test_a_pipeline_compiles_as_often_as_one_likes(tmp_path: Path) -> None:
    """Names of branches are free again each time `forward` is traced."""

    def forward(storage: Any) -> None:
        a, b = storage.branch("a"), storage.branch("b")
        Louder().run(a.step())
        Louder().run(b.step())
        storage.merge(a, b)

    pipeline = Branched(lines(tmp_path / "in.jsonl", numbers(2)), tmp_path, forward)
    assert str(pipeline.plan()) == str(pipeline.plan())
    assert pipeline.preview(1).rows == 1
    assert pipeline.run(progress=False).rows == 2
    assert reused(pipeline.run(progress=False)) == [True] * 3


def asking(first: Any, second: Any) -> Forward:
    """Two branches, each with a question of its own, merged and asked about."""

    def forward(storage: Any) -> None:
        NotEnding().run(storage.step())
        a, b = storage.branch("a"), storage.branch("b")
        first.run(a.step(), output_key="a")
        second.run(b.step(), output_key="b")
        storage.merge(a, b)
        FirstOfEach().run(storage.step(), input_key="b")

    return forward


def test_only_the_branch_that_changed_is_made_again(tmp_path: Path, llm: Any, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(20))
    Branched(source, tmp_path, asking(Asks(llm_serving=llm), Asks(llm_serving=llm))).run(progress=False)
    assert server.calls == 18  # one model, one question: the second branch has its replies from the journal
    run = Branched(source, tmp_path, asking(Asks(llm_serving=llm), Again(llm_serving=llm))).run(
        progress=False
    )
    assert server.calls == 36
    assert reused(run) == [True, True, False, False, False]
    assert column(run, "b")[0] == "echo of And what of text 0?"


def test_two_branches_draw_replies_of_their_own(tmp_path: Path) -> None:
    """The same question to a model that samples, asked in two branches, is asked twice."""

    def forward(storage: Any) -> None:
        a, b = storage.branch("a"), storage.branch("b")
        Asks(llm_serving=sampled).run(a.step())
        Asks(llm_serving=sampled).run(b.step())
        storage.merge(a, b)

    source = lines(tmp_path / "in.jsonl", numbers(5))
    with FaultyServer(reply=echo) as server:
        sampled = chat(server, temperature=0.7)
        Branched(source, tmp_path / "c", forward).run(progress=False)
        assert server.calls == 10
        Branched(source, tmp_path / "e", forward).forward()
        assert server.calls == 20


def test_failed_rows_of_a_branch_can_be_retried(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(5))
    good = [False]

    def reply(body: dict[str, Any]) -> str:
        asked = asked_of(body)
        return echo(body) if good[0] or "And what of text 3" not in asked else "bad"

    with FaultyServer(reply=reply) as server:
        forward = asking(Asks(llm_serving=chat(server)), Again(llm_serving=chat(server)))
        run = Branched(source, tmp_path, forward).run(progress=False)
        assert run.failed.select("step", "row").rows() == [(3, "3")]
        assert run.rows == 4
        good[0] = True
        again = Branched(source, tmp_path, forward).run(progress=False, retry_failed=True)
        assert (again.rows, server.calls) == (5, 12)
        assert again.failed.is_empty()
        assert reused(again) == [True, True, False, False, False]


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from flows import Asks, chat
from test_branches import Again, Branched, asking
class Server: url = sys.argv[3]
llm = chat(Server, temperature=0.7, max_workers=4)
Branched(sys.argv[1], Path(sys.argv[2]), asking(Asks(llm_serving=llm), Again(llm_serving=llm))).run(progress=False)
"""


def test_kill_9_in_the_middle_of_branches(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(100))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(Path(__file__).parent)))

    def started(cache: Path, url: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(script), str(source), str(cache), url])

    with ServerProcess(latency_s=0.05) as server:
        process = started(tmp_path / "c", server.url)
        deadline = time.monotonic() + 60
        while server.stats()["answered"] < 60 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
        assert started(tmp_path / "c", server.url).wait(60) == 0
        assert server.stats()["repeated"] <= 4
        assert started(tmp_path / "calm", server.url).wait(60) == 0
    assert tables(tmp_path / "c") == tables(tmp_path / "calm")


def test_the_accounts_of_a_branched_run(tmp_path: Path, llm: Any) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(12))
    forward = asking(Asks(llm_serving=llm), Again(llm_serving=llm))
    run = Branched(source, tmp_path, forward).run(progress=False)
    merge = run.summary["steps"][3]
    assert (merge["operator"], merge["rows_in"], merge["rows_out"]) == ("Merge", 11, 11)
    page = run.report.read_text()
    assert "Merge" in page
    assert page.count("<svg") >= 1
    passed = {e["step"]: e["values"] for e in trace(run.run_dir, "4") if e["fate"] == "passed"}
    assert passed[0] == {"text": "text 4"}
    assert passed[2] == {"a": "echo of What of text 4?"}
    assert passed[3] == {"b": "echo of And what of text 4?"}


def test_the_plan_tells_which_table_each_stage_reads(tmp_path: Path, llm: Any) -> None:
    forward = asking(Asks(llm_serving=llm), Again(llm_serving=llm))
    pipeline = Branched(lines(tmp_path / "in.jsonl", numbers(2)), tmp_path, forward)
    shown = str(pipeline.plan())
    assert "stage 2  rows stream through, model calls overlap (reads stage 1)" in shown
    assert "stage 3  rows stream through, model calls overlap (reads stage 1)" in shown
    assert "stage 4  needs the whole table (reads stage 2 and stage 3)" in shown
    assert "Merge                        a, b -> " in shown


def test_resuming_in_the_middle_of_branches_is_told(tmp_path: Path) -> None:
    def forward(storage: Any) -> None:
        Louder().run(storage.step())
        a, b = storage.branch("a"), storage.branch("b")
        Louder().run(a.step(), output_key="a")
        Louder().run(b.step(), output_key="b")
        storage.merge(a, b)

    pipeline = Branched(lines(tmp_path / "in.jsonl", numbers(2)), tmp_path, forward)
    pipeline.run(keep_steps=True, progress=False)
    assert column(pipeline.run(resume_step=1, progress=False), "b") == ["text 0!", "text 1!"]
    with pytest.raises(CompileError, match="reads table 1 of a branch; run without resume_step"):
        pipeline.run(resume_step=2, progress=False)


def test_the_picture_wires_each_branch_to_itself(tmp_path: Path, llm: Any) -> None:
    """Both branches write `answer` and read what they wrote themselves; the merge reads the two, and gives two."""

    def forward(storage: Any) -> None:
        a, b = storage.branch("a"), storage.branch("b")
        Asks(llm_serving=llm).run(a.step())
        Again(llm_serving=llm).run(b.step())
        Louder().run(a.step(), input_key="answer", output_key="loud")
        storage.merge(a, b)
        FirstOfEach().run(storage.step(), input_key="answer_b")

    pipeline = Branched(lines(tmp_path / "in.jsonl", numbers(2)), tmp_path, forward)
    drawn = pipeline.draw_graph(tmp_path / "graph.svg").read_text()
    assert drawn.count('class="dfg-wire"') == 9
    cards, wires = _wired([_card(i, s) for i, s in enumerate(pipeline.plan().steps(), 1)])
    ends = {id(port): card.number or card.title for card in cards for port in [*card.reads, *card.writes]}
    joined = sorted((w.start.column, ends[id(w.start)], ends[id(e)]) for w in wires for e in w.ends)
    assert joined == [
        ("answer", "1", "3"), ("answer", "1", "4"), ("answer", "2", "4"), ("answer_a", "4", "Output"),
        ("answer_b", "4", "5"), ("loud", "3", "4"), ("loud", "4", "Output"),
        ("text", "Dataset", "1"), ("text", "Dataset", "2"),
    ]  # fmt: skip
