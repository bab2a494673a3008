"""The card of a data set: its head reads as YAML, its body tells the run, nothing secret is in it."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from flows import Asks, Backwards, Louder, NotEnding, Steps, Topics, chat, echo, lines, numbers
from hypothesis import given
from hypothesis import strategies as st

from dataflow.core.errors import StorageError
from dataflow.core.frames import JSON
from dataflow.operators.core_text import PromptedFilter, PromptedGenerator
from dataflow.runtime.card import card
from dataflow.runtime.front_matter import features, front_matter, scalar, size_category
from dataflow.runtime.runs import Run, load
from dataflow.testing.server import FaultyServer

yaml = pytest.importorskip("yaml")
KEY = "sk-key-of-nobody"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyServer]:
    with FaultyServer(reply=echo) as running:
        yield running


def judged(folder: Path, server: FaultyServer, **storage: Any) -> Steps:
    rows = [{"text": t, "tags": ["a", "b"], "n": i} for i, t in enumerate([*numbers(9), "cannot"])]
    source = lines(folder / "in.jsonl", rows)
    llm = chat(server)
    return Steps(
        source,
        folder / "cache",
        (Louder(), {}),
        (NotEnding(end="7"), {}),
        (PromptedGenerator(llm, system_prompt="Explain ```this``` |now|."), {"input_key": "text", "output_key": "said"}),
        (Asks(llm_serving=llm), {}),
        (PromptedFilter(llm, min_score=2), {"input_key": "answer", "output_key": "score"}),
        **storage,
    )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, server: FaultyServer) -> Run:
    return judged(tmp_path, server).run(progress=False)


def head_of(page: str) -> dict[str, Any]:
    opening, head, _ = page.split("---\n", 2)
    assert opening == ""
    return dict(yaml.safe_load(head))


def section(page: str, name: str) -> str:
    return page.partition(f"\n## {name}\n")[2].partition("\n## ")[0].strip()


def test_the_head_is_what_a_hub_reads(run: Run) -> None:
    page = card(run, title="Nine: texts", licence="apache-2.0", languages=["en", "no"], tags=["qa"])
    assert head_of(page) == {
        "pretty_name": "Nine: texts",
        "license": "apache-2.0",
        "language": ["en", "no"],
        "size_categories": ["n<1K"],
        "tags": ["dataflow", "synthetic", "qa"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "p_step5.jsonl"}]}],
        "dataset_info": {
            "features": [
                {"name": "text", "dtype": "string"},
                {"name": "tags", "list": "string"},
                {"name": "n", "dtype": "int64"},
                {"name": "loud", "dtype": "string"},
                {"name": "said", "dtype": "string"},
                {"name": "answer", "dtype": "string"},
                {"name": "score", "dtype": "int64"},
            ],
            "splits": [{"name": "train", "num_examples": run.rows}],
        },
    }


def test_the_body_tells_the_run(run: Run) -> None:
    page = card(run, pipeline="solve.py:Solve")
    assert f"\n# Steps\n\n{run.rows} rows, made from 10 by 5 steps of the pipeline `Steps`.\n" in page
    assert "* source: in.jsonl, 10 rows" in section(page, "How it was made")
    funnel = section(page, "What became of the rows").splitlines()
    assert funnel[2] == "| 1 | Louder | 10 | 0 | 1 | 9 |"
    assert funnel[3] == "| 2 | NotEnding | 9 | 1: ends in 7 1 | 0 | 8 |"
    assert "| loud | text | step 1 Louder |" in section(page, "Columns")
    assert "| n | int | the source |" in section(page, "Columns")
    asked = section(page, "Models and prompts")
    assert "| m | 3 PromptedGenerator, 4 Asks, 5 PromptedFilter | see its maker's terms |" in asked
    assert f"{run.summary['journal']['calls']} replies, " in asked
    assert "````text\nExplain ```this``` |now|.\n````" in asked
    assert "What of {text}?" in asked
    limits = section(page, "Known limitations")
    assert (
        "* Step 1 Louder failed on 1 row (10 %), most with: ValueError: this text cannot be loud." in limits
    )
    assert "* Step 2 NotEnding dropped 11.1 % of its rows, most for: ends in 7." in limits
    assert "No licence was given" in limits
    assert "dataflow run solve.py:Solve --source in.jsonl" in section(page, "Making it again")


def test_the_examples_are_json(run: Run) -> None:
    first, second = section(card(run), "Examples").split("\n\n")
    shown = [json.loads(s.removeprefix("```json\n").removesuffix("\n```")) for s in (first, second)]
    assert shown == run.records[:2]


def test_long_cells_are_cut(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["x" * 5000])
    page = card(Steps(source, tmp_path, (Louder(), {})).run(progress=False))
    assert '"' + "x" * 300 + '…"' in page
    assert "x" * 301 not in page


def test_nothing_secret_and_no_folder_is_told(
    tmp_path: Path, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DF_API_KEY", KEY)
    page = card(judged(tmp_path, server).run(progress=False))
    for secret in (KEY, str(tmp_path), server.base_url, "127.0.0.1"):
        assert secret not in page


def test_a_preview_says_that_it_is_one(tmp_path: Path, server: FaultyServer) -> None:
    page = card(judged(tmp_path, server).preview(3))
    assert "A preview: only the first 3 rows" in page
    assert "configs" not in head_of(page)


def test_the_card_of_a_run_that_asked_nothing_again_names_its_models(
    tmp_path: Path, server: FaultyServer
) -> None:
    pipeline = judged(tmp_path, server)
    first = card(pipeline.run(progress=False))
    again = card(pipeline.run(progress=False))
    assert section(again, "Models and prompts") == section(first, "Models and prompts")
    assert section(again, "What became of the rows") == section(first, "What became of the rows")


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_it_is_made_from_the_file_alone(tmp_path: Path, server: FaultyServer, kind: str) -> None:
    run = judged(tmp_path, server, cache_type=kind).run(progress=False)
    page = card(run)
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    tmp_path.rename(moved)
    assert card(load(moved / "cache/p")) == page


def test_a_table_that_is_gone_is_told(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a"])
    run = Steps(source, tmp_path, (Louder(), {})).run(progress=False)
    assert run.path is not None
    run.path.unlink()
    for stage in run.stages:
        stage.remove()
    with pytest.raises(StorageError, match="run the pipeline again"):
        card(load(run.run_dir))


def test_pipelines_without_models_or_source_have_cards(tmp_path: Path, server: FaultyServer) -> None:
    source = lines(tmp_path / "in.jsonl", ["a b", "c"])
    plain = card(Steps(source, tmp_path / "a", (Backwards(), {})).run(progress=False))
    assert "## Models and prompts" not in plain
    assert "synthetic" not in plain
    made = card(Steps("", tmp_path / "b", (Topics(llm_serving=chat(server)), {})).run(progress=False))
    assert "* source: none: the rows were made" in made
    assert "--source" not in made


def test_markup_in_the_data_stays_text(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", [{"text": "a\n```\n| b |", "a|b": "<script>"}])
    page = card(Steps(source, tmp_path, (Louder(), {})).run(progress=False), title="a|b <x>\n---")
    assert "# a\\|b \\<x\\> ---\n" in page
    assert "| a\\|b | text | the source |" in page
    assert head_of(page)["pretty_name"] == "a|b <x>\n---"


AWKWARD = ["no", "On", "null", "~", "1.5", "007", "2020-01-01", "- a", "a: b", "#x", "'", '"', "\\", "", " a", "a\n\nb",
           "\x00\x07\x7f\x85", "\u2028\ufeff\uffff", "😀 é 文", "\ud800", "*a", "&a", "!a", "%a", "@a", "`a", "{a", "0x1f", "1_000", "=", "<<"]  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_stay_texts_in_the_head(text: str) -> None:
    assert yaml.safe_load(scalar(text)) == text.replace("\ud800", "\ufffd")
    if text != "\ud800":
        assert yaml.safe_load(front_matter({"a": {text: [text, {"b": text or "c"}]}}).strip("-")) == {
            "a": {text: [text, {"b": text or "c"}]}
        }


@given(st.dictionaries(st.text(min_size=1), st.lists(st.text() | st.integers() | st.booleans(), min_size=1)))
def test_any_text_stays_itself_in_the_head(values: dict[str, Any]) -> None:
    page = front_matter(values | {"last": "x"})
    assert yaml.safe_load(page.removeprefix("---\n").removesuffix("\n---")) == values | {"last": "x"}


@given(st.text(alphabet=string.printable))
def test_words_without_quotes_are_texts(text: str) -> None:
    assert yaml.safe_load(scalar(text)) == text


def test_columns_are_declared_where_each_is_known() -> None:
    known = {
        "a": pl.Float32(), "b": pl.Boolean(), "c": pl.List(pl.List(pl.Int64())), "d": pl.Date(), "e": pl.Datetime("us"),
        "f": pl.List(pl.Struct({"role": pl.String(), "content": pl.String()})), "g": pl.Struct({"x": pl.UInt8()}), "h": pl.Null(),
    }  # fmt: skip
    message = [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]
    assert features(pl.Schema(known)) == [
        {"name": "a", "dtype": "float32"},
        {"name": "b", "dtype": "bool"},
        {"name": "c", "list": {"list": "int64"}},
        {"name": "d", "dtype": "date32"},
        {"name": "e", "dtype": "timestamp[us]"},
        {"name": "f", "list": message},
        {"name": "g", "struct": [{"name": "x", "dtype": "uint8"}]},
        {"name": "h", "dtype": "null"},
    ]
    for odd in (JSON, pl.List(JSON), pl.Duration(), pl.Decimal(10, 2), pl.Struct({"x": JSON})):
        assert features(pl.Schema({"a": pl.String(), "b": odd})) is None


@pytest.mark.parametrize(
    ("rows", "category"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (123_456, "100K<n<1M"), (5_000_000_000, "n>1B")],
)
def test_sizes_fall_into_classes(rows: int, category: str) -> None:
    assert size_category(rows) == category
