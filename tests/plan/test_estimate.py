"""What a preview says about the full run: rows, calls, tokens, cost, time, and how sure that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from dataflow.core import Dataset, Expand, Filter, Generate, In, Map, Out, Prompt, Source
from dataflow.core.asking import Ask
from dataflow.pipeline import PipelineABC
from dataflow.pipeline.compiled import compile_pipeline
from dataflow.plan.estimate import Estimate, estimate
from dataflow.plan.plan import Flow
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.testing.server import FaultyServer

SEEN: dict[str, Any] = {
    "rows_in": 10, "rows_out": 10, "seconds": 0.5, "calls": 0, "cached": 0, "prompt_tokens": 0, "completion_tokens": 0,
    "cost": 0.0, "saved_prompt_tokens": 0, "saved_completion_tokens": 0, "saved_cost": 0.0, "saved_seconds": 0.0,
    "latency": {},
}  # fmt: skip
ASKED = {"calls": 10, "prompt_tokens": 1000, "completion_tokens": 500, "cost": 0.5, "latency": {"mean": 2.0}}
KEPT = {
    "cached": 10, "saved_prompt_tokens": 1000, "saved_completion_tokens": 500, "saved_cost": 0.5, "saved_seconds": 20.0,
}  # fmt: skip


class Loud(Map):
    """Put a mark after a text."""

    input_key = In("text")
    output_key = Out("loud")

    def map(self, text: str) -> str:
        return text + "!"


class Even(Filter):
    """Keep texts of even length."""

    input_key = In("text")

    def keep(self, text: str) -> bool:
        return len(text) % 2 == 0


class Letters(Expand):
    """Make a row of each letter."""

    input_key = In("text")
    output_key = Out("letter")

    def expand(self, text: str) -> list[str]:
        return list(text)


class Unlike(Dataset):
    """Keep the first row of each text."""

    input_key = In("text")

    def select(self, texts: list[str | None]) -> list[int]:
        return sorted({t: i for i, t in reversed(list(enumerate(texts)))}.values())


class Says(Generate):
    """Ask about a text."""

    default_prompt = Prompt("What of {text}?")
    input_text_key = In("text")
    output_key = Out("said")


class Subjects(Source):
    """Make rows about subjects."""

    output_key = Out("subject")

    def total(self) -> int:
        return 40

    async def make(self, ask: Ask, number: int) -> str:
        return await ask(f"subject {number}")


class Chain(PipelineABC):
    """Operators one after another."""

    def __init__(self, source: Path | str, cache: Path, *operators: Any) -> None:
        super().__init__()
        self.storage = FileStorage(
            str(source), cache_path=str(cache), file_name_prefix="p", cache_type="jsonl"
        )
        self.operators = operators

    def forward(self) -> None:
        for number, operator in enumerate(self.operators):
            keys = {"output_key": f"made{number}"} if isinstance(operator, (Says, Subjects)) else {}
            operator.run(self.storage.step(), **keys)


def serving(url: str = "http://127.0.0.1:9/v1", workers: int = 10) -> APILLMServing:
    return APILLMServing(url, model_name="m", max_workers=workers, price=(2.0, 4.0))


def rows(folder: Path, count: int) -> Path:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps({"text": "t" * (i % 7)}) + "\n" for i in range(count)))
    return path


def flow_of(folder: Path, *operators: Any, count: int = 1000) -> Flow:
    return compile_pipeline(Chain(rows(folder, count), folder, *operators)).flows[0]


def told(flow: Flow, *steps: dict[str, Any]) -> Estimate:
    """The estimate from a preview that saw this of each step."""
    seen = [SEEN | s | {"step": c.step, "operator": c.name} for c, s in zip(flow.calls, steps, strict=True)]
    found = estimate({"steps": seen}, flow)
    assert found is not None
    return found


def test_what_always_happens_is_certain(tmp_path: Path) -> None:
    found = told(flow_of(tmp_path, Loud(), Says(llm_serving=serving())), {}, ASKED)
    assert (found.calls.expected, found.calls.low, found.calls.high) == (1000, 1000, 1000)
    assert (found.tokens.expected, found.cost.expected, found.rows) == (150_000, 50.0, 10)
    assert str(found) == (
        "expected 1,000 calls, 150.0 k tokens, $50.00, about 3 min (from a preview of 10 rows)"
    )


def test_what_a_filter_lets_through_has_an_interval(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, Even(), Says(llm_serving=serving()))
    half = {k: v / 2 if isinstance(v, (int, float)) else v for k, v in ASKED.items()}
    found = told(flow, {"rows_out": 5}, half | {"rows_in": 5, "rows_out": 5})
    share = found.steps[1].selectivity
    assert (round(share.expected, 3), round(share.low, 3), round(share.high, 3)) == (0.5, 0.237, 0.763)
    calls = found.steps[2].calls
    assert (round(calls.expected), round(calls.low), round(calls.high)) == (500, 237, 763)
    assert "$25.00 ($11.83-38.17)" in str(found)
    assert found.line(1) == "[1,000 -> 500 rows]"
    assert found.line(2) == "[500 -> 500 rows, 500 calls, $25.00 ($11.83-38.17)]"
    assert found.line(9) == ""


def test_a_filter_that_kept_all_is_not_taken_to_keep_all(tmp_path: Path) -> None:
    found = told(flow_of(tmp_path, Even()), {})
    assert (found.steps[1].rows_out.expected, found.steps[1].rows_out.high) == (1000, 1000)
    assert 700 < found.steps[1].rows_out.low < 750


def test_steps_that_multiply_rows_have_one_too(tmp_path: Path) -> None:
    out = told(flow_of(tmp_path, Letters()), {"rows_out": 40}).steps[1].rows_out
    assert (out.expected, round(out.low), round(out.high)) == (4000, 2938, 5446)


def test_no_row_left_makes_nothing_of_it(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, Even(), Says(llm_serving=serving()))
    found = told(flow, {"rows_out": 0}, {"rows_in": 0, "rows_out": 0})
    assert (found.calls.expected, found.steps[2].selectivity.expected) == (0, 0)
    assert found.steps[2].rows_in.high > 200
    assert str(found).startswith("expected no model calls, ")


def test_steps_of_one_serving_share_its_workers(tmp_path: Path) -> None:
    shared = serving(workers=10)
    flow = flow_of(tmp_path, Says(llm_serving=shared), Says(llm_serving=shared))
    assert told(flow, ASKED, ASKED).seconds == 400
    flow = flow_of(tmp_path, Says(llm_serving=shared), Says(llm_serving=serving(workers=20)))
    assert told(flow, ASKED, ASKED).seconds == 200


def test_few_rows_take_as_long_as_one_goes_through(tmp_path: Path) -> None:
    llm = serving(workers=64)
    pipeline = Chain(rows(tmp_path, 20), tmp_path, Says(llm_serving=llm), Says(llm_serving=llm))
    for optimise, seconds in ((False, 4), (True, 2)):
        found = told(compile_pipeline(pipeline, optimise=optimise).flows[0], ASKED, ASKED)
        assert (found.seconds, found.steps[1].seconds) == (seconds, 2)


def test_work_without_calls_counts_by_the_row_and_stages_follow_each_other(tmp_path: Path) -> None:
    llm = serving(workers=10)
    flow = flow_of(tmp_path, Loud(), Says(llm_serving=llm), Unlike(), Says(llm_serving=llm))
    assert [s.streams for s in flow.stages] == [True, False, True]
    found = told(flow, {"seconds": 0.5}, ASKED, {"seconds": 0.1}, ASKED)
    assert found.seconds == pytest.approx(200 + 10 + 200)
    assert told(flow, {"seconds": 5.0}, ASKED, {"seconds": 0.1}, ASKED).seconds == pytest.approx(
        500 + 10 + 200
    )


def test_replies_of_the_journal_count_as_long_as_they_once_took(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, Says(llm_serving=serving(workers=10)))
    fresh, kept = told(flow, ASKED), told(flow, KEPT)
    assert kept == fresh
    half = {k: v // 2 if isinstance(v, int) else v / 2 for k, v in (ASKED | KEPT).items() if k != "latency"}
    assert told(flow, half | {"latency": {"mean": 2.0}}) == fresh


def test_a_time_that_nobody_took_is_not_made_up(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, Loud(), Says(llm_serving=serving()))
    found = told(flow, {}, {k: v for k, v in KEPT.items() if k != "saved_seconds"})
    assert (found.seconds, found.steps[2].seconds, found.calls.expected) == (None, None, 1000)
    assert "$50.00, for a time that is not known" in str(found)


def test_rows_out_of_nothing_are_as_many_as_the_operator_makes(tmp_path: Path) -> None:
    flow = compile_pipeline(Chain("", tmp_path, Subjects(llm_serving=serving()))).flows[0]
    assert told(flow, ASKED).calls.expected == 40


@pytest.mark.parametrize("steps", [[], [{"step": 1, "operator": "Other"}], [{"step": 2, "operator": "Loud"}]])
def test_a_preview_of_other_steps_tells_nothing(tmp_path: Path, steps: list[dict[str, Any]]) -> None:
    assert estimate({"steps": [SEEN | s for s in steps]}, flow_of(tmp_path, Loud())) is None


def test_a_preview_of_no_rows_tells_nothing(tmp_path: Path) -> None:
    seen = SEEN | {"step": 1, "operator": "Loud", "rows_in": 0}
    assert estimate({"steps": [seen]}, flow_of(tmp_path, Loud())) is None


def test_it_is_plain_data(tmp_path: Path) -> None:
    found = told(flow_of(tmp_path, Even(), Says(llm_serving=serving())), {"rows_out": 5}, ASKED)
    plain = orjson.loads(orjson.dumps(found.to_dict(), option=orjson.OPT_NON_STR_KEYS))
    assert set(plain) == {"rows", "calls", "tokens", "cost", "seconds", "steps"}
    assert plain["steps"]["2"]["calls"]["expected"] == found.steps[2].calls.expected


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_real_preview_foretells_the_run(tmp_path: Path, temperature: float) -> None:
    with FaultyServer(reply="fine") as server:
        llm = APILLMServing(server.url, model_name="m", temperature=temperature, price=(2.0, 4.0))
        path = tmp_path / "in.jsonl"
        path.write_text("".join(json.dumps({"text": f"{'t' * (i % 2)}{i:04}"}) + "\n" for i in range(60)))
        pipeline = Chain(path, tmp_path, Even(), Says(llm_serving=llm))
        pipeline.preview(20)
        seen = orjson.loads((tmp_path / "p/preview.json").read_bytes())
        found = estimate(seen, compile_pipeline(pipeline).flows[0])
        assert found is not None
        run = pipeline.run(progress=False)
    assert found.calls.expected == run.counts["calls"] + run.counts["cached"] == 30
    assert found.calls.low < 30 < found.calls.high
    assert found.cost.expected == pytest.approx(run.summary["journal"]["cost"], rel=0.1)
    assert found.seconds is not None
    assert 0 < found.seconds < 60
