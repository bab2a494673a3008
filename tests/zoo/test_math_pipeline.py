"""The pipeline for mathematics before a model that is mostly right: what it keeps, and that a kill costs no reply."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dataflow.testing import FaultyServer
from dataflow.testing.answers import Body

WORKERS = 4
KNOWN = range(100, 118)
_KNOWN = re.compile(r"What is (\d+) plus 7\?")
_MADE = re.compile(r"What is (\d+) plus 7 minus 3\?")
RUN = """
import sys
from dataflow.serving import APILLMServing
from dataflow.zoo.reasoning_math import ReasoningMath_APIPipeline

source, url, cache, workers = sys.argv[1:]
llm = APILLMServing(url, "KEY", "solver", 0.7, max_workers=int(workers))
pipe = ReasoningMath_APIPipeline(llm, source=source, benchmark=None, cache_path=cache)
pipe.run(progress=False)
"""

Asked = tuple[int, bool]
"""The number in a question, and whether it was made by the pipeline."""


def asked(prompt: str) -> Asked:
    made = _MADE.search(prompt)
    known = made or _KNOWN.search(prompt)
    assert known, prompt
    return int(known.group(1)), made is not None


def question(number: int, made: bool) -> str:
    return f"What is {number} plus 7 minus 3?" if made else f"What is {number} plus 7?"


def right(number: int, made: bool) -> int:
    return number + (4 if made else 7)


def manner(number: int, made: bool) -> str:
    """How the model takes a question; made ones fare otherwise than those they were made of."""
    manners = ("right", "right", "decimal", "wrong", "unreadable", "right", "right", "unfit", "fraction")
    return manners[(number + 4 * made) % len(manners)]


def sound(number: int, made: bool) -> bool:
    return manner(number, made) != "unfit"


@dataclass
class Model:
    """Answers as a good model would: mostly right, in several forms, at times wrong, unreadable, or unsure."""

    prompts: Counter[str] = field(default_factory=Counter)
    victim: subprocess.Popen[bytes] | None = None
    fatal: int = 0
    """The request at whose arrival the process that asks is killed."""

    def __call__(self, body: Body) -> str:
        prompt = body["messages"][-1]["content"]
        self.prompts[prompt] += 1
        if self.victim is not None and self.prompts.total() == self.fatal:
            os.kill(self.victim.pid, signal.SIGKILL)
        return self.reply(prompt, *asked(prompt))

    def reply(self, prompt: str, number: int, made: bool) -> str:
        if "judgement_test" in prompt:
            return json.dumps({"judgement_test": sound(number, made), "error_type": None})
        if "Write a new problem" in prompt:
            return question(number, made=True)
        if "Rating: n" in prompt:
            return "One addition.\n**Rating:** 1.5"
        if "primary_category" in prompt:
            return '{"primary_category": "Arithmetic", "secondary_category": "Basic Arithmetic & Number Operations"}'
        return self.solution(prompt, number, made)

    def solution(self, prompt: str, number: int, made: bool) -> str:
        value = right(number, made)
        match manner(number, made):
            case "unreadable":
                return "Solution:\nI had rather not say."
            case "wrong":  # the same mistake where an answer is known; else another one each time
                said = str(value + 1 + made * self.prompts[prompt])
            case "decimal":
                said = f"{value}.0"
            case "fraction":
                said = f"\\frac{{{2 * value}}}{{2}}"
            case _:
                said = str(value)
        return f"Solution:\n→ Add.\nTherefore, the final answer is \\boxed{{{said}}}."


def expected() -> list[str]:
    """The questions whose answers are right, each known one before the one made of it."""
    kept = []
    for number in KNOWN:
        if sound(number, made=False):
            every = [(number, False), (number, True)]
            kept += [a for a in every if manner(*a) in ("right", "decimal", "fraction")]
    return [question(*a) for a in kept]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = [
        {"instruction": question(n, made=False), "golden_answer": str(right(n, made=False))} for n in KNOWN
    ]
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    return file


def started(source: Path, url: str, cache: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", RUN, str(source), url, str(cache), str(WORKERS)]
    env = os.environ | {"KEY": "k", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(command, env=env, cwd=source.parent, stdout=subprocess.DEVNULL)


def rows_of(cache: Path) -> list[dict[str, Any]]:
    (last,) = cache.glob("math_step1[0-9].jsonl")
    return [json.loads(line) for line in last.read_text("utf-8").splitlines()]


def test_exactly_the_rows_stay_whose_answers_are_right(source: Path, tmp_path: Path) -> None:
    with FaultyServer(reply=Model()) as server:
        assert started(source, server.url, tmp_path / "cache").wait(120) == 0
    rows = rows_of(tmp_path / "cache")
    assert [r["instruction"] for r in rows] == expected()
    assert {r["Synth_or_Input"] for r in rows} == {"input", "synth"}
    for row in rows:
        number, made = asked(row["instruction"])
        assert row["golden_answer"] == (None if made else str(right(number, made)))
        assert row["messages"][0] == {"role": "user", "content": row["instruction"]}
        assert row["messages"][1]["content"] == row["generated_cot"]
        assert row["text"] == f"{row['instruction']}\n{row['generated_cot']}"
        assert (row["question_difficulty"], row["secondary_category"]) == (
            1.5,
            "Basic Arithmetic and Number Operations",
        )


def test_killed_and_resumed_it_gives_the_same_and_pays_for_no_reply_twice(
    source: Path, tmp_path: Path
) -> None:
    calm, storm = Model(), Model()
    with FaultyServer(reply=calm) as server:
        assert started(source, server.url, tmp_path / "calm").wait(120) == 0
    kills = [calm.prompts.total() // 3, calm.prompts.total() * 2 // 3]
    with FaultyServer(reply=storm) as server:
        for storm.fatal in kills:
            storm.victim = started(source, server.url, tmp_path / "storm")
            assert storm.victim.wait(120) == -signal.SIGKILL
        storm.victim = None
        assert started(source, server.url, tmp_path / "storm").wait(120) == 0
    assert rows_of(tmp_path / "storm") == rows_of(tmp_path / "calm")
    assert storm.prompts.keys() == calm.prompts.keys()
    assert (storm.prompts - calm.prompts).total() <= WORKERS * len(kills)
