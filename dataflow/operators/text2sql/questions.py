"""Questions that queries answer: written in many styles, and judged."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from random import Random
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field

from dataflow.core.asking import Ask, askers, readable
from dataflow.core.background import gathered
from dataflow.core.errors import CallError, ReplyError, RowError
from dataflow.core.frames import ROW, as_text, values
from dataflow.core.generate import Generate, check_serving, embed
from dataflow.core.outcome import Outcome, shown
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC, prompt_restrict
from dataflow.core.protocols import EmbeddingServing, Scope
from dataflow.core.replies import clip, without_thinking
from dataflow.core.rows import outcome
from dataflow.databases.manager import DatabaseManager
from dataflow.operators._lib.replies import read_object
from dataflow.operators.text2sql._databases import (
    Lost,
    asked_by,
    column_info,
    draw_for,
    evidence_text,
    filled,
    parted,
    schema_statements,
)
from dataflow.prompts.text2sql import (
    Text2SQLCorrespondenceFilterPrompt,
    Text2SQLQuestionGeneratorPrompt,
    Text2VecSQLQuestionGeneratorPrompt,
)
from dataflow.prompts.text2sql.answers import with_evidence
from dataflow.prompts.text2sql.questions import Correspondence

_QUESTION = Text2SQLQuestionGeneratorPrompt()
_CORRESPONDENCE = Text2SQLCorrespondenceFilterPrompt()
_FENCED = re.compile(r"```[^\n`]*\n?(.*?)```", re.DOTALL)
_VERDICT = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
Candidate = tuple[str, str]
"""A question, and what must be known for it."""


@prompt_restrict(Text2SQLQuestionGeneratorPrompt, Text2VecSQLQuestionGeneratorPrompt)
class Text2SQLQuestionGenerator(Generate):
    """Write the question that each query answers, the most typical of several candidates.

    One model call a candidate. The style is drawn by `seed` and the query. Of two candidates one is drawn; of three or
    more it is the medoid, the one whose embedding is nearest to those of the others. A row that has a question stays as it
    is, without a call; the row fails where no reply has both an explanation and a question.
    """

    embedding_serving: EmbeddingServing | None
    """The model that tells how alike candidates are; not needed for fewer than three."""
    database_manager: DatabaseManager
    """The databases."""
    question_candidates_num: int = Field(5, ge=1)
    """How many candidates are asked for."""
    prompt_template: (
        Text2SQLQuestionGeneratorPrompt | Text2VecSQLQuestionGeneratorPrompt | DIYPromptABC | None
    ) = None
    """What is asked; one that gives no style leaves that column null."""
    seed: int = 0
    """Changes which style each row gets."""

    input_sql_key = In("SQL", "the query")
    input_db_id_key = In("db_id", "its database", type="any")
    output_question_key = Out("question", "the question", takes_over=True)
    output_evidence_key = Out(
        "evidence", "what must be known for it, where its style needs that", takes_over=True
    )
    output_question_type_key = Out("question_type", "its style", takes_over=True)

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _QUESTION

    def slot_names(self, binding: Binding) -> set[str]:
        return set(self.prompt.slots) if isinstance(self.prompt, Prompt) else set()

    def check(self, binding: Binding) -> Any:
        yield from super().check(binding)
        if self.embedding_serving is not None:
            yield from check_serving(self.embedding_serving, "embedding_serving")
        elif self.question_candidates_num > 2:
            yield (
                "embedding_serving",
                f" is needed for question_candidates_num={self.question_candidates_num}",
            )

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        rows = self.cells(frame, binding)
        asks = askers(self.llm_serving, scope, frame[ROW].to_list(), type(self).__name__, binding.args)
        held = [_held(frame, column) for column in binding.writes.values()]
        before = list(zip(*held, strict=True))
        work = (self._row(a, r, b) for a, r, b in zip(asks, rows, before, strict=True))
        results = await gathered(work)
        return outcome(frame, results, lambda kept, done: self.finish(kept, binding, done))

    async def _row(self, ask: Ask, row: tuple[Any, ...], before: tuple[Any, ...]) -> Any:
        return before if filled(before[0]) else await self._one(ask, row)

    async def answer(self, ask: Ask, sql: str, db_id: Any) -> tuple[str, str, str | None]:
        info = await asyncio.to_thread(column_info, self.database_manager, db_id, sql)
        slots = {
            "sql": sql,
            "db_id": as_text(db_id),
            "db_id2column_info": {as_text(db_id): info},
            "db_type": self.database_manager.engine,
        }
        draw = draw_for(self.seed, db_id, sql)
        request, style = asked_by(self.prompt, slots, draw=draw)
        calls = (ask.read(request, read_question) for _ in range(self.question_candidates_num))
        found = [candidate for candidate in await readable(calls, RowError) if candidate]
        question, evidence = found[await self._chosen(found, draw, ask.scope)]
        return question, evidence, style

    async def _chosen(self, found: list[Candidate], draw: Random, scope: Scope) -> int:
        """Which candidate is taken."""
        if len(found) < 3:
            return draw.randrange(len(found))
        texts = [with_evidence(question, evidence) for question, evidence in found]
        assert self.embedding_serving is not None
        vectors = await embed(self.embedding_serving, texts, scope)
        if any(v is None for v in vectors):
            raise CallError("the embedding model gave no vector")
        return medoid(np.asarray(vectors, np.float64))


def medoid(vectors: np.ndarray) -> int:
    """The vector, of `(n, dim)`, whose cosine distances to the others have the least sum; the first of several."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths == 0, 1, lengths)
    return int(np.argmax(np.round((unit @ unit.T).sum(axis=1), 9)))


