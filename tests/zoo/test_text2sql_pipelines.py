"""The pipelines for Text-to-SQL on two real databases, by a model that knows them: only what is right remains."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from text2sql_model import HARBOUR, MOVIES, Knowing

from dataflow.databases.comparison import compare
from dataflow.databases.connector import Limits
from dataflow.databases.manager import DatabaseManager
from dataflow.operators.text2sql._databases import last_sql
from dataflow.testing import FaultyServer, ScriptedServing
from dataflow.zoo._databases import build
from dataflow.zoo._examples import DATA
from dataflow.zoo.text2sql import Text2SQLGeneration_APIPipeline, Text2SQLRefine_APIPipeline

SQL = list(MOVIES)
MISSED, HARD = frozenset({SQL[1]}), frozenset({SQL[3]})
MODEL = Knowing([MOVIES, HARBOUR], MISSED, HARD)
CLASSES = {SQL[0]: "easy", SQL[3]: "hard", list(HARBOUR)[3]: "easy", next(iter(HARBOUR)): "medium"}
WORKERS = 4
Rows = list[dict[str, Any]]


def movies() -> str:
    found = importlib.util.find_spec("bokeh_sampledata")
    if found is None or found.origin is None:
        pytest.skip("the films are in bokeh_sampledata")
    return str(Path(found.origin).parent / "_data" / "movies.db")


@pytest.fixture
def databases(tmp_path: Path) -> DatabaseManager:
    harbour = build(DATA / "harbour.sql", tmp_path / "made" / "harbour.sqlite")
    return DatabaseManager("sqlite", {"root_path": [movies(), str(harbour)]}, limits=Limits(seconds=1.0))


def assert_sound(rows: Rows, databases: DatabaseManager) -> None:
    """Every query runs and gives something, and so does that of its reasoning, which gives the same."""
    for row in rows:
        gold, found = databases.batch_execute_queries(
            [(row["db_id"], row["SQL"]), (row["db_id"], last_sql(row["cot_reasoning"]) or "")]
        )
        assert gold.row_count, row["SQL"]
        assert compare(found, gold), row["cot_reasoning"]
        assert row["messages"][-1]["content"] == row["cot_reasoning"]
        assert row["spider"]["query"] == row["SQL"]
        assert row["question"] in row["prompt"]


def test_generation(databases: DatabaseManager, tmp_path: Path) -> None:
    llm = ScriptedServing(by=MODEL)
    pipe = Text2SQLGeneration_APIPipeline(llm, llm, database_manager=databases, generate_num=30, cache_path=str(tmp_path))  # fmt: skip
    run = pipe.run(progress=False)

    rows = run.records
    assert_sound(rows, databases)
    kept = {row["SQL"]: row for row in rows}
    assert len(kept) == len(rows), "no query is there twice"
    assert kept.keys() == {*SQL[:5], *list(HARBOUR)[:4]} - MISSED
    assert {sql: kept[sql]["sql_component_difficulty"] for sql in CLASSES} == CLASSES
    assert {r["SQL"] for r in rows if r["sql_execution_difficulty"] == "extra"} == HARD
    assert {r["sql_execution_difficulty"] for r in rows} == {"easy", "extra"}
    assert len({r["split"] for r in rows if r["db_id"] == "movies"}) == 1, "no database is on both sides"
    assert {r["split"] for r in rows} == {"train", "dev"}

    why = {r["reason"].partition(":")[0] for r in run.dropped.to_dicts()}
    assert why == {
        "unknown name",
        "few rows",
        "timeout",
        "same query",
        "none gives the result of the reference",
    }
    counts = run.summary["steps"][-1]["metrics"]
    assert counts["rows"] == len(rows) == sum(counts["difficulty"].values())
    assert counts["database"] == {"harbour": 4, "movies": 4}


def test_refinement(databases: DatabaseManager, tmp_path: Path) -> None:
    source = tmp_path / "known.jsonl"
    given = [{"db_id": "movies", "question": q, "SQL": sql} for sql, q in MOVIES.items()]
    given.append({"db_id": "movies", "question": "Something else?", "SQL": SQL[0]})
    source.write_text("".join(json.dumps(row) + "\n" for row in given))
    llm = ScriptedServing(by=MODEL)
    pipe = Text2SQLRefine_APIPipeline(
        llm, llm, database_manager=databases, keep_original=True, source=str(source), cache_path=str(tmp_path)
    )
    rows = pipe.run(progress=False).records
    assert_sound(rows, databases)
    assert {r["SQL"] for r in rows} == {*SQL[:5]} - MISSED
    assert {r["sql_variation_type"] is None for r in rows} == {True, False}
    assert all(r["question"] == MOVIES[r["SQL"]] for r in rows)


SCRIPT = """
import sys
from dataflow.databases.connector import Limits
from dataflow.databases.manager import DatabaseManager
from dataflow.serving import APILLMServing
from dataflow.zoo.text2sql import Text2SQLGeneration_APIPipeline
url, cache, *paths = sys.argv[1:]
llm = APILLMServing(url, model_name="small", temperature=0.8, max_workers={workers})
databases = DatabaseManager("sqlite", {{"root_path": paths}}, limits=Limits(seconds=1.0))
Text2SQLGeneration_APIPipeline(llm, llm, database_manager=databases, generate_num=30, cache_path=cache).run(progress=False)
"""


def test_killed_and_run_again_it_pays_for_nothing_twice(tmp_path: Path) -> None:
    harbour = build(DATA / "harbour.sql", tmp_path / "harbour.sqlite")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(workers=WORKERS))

    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def started(cache: str, url: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(script), url, str(tmp_path / cache), str(harbour)], env=env
        )

    asked: Counter[str] = Counter()

    def reply(body: dict[str, Any]) -> str:
        prompt = body["messages"][-1]["content"]
        asked[prompt] += 1
        return MODEL(prompt)

    with FaultyServer(reply=reply, latency_s=0.05) as server:
        assert started("calm", server.url).wait(120) == 0
        needed = asked.copy()
        asked.clear()
        for share in (0.2, 0.6):
            process = started("storm", server.url)
            deadline = time.monotonic() + 60
            while asked.total() < share * needed.total() and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            assert process.wait(30) == -signal.SIGKILL
        assert started("storm", server.url).wait(120) == 0
    assert asked.keys() == needed.keys()
    assert (asked - needed).total() <= 2 * WORKERS, "only what was in flight at a kill is asked again"
    tables = [(tmp_path / cache / "text2sql_step16.jsonl").read_bytes() for cache in ("calm", "storm")]
    assert tables[0] == tables[1]
    assert len(tables[0].splitlines()) == 4
