"""Training data for models that turn questions into SQL, out of databases."""

from __future__ import annotations

from typing import Any

from dataflow.databases.manager import DatabaseManager
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


class _Text2SQL(PipelineABC):
    """What the pipelines share: from queries to questions, reasoning, difficulty and the formats of trainers."""

    storage: FileStorage

    def _prepare(
        self,
        llm: Any,
        embedding: Any,
        databases: DatabaseManager,
        *,
        candidates: int,
        samples: int,
        tries: int,
        seed: int,
    ) -> None:
        dialect = databases.dialect
        self.databases, self.llm_serving, self.embedding_serving = databases, llm, embedding
        self.executable = SQLExecutabilityFilter(databases)
        self.result = SQLResultFilter(databases)
        self.distinct = SQLDeduplicateFilter(dialect=dialect)
        self.ask = Text2SQLQuestionGenerator(llm, embedding, databases, candidates, seed=seed)
        self.correspond = Text2SQLCorrespondenceFilter(llm, databases)
        self.different = EmbeddingDeduplicateFilter(embedding, 0.95)
        self.prompt = Text2SQLPromptGenerator(databases)
        self.reason = Text2SQLCoTGenerator(llm, databases, sampling_num=samples)
        self.vote = Text2SQLCoTVotingGenerator(databases, seed=seed)
        self.component = SQLComponentClassifier(
            [2, 4, 6], ["easy", "medium", "hard", "extra"], dialect=dialect
        )
        self.execution = SQLExecutionClassifier(llm, databases, tries)
        self.messages = Text2SQLMessagesGenerator()
        self.spider = Text2SQLSpiderGenerator(dialect=dialect)
        self.split = DatabaseSplitGenerator(database_manager=databases, seed=seed)
        self.count = Text2SQLDatasetEvaluator(dialect=dialect)

    def _checked(self) -> None:
        """Only queries that run, give something, and are not there yet."""
        self.executable.run(self.storage.step())
        self.result.run(self.storage.step())
        self.distinct.run(self.storage.step())

    def _asked(self) -> None:
        """A question for each query, that it answers and no other row asks."""
        self.ask.run(self.storage.step())
        self.correspond.run(self.storage.step())
        self.different.run(self.storage.step(), input_key="question")

    def _reasoned(self) -> None:
        """The prompt, and reasoning that arrives at the result of the query."""
        self.prompt.run(self.storage.step())
        self.reason.run(self.storage.step())
        self.vote.run(self.storage.step(), input_sql_key="SQL")

    def _finished(self, cot: str | None = "cot_reasoning") -> None:
        """Difficulty, formats of trainers, split by database, and counts."""
        self.component.run(self.storage.step())
        self.execution.run(self.storage.step())
        self.messages.run(self.storage.step(), input_cot_key=cot)
        self.spider.run(self.storage.step(), input_evidence_key="evidence")
        self.split.run(self.storage.step())
        self.count.run(
            self.storage.step(),
            input_difficulty_key="sql_component_difficulty",
            input_execution_difficulty_key="sql_execution_difficulty",
            input_question_type_key="question_type",
            input_split_key="split",
        )


