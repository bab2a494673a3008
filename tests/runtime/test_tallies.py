"""Metrics that count things: bars in the report, tables in the card."""

from __future__ import annotations

from dataflow.runtime.tallies import tallies, tallies_html, tallies_markdown

METRICS = {
    "difficulty": {"easy": 30, "hard": 10},
    "one": {"a": 3},
    "shares": {"a": 0.5, "b": 0.5},
    "truths": {"a": True, "b": False},
    "rows": 40,
    "rest": {},
    "none_<b>": {"<i>a|b": 0, "c": 0},
}


def test_only_counts_are_tallies() -> None:
    assert list(tallies(METRICS)) == ["difficulty", "one", "none_<b>"]


def test_shares_are_of_the_rows_where_they_are_told() -> None:
    assert "7.5 %" in tallies_html(METRICS)
    assert "100 %" in tallies_html({"one": {"a": 3}})


def test_bars_are_in_proportion_and_data_is_no_markup() -> None:
    page = tallies_html(METRICS)
    assert 'width:100.0%"></i></span></td><td>30</td><td>75 %' in page
    assert "width:33.3%" in page
    assert "None &lt;b&gt;" in page
    assert "<i>a" not in page


def test_the_card_has_the_last_of_each() -> None:
    steps = [{"metrics": {"difficulty": {"easy": 1, "hard": 1}}}, {"metrics": None}, {"metrics": METRICS}]
    page = tallies_markdown({"steps": steps})
    assert page.startswith("| difficulty | | |\n|---|---:|---:|\n| easy | 30 | 75 % |\n| hard | 10 | 25 % |")
    assert "a\\|b" in page
    assert tallies_markdown({}) == ""
