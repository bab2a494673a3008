"""Reading and pushing data sets, by the hub's own package, against a stand-in of the hub."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dataflow.core.errors import ConfigError, MissingSource, StorageError
from dataflow.core.frames import JSON
from dataflow.storage import FileStorage, source_of
from dataflow.storage.remote import packages, write_table
from dataflow.storage.remote import push as pushing
from dataflow.storage.remote.push import push_to_hub
from dataflow.storage.remote.splits import converted_files, own_files
from tests.storage.lines_pipeline import LinesPipeline

constants = pytest.importorskip("huggingface_hub.constants", reason="huggingface_hub is not installed")
from tests.storage.hub_server import HubServer, Repo  # noqa: E402 - it reads YAML, which comes with the hub's package


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.setenv("DATAFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "WAITS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with HubServer() as server:
        yield server


def options(hub: HubServer, **more: Any) -> dict[str, Any]:
    return {"endpoint": hub.url, "token": hub.token, **more}


def parquet(first: int, rows: int) -> bytes:
    n = pl.int_range(first, first + rows, eager=True)
    pl.DataFrame({"n": n, "text": n.cast(pl.String)}).write_parquet(made := io.BytesIO())
    return made.getvalue()


def shards(*rows: int, split: str = "train") -> dict[str, bytes]:
    total = len(rows)
    return {
        f"data/{split}-{k:05}-of-{total:05}.parquet": parquet(sum(rows[:k]), r) for k, r in enumerate(rows)
    }


def downloads(hub: HubServer) -> list[str]:
    return [a.rpartition("/")[2] for a in hub.asked if a.startswith("GET /datasets/")]


CARD = """---
configs:
- config_name: small
  data_files: [{split: train, path: "small/*.jsonl"}, {split: test, path: ["held/a.jsonl", "held/b.jsonl"]}]
- config_name: big
  default: true
  data_files: "big/**/*.jsonl"
