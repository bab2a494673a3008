"""Rows as trainers take them: conversations, and the JSON of Spider."""

from __future__ import annotations

import re
from typing import Any

from dataflow.core.errors import RowError
from dataflow.core.frames import as_text
from dataflow.core.ports import In, Out
from dataflow.core.rows import Map
from dataflow.databases.queries.parsing import MAX_CHARS, library
from dataflow.operators.text2sql._databases import evidence_text, filled


class Text2SQLMessagesGenerator(Map):
    """Put prompt and solution into a conversation, as trainers for chat models take it.

    A list of turns with `role` and `content`: the user gives the prompt, the assistant the reasoning, or where there is
    none the query alone in a block. Null where the prompt is null, or both reasoning and query are.
    """

    accepts_none = True

    system_prompt: str = ""
    """What the model is told it is, as a first turn; none where left empty."""

    input_prompt_key = In("prompt", "the prompt, with schema and question")
    input_sql_key = In("SQL", "the query")
    input_cot_key = In(doc="the reasoning, which ends in the query", optional=True)
    output_messages_key = Out("messages", "the turns", type="json")

    def map(self, prompt: str | None, sql: str | None, cot: str | None) -> list[dict[str, str]] | None:
        said = cot if filled(cot) else f"```sql\n{sql}\n```" if sql is not None else None
        if prompt is None or said is None:
            return None
        turns = [("user", prompt), ("assistant", said)]
        turns = [("system", self.system_prompt), *turns] if self.system_prompt else turns
        return [{"role": role, "content": content} for role, content in turns]


class Text2SQLSpiderGenerator(Map):
    """Put question and query into the JSON of Spider, as its evaluation and many trainers take it.

    An object with `db_id`, `question`, `question_toks`, `query`, `query_toks` and `query_toks_no_value`, in which numbers
    and texts are `value`, and `evidence` where there is any, as in BIRD. Null for a null.
    """

    dialect: str = "sqlite"
    """Whose SQL it is, as sqlglot calls it."""

    input_db_id_key = In("db_id", "the database", type="any")
    input_question_key = In("question", "the question")
    input_sql_key = In("SQL", "the query")
    input_evidence_key = In(doc="what must be known for it", type="any", optional=True)
    output_spider_key = Out("spider", "the object", type="json")

    def map(self, db_id: Any, question: str, sql: str, evidence: Any) -> dict[str, Any]:
        tokens, without = query_tokens(sql, self.dialect)
        told = evidence_text(evidence)
        return {
            "db_id": as_text(db_id),
            "question": question,
            **({"evidence": told} if told else {}),
            "question_toks": question_tokens(question),
            "query": sql,
            "query_toks": tokens,
            "query_toks_no_value": without,
        }


def question_tokens(question: str) -> list[str]:
    """Words, numbers and marks of a question."""
    return re.findall(r"\w+(?:['’.-]\w+)*|[^\w\s]", question)


def query_tokens(sql: str, dialect: str) -> tuple[list[str], list[str]]:
    """The tokens of a query as they stand there, and again in small letters with `value` for values.

    Raises:
        RowError: it cannot be divided into tokens, or is too long.
    """
    if len(sql) > MAX_CHARS:
        raise RowError(f"a query of {len(sql)} characters is too long: {MAX_CHARS} at most")
    sqlglot = library()
    try:
        found = sqlglot.tokenize(sql, read=dialect)
    except sqlglot.errors.SqlglotError as error:
        raise RowError(f"this query has no tokens: {error}") from error
    texts, without = [], []
    for token in found:
        text, is_value = sql[token.start : token.end + 1], token.token_type.name in ("STRING", "NUMBER")
        words = (
            [text] if is_value or text[0] in '"`[' else text.split()
        )  # GROUP BY is one token, but two words
        texts += words
        without += ["value"] if is_value else [word.lower() for word in words]
    return texts, without
