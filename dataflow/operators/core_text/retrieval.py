"""Answers from a store of documents."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from dataflow.core.frames import as_text
from dataflow.core.generate import Generate
from dataflow.core.ports import Binding, In, Out
from dataflow.core.protocols import Request


class RetrievalGenerator(Generate):
    """Answer each query from documents, by a serving that retrieves: one call a row.

    The serving may be a coroutine's: LightRAG and its kin. A reply that is not text, such as a list of
    documents, is kept as JSON text. `run` is over when it returns; `await op.run(…)` works too.
    """

    system_prompt: str = "You are a helpful agent."
    """What the serving is told it is and does."""

    input_key = In("raw_content", "the query", type="any")
    output_key = Out("generated_content", "what was retrieved or answered")

    def skips(self, row: tuple[Any, ...]) -> bool:
        return row[0] is None or not as_text(row[0]).strip()

    def request(self, query: Any) -> Request:
        return Request.of(as_text(query), self.system_prompt)

    def parse(self, reply: Any) -> str:
        return as_text(reply)

    def returned(self, binding: Binding) -> str:
        return Awaited(binding.returned)


class Awaited(str):
    """A text that may be awaited, and then is itself."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, str]:
        return str(self)
        yield
