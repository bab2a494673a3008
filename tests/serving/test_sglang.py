"""The SGLang serving over a stand-in package that takes SGLang's arguments and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from echo_engine import stand_in
from engine_stands import environment

from dataflow.core.errors import ConfigError
from dataflow.serving.sglang import LocalModelLLMServing_sglang

MODULE = "sglang.launch_server"
OPTIONS = [
    "--model-path", "--served-model-name", "--host", "--port", "--tp-size", "--dp-size", "--mem-fraction-static",
    "--stream-interval", "--download-dir",
]  # fmt: skip
SCHEMA = {"type": "object", "properties": {"model": {"type": "string"}}, "required": ["model"]}


def asked(serving: LocalModelLLMServing_sglang, *arguments: Any) -> Any:
    (reply,) = serving.generate_from_input(["hi"], *arguments)
    return orjson.loads(reply or "")


def test_what_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, MODULE, OPTIONS, ["--model-path", "--port"], [])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{environment()['PYTHONPATH']}")
    serving = LocalModelLLMServing_sglang(
        "org/model", "/cache", sgl_stop=["END"], sgl_stop_token_ids=[1], sgl_min_new_tokens=2, sgl_regex="a+",
        sgl_custom_params={"k": 1}, sgl_logit_bias={"5": -1.0}, sgl_stream_interval=4, sgl_no_stop_trim=True,
    )  # fmt: skip
    assert serving.check() is None
    assert asked(serving, "") == {
        "model": "org/model", "temperature": 1.0, "top_p": 1.0, "top_k": -1, "min_p": 0.0, "max_tokens": 2048,
        "min_tokens": 2, "frequency_penalty": 0.0, "presence_penalty": 0.0, "repetition_penalty": 1.0,
        "stop": ["END"], "stop_token_ids": [1], "regex": "a+", "ignore_eos": False, "skip_special_tokens": True,
        "no_stop_trim": True, "custom_params": {"k": 1}, "logit_bias": {"5": -1.0},
        "messages": [{"role": "user", "content": "hi"}],
    }  # fmt: skip
    with pytest.raises(ConfigError, match="sgl_regex and the call's JSON schema cannot both"):
        serving.generate_from_input(["hi"], "", SCHEMA)
    shaped = LocalModelLLMServing_sglang(
        "org/model", "/cache", sgl_stream_interval=4, sgl_json_schema=orjson.dumps(SCHEMA).decode()
    )
    assert shaped.spec == serving.spec
    assert asked(shaped)["response_format"]["json_schema"]["schema"] == SCHEMA
    other = {"type": "object"}
    assert asked(shaped, "", other)["response_format"]["json_schema"]["schema"] == other
    tagged = LocalModelLLMServing_sglang(
        "org/model",
        "/cache",
        sgl_stream_interval=4,
        sgl_structural_tag={"type": "structural_tag", "format": {}},
    )
    assert asked(tagged)["response_format"] == {"type": "structural_tag", "format": {}}
    for used in (serving, shaped, tagged):
        used.cleanup()


def test_the_command() -> None:
    serving = LocalModelLLMServing_sglang("m", sgl_tp_size=2, sgl_dp_size=3, sgl_mem_fraction_static=0.5)
    assert serving.spec.command[2:] == (
        MODULE, "--model-path", "m", "--served-model-name", "m", "--host", "{host}", "--port", "{port}",
        "--tp-size", "2", "--dp-size", "3", "--mem-fraction-static", "0.5",
    )  # fmt: skip
    assert serving.check() == 'LocalModelLLMServing_sglang needs sglang: pip install "dataflow-llm[sglang]"'


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"sgl_n": 2}, "a row has one reply"),
        ({"sgl_spaces_between_special_tokens": False}, "no such setting"),
        ({"sgl_regex": "a", "sgl_ebnf": "b"}, "sgl_regex and sgl_ebnf cannot both shape"),
        ({"sgl_json_schema": "{"}, "sgl_json_schema is no JSON"),
        ({"sgl_json_schema": "[]"}, "must be a JSON object, not list"),
        ({"sgl_structural_tag": "{"}, "sgl_structural_tag is no JSON"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        LocalModelLLMServing_sglang("m", **settings)


def test_unknown_settings() -> None:
    with pytest.raises(TypeError, match="sgl_top_q"):
        LocalModelLLMServing_sglang("m", sgl_top_q=1)  # type: ignore[call-arg]


def test_embeddings_are_not_given() -> None:
    serving = LocalModelLLMServing_sglang("m", server_command=["x"])
    with pytest.raises(ConfigError, match="gives no embeddings: an engine that chats does not embed"):
        serving.generate_embedding_from_input(["a"])


def test_the_schema_is_part_of_the_fingerprint() -> None:
    assert (
        LocalModelLLMServing_sglang("m").fingerprint
        != LocalModelLLMServing_sglang("m", sgl_json_schema="{}").fingerprint
    )
