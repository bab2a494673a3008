"""Fingerprints: equal for pipelines that do the same, whatever the process; another for each change that matters."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import BaseModel

from dataflow.core import Prompt
from dataflow.operators.core_text import PromptedFilter
from dataflow.pipeline.compiled import compile_pipeline
from dataflow.plan.fingerprint import plain
from dataflow.testing import ScriptedServing

PROGRAM = '''
"""A pipeline with an operator of every kind of user code."""

import re
import sys
from functools import partial
from typing import ClassVar

from dataflow.core import DIYPromptABC, Filter, Generate, In, Map, OperatorABC, Out
from dataflow.core.prompt import PromptABC
from dataflow.operators.core_text import (
    FormatStrPromptedGenerator, GeneralFilter, PandasOperator, PromptedFilter, PromptedGenerator,
)
from dataflow.pipeline import PipelineABC
from dataflow.pipeline.compiled import compile_pipeline
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage

MARK = "!"
STOP = {"the", "a", "an", "of", "and"}


def louder(text):
    return text.upper() + MARK


class Shout(Map):
    """Make a text loud."""

    times: int = 1
    input_key = In("text")
    output_key = Out("loud")
    word: ClassVar[str] = "hey"

    def map(self, text):
        return louder(text) * self.times + self.word


class Asks(Generate):
    """Ask with the user's own prompt."""

    prompt_template: PromptABC | None = None
    input_key = In("text")
    output_key = Out("asked")

    def parse(self, reply):
        return reply.strip()


class Own(DIYPromptABC):
    def __init__(self, style):
        self.name, self._style = "own", style

    def build_prompt(self, input):
        return f"In {self._style} style: {input}"


class Stops(Filter):
    """Keep what is no stop word."""

    input_key = In("text")

    def keep(self, text):
        return text not in {"the", "a", "an", "of", "and", "in"} and not self.known(text)

    @staticmethod
    def known(text):
        return text == "known"


class Count(OperatorABC):
    """Count the words."""

    def __init__(self, words):
        self.words = set(words)
        self.pattern = re.compile("[a-z]+")

    def run(self, storage, input_key="text", output_key="count"):
        self.input_key = input_key
        rows = storage.read("dict")
        storage.write([r | {output_key: len(self.words)} for r in rows])


def longer_than(limit, twice=lambda n: 2 * n):
    helper = lambda n: twice(n) + 0
    return lambda frame: frame["text"].str.len() > helper(limit)


class Program(PipelineABC):
    def __init__(self, source, cache):
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache, file_name_prefix="p", cache_type="jsonl")
        url = "http://127.0.0.1:9/v1/chat/completions"
        self.llm = APILLMServing(url, model_name="m", temperature=0.5, max_workers=8, read_timeout=60, max_tokens=99)
        self.shout = Shout(times=2)
        self.asks = Asks(llm_serving=self.llm, prompt_template=Own("old"))
        self.answer = PromptedGenerator(self.llm, system_prompt="You answer.")
        self.judge = PromptedFilter(self.llm, min_score=3)
        self.stops = Stops()
        self.count = Count(["b", "a", "c", "d"])
        self.general = GeneralFilter([longer_than(3), lambda frame: frame["text"].map(lambda t: t not in {"x", "y", "z"})])
        self.limit = 5
        self.pandas = PandasOperator([self.first_rows, partial(lambda frame, n: frame.head(n), n=7)])

    def first_rows(self, frame):
        return frame.head(self.limit)

    def forward(self):
        self.shout.run(self.storage.step(), input_key="text", output_key="loud")
        self.asks.run(self.storage.step(), input_key="loud", output_key="asked")
        self.answer.run(self.storage.step(), input_key="asked", output_key="answer")
        self.judge.run(self.storage.step(), input_key="answer", output_key="score")
        self.stops.run(self.storage.step(), input_key="text")
        self.count.run(self.storage.step(), input_key="text", output_key="count")
        self.general.run(self.storage.step())
        self.pandas.run(self.storage.step())


if __name__ == "__main__":
    print(compile_pipeline(Program(*sys.argv[1:])).flows[0].stages[-1].fingerprint)
