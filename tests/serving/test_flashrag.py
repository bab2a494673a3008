"""`FlashRAGServing` over retrievers of FlashRAG's protocol."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataflow.core.errors import MissingDependency, ServingError
from dataflow.serving.flashrag import FlashRAGServing

STAND_IN = {
    "config": "class Config(dict):\n    def __init__(self, config_dict): super().__init__(config_dict)\n",
    "utils": (
        "import json\n"
        "def get_retriever(config):\n"
        "    if config['retrieval_method'] == 'broken': raise RuntimeError('bad index')\n"
        "    return Retriever([json.loads(line) for line in open(config['corpus_path'])])\n"
        "class Retriever:\n"
        "    def __init__(self, rows): self.rows = rows\n"
        "    def batch_search(self, queries, num=None):\n"
        "        return [[r for r in self.rows if q in r['contents']][:num] for q in queries]\n"
    ),
}


class Words:
    """Finds the passages that hold the query."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def batch_search(self, queries: list[str], num: int) -> list[list[dict[str, str]]]:
        self.asked += queries
        if "boom" in queries:
            raise RuntimeError("faiss: bad query")
        passages = ("a b", "b c", "c a")
        return [[{"contents": p} for p in passages if q in p][:num] for q in queries]


def test_passages_of_each_query(acting: Any) -> None:
    retriever = Words()
    serving = FlashRAGServing(retriever=retriever, topk=2)
    with acting():
        assert serving.generate_from_input(["a", "b", "z"]) == [["a b", "c a"], ["a b", "b c"], []]
        assert serving.generate_from_input(["a"], "any prompt") == [["a b", "c a"]]
    assert sorted(retriever.asked) == ["a", "b", "z"]


def test_a_failed_query_is_null() -> None:
    serving = FlashRAGServing(retriever=Words())
    assert serving.generate_from_input(["a", "boom"]) == [["a b", "c a"], None]
    assert serving.errors == {1: "FlashRAG: RuntimeError: faiss: bad query"}


def test_calls_may_be_awaited() -> None:
    async def use() -> None:
        serving = FlashRAGServing(retriever=Words())
        assert await serving.generate_from_input(["b"]) == [["a b", "b c"]]
        assert await serving.asearch(["b"]) == [["a b", "b c"]]
        await serving.cleanup()

    asyncio.run(use())


@pytest.fixture
def flashrag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `flashrag` with the two functions that are used of it, and a corpus."""
    home = tmp_path / "flashrag"
    home.mkdir()
    for name, text in {"__init__": "", **STAND_IN}.items():
        (home / f"{name}.py").write_text(text)
    (tmp_path / "corpus.jsonl").write_text('{"id": 1, "contents": "a b"}\n{"id": 2, "contents": "b"}\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("flashrag", "flashrag.config", "flashrag.utils"):
        sys.modules.pop(name, None)


def test_a_retriever_made_of_the_settings(flashrag: Path) -> None:
    corpus = str(flashrag / "corpus.jsonl")
    serving = FlashRAGServing(index_path=corpus, corpus_path=corpus, topk=1)
    assert serving.check() is None
    assert serving.generate_from_input(["b", "a"]) == [["a b"], ["a b"]]
    assert (
        FlashRAGServing(index_path="/no/such", corpus_path=corpus).check()
        == "index_path='/no/such' is not there"
    )
    assert FlashRAGServing(index_path=corpus).check() == "corpus_path=None is not there"
    with pytest.raises(ServingError, match="corpus_path=None is not there"):
        FlashRAGServing(index_path=corpus).generate_from_input(["a"])
    with pytest.raises(ServingError, match="cannot load its index: RuntimeError: bad index"):
        FlashRAGServing("broken", index_path=corpus, corpus_path=corpus).generate_from_input(["a"])


def test_without_the_package() -> None:
    assert FlashRAGServing().check() == 'FlashRAGServing needs flashrag: pip install "dataflow-llm[flashrag]"'
    with pytest.raises(MissingDependency):
        FlashRAGServing().generate_from_input(["a"])


def test_what_decides_the_passages() -> None:
    one = FlashRAGServing(index_path="i", corpus_path="c")
    assert (
        one.fingerprint
        == FlashRAGServing(index_path="i", corpus_path="c", faiss_gpu=True, max_workers=9).fingerprint
    )
    assert one.fingerprint != FlashRAGServing(index_path="i", corpus_path="c", topk=9).fingerprint
    assert one.fingerprint != FlashRAGServing(index_path="i", corpus_path="c", use_reranker=True).fingerprint
