"""Local back ends with real models: what they promise, not how clever the smallest model is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from dataflow.core.errors import CallError, ConfigError, ServingError
from dataflow.core.protocols import Request
from dataflow.serving.backends.llama import LlamaBackend
from dataflow.serving.backends.onnx import OnnxEmbedder, OnnxReranker

T = TypeVar("T")
SMALLEST = "smollm2-135m-instruct"
TOPIC = {
    "type": "object",
    "properties": {"topic": {"type": "string", "maxLength": 40}, "score": {"enum": [1, 2, 3]}},
    "required": ["topic", "score"],
    "additionalProperties": False,
}
TEXTS = [
    "",
    " ",
    "The cat sleeps.",
    "猫在睡觉。",
    "Interest rates rose " * 40,
    "a\x00b",
    "lone \ud800",
    "👩‍👩‍👧 שלום",
]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture(scope="module")
def llama(loop: asyncio.AbstractEventLoop) -> Iterator[LlamaBackend]:
    backend = LlamaBackend(SMALLEST, context=512, slots=4, max_tokens=48)
    yield backend
    loop.run_until_complete(backend.close())


def run(loop: asyncio.AbstractEventLoop, *work: Coroutine[Any, Any, T]) -> list[T]:
    async def together() -> list[T]:
        return await asyncio.gather(*work)

    return loop.run_until_complete(together())


def embed(texts: list[str], model: str = "use-multilingual-v3") -> tuple[np.ndarray, int]:
    return asyncio.run(OnnxEmbedder(model).embed(texts))


@pytest.mark.model
def test_replies_at_once_keep_to_the_schema(loop: asyncio.AbstractEventLoop, llama: LlamaBackend) -> None:
    requests = [
        Request.of(f"Rate the topic '{t}'.", "Be brief.", TOPIC) for t in ["sea", "tea", "snow", "chess"] * 2
    ]
    replies = run(loop, *(llama.chat(request) for request in requests))
    for reply in replies:
        value = json.loads(reply.text)
        assert set(value) == {"topic", "score"}
        assert value["score"] in {1, 2, 3}
        assert not reply.truncated
        assert min(reply.prompt_tokens, reply.completion_tokens) > 0


@pytest.mark.model
def test_a_reply_at_the_limit_is_marked(loop: asyncio.AbstractEventLoop, llama: LlamaBackend) -> None:
    (reply,) = run(loop, llama.chat(Request.of("Write a long story about a lighthouse.")))
    assert reply.truncated
    assert reply.completion_tokens == 48


@pytest.mark.model
def test_a_prompt_past_the_context_is_refused(loop: asyncio.AbstractEventLoop, llama: LlamaBackend) -> None:
    with pytest.raises(CallError, match=r"takes \d+ tokens, the context holds 512"):
        run(loop, llama.chat(Request.of("cat " * 800)))


@pytest.mark.model
def test_a_schema_that_is_none_is_refused(loop: asyncio.AbstractEventLoop, llama: LlamaBackend) -> None:
    with pytest.raises(CallError, match="refused"):
        run(loop, llama.chat(Request.of("Hi", schema={"type": "nonsense"})))


@pytest.mark.model
@pytest.mark.parametrize("prompt", TEXTS[:4] + TEXTS[5:])
def test_awkward_prompts_are_answered(
    loop: asyncio.AbstractEventLoop, llama: LlamaBackend, prompt: str
) -> None:
    run(loop, llama.chat(Request.of(prompt, schema={"enum": ["yes", "no"]})))


@pytest.mark.model
def test_back_ends_of_one_model_have_it_in_memory_once(loop: asyncio.AbstractEventLoop) -> None:
    """Until the last of them is closed; one that would load it otherwise has its own."""
    loaded = []

    class Counting(LlamaBackend):
        def _load(self) -> Any:
            loaded.append(self.context)
            return super()._load()

    cold, warm = (Counting(SMALLEST, context=256, max_tokens=8, temperature=t) for t in (0.0, 0.9))
    wide = Counting(SMALLEST, context=512, max_tokens=8)
    asked = Request.of("Say a word.", schema={"enum": ["yes", "no"]})
    run(loop, cold.chat(asked), warm.chat(asked), wide.chat(asked))
    assert sorted(loaded) == [256, 512]
    run(loop, cold.close())
    run(loop, warm.chat(asked), cold.chat(asked))
    assert len(loaded) == 2
    for backend in (cold, warm, wide):
        run(loop, backend.close())
    run(loop, warm.chat(asked))
    assert len(loaded) == 3
    run(loop, warm.close())


@pytest.mark.model
def test_an_exact_reply_depends_on_its_request_alone(loop: asyncio.AbstractEventLoop) -> None:
    backend = LlamaBackend(SMALLEST, context=256, max_tokens=24, exact=True)
    requests = [Request.of(f"Say something about {t}.") for t in ("rivers", "sugar", "trains", "iron")]
    alone = [run(loop, backend.chat(request))[0].text for request in requests]
    beside = run(loop, *(backend.chat(request) for request in reversed(requests)))
    assert [reply.text for reply in reversed(beside)] == alone
    run(loop, backend.close())


@pytest.mark.model
def test_a_closed_backend_loads_again(loop: asyncio.AbstractEventLoop, llama: LlamaBackend) -> None:
    run(loop, llama.close())
    assert run(loop, llama.chat(Request.of("Hi")))[0].text


@pytest.mark.model
def test_the_log_of_llama_cpp_is_kept_quiet(
    loop: asyncio.AbstractEventLoop, llama: LlamaBackend, capfd: pytest.CaptureFixture[str]
) -> None:
    run(loop, llama.close())
    run(loop, llama.chat(Request.of("Hi", schema=TOPIC)))
    assert capfd.readouterr() == ("", "")


def test_a_broken_model_file_is_named(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and nothing more")
    with pytest.raises(ServingError, match=r"cannot load .*broken\.gguf"):
        run(loop, LlamaBackend(broken).chat(Request.of("Hi")))


def test_identity_tells_weights_and_sampling_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name / "own.gguf" for name in "ab"]
    for i, path in enumerate(paths):
        path.parent.mkdir()
        path.write_bytes(bytes([i]) * 1000)
    a, b = (LlamaBackend(path).identity for path in paths)
    assert a["model"] == b["model"] == "own.gguf"
    assert a["weights"] != b["weights"]
    assert LlamaBackend(SMALLEST).identity != LlamaBackend(SMALLEST, temperature=0.7).identity


def test_a_model_of_another_role_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a chat model"):
        LlamaBackend("bge-small-en-v1.5")
    with pytest.raises(ConfigError, match="no built-in rerank model"):
        OnnxReranker("bge-small-en-v1.5")


@pytest.mark.model
@pytest.mark.parametrize(("model", "dim"), [("use-multilingual-v3", 512), ("bge-small-en-v1.5", 384)])
def test_rows_are_unit_vectors_whatever_their_batch(model: str, dim: int) -> None:
    rows, tokens = embed(TEXTS, model)
    assert rows.shape == (len(TEXTS), dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert (tokens > 0) == (model == "bge-small-en-v1.5")
    backwards, _ = embed(TEXTS[::-1], model)
    np.testing.assert_array_equal(backwards[::-1], rows)
    np.testing.assert_array_equal(embed(TEXTS[4:5], model)[0], rows[4:5])
    assert embed([], model)[0].shape == (0, dim)


@pytest.mark.model
def test_a_translation_is_nearer_than_another_subject() -> None:
    rows, _ = embed(["Where is the railway station?", "火车站在哪里?", "สถานีรถไฟอยู่ที่ไหน", "我喜欢吃苹果。"])
    similarity = rows @ rows.T
    assert min(similarity[0, 1], similarity[0, 2]) > 0.5
    assert similarity[0, 3] < 0.3


@pytest.mark.model
def test_english_paraphrases_are_near() -> None:
    rows, _ = embed(
        ["How tall is the tower?", "What is the tower's height?", "Bake it."], "bge-small-en-v1.5"
    )
    assert rows[0] @ rows[1] > 0.8 > rows[0] @ rows[2]


@pytest.mark.model
def test_the_document_that_answers_comes_first() -> None:
    documents = ["Paris is known for its food.", "Berlin has 3.7 million inhabitants.", "", "people " * 2000]
    scores = asyncio.run(OnnxReranker().rank("How many people live in Berlin?", documents))
    assert scores.shape == (4,)
    assert scores.dtype == np.float32
    assert scores.argmax() == 1
    assert asyncio.run(OnnxReranker().rank("Anything?", [])).shape == (0,)
