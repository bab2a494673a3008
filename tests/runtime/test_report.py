"""The report of a run: what it shows, that nothing of the data becomes markup, and that any field may be missing."""

import copy
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dataflow.runtime.report import render, write_report
from dataflow.runtime.report_charts import flow_svg, latency_svg
from dataflow.runtime.report_samples import changes, clip
from dataflow.runtime.report_values import count, decimal, dollars, duration, percent, tokens

NASTY = "<script>alert(1)</script>&\"'\ud800\x00"


def step(at: int = 1, **fields: Any) -> dict[str, Any]:
    """One operator that asked a model about 2,000 rows."""
    return {
        "step": at, "operator": "PromptedGenerator", "kind": "Generate", "headline": "Answer a prompt about each row.",
        "reads": {"input_key": "problem"}, "writes": {"output_key": "solution"},
        "settings": {"system_prompt": "Explain each step. " * 20, "temperature": 0.7},
        "rows_in": 2000, "rows_out": 1990, "dropped": {"score 1": 5}, "failed": 5, "seconds": 10.2, "reused": False,
        "calls": 1500, "cached": 500, "retried": 12, "failed_calls": 5, "prompt_tokens": 2_900_000,
        "completion_tokens": 500_000, "cost": 0.12, "latency": {"p50": 0.2, "p90": 0.5, "p99": 1.0, "max": 2.0},
        "latencies": [0.1, 0.2, 0.2, 0.3, 2.0], "models": ["gpt-4o-mini"], "metrics": {"accuracy": 0.8125, "by": {"x": [1]}},
        "errors": [{"error": "CallError: HTTP 400", "count": 5}],
        "samples": [
            {"row": "17", "before": {"problem": "1 + 1 ?"}, "after": {"problem": "1 + 1 =?", "solution": "2"}, "fate": "kept"},
            {"row": "18", "before": {"problem": "x"}, "after": None, "fate": "dropped: score 1"},
        ],
    } | fields  # fmt: skip


RUN: dict[str, Any] = {
    "version": 1, "pipeline": "Solve", "status": "done", "message": "", "started": "2026-11-21T04:00:00+00:00",
    "finished": "2026-11-21T04:00:12+00:00", "seconds": 1.2, "versions": {"dataflow": "0.1.0", "python": "3.11.7"},
    "source": {
        "name": "problems.jsonl", "rows": 2000, "columns": {"problem": "text"}, "bad_lines": 3,
        "bad_line_samples": [{"file": "problems.jsonl", "line": 1017, "reason": "not JSON", "text": "{oops"}],
    },
    "steps": [step()],
    "totals": {"calls": 1500, "cached": 500, "prompt_tokens": 2_900_000, "completion_tokens": 500_000, "cost": 0.12,
               "failed": 5, "dropped": 5},
    "output": {"path": "cache/solve_step1.jsonl", "rows": 1990, "columns": {"problem": "text", "solution": "text"}},
    "run_dir": "cache/solve",
}  # fmt: skip


def but(**fields: Any) -> dict[str, Any]:
    return RUN | fields


def svgs(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def plain(page: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).split())


@pytest.mark.parametrize(
    "words",
    [
        "2,000 rows of problems.jsonl went through 1 operator; 1,990 rows came out. 5 dropped and 5 failed.",
        "2,000 → 1,990", "1.2 s", "3.4 M", "$0.12", "500 from the journal", "99.5 % of the rows",
        "PromptedGenerator", "Answer a prompt about each row.", "gpt-4o-mini", "p90 500 ms", "score 1", "CallError: HTTP 400",
        "accuracy 0.8125", "by.x", "row 17", "line 1,017", "not JSON", "{oops",
        "dataflow retry FILE", "dataflow trace cache/solve 18", "cache/solve_step1.jsonl", "cache/solve/failed.parquet",
        "started 2026-11-21 04:00:00 UTC", "dataflow 0.1.0",
    ],
)  # fmt: skip
def test_page_tells(words: str) -> None:
    assert words in plain(render(RUN))


