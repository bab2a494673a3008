"""Scripts in the style of open-dataflow 1.x, run as they are but for the port of the endpoint."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataflow.core.registry import OPERATOR_REGISTRY
from dataflow.testing.server import FaultyServer

SCRIPTS = Path(__file__).parent / "scripts"
TEXTS = ["a text", "word", "another", "more", "the last"]
Script = Callable[[str], dict[str, Any]]


def answer(body: dict[str, Any]) -> str:
    system, asked = (m["content"] for m in body["messages"])
    return "4" if system == "Score it." else f"[{asked}]"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(reply=answer) as running:
        yield running


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: FaultyServer) -> Script:
    """Runs a script in an empty folder with an input, and gives its globals."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DF_API_KEY", "sk-none")
    Path("input.jsonl").write_text("".join(json.dumps({"raw_content": t}) + "\n" for t in TEXTS))

    def run(name: str) -> dict[str, Any]:
        text = (
            (SCRIPTS / name).read_text(encoding="utf-8").replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        )
        Path(name).write_text(text, encoding="utf-8")
        return runpy.run_path(name, run_name="__main__")

    return run


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def test_a_plain_class_leaves_a_file_a_step(script: Script, server: FaultyServer) -> None:
    script("plain_class.py")
    assert read("cache/translation_step1.jsonl") == [
        {"raw_content": t, "translated": f"[{t}]"} for t in TEXTS
    ]
    assert read("cache/translation_step2.jsonl") == [
        {"raw_content": t, "translated": f"[[{t}]]"} for t in TEXTS
    ]
    assert server.calls == 10
    assert server.peak_in_flight <= 2


def test_operators_of_the_users_own_run_eagerly_and_compiled(script: Script, server: FaultyServer) -> None:
    made = script("custom_operators.py")
    kept = [t for t in TEXTS if len(t) >= 6]
    expected = [{"raw_content": t, "language": f"[{t}]", "length": len(t)} for t in kept]
    for prefix in ("eager", "compiled"):
        assert len(read(f"cache/{prefix}_step1.jsonl")) == 5
        assert read(f"cache/{prefix}_step2.jsonl") == expected
    assert server.calls == 10
    operator = OPERATOR_REGISTRY.get("CompatLanguageGenerator")
    assert operator is made["CompatLanguageGenerator"]
    assert (operator.get_desc("en"), operator.get_desc("zh")) == ("Names the language.", "识别语言。")
    made["compiled"].forward()
    assert server.calls == 10


def test_compile_forward_and_resume(script: Script, server: FaultyServer) -> None:
    made = script("compiled_pipeline.py")
    files = [f"cache_autoop/dataflow_cache_auto_run_step{i}.jsonl" for i in (1, 2, 3)]
    assert [len(read(f)) for f in files] == [5, 5, 5]
    assert read(files[2])[0] == {
        "raw_content": "a text",
        "content_1": "[a text]",
        "content_2": "[[a text]]",
        "content_3": 4,
    }
    assert server.calls == 15
    pipeline = made["pipeline"]
    assert pipeline.final_keys == ["raw_content", "content_1", "content_2", "content_3"]
    assert pipeline.llm_serving_list == [pipeline.llm_serving] * 3
    nodes = pipeline.op_nodes_list
    assert [n.op_name for n in nodes] == [
        "DATASET-INPUT", "PromptedGenerator", "PromptedGenerator", "PromptedFilter", "DATASET-OUTPUT",
    ]  # fmt: skip
    assert (nodes[1].op_obj, nodes[1].storage) == (pipeline.op1, pipeline.storage)
    assert (nodes[1].input_keys, nodes[1].output_keys) == (["raw_content"], ["content_1"])
    assert nodes[1].input_key_nodes["raw_content"].key_para_name == "input_key"
    assert (nodes[0].output_keys, nodes[-1].input_keys) == (["raw_content"], pipeline.final_keys)


def test_batched_pipelines(script: Script, server: FaultyServer) -> None:
    script("batched_pipeline.py")
    expected = [{"raw_content": t, "content_1": f"[{t}]", "content_2": f"[[{t}]]"} for t in TEXTS]
    assert read("cache/batched_step2.jsonl") == expected
    lines = Path("cache/stream_step2.csv").read_text().splitlines()
    assert lines == ["raw_content,content_1,content_2", *(",".join(r.values()) for r in expected)]
    assert server.calls == 20


def test_prompts_of_the_users_own(script: Script) -> None:
    made = script("own_prompt.py")
    assert read("cache/own_step2.jsonl")[0] == {
        "raw_content": "a text", "asked": "[Ask about: a text]", "polite": "[Please, a text]",
    }  # fmt: skip
    assert made["refused"].startswith("[CompatAskGenerator] Invalid prompt_template type:")
    assert "CompatAskPrompt" in made["refused"]
