"""What cases of text2sql cannot say: what is asked, what is drawn, how often a database is called, and bad settings."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from text2sql_cases import ALIASED, ALL, CUPS, Placed, fence, tagged
from text2sql_databases import DATABASES

from dataflow.core.errors import ConfigError
from dataflow.core.frames import records
from dataflow.core.prompt import DIYPromptABC
from dataflow.databases.manager import DatabaseManager
from dataflow.operators.text2sql import (
    DatabaseSplitGenerator,
    SQLByColumnGenerator,
    SQLComponentClassifier,
    SQLExecutionClassifier,
    SQLExecutionFilter,
    SQLGenerator,
    SQLVariationGenerator,
    Text2SQLCorrespondenceFilter,
    Text2SQLCoTGenerator,
    Text2SQLCoTVotingGenerator,
    Text2SQLDatasetEvaluator,
    Text2SQLPromptGenerator,
    Text2SQLQuestionGenerator,
)
from dataflow.operators.text2sql.formats import query_tokens
from dataflow.pipeline import PipelineABC
from dataflow.prompts.text2sql import (
    SelectSQLGeneratorPrompt,
    SelectVecSQLGeneratorPrompt,
    SQLVariationGeneratorPrompt,
    Text2SQLQuestionGeneratorPrompt,
    Text2VecSQLPromptGeneratorPrompt,
    Text2VecSQLQuestionGeneratorPrompt,
)
from dataflow.prompts.text2sql.dialects import NAMES, functions_of
from dataflow.storage import FileStorage
from dataflow.testing import ScriptedServing
from dataflow.testing.cases import run_rows

SQL = fence("SELECT 1")


class Counting(DatabaseManager):
    """Counts the batches it is given."""

    batches = 0

    def batch_execute_queries(self, queries: Any) -> Any:
        self.batches += 1
        return super().batch_execute_queries(queries)


def counting() -> Counting:
    return Counting("sqlite", DATABASES._config, limits=DATABASES.limits)


# What is drawn


def asked_of(seed: int, count: int = 40) -> tuple[list[str], list[str]]:
    llm = ScriptedServing(SQL)
    done = run_rows(SQLGenerator(llm, DATABASES, count, seed=seed), [])
    return [r["sql_complexity_type"] for r in records(done.frame)], sorted(llm.prompts)


def test_draws_hang_on_the_seed_and_the_row() -> None:
    levels, prompts = asked_of(1)
    assert asked_of(1) == (levels, prompts)
    assert asked_of(2)[1] != prompts
    assert asked_of(1, 10)[0][:10] == levels[:10]
    assert set(levels) == set(SelectSQLGeneratorPrompt.levels)
    assert len(set(prompts)) > 65, "few prompts are the same"


def test_each_column_is_asked_about() -> None:
    llm = ScriptedServing(SQL)
    run_rows(SQLByColumnGenerator(llm, DATABASES, 2), [])
    about = Counter(p.split("about the column ")[1].split(":")[0] for p in llm.prompts)
    assert about["animal.common name"] == about["sale.pieces"] == 2
    assert len(about) == 11


def test_all_styles_and_strategies_are_drawn() -> None:
    rows = [{"SQL": f"SELECT {i}", "db_id": "shop"} for i in range(120)]
    llm = ScriptedServing(tagged("Q?"))
    styles = run_rows(Text2SQLQuestionGenerator(llm, None, DATABASES, 1), rows).frame["question_type"]
    assert set(styles) == set(Text2SQLQuestionGeneratorPrompt().styles)
    assert all(("EXTERNAL" in p) == ("Vague" in p or "Metaphorical" in p) for p in llm.prompts)
    made = run_rows(SQLVariationGenerator(ScriptedServing(SQL), DATABASES, 6), rows[10:15]).frame
    kinds = made["sql_variation_type"].to_list()
    assert all(set(kinds[i : i + 6]) == set(SQLVariationGeneratorPrompt.strategies) for i in range(0, 30, 6))


def test_a_style_may_be_chosen() -> None:
    prompt = Text2SQLQuestionGeneratorPrompt(["Dialogue"])
    assert prompt.build_prompt("SELECT 1", "shop", {}, "sqlite")[1] == "Dialogue"
    with pytest.raises(ConfigError, match="Rude"):
        Text2SQLQuestionGeneratorPrompt(["Rude"])


# What is asked


@pytest.mark.parametrize("dialect", NAMES)
def test_functions_are_those_of_the_engine(dialect: str) -> None:
    lines = functions_of(dialect)
    assert len(set(lines)) == len(lines) > 50
    assert all(": " in line and "(" in line.partition(": ")[0] for line in lines)
    text, _ = SelectSQLGeneratorPrompt().build_prompt([], ["CREATE TABLE a (b)"], NAMES[dialect])
    assert f"one {NAMES[dialect]} query" in text


def names_of(dialect: str) -> set[str]:
    return {line.partition("(")[0].strip().lower() for line in functions_of(dialect)}


def test_sqlite_has_the_functions() -> None:
    have = {row[0] for row in sqlite3.connect(":memory:").execute("SELECT name FROM pragma_function_list")}
    spelled = {"iif", "coalesce", "ifnull"}  # turned into other code by the parser
    newer = {"concat", "concat_ws", "format", "unixepoch"}
    assert names_of("sqlite") - have - spelled - newer == set()


def test_duckdb_has_the_functions() -> None:
    duckdb = pytest.importorskip("duckdb")
    have = {r[0] for r in duckdb.sql("SELECT function_name FROM duckdb_functions()").fetchall()}
    windows = {
        "row_number",
        "rank",
        "dense_rank",
        "percent_rank",
        "cume_dist",
        "ntile",
        "lag",
        "lead",
        "first_value",
        "last_value",
    }
    assert names_of("duckdb") - have - windows - {"coalesce", "nullif"} == set()


def test_prompts_tell_of_the_database() -> None:
    llm = ScriptedServing(tagged("Q?"))
    run_rows(Text2SQLQuestionGenerator(llm, None, DATABASES, 1), [{"SQL": CUPS, "db_id": "shop"}])
    assert "product.kind: TEXT; such as kitchen, living" in llm.prompts[0]
    assert "sale.day" not in llm.prompts[0], "only the tables of the query"
    made = run_rows(
        Text2SQLPromptGenerator(DATABASES), [{"question": "Which?", "db_id": "shop", "evidence": math.nan}]
    )
    (prompt,) = made.frame["prompt"]
    assert "nan" not in prompt.lower()
    assert "product" in prompt
    assert "Write a SQLite query" in prompt


def test_evidence_comes_before_the_question() -> None:
    rows = [{"question": "Which?", "db_id": "shop", "evidence": "cheap is below 10", "SQL": CUPS}]
    (prompt,) = run_rows(Text2SQLPromptGenerator(DATABASES), rows).frame["prompt"]
    llm = ScriptedServing("```\nYES\n```")
    run_rows(Text2SQLCorrespondenceFilter(llm, DATABASES), rows)
    run_rows(Text2SQLCoTGenerator(llm, DATABASES), rows)
    assert all("<question>\ncheap is below 10\nWhich?\n" in p for p in [prompt, *llm.prompts])


def test_prompts_for_vectors_work_with_the_operators() -> None:
    llm = ScriptedServing(SQL)
    made = run_rows(SQLGenerator(llm, DATABASES, 1, SelectVecSQLGeneratorPrompt()), []).frame
    assert made["sql_complexity_type"].to_list() == [None, None]
    assert all("lembed" in str(r.messages[0]["content"]) for r in llm.requests)
    row = {"SQL": CUPS, "db_id": "shop", "question": None, "evidence": None}
    asks = Text2SQLQuestionGenerator(
        ScriptedServing(tagged("Q?")), None, DATABASES, 1, Text2VecSQLQuestionGeneratorPrompt()
    )
    assert run_rows(asks, [row]).frame["question"].to_list() == ["Q?"]
    prompts = Text2SQLPromptGenerator(DATABASES, Text2VecSQLPromptGeneratorPrompt())
    (prompt,) = run_rows(prompts, [{**row, "question": "Which?"}]).frame["prompt"]
    assert "```sql" in prompt
    assert "{" not in prompt.replace("【", "")


class Short(DIYPromptABC):
    """A prompt of a user, whose parameters have names of their own."""

    def build_prompt(self, rows: list[str], tables: list[str], engine: str) -> str:
        return f"{engine}: {len(rows)} rows, {len(tables)} tables"


def test_prompts_of_users_are_taken() -> None:
    llm = ScriptedServing(SQL)
    run_rows(SQLGenerator(llm, DATABASES, 1, Short()), [])
    assert sorted(llm.prompts) == ["SQLite: 2 rows, 1 tables", "SQLite: 4 rows, 2 tables"]
    with pytest.raises(TypeError, match="Invalid prompt_template"):
        SQLGenerator(llm, DATABASES, 1, SQLVariationGeneratorPrompt())


# Databases and servings


def test_the_queries_of_a_table_are_one_batch() -> None:
    databases = counting()
    rows = [{"SQL": f"SELECT {i}", "db_id": "shop"} for i in range(1000)]
    assert run_rows(SQLExecutionFilter(databases), rows).frame.height == 1000
    assert databases.batches == 1
    found = {"db_id": "shop", "SQL": CUPS, "prompt": "p"}
    run_rows(SQLExecutionClassifier(ScriptedServing(fence(CUPS), fence(ALIASED)), databases), [found] * 20)
    run_rows(
        Text2SQLCoTVotingGenerator(databases), [{"cot_responses": [SQL, fence(ALL)], "db_id": "shop"}] * 20
    )
    assert databases.batches == 3


def test_the_embedding_model_is_asked_only_where_it_decides() -> None:
    embedding = Placed()
    for count in (1, 2):
        llm = ScriptedServing(tagged("q 1"), tagged("q 2"))
        run_rows(
            Text2SQLQuestionGenerator(llm, embedding, DATABASES, count), [{"SQL": CUPS, "db_id": "shop"}]
        )
    assert not hasattr(embedding, "embedded")
    faults = list(Text2SQLQuestionGenerator(llm, None, DATABASES, 3).check(None))  # type: ignore[arg-type]
    assert [name for name, _ in faults] == ["embedding_serving"]


def test_a_lost_embedding_fails_the_row() -> None:
    class Lost(ScriptedServing):
        async def embed(self, texts: Any, scope: Any) -> Any:
            return [None for _ in texts]

    op = Text2SQLQuestionGenerator(ScriptedServing(tagged("q")), Lost(), DATABASES, 3)
    done = run_rows(op, [{"SQL": CUPS, "db_id": "shop"}])
    assert "no vector" in done.failed["error"][0]


# Settings and columns


def test_samples_are_more_than_the_last_threshold() -> None:
    llm = ScriptedServing("x")
    assert SQLExecutionClassifier(llm, DATABASES).samples == 10
    assert SQLExecutionClassifier(llm, DATABASES, 5).samples == 10
    assert SQLExecutionClassifier(llm, DATABASES, 12, [1, 12], ["a", "b", "c"]).samples == 15


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([2, 4], ["a", "b"]), "need 3 labels"),
        (([4, 2], ["a", "b", "c"]), "must rise"),
        (([4], ["a", "b"], "spider"), "four labels"),
    ],
)
def test_labels_must_fit(given: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SQLComponentClassifier(*given)


def test_the_replies_may_go_to_a_column_of_another_name() -> None:
    op = Text2SQLCoTGenerator(ScriptedServing("x"), DATABASES)
    assert op.bind().returned == op.bind(output_cot_key="cot_reasoning").returned == "cot_responses"
    assert op.bind(output_cot_key="samples").returned == "samples"


def test_a_split_has_no_database_twice() -> None:
    ids = [f"db{i % 17}" for i in range(500)] + ["shop"] * 40 + ["copy"] * 20
    splits = [DatabaseSplitGenerator(0.2, seed=seed).select(ids) for seed in range(5)]
    for split in splits:
        cells = split.columns["output_split_key"]
        where = {(db_id, cell) for db_id, cell in zip(ids, cells, strict=True)}
        assert len(where) == len(set(ids))
        assert 0.15 < cells.count("dev") / len(cells) < 0.25
    assert len({json.dumps(s.columns) for s in splits}) > 1


def test_counts_of_a_data_set() -> None:
    op = Text2SQLDatasetEvaluator(most=1)
    joined = "SELECT p.name FROM product p JOIN sale s ON s.product_id = p.id"
    rows = [
        {"SQL": CUPS, "db_id": "shop", "level": "easy"},
        {"SQL": joined, "db_id": "shop", "level": "hard"},
        {"SQL": "SELECT FROM WHERE", "db_id": "city-zoo", "level": None},
    ]
    made = run_rows(op, rows, input_difficulty_key="level").metrics
    assert made["database"] == {"shop": 2, "other": 1}
    assert made["difficulty"] == {"easy": 1, "other": 1}
    assert (made["unparsed"], made["rows"], made["dialect"]) == (1, 3, {"sqlite": 3})
    assert made["feature"] == {"conditions": 2, "joins": 1}


def test_tokens_of_a_query_are_words() -> None:
    texts, without = query_tokens("SELECT \"a b\" FROM t WHERE x = 'Don Juan' GROUP BY c", "sqlite")
    assert texts == ["SELECT", '"a b"', "FROM", "t", "WHERE", "x", "=", "'Don Juan'", "GROUP", "BY", "c"]
    assert without[7:] == ["value", "group", "by", "c"]


def test_columns_that_operators_mind_may_be_there_already(tmp_path: Path) -> None:
    """Rows that have a question keep it; variations have none: neither loses a value unseen."""
    source = tmp_path / "in.jsonl"
    source.write_text(
        json.dumps({"db_id": "shop", "SQL": CUPS, "question": "There?", "evidence": None}) + "\n"
    )

    class Asks(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(str(source), cache_path=str(tmp_path))
            self.ask = Text2SQLQuestionGenerator(ScriptedServing(tagged("Q?")), None, DATABASES, 1)
            self.vary = SQLVariationGenerator(ScriptedServing(SQL), DATABASES, 1, keep_original=True)

        def forward(self) -> None:
            self.ask.run(self.storage.step())
            self.vary.run(self.storage.step())

    rows = Asks().run(progress=False).records
    assert [(r["SQL"], r["question"]) for r in rows] == [(CUPS, "There?"), ("SELECT 1", None)]
