"""Training data for models that turn questions into SQL, out of databases."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import EmbeddingDeduplicateFilter
from dataflow.operators.text2sql import (
    DatabaseSplitGenerator,
    SQLByColumnGenerator,
    SQLComponentClassifier,
    SQLDeduplicateFilter,
    SQLExecutabilityFilter,
    SQLExecutionClassifier,
    SQLExecutionFilter,
    SQLGenerator,
    SQLResultFilter,
    SQLVariationGenerator,
    Text2SQLCorrespondenceFilter,
    Text2SQLCoTGenerator,
    Text2SQLCoTVotingGenerator,
    Text2SQLDatasetEvaluator,
    Text2SQLMessagesGenerator,
    Text2SQLPromptGenerator,
    Text2SQLQuestionGenerator,
    Text2SQLSpiderGenerator,
)
from dataflow.pipeline import PipelineABC
from dataflow.prompts.text2sql import (
    SelectVecSQLGeneratorPrompt,
    Text2VecSQLPromptGeneratorPrompt,
    Text2VecSQLQuestionGeneratorPrompt,
)
from dataflow.serving import APILLMServing, LocalEmbeddingServing
from dataflow.storage import FileStorage
from dataflow.zoo._databases import connected, example_databases, example_vectors
from dataflow.zoo._examples import TEXT2SQL

COMPONENT = "sql_component_difficulty"
EXECUTION = "sql_execution_difficulty"


class _QuestionsForSQL(PipelineABC):
    """What the pipelines share: from queries to questions, reasoning, difficulty and the formats of trainers."""

    def _prepare(self, llm: Any, embedding: Any, candidates: int, samples: int, tries: int, seed: int) -> None:
        databases, dialect = self.databases, self.databases.dialect
        self.executable = SQLExecutabilityFilter(databases)
        self.result = SQLResultFilter(databases)
        self.distinct = SQLDeduplicateFilter(dialect=dialect)
        self.ask = Text2SQLQuestionGenerator(llm, embedding, databases, candidates, seed=seed)
        self.correspond = Text2SQLCorrespondenceFilter(llm, databases)
        self.different = EmbeddingDeduplicateFilter(embedding, 0.95)
        self.prompt = Text2SQLPromptGenerator(databases)
        self.reason = Text2SQLCoTGenerator(llm, databases, sampling_num=samples)
        self.vote = Text2SQLCoTVotingGenerator(databases, seed=seed)
        self.component = SQLComponentClassifier([2, 4, 6], ["easy", "medium", "hard", "extra"], dialect=dialect)
        self.execution = SQLExecutionClassifier(llm, databases, tries, *_bounds(tries))
        self.messages = Text2SQLMessagesGenerator()
        self.spider = Text2SQLSpiderGenerator(dialect=dialect)
        self.split = DatabaseSplitGenerator(database_manager=databases, seed=seed)
        self.count = Text2SQLDatasetEvaluator(dialect=dialect)