class Text2SQLGeneration_APIPipeline(_Text2SQL):  # noqa: N801  # the name that published pipelines use
    """Make training data for Text-to-SQL out of databases: queries, questions, reasoning, difficulty.

    Args:
        llm_serving: the model that writes queries, questions and reasoning, judges and tries; `gpt-4o-mini` where left out.
        embedding_serving: the model that tells which questions are alike; the built-in one where left out.
        database_manager: the databases; those of `databases` where left out.
        databases: a folder of database files, or the address of a server; two examples where left out.
        db_type: the kind of the databases, where it is not in the address.
        generate_num: how many queries are written for each database.
        question_candidates_num: of how many questions the most typical is taken.
        sampling_num: how many times the model reasons about a question.
        num_generations: how many times the model tries to find each query, to tell how hard it is.
        seed: changes what is drawn.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        embedding_serving: Any = None,
        *,
        database_manager: DatabaseManager | None = None,
        databases: str = "",
        db_type: str = "sqlite",
        generate_num: int = 2,
        question_candidates_num: int = 3,
        sampling_num: int = 3,
        num_generations: int = 10,
        seed: int = 0,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage("", cache_path=cache_path, file_name_prefix="text2sql", cache_type="jsonl")
        llm = llm_serving or APILLMServing(model_name="gpt-4o-mini", temperature=0.8, max_workers=32)
        found = connected(database_manager, databases, db_type, None, lambda: example_databases(cache_path))
        self.generate = SQLGenerator(llm, found, generate_num, seed=seed)
        self._prepare(
            llm, embedding_serving or LocalEmbeddingServing(), found,
            candidates=question_candidates_num, samples=sampling_num, tries=num_generations, seed=seed,
        )  # fmt: skip

    def forward(self) -> None:
        self.generate.run(self.storage.step())
        self._checked()
        self._asked()
        self._reasoned()
        self._finished()


class Text2SQLRefine_APIPipeline(_Text2SQL):  # noqa: N801  # the name that published pipelines use
    """Make more training data for Text-to-SQL out of what there is: checked, varied, and asked anew.

    Args:
        llm_serving: the model that varies queries, writes questions and reasoning, judges and tries; `gpt-4o-mini` where
            left out.
        embedding_serving: the model that tells which questions are alike; the built-in one where left out.
        database_manager: the databases; those of `databases` where left out.
        databases: a folder of database files, or the address of a server; two examples where left out.
        db_type: the kind of the databases, where it is not in the address.
        num_variations: how many variations of each query are asked for.
        keep_original: whether the rows of the source that pass the checks stay too.
        question_candidates_num: of how many questions the most typical is taken.
        sampling_num: how many times the model reasons about a question.
        num_generations: how many times the model tries to find each query, to tell how hard it is.
        seed: changes what is drawn.
        source: a table with the columns `db_id`, `question` and `SQL`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        embedding_serving: Any = None,
        *,
        database_manager: DatabaseManager | None = None,
        databases: str = "",
        db_type: str = "sqlite",
        num_variations: int = 3,
        keep_original: bool = False,
        question_candidates_num: int = 3,
        sampling_num: int = 3,
        num_generations: int = 10,
        seed: int = 0,
        source: str = TEXT2SQL,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="text2sql_refine", cache_type="jsonl"
        )
        llm = llm_serving or APILLMServing(model_name="gpt-4o-mini", temperature=0.8, max_workers=32)
        found = connected(database_manager, databases, db_type, None, lambda: example_databases(cache_path))
        self.known = SQLExecutabilityFilter(found)
        self.consistent = Text2SQLCorrespondenceFilter(llm, found)
        self.vary = SQLVariationGenerator(llm, found, num_variations, keep_original=keep_original, seed=seed)
        self._prepare(
            llm, embedding_serving or LocalEmbeddingServing(), found,
            candidates=question_candidates_num, samples=sampling_num, tries=num_generations, seed=seed,
        )  # fmt: skip

    def forward(self) -> None:
        self.known.run(self.storage.step())
        self.consistent.run(self.storage.step(), input_evidence_key="")
        self.vary.run(self.storage.step())
        self._checked()
        self._asked()
        self._reasoned()
        self._finished()


class Text2VecSQLGeneration_APIPipeline(_Text2SQL):  # noqa: N801  # the name that published pipelines use
    """Make training data for SQL that searches vectors: queries about each vector column, questions, difficulty.

    Args:
        llm_serving: the model that writes queries and questions, and tries; `gpt-4o-mini` where left out.
        embedding_serving: the model that made the vectors, which also tells which questions are alike; the built-in one
            where left out.
        database_manager: the databases; those of `databases` where left out.
        databases: a folder of SQLite files with tables of sqlite-vec; an example where left out.
        generate_num: how many queries are written for each vector column.
        question_candidates_num: of how many questions the most typical is taken.
        num_generations: how many times the model tries to find each query, to tell how hard it is.
        seed: changes what is drawn.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        embedding_serving: Any = None,
        *,
        database_manager: DatabaseManager | None = None,
        databases: str = "",
        generate_num: int = 2,
        question_candidates_num: int = 5,
        num_generations: int = 10,
        seed: int = 0,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            "", cache_path=cache_path, file_name_prefix="text2vecsql", cache_type="jsonl"
        )
        llm = llm_serving or APILLMServing(model_name="gpt-4o-mini", temperature=0.8, max_workers=32)
        embedding = embedding_serving or LocalEmbeddingServing()
        found = connected(
            database_manager, databases, "sqlite-vec", embedding, lambda: example_vectors(cache_path)
        )
        self.generate = SQLByColumnGenerator(
            llm, found, generate_num, SelectVecSQLGeneratorPrompt(), seed=seed
        )
        self._prepare(
            llm,
            embedding,
            found,
            candidates=question_candidates_num,
            samples=1,
            tries=num_generations,
            seed=seed,
        )
        prompt = Text2VecSQLQuestionGeneratorPrompt()
        self.ask = Text2SQLQuestionGenerator(
            llm, embedding, found, question_candidates_num, prompt, seed=seed
        )
        self.prompt = Text2SQLPromptGenerator(found, Text2VecSQLPromptGeneratorPrompt())
        self.runs = SQLExecutionFilter(found)

    def forward(self) -> None:
        self.generate.run(self.storage.step())
        self.runs.run(self.storage.step())
        self.distinct.run(self.storage.step())
        self.ask.run(self.storage.step())
        self.different.run(self.storage.step(), input_key="question")
        self.prompt.run(self.storage.step())
        self._finished(cot=None)
