"""Web pages, encodings, tokens and decontamination: promises, reasons, and what cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from general_text_extract_cases import BODY, CASES, FILES, QUESTION

from dataflow.core.errors import ConfigError
from dataflow.core.operator import Operator
from dataflow.operators.general_text.decontamination import DecontaminationFilter, items_of
from dataflow.operators.general_text.token_count import TokenCountSampleEvaluator
from dataflow.operators.general_text.web_text import HtmlExtractRefiner, MojibakeRefiner
from dataflow.testing import check_operator
from dataflow.testing.cases import run_rows

FIRST = {type(c.op): c.op for c in reversed(CASES) if isinstance(c.op, Operator)}


@pytest.mark.parametrize("op", FIRST.values(), ids=lambda op: type(op).__name__)
def test_promises(op: Operator) -> None:
    check_operator(op)


@pytest.mark.parametrize("op", [HtmlExtractRefiner(), HtmlExtractRefiner(form="markdown", links=True)])
def test_awkward_pages(op: Operator) -> None:
    parts = ["\x00", "\ud800", "\u200d", "&#0;", "</p>", "<![CDATA[", "{}", "好", "\ufeff"]
    rows = [{"raw_content": BODY.replace("whale", p)} for p in parts]
    assert run_rows(op, rows).failed.height == 0


def test_encodings_are_mended_where_needed_and_in_place() -> None:
    rows = [{"raw_content": t} for t in ("a", None, "Ã©", "b", "Ã¨")]
    assert run_rows(MojibakeRefiner(), rows).frame["raw_content"].to_list() == ["a", None, "é", "b", "è"]


# Tokens


def test_a_tokenizer_that_is_not_there_is_told_before_anything_runs() -> None:
    op = TokenCountSampleEvaluator("no/such-model")
    ((parameter, message),) = op.check(op.bind())
    assert parameter == "tokenizer"
    assert "'no/such-model' is no file" in message
    with pytest.raises(ConfigError, match="Hugging Face cache"):
        run_rows(op, [{"raw_content": "a"}])


def test_a_file_that_is_no_tokenizer() -> None:
    with pytest.raises(ConfigError, match="is no tokenizer"):
        run_rows(TokenCountSampleEvaluator("answers.json"), [{"raw_content": "a"}])


def test_a_model_of_the_cache_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    repo = tmp_path / "models--some--model"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text("abc")
    (repo / "snapshots" / "abc").mkdir(parents=True)
    (repo / "snapshots" / "abc" / "tokenizer.json").write_text(FILES["whitespace/tokenizer.json"])
    done = run_rows(TokenCountSampleEvaluator("some/model"), [{"raw_content": "the whale"}])
    assert done.frame["token_count"].to_list() == [2]


# Decontamination


def test_a_dropped_row_is_told_the_file_and_the_run_of_words() -> None:
    op = DecontaminationFilter(("more.txt", "questions.jsonl"), 4)
    rows = [
        {"raw_content": f"é “{QUESTION}”"},
        {"raw_content": "call me, Ishmael,  some"},
        {"raw_content": None},
    ]
    assert run_rows(op, rows).dropped["reason"].to_list() == [
        "in questions.jsonl: How many whales did",
        "in more.txt: call me, Ishmael, some",
        "null",
    ]


def test_a_file_that_changed_is_read_again() -> None:
    rows = [{"raw_content": "some other words here"}]
    assert run_rows(DecontaminationFilter("more.txt", 3), rows).frame.height == 1
    Path("more.txt").write_text("Some other words, indeed, and more", "utf-8")
    assert run_rows(DecontaminationFilter("more.txt", 3), rows).frame.height == 0


def test_columns_of_parquet_are_read() -> None:
    pl.DataFrame({"q": ["a", None], "n": [1, 2], "c": [["b", "c"], []]}).write_parquet("x.parquet")
    assert items_of("x.parquet") == ["a", "b", "c"]
    assert items_of("x.parquet", ["c"]) == ["b", "c"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"eval_files": "absent.jsonl"}, "'absent.jsonl' cannot be read"),
        ({"eval_files": "broken.json"}, "'broken.json' cannot be read"),
        ({"eval_files": "questions.jsonl", "eval_fields": ("q",)}, "no field 'q'"),
    ],
)
def test_what_cannot_be_read_stops_the_run(settings: dict[str, Any], message: str) -> None:
    Path("broken.json").write_text("{", "utf-8")
    with pytest.raises(ConfigError, match=message):
        run_rows(DecontaminationFilter(**settings), [{"raw_content": "a"}])


def test_a_file_that_is_not_there_is_told_before_anything_runs() -> None:
    op = DecontaminationFilter(("more.txt", "absent.jsonl"))
    assert list(op.check(op.bind())) == [("eval_files", ": there is no file 'absent.jsonl'")]
