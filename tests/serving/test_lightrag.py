"""`LightRAGServing`: settings and faults without the package; the real one over a local endpoint where installed."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataflow.core import background
from dataflow.core.errors import MissingDependency, ServingError
from dataflow.serving.lightrag import LightRAGServing
from dataflow.testing.server import FaultyServer

Start = Callable[..., FaultyServer]
INSTALLED = importlib.util.find_spec("lightrag") is not None
live = pytest.mark.skipif(not INSTALLED, reason="lightrag-hku is not installed")


class Letters:
    """A tokeniser that fetches nothing."""

    def encode(self, text: str) -> list[int]:
        return [ord(c) for c in text]

    def decode(self, tokens: list[int]) -> str:
        return "".join(map(chr, tokens))


@pytest.fixture
def document(tmp_path: Path) -> str:
    path = tmp_path / "paris.txt"
    path.write_text("Paris is the capital of France. " * 20)
    return str(path)


def serving_of(server: FaultyServer, document: str, **settings: Any) -> LightRAGServing:
    from lightrag.utils import Tokenizer  # type: ignore[import-not-found]

    serving = LightRAGServing(
        server.base_url, llm_model_name="toy", embed_model_name="vectors", embed_binding_host=server.base_url,
        embedding_dim=16, document_list=[document], tokenizer=Tokenizer("letters", Letters()),
        **({"mode": "naive", "cosine_better_than_threshold": -1.0} | settings),
    )  # fmt: skip
    for inner in (serving.chat, serving.vectors):
        inner.policy = replace(inner.policy, backoff_s=0.01, max_retries=1)
        inner._begin()
    return serving


def reply(body: dict[str, Any]) -> str:
    asked = str(body["messages"])
    return f"found={'Paris is the capital' in asked} brief={'be brief' in asked}"


@pytest.mark.skipif(INSTALLED, reason="lightrag-hku is installed")
def test_without_the_package() -> None:
    assert LightRAGServing().check() == 'LightRAGServing needs lightrag: pip install "dataflow-llm[lightrag]"'
    with pytest.raises(MissingDependency):
        LightRAGServing().generate_from_input(["a"])
    with pytest.raises(MissingDependency):
        asyncio.run(LightRAGServing.create())


def test_addresses_and_fingerprint(document: str) -> None:
    one = LightRAGServing(document_list=[document])
    assert one.vectors.api_url == "http://localhost:11434/v1"
    assert LightRAGServing(embed_binding_host="http://h/v1/").vectors.api_url == "http://h/v1"
    before = dict(one.fingerprint)
    assert before == LightRAGServing(document_list=[document], working_dir="x").fingerprint
    Path(document).write_text("other")
    assert one.fingerprint != before
    assert LightRAGServing(document_list=["/no/such"]).fingerprint["documents"] == ["/no/such"]


@live
def test_missing_documents_and_keys(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no file '/no/such.txt'" in str(LightRAGServing(document_list=["/no/such.txt"]).check())
    monkeypatch.delenv("DF_API_KEY")
    assert "holds no key" in str(LightRAGServing(document_list=[document]).check())


@live
def test_answers_come_from_the_documents(start: Start, document: str, acting: Any) -> None:
    server = start(reply=reply)
    serving = serving_of(server, document)
    with acting():
        assert serving.generate_from_input(["capital?"], "be brief") == ["found=True brief=True"]
        asked = server.calls
        assert serving.generate_from_input(["capital?"], "be brief") == ["found=True brief=True"]
        assert server.calls == asked
    serving.cleanup()


@live
def test_all_may_be_awaited(start: Start, document: str) -> None:
    server = start(reply=reply)

    async def use() -> None:
        made = serving_of(server, document)
        await background.arun(made._index())
        assert await made.generate_from_input(["capital?", "and?"]) == ["found=True brief=False"] * 2
        await made.cleanup()

    asyncio.run(use())


@live
def test_an_index_is_found_again(start: Start, document: str, tmp_path: Path) -> None:
    server = start(reply=reply)
    calls = []
    for question in ("capital?", "and?"):
        serving = serving_of(server, document, working_dir=str(tmp_path / "index"))
        assert serving.generate_from_input([question]) == ["found=True brief=False"]
        serving.cleanup()
        calls.append(server.calls)
    assert calls[1] - calls[0] < calls[0]  # the question alone


@live
def test_documents_that_cannot_be_indexed_stop_the_run(start: Start, document: str) -> None:
    server = start(reply=reply)
    server.down = True
    with pytest.raises(
        ServingError, match=r"LightRAG could not index 1 of 1 documents, paris\.txt for one: .*503"
    ):
        serving_of(server, document).generate_from_input(["capital?"])


@live
def test_an_endpoint_that_dies_later_is_no_empty_answer(start: Start, document: str) -> None:
    server = start(reply=reply)
    serving = serving_of(server, document, enable_llm_cache=False)
    assert serving.generate_from_input(["capital?"]) == ["found=True brief=False"]
    server.down = True
    assert serving.generate_from_input(["and now?"]) == [None]
    assert "could not be embedded" in serving.errors[0]
    server.down = False
    assert serving.generate_from_input(["and then?"]) == ["found=True brief=False"]
    serving.cleanup()