---
# Things
"""


def test_rows_come_in_the_order_of_the_shards(hub: HubServer) -> None:
    hub.repos["ann/things"] = repo = Repo()
    repo.commit(shards(3000, 2000))
    source = source_of("hf:ann/things", options(hub))
    assert (source.height, source.schema) == (5000, pl.Schema({"n": pl.Int64(), "text": pl.String()}))
    assert source.frame()["n"].to_list() == list(range(5000))
    assert [f.height for f in source.batches(1500, 1000)] == [1500, 1500, 1000]


def test_only_the_shards_that_are_read_are_fetched(hub: HubServer) -> None:
    hub.repos["ann/things"] = repo = Repo()
    repo.commit(shards(30_000, 30_000))
    source = source_of("hf:ann/things:train", options(hub))
    assert source.height == 60_000
    hub.asked.clear()
    assert next(iter(source.batches(10)))["n"].to_list() == list(range(10))
    assert downloads(hub) == ["train-00000-of-00002.parquet"]


def test_a_card_declares_configs(hub: HubServer) -> None:
    hub.repos["ann/things"] = repo = Repo()
    lines = {
        "small/x.jsonl": 1,
        "held/a.jsonl": 2,
        "held/b.jsonl": 3,
        "big/p/x.jsonl": 4,
        "big/q/r/x.jsonl": 5,
    }
    repo.commit({"README.md": CARD.encode()} | {p: b'{"n":%d}\n' % n for p, n in lines.items()})
    read = {
        name: source_of(f"hf:ann/things{name}", options(hub)).frame()["n"].to_list()
        for name in ("", ":big:train", ":small:train", ":small:test")
    }
    assert read == {"": [4, 5], ":big:train": [4, 5], ":small:train": [1], ":small:test": [2, 3]}
    with pytest.raises(MissingSource, match="Did you mean 'small'"):
        source_of("hf:ann/things:smal:train", options(hub))
    with pytest.raises(MissingSource, match="no split 'test'; there are train"):
        source_of("hf:ann/things:big:test", options(hub))


def test_the_hubs_own_copy_is_read_where_the_files_are_of_no_known_kind(hub: HubServer) -> None:
    hub.repos["ann/things"] = repo = Repo()
    repo.commit({"things.zip": b"PK", "README.md": b"# Things\n"})
    copies = {"en/train/0000.parquet": parquet(0, 10), "de/train/0000.parquet": parquet(10, 5)}
    repo.commit(copies | {"en/partial-test/0000.parquet": parquet(0, 1)}, "refs/convert/parquet")
    assert source_of("hf:ann/things:en:train", options(hub)).height == 10
    assert source_of("hf:ann/things:de:train", options(hub)).frame()["n"].to_list() == list(range(10, 15))
    with pytest.raises(MissingSource, match="only the first part"):
        source_of("hf:ann/things:en:test", options(hub))
    with pytest.raises(MissingSource, match="there are de:train"):
        source_of("hf:ann/things", options(hub))


def test_the_fingerprint_follows_the_rows(hub: HubServer) -> None:
    hub.repos["ann/things"] = repo = Repo()
    first = repo.commit(shards(10))
    before = source_of("hf:ann/things", options(hub)).fingerprint
    repo.commit(shards(10) | {"README.md": b"# Better words\n"})
    assert source_of("hf:ann/things", options(hub)).fingerprint == before
    repo.commit(shards(11))
    assert source_of("hf:ann/things", options(hub)).fingerprint != before
    assert source_of(f"hf:ann/things@{first}", options(hub)).height == 10


def test_without_a_connection_the_cache_is_read(hub: HubServer, caplog: pytest.LogCaptureFixture) -> None:
    hub.repos["ann/things"] = repo = Repo()
    repo.commit(shards(20))
    online = source_of("hf:ann/things", options(hub))
    assert online.frame().height == 20
    hub.stop()
    offline = source_of("hf:ann/things", options(hub))
    assert offline.fingerprint == online.fingerprint
    assert offline.frame()["n"].to_list() == list(range(20))
    assert "cannot be reached" in caplog.text
    with pytest.raises(StorageError, match="cannot be reached"):
        source_of("hf:ann/others", options(hub))


def test_a_download_that_breaks_off_goes_on(hub: HubServer) -> None:
    hub.repos["ann/things"] = repo = Repo()
    repo.commit({"train.jsonl": b"".join(b'{"n":%d}\n' % n for n in range(20_000))})
    hub.breaks = 1
    assert source_of("hf:ann/things", options(hub)).frame()["n"].to_list() == list(range(20_000))
    assert hub.breaks == 0


def test_a_busy_hub_is_asked_again(hub: HubServer) -> None:
    hub.repos["ann/things"] = repo = Repo()
    repo.commit(shards(3))
    hub.busy = 2
    assert source_of("hf:ann/things", options(hub)).height == 3
    hub.busy = 1000
    with pytest.raises(StorageError, match="refuses hf:ann/things with HTTP 503"):
        source_of("hf:ann/things", options(hub))


@pytest.mark.parametrize(
    ("repo", "token", "told"),
    [
        (None, "hf_hunter2", "no data set 'ann/things' on the hub, or it is private"),
        (Repo(private=True), "hf_wr0ng", "or it is private: set HF_TOKEN"),
        (Repo(gated=True), "hf_wr0ng", "is gated"),
    ],
)  # fmt: skip
def test_what_may_not_be_seen(hub: HubServer, repo: Repo | None, token: str, told: str) -> None:
    if repo is not None:
        repo.commit(shards(1))
        hub.repos["ann/things"] = repo
    with pytest.raises(MissingSource, match=told) as caught:
        source_of("hf:ann/things", options(hub, token=token))
    assert token not in str(caught.value)


def python(hub: HubServer, folder: Path, code: str, *words: str, **env: str) -> str:
    """What a process says that knows the hub from its environment."""
    told = {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": hub.token,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_XET": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=os.environ | told | env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert hub.token not in done.stdout + done.stderr
    return done.stdout


def test_the_environment_names_hub_and_token(hub: HubServer, tmp_path: Path) -> None:
    hub.repos["ann/things"] = repo = Repo(private=True)
    repo.commit(shards(7))
    code = "from dataflow.storage import source_of; print(source_of('hf:ann/things').frame().height)"
    assert python(hub, tmp_path, code).strip() == "7"
    hub.asked.clear()
    assert python(hub, tmp_path, code, HF_HUB_OFFLINE="1").strip() == "7"
    assert hub.asked == []


TABLE = pl.DataFrame({"n": [1, 2, None], "tags": [["a"], [], None]}).with_columns(
    pl.Series("j", ['{"x":1}', "2", None]).ext.to(JSON)
)


def test_what_is_pushed_is_read_back(hub: HubServer) -> None:
    address = push_to_hub(TABLE, "ann/made", token=hub.token, endpoint=hub.url)
    assert address.endswith(hub.commits("ann/made")[-1].sha)
    assert hub.repos["ann/made"].private
    back = source_of("hf:ann/made", options(hub))
    assert back.frame().equals(TABLE)
    assert back.schema == TABLE.schema


def test_pushing_again_makes_no_commit(hub: HubServer) -> None:
    for _ in range(2):
        push_to_hub(TABLE, "ann/made", token=hub.token, endpoint=hub.url)
    assert len(hub.commits("ann/made")) == 1 + 1, "the first commit is the hub's"
    push_to_hub(TABLE.head(2), "ann/made", token=hub.token, endpoint=hub.url)
    assert len(hub.commits("ann/made")) == 1 + 2


def test_another_split_and_fewer_shards(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"n": pl.int_range(0, 30_000, eager=True)})
    with monkeypatch.context() as small:
        small.setattr(pushing, "SHARD_BYTES", 60_000)
        push_to_hub(frame, "ann/made", token=hub.token, endpoint=hub.url)
    push_to_hub(frame.head(5), "ann/made", split="test", token=hub.token, endpoint=hub.url)
    names = sorted(n for n in hub.commits("ann/made")[-1].files if not n.startswith("."))
    parts = [f"data/train-{k:05}-of-00004.parquet" for k in range(4)]
    assert names == ["README.md", "data/test-00000-of-00001.parquet", *parts]
    assert source_of("hf:ann/made:train", options(hub)).frame().equals(frame)
    assert source_of("hf:ann/made:test", options(hub)).height == 5
    push_to_hub(frame.head(7), "ann/made", token=hub.token, endpoint=hub.url)
    assert [n for n in sorted(hub.commits("ann/made")[-1].files) if "train" in n] == [
        "data/train-00000-of-00001.parquet"
    ]
    assert source_of("hf:ann/made:test", options(hub)).height == 5


def test_the_words_of_people_stay_in_the_readme(hub: HubServer) -> None:
    hub.repos["ann/made"] = repo = Repo()
    repo.commit({"README.md": b"---\nlicense: mit\n---\n# Ours\n\nSee below.\n"})
    push_to_hub(TABLE, "ann/made", token=hub.token, endpoint=hub.url)
    push_to_hub(TABLE.head(1), "ann/made", token=hub.token, endpoint=hub.url)
    readme = hub.commits("ann/made")[-1].files["README.md"].decode()
    assert "license: mit" in readme
    assert "# Ours\n\nSee below." in readme
    assert readme.count("rows, made with DataFlow") == 1
    assert "1 rows, made with DataFlow" in readme
    push_to_hub(TABLE, "ann/made", token=hub.token, endpoint=hub.url, card="# Mine\n")
    readme = hub.commits("ann/made")[-1].files["README.md"].decode()
    assert "# Mine" in readme
    assert "path: data/train-*" in readme


def test_a_storage_delivers_to_the_hub(hub: HubServer, tmp_path: Path) -> None:
    storage = FileStorage(
        "", str(tmp_path), output="hf:ann/made:test", storage_options=options(hub, private=False)
    )
    storage.step().write([{"a": 1}, {"a": 2}])
    assert storage.export() == 2
    assert source_of("hf:ann/made:test", options(hub)).frame()["a"].to_list() == [1, 2]
    assert not hub.repos["ann/made"].private


def test_an_empty_table_keeps_its_columns(hub: HubServer) -> None:
    assert write_table("hf:ann/none", [], TABLE.schema, options(hub)) == 0
    assert source_of("hf:ann/none", options(hub)).schema == TABLE.schema


def test_a_run_is_pushed_by_the_command(hub: HubServer, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"text":"a|b"}\n{"text":"c"}\n')
    run = LinesPipeline(FileStorage(str(tmp_path / "x.jsonl"), str(tmp_path / "cache"), "loud")).run(
        progress=False
    )
    code = "import typer; from dataflow.cli.push import push; typer.run(push)"
    for _ in range(2):
        said = python(hub, tmp_path, code, str(run.run_dir), "ann/loud")
    assert said.strip().endswith(hub.commits("ann/loud")[-1].sha)
    assert len(hub.commits("ann/loud")) == 1 + 1
    readme = hub.commits("ann/loud")[-1].files["README.md"].decode()
    assert "The pipeline `LinesPipeline` read 2 rows, dropped 0 and set 0 aside." in readme
    assert "| 1 | LoudRefiner | 2 | 2 |" in readme
    assert source_of("hf:ann/loud", options(hub)).frame()["loud"].to_list() == ["A|B", "C"]


def test_refused_pushes_tell_no_token(hub: HubServer) -> None:
    with pytest.raises((StorageError, MissingSource)) as caught:
        push_to_hub(TABLE, "ann/made", token="hf_wr0ng", endpoint=hub.url)
    assert "hf_wr0ng" not in str(caught.value)
    assert not hub.repos
    with pytest.raises(ConfigError, match="cannot name a split"):
        push_to_hub(TABLE, "ann/made", split="a/b", token=hub.token, endpoint=hub.url)
    with pytest.raises(ConfigError, match="cannot be pushed"):
        push_to_hub(3, "ann/made", token=hub.token, endpoint=hub.url)


@pytest.mark.parametrize(
    ("paths", "split", "found"),
    [
        (["a.csv", "b.csv"], "train", ["a.csv", "b.csv"]),
        (["a.csv"], "test", []),
        (["train.jsonl", "test.jsonl", "dev.jsonl"], "validation", ["dev.jsonl"]),
        (["data/train/x.parquet", "data/test/x.parquet"], "test", ["data/test/x.parquet"]),
        (["data/sft_a-00000-of-00001.parquet", "data/sft_b-00000-of-00001.parquet"], "sft_a",
         ["data/sft_a-00000-of-00001.parquet"]),
        (["README.md", ".git/x.json", "dataset_infos.json", "x.jsonl"], "train", ["x.jsonl"]),
        (["constrained.jsonl"], "train", ["constrained.jsonl"]),
    ],
)  # fmt: skip
def test_which_files_are_of_a_split(paths: list[str], split: str, found: list[str]) -> None:
    assert own_files(paths, {}, None, split) == found


def test_the_one_config_of_a_copy_needs_no_name() -> None:
    assert converted_files(["plain/train/0000.parquet"], None, "train") == ["plain/train/0000.parquet"]