def _held(frame: pl.DataFrame, column: str) -> list[Any]:
    return values(frame[column]) if column in frame.columns else [None] * frame.height


def read_question(reply: str) -> Candidate:
    """The question in a reply with tags, and its external knowledge, which may be empty.

    Raises:
        ReplyError: the explanation or the question is not there.
    """
    text = without_thinking(reply)
    parts = {name: _tagged(text, name) for name in ("EXPLANATION", "QUESTION", "EXTERNAL-KNOWLEDGE")}
    for name in ("EXPLANATION", "QUESTION"):
        if not parts[name]:
            raise ReplyError(f"no [{name}-START] … [{name}-END] in the reply {clip(reply)}")
    return parts["QUESTION"], parts["EXTERNAL-KNOWLEDGE"]


def _tagged(text: str, name: str) -> str:
    match = re.search(rf"\[{name}-START\](.*?)\[{name}-END\]", text, re.DOTALL | re.IGNORECASE)
    return match.group(1).strip() if match else ""


@prompt_restrict(Text2SQLCorrespondenceFilterPrompt)
class Text2SQLCorrespondenceFilter(Generate):
    """Keep the rows whose query answers their question, as a model judges: one call a row.

    The verdict is `answers` in a JSON object, else the last fenced block that is a yes or a no, else the last word of the reply
    that is one. A null query, or a null or blank question, is dropped without a call, with the reason `null`; a reply
    without a verdict fails the row.
    """

    database_manager: DatabaseManager
    """The databases."""
    prompt_template: Text2SQLCorrespondenceFilterPrompt | DIYPromptABC | None = None
    """What is asked."""

    input_sql_key = In("SQL", "the query")
    input_db_id_key = In("db_id", "its database", type="any")
    input_question_key = In("question", "the question")
    input_evidence_key = In(
        "evidence",
        "what must be known for it; an empty name where there is no such column",
        "any",
        optional=True,
    )
    output_key = Out(doc="1 on every kept row; written where it is named", type="int", optional=True)

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _CORRESPONDENCE

    def slot_names(self, binding: Binding) -> set[str]:
        return set(self.prompt.slots) if isinstance(self.prompt, Prompt) else set()

    def skips(self, row: tuple[Any, ...]) -> bool:
        return super().skips(row) or not filled(row[0]) or not filled(row[2])

    async def answer(self, ask: Ask, sql: str, db_id: Any, question: str, evidence: Any) -> int | Lost:
        schema = await asyncio.to_thread(schema_statements, self.database_manager, db_id)
        slots = {
            "question": with_evidence(question, evidence_text(evidence)),
            "sql": sql,
            "db_details": schema,
        }
        request, _ = asked_by(self.prompt, slots, evidence=evidence_text(evidence))
        return await ask.read(request, self.parse)

    def parse(self, reply: str) -> int | Lost:
        """1 for yes; for no, the reason, in the words of the model."""
        with suppress(ReplyError):
            said = read_object(reply, Correspondence)
            why = f"{said.difference} (it finds: {said.finds})"
            return 1 if said.answers else Lost(f"the query answers another question: {shown(why)}")
        text = without_thinking(reply)
        fenced = [_VERDICT.findall(block) for block in _FENCED.findall(text)]
        found = [words[0] for words in fenced if len(set(map(str.lower, words))) == 1] or _VERDICT.findall(
            text
        )
        if not found:
            raise ReplyError(f"no verdict in the reply {clip(reply)}")
        if found[-1].lower() == "yes":
            return 1
        return Lost(f"the query answers another question: {shown(' '.join(text.split()))}")

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        return parted(self, frame, binding, [Lost("null") if r is None else r for r in results])
