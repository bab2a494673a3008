"""The pipeline's picture: sound XML, every column wired, nothing of the data taken for markup."""

import itertools
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from dataflow.plan.draw import CARD, clipped, escaped, graph_html, graph_svg, text_width

SOLVE: list[dict[str, Any]] = [
    {"step": 1, "operator": "PromptedGenerator", "kind": "Generate", "stage": 1,
     "reads": {"input_key": "problem"}, "writes": {"output_key": "solution"}},
    {"step": 2, "operator": "AnswerJudge", "kind": "Judge", "stage": 1,
     "reads": {"input_question_key": "problem", "input_answer_key": "solution"}, "writes": {"output_key": "score"}},
    {"step": 3, "operator": "SpaceRefiner", "kind": "Map", "stage": 2,
     "reads": {"input_key": "solution"}, "writes": {"output_key": "solution"}},
]  # fmt: skip


def chain(length: int) -> list[dict[str, Any]]:
    """Operators of which each reads what the one before it wrote, under long names."""
    return [
        {"step": i, "operator": f"Operator{'VeryLong' * 12}{i}", "kind": "Map", "stage": i // 4,
         "reads": {"input_key": f"{'column_' * 12}{i - 1}"}, "writes": {"output_key": f"{'column_' * 12}{i}"}}
        for i in range(1, length + 1)
    ]  # fmt: skip


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [t.text or "" for t in parsed(svg).iter("{http://www.w3.org/2000/svg}text")]


def wires(svg: str) -> list[tuple[str, int]]:
    """Each wire's column, and how many ports read it."""
    groups = parsed(svg).iter("{http://www.w3.org/2000/svg}g")
    return [("".join(g[0].itertext()), sum("wire" in p.get("class", "") for p in g)) for g in groups]


def test_cards_and_ends() -> None:
    shown = texts(graph_svg(SOLVE))
    for text in (
        "Dataset",
        "1 PromptedGenerator",
        "2 AnswerJudge",
        "input_answer_key",
        "Judge",
        "stage 2",
        "Output",
    ):
        assert text in shown


def test_a_read_is_wired_to_the_latest_write() -> None:
    found = sorted(wires(graph_svg(SOLVE)))
    assert found == [("problem", 2), ("score", 1), ("solution", 1), ("solution", 2)]


def test_a_port_may_hold_several_columns() -> None:
    svg = graph_svg(
        [{"step": 1, "operator": "Join", "reads": {"input_keys": ["a", "b"]}, "writes": {"output_key": None}}]
    )
    assert sorted(wires(svg)) == [("a", 1), ("b", 1)]


@pytest.mark.parametrize(
    "steps",
    [[], [{}], [{"operator": None, "reads": None, "writes": []}], chain(1), chain(30), SOLVE * 3],
    ids=["none", "empty step", "nulls", "one", "thirty", "repeated"],
)
def test_any_steps_make_sound_xml(steps: list[dict[str, Any]]) -> None:
    parsed(graph_svg(steps))
    assert "nan" not in graph_svg(steps)


def test_markup_in_names_is_text() -> None:
    nasty = "<script>alert(1)</script>&\"'\ud800\x00"
    svg = graph_svg(
        [{"step": nasty, "operator": nasty, "kind": nasty, "stage": nasty, "reads": {nasty: nasty}}]
    )
    assert "<script" not in svg
    parsed(svg)
    assert "<script" not in graph_html([], nasty)
    graph_html(SOLVE, nasty).encode()


def test_cards_do_not_overlap() -> None:
    rects = [
        r
        for r in parsed(graph_svg(chain(30))).iter("{http://www.w3.org/2000/svg}rect")
        if r.get("width") == str(CARD)
    ]
    spans = sorted((float(r.get("y", 0)), float(r.get("height", 0))) for r in rects)
    assert len(spans) == 32
    assert all(a + height < b for (a, height), (b, _) in itertools.pairwise(spans))


def lanes(svg: str) -> Iterator[tuple[float, float, float]]:
    """Each wire's x, top and bottom."""
    for group in parsed(svg).iter("{http://www.w3.org/2000/svg}g"):
        paths = [p.get("d", "") for p in group if "wire" in p.get("class", "")]
        ys = [
            (float(d.split(",")[1].split("H")[0]), float(d.rpartition("H")[0].rpartition(",")[2]))
            for d in paths
        ]
        yield float(re.findall(r"Q([\d.]+)", paths[0])[0]), ys[0][0], max(bottom for _, bottom in ys)


def test_wires_do_not_share_a_lane() -> None:
    found = sorted(lanes(graph_svg(SOLVE * 5 + chain(10))))
    assert all(x != u or bottom < top for (x, _, bottom), (u, top, _) in itertools.pairwise(found))


def test_page_stands_alone() -> None:
    page = graph_html(SOLVE, "Solve")
    assert page.startswith("<!doctype html>")
    assert "<h1>Solve</h1>" in page
    assert not re.findall(r"(?:src|href)=", page)


@pytest.mark.parametrize("text", ["short", "word " * 100, "W" * 100, "数据" * 50, "e\u0301" * 60, ""])
def test_clipped_text_fits(text: str) -> None:
    assert text_width(clipped(text, 120), 13) <= 120
    assert clipped("short", 120) == "short"


def test_escaped_text_is_sound_utf8() -> None:
    assert escaped("a<b>\ud800\x00") == "a&lt;b&gt;\ufffd\ufffd"
