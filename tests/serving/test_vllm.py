"""The vLLM servings over a stand-in package that takes vLLM's arguments and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from echo_engine import stand_in
from engine_stands import environment
from media_files import PNG, WAV

from dataflow.core.errors import MissingDependency
from dataflow.serving.backends.process import EngineProcess
from dataflow.serving.vllm import LocalHostLLMAPIServing_vllm, LocalModelLLMServing_vllm
from dataflow.serving.vllm_media import LocalModelLALMServing_vllm, LocalVLMServing_vllm

MODULE = "vllm.entrypoints.openai.api_server"
OPTIONS = [
    "--model", "--served-model-name", "--host", "--port", "--tensor-parallel-size", "--max-model-len",
    "--gpu-memory-utilization", "--download-dir", "--limit-mm-per-prompt",
]  # fmt: skip
ALL = [
    LocalHostLLMAPIServing_vllm,
    LocalModelLLMServing_vllm,
    LocalVLMServing_vllm,
    LocalModelLALMServing_vllm,
]


@pytest.fixture
def vllm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package `vllm` whose server echoes requests."""
    stand_in(tmp_path, MODULE, OPTIONS, ["--model", "--port"], ["--trust-remote-code"])
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{environment()['PYTHONPATH']}")
    yield
    assert all(p.pid is None for p in EngineProcess._shared.values())


def first(replies: list[str | None]) -> Any:
    return orjson.loads(replies[0] or "")


def test_chat(vllm: None) -> None:
    serving = LocalModelLLMServing_vllm("org/model", vllm_seed=7, vllm_max_model_len=512)
    assert serving.check() is None
    body = first(serving.generate_from_input(["hi"], "be kind"))
    assert body == {
        "model": "org/model", "temperature": 0.7, "top_p": 0.9, "max_tokens": 1024, "top_k": 40,
        "repetition_penalty": 1.0, "seed": 7, "chat_template_kwargs": {"enable_thinking": True},
        "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}],
    }  # fmt: skip
    schema = {"type": "object", "properties": {"model": {"type": "string"}}}
    shaped = first(serving.generate_from_input(["hi"], "", schema))
    assert shaped["response_format"]["json_schema"]["schema"] == schema
    assert "response_format" not in first(
        serving.generate_from_input(["hi"])
    )  # a schema holds for its call alone
    assert first(serving.generate_from_conversations([[{"role": "user", "content": "x"}]]))["messages"]
    serving.cleanup()


def test_servings_that_differ_in_sampling_share_an_engine(vllm: None) -> None:
    one, two = (
        LocalModelLLMServing_vllm("m", vllm_top_k=1),
        LocalModelLLMServing_vllm("m", vllm_temperature=0),
    )
    assert one.spec == two.spec
    assert first(one.generate_from_input(["a"]))["top_k"] == 1
    assert first(two.generate_from_input(["a"]))["temperature"] == 0
    assert EngineProcess._shared[one.spec].users == 2
    one.cleanup()
    two.cleanup()


def test_embeddings(vllm: None) -> None:
    serving = LocalModelLLMServing_vllm("m")
    assert [len(v or []) for v in serving.generate_embedding_from_input(["a", "b"])] == [16, 16]
    serving.cleanup()


def test_local_host(vllm: None) -> None:
    serving = LocalHostLLMAPIServing_vllm("m", max_workers=3, vllm_top_k=5)
    assert serving.policy.workers == 3
    assert serving.spec.port == 12345
    assert serving.spec.start_timeout_s == 120
    body = first(serving.generate_from_input(["hi"]))
    assert (body["top_k"], "chat_template_kwargs" in body) == (5, False)
    serving.cleanup()


def test_pictures(vllm: None, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    serving = LocalVLMServing_vllm("m", vllm_limit_mm_per_prompt=3, enable_thinking=False, batch_size=4)
    assert serving.policy.workers == 4
    replies = serving.generate_from_input_one_image(
        [str(path), str(tmp_path / "none.png")], ["what?", "and this?"]
    )
    content = first(replies)["messages"][0]["content"]
    assert content[0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert content[1] == {"type": "text", "text": "what?"}
    assert first(replies)["chat_template_kwargs"] == {"enable_thinking": False}
    assert replies[1] is None
    assert "none.png" in serving.errors[1]
    (several,) = serving.generate_from_input_multi_images([[str(path)] * 2], [["a", "b"]], ["Which?"])
    assert len(orjson.loads(several or "")["messages"][0]["content"]) == 5
    serving.cleanup()


def test_sound(vllm: None, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(WAV)
    serving = LocalModelLALMServing_vllm("m", user_prompt="Translate into German.")
    replies = serving.generate_from_input(
        [str(path), str(tmp_path / "none.wav"), "https://example.com/a.mp3"]
    )
    system, user = first(replies)["messages"]
    assert system["content"] == "You are a helpful assistant"
    assert user["content"][0]["audio_url"]["url"].startswith("data:audio/wav;base64,")
    assert user["content"][1]["text"] == "Translate into German."
    assert replies[1] is None
    assert (
        orjson.loads(replies[2] or "")["messages"][1]["content"][0]["audio_url"]["url"]
        == "https://example.com/a.mp3"
    )
    serving.cleanup()


def test_the_commands_of_all() -> None:
    command = LocalModelLLMServing_vllm(
        "org/model", "/cache", vllm_tensor_parallel_size=2, server_args=["--dtype", "half"]
    ).spec.command
    assert command[1:] == (
        "-m", MODULE, "--model", "org/model", "--served-model-name", "org/model", "--host", "{host}",
        "--port", "{port}", "--tensor-parallel-size", "2", "--gpu-memory-utilization", "0.9",
        "--download-dir", "/cache", "--dtype", "half",
    )  # fmt: skip
    seeing = LocalVLMServing_vllm("m", trust_remote_code=False).spec.command
    assert seeing[-2:] == ("--limit-mm-per-prompt", '{"image":1}')
    assert LocalVLMServing_vllm("m").spec.command[-1] == "--trust-remote-code"
    assert LocalModelLALMServing_vllm("m").spec.command[-1] == '{"audio":1}'


@pytest.mark.parametrize("make", ALL)
def test_without_the_package(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    serving = make("org/model")
    assert serving.check() == f'{make.__name__} needs vllm: pip install "dataflow-llm[vllm]"'
    with pytest.raises(MissingDependency):
        serving.start_serving()
    assert make("org/model", server_command=["x"]).check() is None
    assert make().check() == "hf_model_name_or_path names no model"


def test_a_folder_that_holds_the_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    command = LocalModelLLMServing_vllm("org/model", hf_local_dir=str(tmp_path)).spec.command
    assert command[command.index("--model") + 1] == str(tmp_path)
    assert command[command.index("--served-model-name") + 1] == "org/model"
    assert "--download-dir" not in command
