"""Why a run computes again: what a person is told of each kind of change."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataflow.pipeline.compiled import compile_pipeline
from dataflow.plan.reasons import account_of, masked, why

PROGRAM = '''
from typing import ClassVar

from dataflow.core import Filter, Generate, In, Map, OperatorABC, Out, Prompt
from dataflow.operators.core_text import PromptedFilter, PromptedGenerator
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage


class Tidy(Map):
    """Tidy a text."""

    mark: str = "!"
    words: list[str] = ["a", "b"]
    input_key = In("text")
    output_key = Out("tidy")

    def map(self, text):
        return text.strip() + self.mark


class Asks(Generate):
    """Ask about a text."""

    default_prompt: ClassVar[Prompt] = Prompt("What of {text}?", "You answer.")
    input_text_key = In("text")
    output_key = Out("answer")

    def parse(self, reply):
        return reply.strip()


class Long(Filter):
    """Keep long texts."""

    input_key = In("text")

    def keep(self, text):
        return len(text) > 3


class Count(OperatorABC):
    """Count words."""

    def run(self, storage, input_key="text", output_key="count"):
        pass


class Program(PipelineABC):
    def __init__(self, source, cache):
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache, file_name_prefix="p", cache_type="jsonl")
        self.llm = APILLMServing("http://127.0.0.1:9/v1", model_name="m", temperature=0.5, max_workers=8)
        self.tidy = Tidy(mark="?")
        self.asks = Asks(llm_serving=self.llm)
        self.answer = PromptedGenerator(self.llm, system_prompt="Rate the text. Be kind and brief about it, and say nothing else at all.")
        self.judge = PromptedFilter(self.llm, min_score=3)
        self.long = Long()
        self.count = Count()

    def forward(self):
        self.tidy.run(self.storage.step(), output_key="tidy")
        self.asks.run(self.storage.step(), output_key="asked")
        self.answer.run(self.storage.step(), input_key="asked", output_key="answer")
        self.judge.run(self.storage.step(), input_key="answer", output_key="score")
        self.long.run(self.storage.step(), input_key="text")
        self.count.run(self.storage.step(), input_key="text", output_key="count")
'''
ASKS = '        self.asks.run(self.storage.step(), output_key="asked")\n'
TIDY = '        self.tidy.run(self.storage.step(), output_key="tidy")\n'
LONG = '        self.long.run(self.storage.step(), input_key="text")\n'
ROWS = '{"text": "one"}\n{"text": "two"}\n'

CHANGES: dict[str, tuple[str, str, list[str]]] = {
    "nothing": ("self.llm", "self.llm", []),
    "workers": ("max_workers=8", "max_workers=80", []),
    "a system prompt": ("Rate the text.", "Judge the text.", [
        "step 3 PromptedGenerator: system_prompt changed: 'Rate the text. …' -> 'Judge the text. …'"]),
    "the end of a long prompt": ("nothing else at all", "nothing else", [
        "step 3 PromptedGenerator: system_prompt changed: '…nothing else at all.' -> '…nothing else.'"]),
    "the words of a template": ("What of {text}?", "Why {text}?", [
        "step 2 Asks: the words of default_prompt changed: 'What of {text}?' -> 'Why {text}?'", "step 2 Asks: its code changed"]),
    "the system part of a template": ('"You answer."', '"You ask."', [
        "step 2 Asks: the system part of default_prompt changed: 'You answer.' -> 'You ask.'", "step 2 Asks: its code changed"]),
    "a model": ('model_name="m"', 'model_name="n"', [
        f"step {s}: the model of llm_serving changed: 'm' -> 'n'" for s in ("2 Asks", "3 PromptedGenerator", "4 PromptedFilter")]),
    "a temperature": ("temperature=0.5", "temperature=0.7", [
        f"step {s}: temperature of llm_serving 0.5 -> 0.7" for s in ("2 Asks", "3 PromptedGenerator", "4 PromptedFilter")]),
    "a sampling setting": ("max_workers=8", "max_tokens=8", [
        f"step {s}: max_tokens of llm_serving none -> 8" for s in ("2 Asks", "3 PromptedGenerator", "4 PromptedFilter")]),
    "an endpoint": ("127.0.0.1:9/", "127.0.0.1:8/", [
        f"step {s}: the address of llm_serving changed: 'http://127.0.0.1:9/v1' -> 'http://127.0.0.1:8/v1'"
        for s in ("2 Asks", "3 PromptedGenerator", "4 PromptedFilter")]),
    "a parameter": ("min_score=3", "min_score=4", ["step 4 PromptedFilter: min_score 3 -> 4"]),
    "a member of a list": ('["a", "b"]', '["a", "c"]', [
        "step 1 Tidy: words[1] 'b' -> 'c'", "step 1 Tidy: its code changed"]),
    "a parser": ("reply.strip()", "reply.upper()", ["step 2 Asks: its code changed"]),
    "a column read": ('self.storage.step(), input_key="text")\n        self.count', 'self.storage.step(), input_key="tidy")\n        self.count',
                      ["step 5 Long: input_key 'text' -> 'tidy'"]),
    "a column written": ('output_key="count")\n', 'output_key="n")\n', ["step 6 Count: output_key 'count' -> 'n'"]),
    "an argument of a free-form operator": ('input_key="text", output_key="count")\n', 'input_key="answer", output_key="count")\n',
                                            ["step 6 Count: input_key 'text' -> 'answer'"]),
    "a step removed": (LONG, "", ["step 5 Long was removed"]),
    "a step added": (ASKS, LONG + ASKS, ["step 2 Long was added"]),
    "a step replaced": ("self.tidy.run", "self.asks.run", ["step 1: Tidy was replaced by Asks"]),
    "a step moved": (TIDY + ASKS, ASKS + TIDY, ["step 2 Asks moved to step 1"]),
    "a step moved far": (TIDY + ASKS, LONG + TIDY + ASKS, ["step 5 Long moved to step 1"]),
    "a step moved and set otherwise": (TIDY + ASKS, ASKS + TIDY.replace("tidy.run(", "tidy.run(input_key='asked', storage="),
                                       ["step 2 Asks moved to step 1", "step 2 Tidy: input_key 'text' -> 'asked'"]),
}  # fmt: skip


def accounted(folder: Path, text: str, rows: str = ROWS) -> dict[str, Any]:
    """The account of the program, as it would be read back from a file."""
    folder.mkdir()
    (folder / "program.py").write_text(text, encoding="utf-8")
    (folder / "in.jsonl").write_text(rows, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("program", folder / "program.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["program"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pipeline = module.Program("in.jsonl", str(folder / "cache"))
    pipeline.storage.first_entry_file_name = str(folder / "in.jsonl")
    flow = compile_pipeline(pipeline).flows[0]
    account = account_of(flow.source.fingerprint, flow.calls)
    return dict(json.loads(json.dumps(account))) | {"input": "in.jsonl"}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    sys.modules.pop("program", None)


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_told_in_its_words(tmp_path: Path, change: str) -> None:
    old, new, told = CHANGES[change]
    assert old in PROGRAM
    text = PROGRAM.replace(old, new)
    if change == "a step moved far":
        text = PROGRAM.replace(LONG, "").replace(old, new)
    assert why(accounted(tmp_path / "a", PROGRAM), accounted(tmp_path / "b", text)) == told


def test_the_input_comes_first(tmp_path: Path) -> None:
    before = accounted(tmp_path / "a", PROGRAM)
    now = accounted(tmp_path / "b", PROGRAM.replace("min_score=3", "min_score=2"), ROWS.replace("two", "tow"))
    assert why(before, now) == ["the input changed: in.jsonl", "step 4 PromptedFilter: min_score 3 -> 2"]
    assert why(before, now | {"input": "other.jsonl"})[0] == "another input: 'in.jsonl' -> 'other.jsonl'"
    facts = [before | {"facts": {"limit": n, "rewrites": r}} for n, r in ((None, ["a"]), (5, []))]
    assert why(*facts) == ["limit none -> 5", 'rewrites ["a"] -> []']


def test_another_version_of_the_package_is_told_once(tmp_path: Path) -> None:
    before = accounted(tmp_path / "a", PROGRAM)
    now = accounted(tmp_path / "b", PROGRAM)
    for step in now["steps"]:
        step["version"] = "9.9.9"
        if step["operator"].startswith("dataflow."):
            step["operator"] = f"{step['operator'][:-24]}{'0' * 24}"
    version = before["steps"][0]["version"]
    assert why(before, now) == [f"dataflow itself changed: {version} -> 9.9.9"]


def step(number: int, name: str, **settings: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"reads": {}, "writes": {}, "args": {}, "call": {}, "prompts": [], "version": "1"}
    return {
        "step": number,
        "name": name,
        "inputs": [number - 1],
        "operator": f"m.{name}#{'0' * 24}",
        "settings": settings,
        **empty,
    }


def of(*steps: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "source": "s",
        "input": "i",
        "facts": {},
        "steps": [step(i, n, **s) for i, (n, s) in enumerate(steps, 1)],
    }


def test_equal_operators_are_told_apart_by_all_they_have() -> None:
    before = of(("Gen", {"a": 1}), ("Gen", {"a": 2}), ("Gen", {"a": 3}))
    assert why(before, of(("Gen", {"a": 0}), ("Gen", {"a": 1}), ("Gen", {"a": 2}), ("Gen", {"a": 3}))) == [
        "step 1 Gen was added"
    ]
    assert why(before, of(("Gen", {"a": 2}), ("Gen", {"a": 3}))) == ["step 1 Gen was removed"]
    assert why(before, of(("Gen", {"a": 3}), ("Gen", {"a": 2}), ("Gen", {"a": 1}))) != []


def test_the_order_of_a_reversal_is_told_without_naming_every_step() -> None:
    before = of(*((n, {}) for n in "ABCDE"))
    told = why(before, of(*((n, {}) for n in "EABCD")))
    assert told == ["step 5 E moved to step 1"]


def test_a_step_on_another_branch_is_told() -> None:
    before, now = of(("A", {}), ("B", {}), ("C", {})), of(("A", {}), ("B", {}), ("C", {}))
    now["steps"][2]["inputs"] = [1]
    assert why(before, now) == ["step 3 C reads the table of step 1, no longer of step 2"]
    now["steps"][2]["inputs"] = [1, 2]
    assert why(before, now) == ["step 3 C reads the table of step 1 and 2, no longer of step 2"]


def test_what_is_no_longer_there_is_none() -> None:
    assert why(of(("A", {"x": 1, "y": [1]})), of(("A", {"y": [1, 2]}))) == [
        "step 1 A: x 1 -> none",
        "step 1 A: y [1] -> [1,2]",
    ]
    assert why(of(("A", {"x": 1})), of(("A", {"x": True}))) == ["step 1 A: x 1 -> true"]
    assert why(of(("A", {"f": "0" * 24})), of(("A", {"f": "1" * 24}))) == ["step 1 A: the code of f changed"]


SECRETS = {
    "api_key": "sk-very-secret",
    "auth_token": "tok-secret",
    "headers": {"Authorization": "Bearer secret"},
    "url": "https://user:secret@host/v1?key=secret&n=1",
    "list": ["http://a:secret@b"],
}


def test_keys_and_passwords_are_in_no_account() -> None:
    told = masked(SECRETS | {"max_tokens": 5, "input_key": "text", "note": "a key is a key"})
    assert "secret" not in json.dumps(told)
    assert (told["max_tokens"], told["input_key"], told["note"]) == (5, "text", "a key is a key")
    assert told["url"] == "https://…@host/v1?key=…&n=1"
    assert masked({"api_key": "a"}) != masked({"api_key": "b"})
    assert masked({"api_key": ""}) == {"api_key": ""}