'''

ROWS = '{"text": "one"}\n{"text": "two"}\n'

CHANGES = {
    "a setting": ("Shout(times=2)", "Shout(times=3)"),
    "a default of a class": ('= "hey"', '= "ho"'),
    "a kernel": ("* self.times + self.word", "* self.times"),
    "a function that a kernel calls": ("text.upper() + MARK", "text.lower() + MARK"),
    "a constant that such a function reads": ('MARK = "!"', 'MARK = "?"'),
    "a static method": ('text == "known"', 'text == "unknown"'),
    "a parser": ("reply.strip()", "reply.strip().lower()"),
    "the words of a user's prompt": ("style: {input}", "tone: {input}"),
    "what a user's prompt keeps to itself": ('Own("old")', 'Own("new")'),
    "a system prompt": ('system_prompt="You answer."', 'system_prompt="You answer well."'),
    "a model": ('model_name="m"', 'model_name="n"'),
    "a temperature": ("temperature=0.5", "temperature=0.6"),
    "a sampling setting": ("max_tokens=99", "max_tokens=98"),
    "an endpoint": ("127.0.0.1:9", "127.0.0.1:10"),
    "a threshold": ("min_score=3", "min_score=4"),
    "a column read": ('self.stops.run(self.storage.step(), input_key="text")',
                      'self.stops.run(self.storage.step(), input_key="loud")'),
    "a column written": ('output_key="count")\n        self.general', 'output_key="counts")\n        self.general'),
    "a free-form operator's attribute": ('["b", "a", "c", "d"]', '["b", "a", "c"]'),
    "a free-form operator's pattern": ("[a-z]+", "[a-y]+"),
    "a free-form operator's run": ("len(self.words)}", "len(self.words) + 1}"),
    "a value that a lambda closes over": ("longer_than(3)", "longer_than(4)"),
    "a lambda that a lambda closes over": ("twice(n) + 0", "twice(n) + 1"),
    "a default of a function": ("twice=lambda n: 2 * n", "twice=lambda n: 3 * n"),
    "a lambda": ("str.len() >", "str.len() >="),
    "an argument bound by partial": ("n=7", "n=8"),
    "a method of the pipeline": ("frame.head(self.limit)", "frame.tail(self.limit)"),
    "what such a method reads": ("self.limit = 5", "self.limit = 6"),
    "the order of steps": (
        'self.general.run(self.storage.step())\n        self.pandas.run(self.storage.step())',
        'self.pandas.run(self.storage.step())\n        self.general.run(self.storage.step())',
    ),
}  # fmt: skip

NO_CHANGES = {
    "workers": ("max_workers=8", "max_workers=80"),
    "a timeout": ("read_timeout=60", "read_timeout=61"),
    "where the cache is": ("cache_path=cache", "cache_path=cache + 'x'"),
    "the prefix of files": ('file_name_prefix="p"', 'file_name_prefix="q"'),
    "the type of files": ('cache_type="jsonl"', 'cache_type="parquet"'),
    "the name of an attribute": ("self.general", "self.generous"),
    "a comment outside of any class": ("def louder(text):", "# how loud\ndef louder(text):"),
    "the order of a set": ('["b", "a", "c", "d"]', '["d", "c", "b", "a"]'),
}


def written(folder: Path, text: str, rows: str = ROWS) -> tuple[Path, Path]:
    """The program and its source as files."""
    folder.mkdir(exist_ok=True)
    program, source = folder / "program.py", folder / "in.jsonl"
    program.write_text(text, encoding="utf-8")
    source.write_text(rows, encoding="utf-8")
    return program, source


def loaded(program: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("program", program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["program"] = module
    spec.loader.exec_module(module)
    return module


def fingerprint(folder: Path, text: str, rows: str = ROWS) -> str:
    program, source = written(folder, text, rows)
    plan = compile_pipeline(loaded(program).Program(str(source), str(folder / "cache")))
    return plan.flows[0].stages[-1].fingerprint


@pytest.fixture(autouse=True)
def forgotten() -> Any:
    yield
    sys.modules.pop("program", None)


@pytest.fixture
def first(tmp_path: Path) -> str:
    return fingerprint(tmp_path / "first", PROGRAM)


@pytest.mark.parametrize("change", CHANGES)
def test_what_decides_results_changes_the_fingerprint(tmp_path: Path, first: str, change: str) -> None:
    old, new = CHANGES[change]
    assert PROGRAM.count(old) == 1
    assert fingerprint(tmp_path / "changed", PROGRAM.replace(old, new)) != first


@pytest.mark.parametrize("change", NO_CHANGES)
def test_what_does_not_decide_results_leaves_it(tmp_path: Path, first: str, change: str) -> None:
    old, new = NO_CHANGES[change]
    assert old in PROGRAM
    assert fingerprint(tmp_path / "changed", PROGRAM.replace(old, new)) == first


@pytest.mark.parametrize(
    "rows", [ROWS.replace("two", "tow"), ROWS + '{"text": "three"}\n', ROWS.replace("text", "txt") + ROWS]
)
def test_other_rows_change_it(tmp_path: Path, first: str, rows: str) -> None:
    assert fingerprint(tmp_path / "changed", PROGRAM, rows) != first


def test_it_is_the_same_in_every_process(tmp_path: Path) -> None:
    program, source = written(tmp_path, PROGRAM)
    said = set()
    for seed in ("1", "2", "3"):
        env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, str(program), str(source), str(tmp_path / "cache")]
        said.add(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)
    assert len(said) == 1


def test_compiling_and_running_do_not_change_it(tmp_path: Path) -> None:
    program, source = written(tmp_path, PROGRAM)
    pipeline = loaded(program).Program(str(source), str(tmp_path / "cache"))
    plans = [compile_pipeline(pipeline), pipeline.compile(allow_overwrite=["x"]), pipeline.plan()]
    assert len({p.flows[0].stages[-1].fingerprint for p in plans}) == 1


def test_running_an_operator_does_not_change_it(tmp_path: Path) -> None:
    """Operators in the old style keep their keys as attributes when they run."""
    program, source = written(tmp_path, PROGRAM)
    pipeline = loaded(program).Program(str(source), str(tmp_path / "cache"))
    pipeline.forward = lambda: None
    type(pipeline).forward = lambda p: p.count.run(p.storage.step(), input_key="text", output_key="count")
    first = pipeline.run(progress=False)
    again = pipeline.run(progress=False)
    assert first.records == [{"text": "one", "count": 4}, {"text": "two", "count": 4}]
    assert [s["reused"] for s in again.summary["steps"]] == [True]


class Shape(BaseModel):
    size: int = 1


class Held:
    def __init__(self, public: Any = 1, hidden: Any = 2) -> None:
        self.public, self._hidden = public, hidden

    def told(self) -> Any:
        return self.public


class Bare:
    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size


def times(n: int) -> Callable[[int], int]:
    return lambda x: x * n


UNLIKE: dict[str, tuple[Any, Any]] = {
    "arrays": (np.arange(5000), np.where(np.arange(5000) == 2500, 0, np.arange(5000))),
    "frames": (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2]})),
    "expressions": (pl.col("a") > 1, pl.col("a") > 2),
    "long patterns": (__import__("re").compile("a" * 300), __import__("re").compile("a" * 301)),
    "models": (Shape(size=1), Shape(size=2)),
    "prompts": (Prompt("say {a}"), Prompt("tell {a}")),
    "prompt systems": (Prompt("say {a}", "x"), Prompt("say {a}", "y")),
    "hidden attributes": (Held(1, 2), Held(1, 3)),
    "public attributes": (Held(1, 2), Held(2, 2)),
    "slots": (Bare(1), Bare(2)),
    "operators": (
        PromptedFilter(ScriptedServing("3"), min_score=2),
        PromptedFilter(ScriptedServing("3"), min_score=3),
    ),
    "scripts": (ScriptedServing("3"), ScriptedServing("4")),
    "methods": (Held(1).told, Held(2).told),
    "closures": (times(2), times(3)),
    "partials": (partial(times, 2), partial(times, 3)),
    "sets": ({1, 2}, {1, 3}),
    "paths": (Path("a"), Path("b")),
    "classes": (Shape, Held),
    "bytes": (b"a", b"b"),
}


@pytest.mark.parametrize("kind", UNLIKE)
def test_values_that_differ_look_different(kind: str) -> None:
    one, other = UNLIKE[kind]
    assert plain(one) != plain(other)
    assert plain(one) == plain(one)


def test_a_value_that_holds_itself_has_an_end() -> None:
    one, other = Held(), Held()
    one.public, other.public = one, [other]
    assert plain(one) == plain(one)
    assert plain(one) != plain(other)


def made_of(text: str) -> Any:
    """What a cell of a notebook leaves: code without a file."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(text, space)
    return space["Made"]


def test_code_without_a_file_is_told_by_what_it_does() -> None:
    text = "class Made:\n    size = 3\n    def go(self, x):\n        return x + 1\n    @property\n    def big(self):\n        return 9\n"
    assert plain(made_of(text)) == plain(made_of(text))
    for old, new in (("x + 1", "x + 2"), ("return 9", "return 8")):
        assert plain(made_of(text)) != plain(made_of(text.replace(old, new)))


def test_a_function_that_names_itself_has_an_end() -> None:
    def outer(step: int) -> Callable[[int], int]:
        def again(n: int) -> int:
            return again(n - step) if n > 0 else later

        if step > 5:
            later = 1
        return again

    assert plain(outer(2)) == plain(outer(2))
    assert plain(outer(2)) != plain(outer(3))


def test_what_cannot_be_pickled_is_told_by_how_it_shows_itself() -> None:
    import threading

    assert plain(threading.Lock()) == plain(threading.Lock())


def test_a_serving_without_a_fingerprint_is_told_by_its_attributes() -> None:
    class Client:
        def __init__(self, model: str) -> None:
            self.model, self._lock = model, object()

        def generate_from_input(self, user_inputs: list[str], system_prompt: str = "") -> list[str]:
            return user_inputs

    assert plain(Client("a")) == plain(Client("a"))
    assert plain(Client("a")) != plain(Client("b"))
