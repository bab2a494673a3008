"""What a change makes stale: which of three stages are computed again, and which calls are made again.

Each change is made to a pipeline of two model steps with a dataset operator between them that has run before; the
server counts the calls. A parser changes what is read from the replies, not what is asked: no call is made again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from dataflow.core import Dataset, Generate, In, Out, Prompt
from dataflow.pipeline import PipelineABC
from dataflow.runtime.runs import Run
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.testing.server import ServerProcess

ROWS, LONGEST = 60, 50


class Asked(Generate):
    """Ask about a text."""

    default_prompt: ClassVar[Prompt] = Prompt("What of {text}?", "You answer.")
    input_text_key = In("text")
    output_key = Out("answer")


class AskedOtherwise(Asked):
    """Ask in other words."""

    default_prompt: ClassVar[Prompt] = Prompt("What do you make of {text}?", "You answer.")


class AskedSternly(Asked):
    """Ask with another system prompt."""

    default_prompt: ClassVar[Prompt] = Prompt("What of {text}?", "You answer in one word.")


class AskedAndShortened(Asked):
    """Read less from the same replies."""

    def parse(self, reply: str) -> str:
        return reply[:12]


class Longest(Dataset):
    """Keep the rows with the longest texts, in their order."""

    rows: int = LONGEST
    input_key = In("text")

    def select(self, texts: list[str | None]) -> list[int]:
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i] or ""))
        return sorted(order[: self.rows])


@dataclass(frozen=True)
class Settings:
    """What is changed in turn."""

    rows: int = ROWS
    model: str = "m"
    first: type[Asked] = Asked
    last: type[Asked] = Asked
    longest: int = LONGEST


class Stale(PipelineABC):
    """Ask about all rows, keep the longest, ask about those."""

    def __init__(self, folder: Path, url: str, settings: Settings) -> None:
        super().__init__()
        source = folder / "in.jsonl"
        text = "".join(json.dumps({"text": f"text {i}"}) + "\n" for i in range(settings.rows))
        if not source.exists() or source.read_text() != text:
            source.write_text(text)
        self.storage = FileStorage(str(source), cache_path=str(folder), file_name_prefix="stale")
        llm = APILLMServing(url, model_name="m", max_workers=32)
        other = APILLMServing(url, model_name=settings.model, max_workers=32)
        self.first = settings.first(llm_serving=llm)
        self.longest = Longest(rows=settings.longest)
        self.last = settings.last(llm_serving=other)

    def forward(self) -> None:
        self.first.run(self.storage.step(), input_text_key="text", output_key="first")
        self.longest.run(self.storage.step(), input_key="text")
        self.last.run(self.storage.step(), input_text_key="first", output_key="last")


CHANGES: dict[str, dict[str, Any]] = {
    "nothing changed": {},
    "two more rows of input": {"rows": ROWS + 2},
    "another first prompt": {"first": AskedOtherwise},
    "another last prompt": {"last": AskedOtherwise},
    "another last system prompt": {"last": AskedSternly},
    "another last model": {"model": "another"},
    "another parameter of the dataset operator": {"longest": LONGEST + 5},
    "another last parser": {"last": AskedAndShortened},
}
EXPECTED = {
    "nothing changed": ("", 0),
    "two more rows of input": ("1 2 3", 2),
    "another first prompt": ("1 2 3", ROWS + LONGEST),
    "another last prompt": ("3", LONGEST),
    "another last system prompt": ("3", LONGEST),
    "another last model": ("3", LONGEST),
    "another parameter of the dataset operator": ("2 3", 5),
    "another last parser": ("3", 0),
}
"""The stages computed again, and the calls made."""


@dataclass(frozen=True)
class Found:
    """What a change made stale."""

    stages: str
    calls: int
    why: list[str]


def trial(change: str) -> Found:
    """Run, change that one thing, run again."""
    with ServerProcess() as server, tempfile.TemporaryDirectory() as folder:

        def run_of(settings: Settings) -> Run:
            return Stale(Path(folder), server.url, settings).run(progress=False)

        before = Settings()
        run_of(before)
        calls = server.stats()["calls"]
        run = run_of(replace(before, **CHANGES[change]))
        again = " ".join(str(s["step"]) for s in run.summary["steps"] if not s["reused"])
        why = [reason.replace(f"{folder}/", "") for reason in run.why]
        return Found(again, server.stats()["calls"] - calls, why)


def measure() -> Iterator[str]:
    """A line a change."""
    for change, (stages, calls) in EXPECTED.items():
        found = trial(change)
        right = (
            "as it should be"
            if (found.stages, found.calls) == (stages, calls)
            else f"EXPECTED {stages}, {calls}"
        )
        reason = f"; the run says: {found.why[0]}" if found.why else ""
        yield (
            f"{change}: stages {found.stages or 'none'} computed again, {found.calls} calls made, {right}{reason}"
        )
