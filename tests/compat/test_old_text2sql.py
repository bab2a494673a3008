"""Pipelines for Text-to-SQL in the style of open-dataflow 1.x: plain classes, every key named."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dataflow.operators.text2sql import (
    SQLComponentClassifier,
    SQLExecutabilityFilter,
    SQLExecutionClassifier,
    SQLGenerator,
    SQLVariationGenerator,
    Text2SQLCorrespondenceFilter,
    Text2SQLCoTGenerator,
    Text2SQLCoTVotingGenerator,
    Text2SQLPromptGenerator,
    Text2SQLQuestionGenerator,
)
from dataflow.prompts.text2sql import (
    SelectSQLGeneratorPrompt,
    SQLVariationGeneratorPrompt,
    Text2SQLCorrespondenceFilterPrompt,
    Text2SQLCotGeneratorPrompt,
    Text2SQLPromptGeneratorPrompt,
    Text2SQLQuestionGeneratorPrompt,
)
from dataflow.testing import ScriptedServing
from dataflow.utils.storage import FileStorage
from dataflow.utils.text2sql.database_manager import DatabaseManager

SQL = "```sql\nSELECT name FROM cat WHERE age > 3;\n```"


def model(prompt: str) -> str:
    if "Write the question" in prompt:
        return "[EXPLANATION-START]x[EXPLANATION-END][QUESTION-START]Which cats are old?[QUESTION-END]"
    return "```\nYES\n```" if "Does the query answer" in prompt else SQL


class Text2SQL:
    def __init__(self, source: str, folder: Path) -> None:
        self.storage = FileStorage(
            first_entry_file_name=source,
            cache_path=str(folder / "cache"),
            file_name_prefix="step",
            cache_type="jsonl",
        )
        llm = embedding = ScriptedServing(by=model)
        manager = DatabaseManager(db_type="sqlite", config={"root_path": str(folder / "databases")})
        self.generator = SQLGenerator(
            llm_serving=llm,
            database_manager=manager,
            generate_num=2,
            prompt_template=SelectSQLGeneratorPrompt(),
        )
        self.variation = SQLVariationGenerator(
            llm_serving=llm,
            database_manager=manager,
            num_variations=3,
            prompt_template=SQLVariationGeneratorPrompt(),
        )
        self.executability = SQLExecutabilityFilter(database_manager=manager)
        self.question = Text2SQLQuestionGenerator(
            llm_serving=llm,
            embedding_serving=embedding,
            database_manager=manager,
            question_candidates_num=3,
            prompt_template=Text2SQLQuestionGeneratorPrompt(),
        )
        self.correspondence = Text2SQLCorrespondenceFilter(
            llm_serving=llm, database_manager=manager, prompt_template=Text2SQLCorrespondenceFilterPrompt()
        )
        self.prompt = Text2SQLPromptGenerator(
            database_manager=manager, prompt_template=Text2SQLPromptGeneratorPrompt()
        )
        self.cot = Text2SQLCoTGenerator(
            llm_serving=llm, database_manager=manager, prompt_template=Text2SQLCotGeneratorPrompt()
        )
        self.voting = Text2SQLCoTVotingGenerator(database_manager=manager)
        self.component = SQLComponentClassifier(
            difficulty_thresholds=[2, 4, 6], difficulty_labels=["easy", "medium", "hard", "extra"]
        )
        self.execution = SQLExecutionClassifier(
            llm_serving=llm,
            database_manager=manager,
            num_generations=10,
            difficulty_thresholds=[2, 5, 9],
            difficulty_labels=["extra", "hard", "medium", "easy"],
        )

    def forward(self, *, refine: bool) -> None:
        sql, db_id, question = "SQL", "db_id", "question"
        pair = {"input_sql_key": sql, "input_db_id_key": db_id}
        asked = {"input_question_key": question, "input_evidence_key": "evidence", "input_db_id_key": db_id}
        if refine:
            self.executability.run(storage=self.storage.step(), **pair)
            self.variation.run(
                storage=self.storage.step(), **pair, output_sql_variation_type_key="sql_variation_type"
            )
        else:
            self.generator.run(
                storage=self.storage.step(),
                output_sql_key=sql,
                output_db_id_key=db_id,
                output_sql_complexity_key="sql_complexity_type",
            )
        self.executability.run(storage=self.storage.step(), **pair)
        self.question.run(
            storage=self.storage.step(), **pair, output_question_key=question, output_evidence_key="evidence"
        )
        self.correspondence.run(storage=self.storage.step(), input_sql_key=sql, **asked)
        self.prompt.run(storage=self.storage.step(), **asked, output_prompt_key="prompt")
        self.cot.run(storage=self.storage.step(), input_sql_key=sql, **asked, output_cot_key="cot_reasoning")
        self.voting.run(
            storage=self.storage.step(),
            input_cot_responses_key="cot_responses",
            input_db_id_key=db_id,
            output_cot_key="cot_reasoning",
        )
        self.component.run(
            storage=self.storage.step(), input_sql_key=sql, output_difficulty_key="sql_component_difficulty"
        )
        self.execution.run(
            storage=self.storage.step(),
            **pair,
            input_prompt_key="prompt",
            output_difficulty_key="sql_execution_difficulty",
        )


@pytest.mark.parametrize(("refine", "rows", "steps"), [(False, 2, 9), (True, 3, 10)])
def test_a_published_pipeline(tmp_path: Path, refine: bool, rows: int, steps: int) -> None:
    (tmp_path / "databases").mkdir()
    with closing(sqlite3.connect(tmp_path / "databases" / "cats.sqlite")) as database:
        database.executescript(
            "CREATE TABLE cat (name TEXT, age INTEGER); INSERT INTO cat VALUES ('Tom', 7), ('Ada', 2)"
        )
    source = tmp_path / "source.jsonl"
    given = {"db_id": "cats", "question": "Who?", "SQL": "SELECT name FROM cat"}
    source.write_text(json.dumps(given) + "\n" if refine else "")
    Text2SQL(str(source), tmp_path).forward(refine=refine)
    written = (tmp_path / "cache" / f"step_step{steps}.jsonl").read_text("utf-8").splitlines()
    made: list[dict[str, Any]] = [json.loads(line) for line in written]
    assert len(made) == rows
    for row in made:
        assert (row["db_id"], row["SQL"]) == ("cats", "SELECT name FROM cat WHERE age > 3")
        assert row["question"] == "Which cats are old?"
        assert row["cot_reasoning"] == SQL
        assert (row["sql_component_difficulty"], row["sql_execution_difficulty"]) == ("easy", "easy")
