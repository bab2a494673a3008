"""From question to query: the training prompt, reasoning by a model, and the vote over what it arrives at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from pydantic import Field

from dataflow.core.asking import Ask, together
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate
from dataflow.core.outcome import Failure, Outcome
from dataflow.core.ports import Arg, Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC, prompt_restrict
from dataflow.core.rows import Map, outcome
from dataflow.databases.connector import QueryResult
from dataflow.databases.manager import DatabaseManager
from dataflow.operators.text2sql._databases import (
    Lost,
    Query,
    asked_by,
    details,
    difference,
    draw_for,
    evidence_text,
    executed,
    last_sql,
    parted,
    schema_statements,
    told,
)
from dataflow.prompts.text2sql import (
    Text2SQLCotGeneratorPrompt,
    Text2SQLPromptGeneratorPrompt,
    Text2VecSQLPromptGeneratorPrompt,
)

_PROMPT = Text2SQLPromptGeneratorPrompt()
_COT = Text2SQLCotGeneratorPrompt()
_EVIDENCE = In(
    "evidence", "what must be known for it; an empty name where there is no such column", "any", optional=True
)


@prompt_restrict(Text2SQLPromptGeneratorPrompt, Text2VecSQLPromptGeneratorPrompt)
class Text2SQLPromptGenerator(Map):
    """Put schema and question into the prompt that a model is trained on.

    Null for a null question; null, blank and NaN evidence is left out. A row whose database is not there fails.
    """

    database_manager: DatabaseManager
    """The databases."""
    prompt_template: (
        Text2SQLPromptGeneratorPrompt | Text2VecSQLPromptGeneratorPrompt | DIYPromptABC | None
    ) = None
    """The prompt that is filled."""

    input_question_key = In("question", "the question")
    input_db_id_key = In("db_id", "its database", type="any")
    input_evidence_key = _EVIDENCE
    output_prompt_key = Out("prompt", "the prompt")

    def map(self, question: str, db_id: Any, evidence: Any) -> str:
        slots = {
            "db_details": details(self.database_manager, db_id),
            "question": question,
            "evidence": evidence_text(evidence),
            "db_engine": self.database_manager.engine,
        }
        request, _ = asked_by(self.prompt_template or _PROMPT, slots)
        return str(request.messages[-1]["content"])


@prompt_restrict(Text2SQLCotGeneratorPrompt)
class Text2SQLCoTGenerator(Generate):
    """Let a model reason from question to query, several times: `sampling_num` model calls a row.

    All replies are kept as they are; `Text2SQLCoTVotingGenerator` picks one. The row fails where a call does. With a
    temperature of 0 all samples are alike: sample above it.
    """

    database_manager: DatabaseManager
    """The databases."""
    prompt_template: Text2SQLCotGeneratorPrompt | DIYPromptABC | None = None
    """What is asked."""
    sampling_num: int = Field(3, ge=1)
    """How many samples a row."""

    input_sql_key = In("SQL", "the query, as a reference")
    input_question_key = In("question", "the question")
    input_db_id_key = In("db_id", "its database", type="any")
    input_evidence_key = _EVIDENCE
    output_cot_key = Arg("cot_reasoning", "where the list goes, if it is another name than this one")
    output_cot_responses_key = Out("cot_responses", "the list of replies", type="list[text]")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _COT

    def slot_names(self, binding: Binding) -> set[str]:
        return set(self.prompt.slots) if isinstance(self.prompt, Prompt) else set()

    def bind(self, **keys: Any) -> Binding:
        named = keys.get("output_cot_key")
        if named and named != "cot_reasoning" and not keys.get("output_cot_responses_key"):
            keys = {**keys, "output_cot_responses_key": named}
        return super().bind(**keys)

    async def answer(self, ask: Ask, sql: str, question: str, db_id: Any, evidence: Any) -> list[str]:
        schema = await asyncio.to_thread(schema_statements, self.database_manager, db_id)
        slots = {
            "schema_str": schema,
            "question": question,
            "sql": sql,
            "evidence": evidence_text(evidence),
        }
        request, _ = asked_by(self.prompt, slots, db_engine=self.database_manager.engine)
        return await together(*(ask(request) for _ in range(self.sampling_num)))


@dataclass(frozen=True)
class Candidate:
    """A reply with the query that it arrives at, and what that gives."""

    reply: str
    sql: str
    result: QueryResult


class Text2SQLCoTVotingGenerator(Map):
    """Pick the reasoning whose query gives what most of them give.

    The query of every reply is run; the vote is over their results, as bags of rows in which names of columns do not
    count. Of several replies with the winning result one is drawn by `seed`; where no two agree, the one
    with the shortest query is taken. With a reference query only replies that give its result count. A row is dropped
    where no reply has a query that runs, none gives the result of the reference, or the reference itself fails
    (`gold error`); a null list gives null.
    """

    database_manager: DatabaseManager
    """The databases."""
    seed: int = 0
    """Changes which of equal replies is taken."""

    input_cot_responses_key = In("cot_responses", "the list of replies, or one", type="any")
    input_db_id_key = In("db_id", "the database", type="any")
    output_cot_key = Out("cot_reasoning", "the reasoning picked")
    input_sql_key = In(doc="a reference query, where there is one", optional=True)
    output_votes_key = Out(
        doc="how many replies gave its result; written where it is named", type="int", optional=True
    )

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        rows = self.cells(frame, binding)
        asked = [[] if self.skips(row) else _queries(*row) for row in rows]
        answers = iter(executed(self.database_manager, [q for queries in asked for q in queries]))
        found = [{q: next(answers) for q in queries} for queries in asked]
        results = [
            None if self.skips(row) else self._elected(row, made)
            for row, made in zip(rows, found, strict=True)
        ]
        return outcome(frame, results, lambda kept, done: parted(self, kept, binding, done))

    def _elected(self, row: tuple[Any, ...], made: Mapping[Query, Any]) -> Any:
        """The reply picked and its votes, or why there is none."""
        if broken := next((r for r in made.values() if isinstance(r, Failure)), None):
            return broken
        replies, (_, db_id, gold) = _replies(row[0]), row
        wanted = made[as_text(db_id), gold] if gold else None
        if wanted is not None and not wanted.success:
            return Lost(f"gold error: {told(wanted)}")
        drawn = [(reply, sql, made[as_text(db_id), sql]) for reply in replies if (sql := last_sql(reply))]
        valid = [Candidate(*d) for d in drawn if d[2].success]
        if not valid:
            return Lost(
                f"no query runs: {told(drawn[0][2])}" if drawn else "no query runs: no SQL in any reply"
            )
        if wanted is not None:
            return self._agreeing(valid, gold, wanted)
        return self._majority(valid)

    def _agreeing(self, valid: list[Candidate], gold: str, wanted: QueryResult) -> Any:
        judged = [difference(self.database_manager, c.sql, c.result, gold, wanted) for c in valid]
        right = [c for c, same in zip(valid, judged, strict=True) if same]
        if not right:
            return Lost(f"none gives the result of the reference: {judged[0].message}")
        return self._drawn(right).reply, len(right)

    def _majority(self, valid: list[Candidate]) -> tuple[str, int]:
        group = max(self._groups(valid), key=lambda g: (len(g), -min(len(c.sql) for c in g)))
        if len(group) == 1:
            return min(valid, key=lambda c: len(c.sql)).reply, 1
        return self._drawn(group).reply, len(group)

    def _groups(self, valid: list[Candidate]) -> list[list[Candidate]]:
        """Candidates with the same result; an empty one is the same only for the same query."""
        groups: list[list[Candidate]] = []
        for one in valid:
            for group in groups:
                first = group[0]
                same = difference(self.database_manager, one.sql, one.result, first.sql, first.result)
                if one.sql == first.sql or (same and not same.empty):
                    group.append(one)
                    break
            else:
                groups.append([one])
        return groups

    def _drawn(self, group: Sequence[Candidate]) -> Candidate:
        return draw_for(self.seed, *(c.reply for c in group)).choice(group)


def _replies(cell: Any) -> list[str]:
    return [reply for reply in (cell if isinstance(cell, list) else [cell]) if isinstance(reply, str)]


def _queries(cell: Any, db_id: Any, gold: str | None) -> list[Query]:
    """What must be run for a row: the query of each reply, and the reference."""
    found = [sql for reply in _replies(cell) if (sql := last_sql(reply))]
    return [(as_text(db_id), sql) for sql in dict.fromkeys([*found, *([gold] if gold else [])])]