def test_page_stands_alone() -> None:
    page = render(RUN)
    assert "<script" not in page
    assert not re.findall(r"src=|@import|url\(|<link|href=\"(?!#)", page)
    assert "default-src 'none'" in page


def test_links_lead_somewhere() -> None:
    page = render(RUN)
    targets = set(re.findall(r'href="#([^"]*)"', page))
    assert targets
    assert targets <= set(re.findall(r'id="([^"]*)"', page))


def poisoned(value: Any) -> Any:
    """The same shape with every text, and every key that is not a field's name, made dangerous."""
    if isinstance(value, dict):
        return {k: poisoned(v) for k, v in value.items()} | ({NASTY: NASTY} if value else {})
    if isinstance(value, list):
        return [poisoned(v) for v in value]
    return NASTY + value if isinstance(value, str) else value


def test_data_never_becomes_markup() -> None:
    page = render(poisoned(RUN))
    assert "<script" not in page.lower()
    assert "&lt;script&gt;" in page
    page.encode()
    assert len(svgs(page)) == 3


def missing(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field of a record."""
    for key, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*at, key)
        yield from missing(inner, (*at, key))


@pytest.mark.parametrize(
    "found", [..., None, 0, "", [], {}, float("nan"), float("inf"), -1, "text", True], ids=repr
)
def test_any_field_may_be_missing_or_odd(found: Any) -> None:
    for path in missing(RUN):
        run = copy.deepcopy(RUN)
        *upper, last = path
        inner: Any = run
        for key in upper:
            inner = inner[key]
        if found is ...:
            del inner[last]
        else:
            inner[last] = found
        page = render(run)
        svgs(page)
        assert not re.search(r"\b(nan|inf)\b", page, re.IGNORECASE), path


def test_a_run_without_anything() -> None:
    assert "Run" in plain(render({}))


def test_no_rows_and_no_calls() -> None:
    empty = step(
        rows_in=0, rows_out=0, dropped={}, failed=0, calls=0, cached=0, latency={}, latencies=[], samples=[]
    )
    page = render(but(source={"rows": 0}, steps=[empty], output={"rows": 0}, totals={}))
    assert "0 → 0" in plain(page)
    assert "Latency" not in plain(page)
    svgs(page)


def test_steps_that_a_stopped_run_did_not_reach() -> None:
    later = step(2, rows_in=0, rows_out=0, seconds=0.0, dropped={}, failed=0)
    page = plain(
        render(
            but(status="failed", message="HTTP 401", steps=[step(), later], output={"path": "", "rows": 0})
        )
    )
    assert "not reached" in page
    assert "no output yet" in page
    assert "HTTP 401" in page
    assert "dataflow run FILE" in page


def test_nothing_to_retry_where_nothing_failed() -> None:
    assert "retry FILE" not in render(but(totals=RUN["totals"] | {"failed": 0}))


def test_totals_are_summed_where_they_are_missing() -> None:
    page = plain(render(but(totals={}, steps=[step(), step(2)])))
    assert "4,000 1,000 from the journal" in page
    assert "6.8 M" in page


def boxes(svg: str) -> list[tuple[float, float]]:
    """The x and y of every text."""
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return [(float(t.get("x", 0)), float(t.get("y", 0))) for t in texts]


@pytest.mark.parametrize("steps", [1, 3, 12, 30])
def test_flow_labels_do_not_overlap(steps: int) -> None:
    reasons = {f"reason {'long ' * 30}{i}": i for i in range(1, 12)}
    svg = flow_svg(but(steps=[step(i, operator="Long" * 30, dropped=reasons) for i in range(1, steps + 1)]))
    places = sorted(boxes(svg))
    for (x, y), (u, v) in itertools.pairwise(places):
        assert x != u or v - y >= 14
    assert "7 other reasons" in svg


def test_flow_is_wide_in_proportion() -> None:
    grows = but(
        source={"rows": 100},
        steps=[step(rows_in=100, rows_out=400, dropped={}, failed=0)],
        output={"rows": 400},
    )
    bars = [
        float(r.get("width", 0)) for r in svgs(flow_svg(grows))[0].iter("{http://www.w3.org/2000/svg}rect")
    ]
    assert bars[2] == pytest.approx(4 * bars[1], abs=0.5)
    assert "+300 rows made" in flow_svg(grows)


def test_histogram() -> None:
    drawn = plain(latency_svg(step()))
    assert all(text in drawn for text in ("p50 200 ms", "p90 500 ms", "p99 1.0 s", "2.0 s"))
    assert latency_svg({}) == latency_svg({"latencies": [0.0, 0.0]}) == ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (count(1234567), "1,234,567"), (count(None), "–"), (count(float("nan")), "–"), (count(True), "–"),
        (tokens(980), "980"), (tokens(9_999), "9,999"), (tokens(12_500), "12.5 k"), (tokens(100_000), "100 k"),
        (tokens(999_999), "1 M"), (tokens(3_400_000), "3.4 M"), (tokens(1_200_000_000), "1.2 B"),
        (dollars(0.12), "$0.12"), (dollars(0), "$0.00"), (dollars(0.0034), "$0.0034"), (dollars(0.00001), "<$0.0001"),
        (dollars(1234.5), "$1,234"), (duration(0), "0 ms"), (duration(0.0001), "<1 ms"), (duration(0.04), "40 ms"),
        (duration(1.2), "1.2 s"), (duration(59.97), "1 min"), (duration(200), "3 min 20 s"), (duration(7500), "2 h 5 min"),
        (duration(360_000), "100 h"), (decimal(0.8125), "0.8125"), (decimal(12345.6), "12,346"), (decimal(3.0), "3"),
        (percent(1990, 2000), "99.5 %"), (percent(1999999, 2000000), ">99.9 %"), (percent(1, 1e6), "<0.1 %"),
        (percent(0, 10), "0 %"), (percent(1, 0), "–"),
    ],
)  # fmt: skip
def test_numbers(written: str, expected: str) -> None:
    assert written == expected


def test_changed_words_are_marked() -> None:
    old, new = changes("the quick brown fox runs", "the quick red fox runs")
    assert old == "the quick <del>brown </del>fox runs"
    assert new == "the quick <ins>red </ins>fox runs"


@pytest.mark.parametrize(
    ("before", "after"), [("", "new"), ("all of this", "小明有三个苹果"), ("x" * 9000, "y" * 9000)]
)
def test_texts_with_nothing_in_common_are_not_compared(before: str, after: str) -> None:
    assert "<del>" not in changes(before, after)[0]
    assert "<ins>" not in changes(before, after)[1]


def test_a_long_text_is_cut_around_its_change() -> None:
    words = [f"w{i}" for i in range(400)]
    old, _ = changes(" ".join(words), " ".join([*words[:200], "NEW", *words[201:]]))
    assert "<del>w200 </del>" in old
    assert "⋯" in old
    assert len(old) < 400


def test_cells_are_cut() -> None:
    assert clip("a" * 2000).endswith("1,300 more characters</span>")
    assert "null" in clip(None)
    assert "empty" in clip("")


def test_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "report.html"
    path.parent.mkdir()
    path.write_text("old")
    assert write_report(json.loads(json.dumps(RUN)), path) == path
    assert path.read_text("utf-8") == render(RUN)
    assert [f.name for f in path.parent.iterdir()] == ["report.html"]


def test_counts_are_drawn_as_bars() -> None:
    counts = {f"kind {i}": 20 - i for i in range(15)} | {NASTY: 1}
    page = render(but(steps=[step(metrics={"kind_counts": counts, "none_counts": {}, "mean": 2.5})]))
    words = plain(page)
    assert "Kind kind 0 20" in words
    assert "and 4 more" in words
    assert "mean 2.5" in words
    assert NASTY not in page
