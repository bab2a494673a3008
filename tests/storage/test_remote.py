"""Which source a name stands for, and what of it is shown."""

from __future__ import annotations

import traceback
from importlib.util import find_spec
from pathlib import Path

import pytest

from dataflow.core.errors import ConfigError, MissingDependency, MissingSource, StorageError
from dataflow.storage import FileStorage, source_of
from dataflow.storage.remote.secrets import secrets_of, shown, telling


@pytest.mark.skipif(find_spec("modelscope") is not None, reason="the package is installed")
def test_hubs_name_the_package_they_need() -> None:
    with pytest.raises(MissingDependency, match=r"dataflow-llm\[modelscope\]"):
        source_of("ms:a/b")


@pytest.mark.parametrize("name", ["hf:a:b:c:d", "ms:a:b:c", "hf:"])
def test_hub_names_of_the_wrong_form(name: str) -> None:
    with pytest.raises(ConfigError, match="form"):
        source_of(name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("data/x.jsonl", "data/x.jsonl"),
        ("s3://bucket/a@b:c.jsonl", "s3://bucket/a@b:c.jsonl"),
        ("http://host:8080/a@b.csv", "http://host:8080/a@b.csv"),
        ("postgresql://ann:hunter2@host:5432/shop#orders", "postgresql://ann:***@host:5432/shop#orders"),
        ("postgresql://ann:hun/ter2@host/shop#orders", "postgresql://ann:***@host/shop#orders"),
        ("postgresql://host/shop?user=ann&password=hunter2#t", "postgresql://host/shop?user=ann&password=***#t"),
        ("sqlite:///a.db#select 'x:y@z?token=1'", "sqlite:///a.db#select 'x:y@z?token=1'"),
        ("https://h/t.csv?X-Amz-Signature=hunter2&v=1", "https://h/t.csv?X-Amz-Signature=***&v=1"),
    ],
)  # fmt: skip
def test_what_is_shown(name: str, told: str) -> None:
    assert shown(name) == told


def test_secrets_are_found_in_addresses_and_options() -> None:
    options = {"key": "AKIA", "client_kwargs": {"endpoint_url": "http://h", "aws_secret_access_key": "s3cr"}}
    assert secrets_of("ftp://ann:h%40x@host/f", options) == {"h%40x", "h@x", "AKIA", "s3cr"}


def test_errors_of_other_packages_hide_secrets() -> None:
    name = "ftp://a:hunter2@h/f"
    told = r"reading ftp://a:\*\*\*@h/f failed: no \*\*\*"
    with pytest.raises(StorageError, match=told) as caught, telling("reading", name, {}):
        raise RuntimeError(f"no {name[8:15]}")
    shown_trace = "".join(traceback.format_exception(caught.value))
    assert shown_trace.replace(f'"{name}"', "").count("hunter2") == 0


def test_a_storage_shows_no_password(tmp_path: Path) -> None:
    storage = FileStorage(
        "ftp://ann:hunter2@host/x.jsonl", str(tmp_path), output="postgresql://ann:hunter2@host/db#t",
        storage_options={"token": "hunter2"},
    )  # fmt: skip
    assert "hunter2" not in repr(storage)
    assert "hunter2" not in storage.path_of(0) + storage.first_entry_file_name + storage.output
    assert "ann:***@host/x.jsonl" in repr(storage)


def test_schemes_that_nobody_knows() -> None:
    with pytest.raises(ConfigError, match="nosuch:// is unknown"):
        source_of("nosuch://place/x.jsonl")


def test_files_by_url(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a":1}\n')
    assert source_of(f"file://{tmp_path}/a.jsonl").frame()["a"].to_list() == [1]
    with pytest.raises(MissingSource):
        source_of(f"file://{tmp_path}/b.jsonl")
