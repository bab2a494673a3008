"""Tables that are elsewhere."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from dataflow.core.errors import ConfigError, MissingDependency, MissingSource
from dataflow.storage import source_of


def test_object_stores_through_fsspec() -> None:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.pipe("/shop/a.jsonl", b'{"a":1}\n')
    system.pipe("/shop/b.csv", b"a\n2\n")
    assert source_of("memory://shop").frame()["a"].to_list() == [1, 2]
    assert source_of("memory://shop/b.csv").frame()["a"].to_list() == [2]
    assert source_of("memory://shop/*.jsonl").height == 1
    with pytest.raises(MissingSource):
        source_of("memory://nowhere/*.jsonl")


@pytest.mark.parametrize(("name", "extra"), [("hf:a/b:train", "hub"), ("ms:a/b", "modelscope")])
def test_hubs_name_the_package_they_need(name: str, extra: str) -> None:
    if find_spec("datasets" if extra == "hub" else "modelscope"):
        pytest.skip("the package is installed")
    with pytest.raises(MissingDependency, match=rf"dataflow-llm\[{extra}\]"):
        source_of(name)


@pytest.mark.parametrize("name", ["hf:a:b:c:d", "ms:a:b:c", "hf:"])
def test_hub_names_of_the_wrong_form(name: str) -> None:
    with pytest.raises(ConfigError, match="form"):
        source_of(name)
