"""Operators of every kind and pipelines made of them, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from dataflow.core import (
    Dataset,
    Expand,
    Filter,
    Generate,
    In,
    Map,
    OperatorABC,
    Out,
    Prompt,
    Selection,
    Source,
    Summary,
)
from dataflow.core.asking import Ask
from dataflow.core.errors import ReplyError
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.testing.server import FaultyServer

Step = tuple[Any, dict[str, Any]]


class Louder(Map):
    """Put a mark after a text."""

    mark: str = "!"
    input_key = In("text")
    output_key = Out("loud")

    def map(self, text: str) -> str:
        if text == "cannot":
            raise ValueError("this text cannot be loud")
        return text + self.mark


class NotEnding(Filter):
    """Keep texts that do not end like that."""

    end: str = "7"
    input_key = In("text")

    def keep(self, text: str) -> bool | tuple[bool, str]:
        return not text.endswith(self.end) or (False, f"ends in {self.end}")


class Words(Expand):
    """Make a row of each word."""

    input_key = In("text")
    output_key = Out("word")

    def expand(self, text: str) -> Iterator[str]:
        return iter(text.split())


class Asks(Generate):
    """Ask about a text."""

    default_prompt: ClassVar[Prompt] = Prompt("What of {text}?", "You answer.")
    input_text_key = In("text", type="any")
    output_key = Out("answer")

    def parse(self, reply: str) -> str:
        if reply.startswith("bad"):
            raise ReplyError("a bad reply")
        return reply


class Halves(Generate):
    """Ask about a text, and make a row of each half of the reply."""

    expands: ClassVar[bool] = True
    default_prompt: ClassVar[Prompt] = Prompt("Split {text}.")
    input_text_key = In("text")
    output_key = Out("half")

    def parse(self, reply: str) -> list[str]:
        return [reply[: len(reply) // 2], reply[len(reply) // 2 :]]


class FirstOfEach(Dataset):
    """Keep the first row of each text."""

    input_key = In("text")

    def select(self, texts: list[str | None]) -> list[int]:
        seen: dict[str | None, int] = {}
        for i, text in enumerate(texts):
            seen.setdefault(text, i)
        return sorted(seen.values())


class Ranked(Dataset):
    """Number the texts in alphabetical order, and put the rows into it."""

    input_key = In("text")
    output_key = Out("rank", type="int")
    copies: int = 1
    last: int | None = None

    def select(self, texts: list[str | None]) -> Selection:
        order = sorted(range(len(texts)), key=lambda i: str(texts[i]))
        ranks = [0] * len(texts)
        for rank, i in enumerate(order):
            ranks[i] = rank
        rows = [i for i in order for _ in range(self.copies)][: self.last]
        return Selection(rows, {"output_key": ranks}, "not ranked", {"ranked": len(rows)})


class Lengths(Summary):
    """Count rows and characters."""

    input_key = In("text")

    def summarise(self, texts: list[str | None]) -> dict[str, Any]:
        return {"rows": len(texts), "characters": sum(len(t or "") for t in texts)}


class Topics(Source):
    """Make rows about topics."""

    number: int = 3
    output_key = Out("topic")

    def total(self) -> int:
        return self.number

    async def make(self, ask: Ask, number: int) -> str:
        return await ask(f"topic number {number}")


class Backwards(OperatorABC):
    """Turn the table upside down, with pandas."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault

    def run(self, storage: Any, input_key: str = "text", output_key: str = "size") -> str:
        if self.fault:
            raise RuntimeError(self.fault)
        frame = storage.read("dataframe").iloc[::-1].reset_index(drop=True)
        frame[output_key] = frame[input_key].map(len) if len(frame) else []
        storage.write(frame)
        return output_key


class Steps(PipelineABC):
    """Operators one after another."""

    def __init__(self, source: Path | str, cache: Path, *steps: Step, **storage: Any) -> None:
        super().__init__()
        given = {"file_name_prefix": "p", "cache_type": "jsonl", **storage}
        self.storage = FileStorage(str(source), cache_path=str(cache), **given)
        self.steps = steps

    def forward(self) -> None:
        for operator, keys in self.steps:
            operator.run(self.storage.step(), **keys)


def lines(path: Path, rows: Iterable[Any]) -> Path:
    """Rows as a JSONL file; a text is a row with that text."""
    shown = ({"text": r} if isinstance(r, str) else r for r in rows)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in shown), encoding="utf-8")
    return path


def numbers(count: int) -> list[str]:
    return [f"text {i}" for i in range(count)]


def chat(server: FaultyServer, temperature: float = 0.0, **settings: Any) -> APILLMServing:
    given: dict[str, Any] = {"model_name": "m", "max_workers": 16, "max_retries": 0, **settings}
    return APILLMServing(server.url, temperature=temperature, **given)


def asked_of(body: dict[str, Any]) -> str:
    """What is asked, without what is told of an earlier reply."""
    return str(body["messages"][-1]["content"]).partition("\n\nAn earlier reply")[0]


def echo(body: dict[str, Any]) -> str:
    """A score where one is asked for, else what was asked."""
    asked = asked_of(body)
    return str(1 + len(asked) % 5) if "1 to 5" in str(body["messages"]) else f"echo of {asked}"


def reused(run: Any) -> list[bool]:
    return [s["reused"] for s in run.summary["steps"]]


def column(run: Any, name: str) -> Sequence[Any]:
    return [r[name] for r in run.records]
