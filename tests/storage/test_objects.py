"""Tables in object stores: a real S3 server on this machine, fsspec's memory, and HTTP with faults."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dataflow.core.errors import MissingSource, StorageError
from dataflow.core.frames import JSON
from dataflow.storage import FileStorage, source_of
from dataflow.storage.remote import packages, write_table

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATAFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "WAITS", (0.0, 0.0, 0.0))
    return tmp_path / "cache" / "objects"


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, Any]]:
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    server_module = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"key": "test", "secret": "hunter2hunter2", "endpoint_url": f"http://{host}:{port}"}
    fsspec.filesystem("s3", **options).mkdir("shop")
    yield options
    server.stop()


def test_memory_files() -> None:
    system = fsspec.filesystem("memory")
    system.pipe("/shelf/a.jsonl", b'{"a":1}\n')
    system.pipe("/shelf/b.csv", b"a\n2\n")
    system.pipe("/shelf/notes.md", b"no table")
    assert source_of("memory://shelf").frame()["a"].to_list() == [1, 2]
    assert source_of("memory://shelf/b.csv").frame()["a"].to_list() == [2]
    assert source_of("memory://shelf/*.jsonl").height == 1
    for name in ("memory://nowhere/*.jsonl", "memory://nowhere/x.csv", "memory://shelf/*.tsv"):
        with pytest.raises(MissingSource):
            source_of(name)


def test_s3_is_fetched_once_and_again_when_it_changes(s3: dict[str, Any], cache: Path) -> None:
    system = fsspec.filesystem("s3", **s3)
    system.pipe("shop/in/a.jsonl", b'{"a":1}\n{"a":2}\n')
    system.pipe("shop/in/b.jsonl", b'{"a":3}\n')
    first = source_of("s3://shop/in/*.jsonl", s3)
    assert first.frame()["a"].to_list() == [1, 2, 3]
    kept = {f: f.stat().st_mtime_ns for f in cache.rglob("*.jsonl")}
    assert len(kept) == 2
    again = source_of("s3://shop/in/*.jsonl", s3)
    assert again.fingerprint == first.fingerprint
    assert again.height == 3
    assert {f: f.stat().st_mtime_ns for f in cache.rglob("*.jsonl")} == kept

    system.pipe("shop/in/b.jsonl", b'{"a":4}\n')
    changed = source_of("s3://shop/in/*.jsonl", s3)
    assert changed.fingerprint != first.fingerprint
    assert changed.frame()["a"].to_list() == [1, 2, 4]


def test_of_parquet_only_the_end_is_fetched_before_the_rows(s3: dict[str, Any], cache: Path) -> None:
    frames = [pl.DataFrame({"n": pl.int_range(k * 5000, (k + 1) * 5000, eager=True)}) for k in range(3)]
    for k, frame in enumerate(frames):
        write_table(f"s3://shop/parts/{k}.parquet", [frame], frame.schema, s3)
    source = source_of("s3://shop/parts", s3)
    assert (source.height, source.schema) == (15000, pl.Schema({"n": pl.Int64()}))
    assert not list(cache.rglob("*.parquet"))
    assert next(iter(source.batches(100)))["n"].to_list() == list(range(100))
    assert [f.name for f in cache.rglob("*.parquet")] == ["0.parquet"]
    assert next(iter(source.batches(100, 14950)))["n"].to_list() == list(range(14950, 15000))
    assert sorted(f.name for f in cache.rglob("*.parquet")) == ["0.parquet", "2.parquet"]


def test_a_table_is_written_whole(s3: dict[str, Any]) -> None:
    frame = pl.DataFrame({"a": [1, None], "d": [[1.5], []]}).with_columns(
        pl.Series("j", ['{"x":1}', None]).ext.to(JSON)
    )
    assert write_table("s3://shop/out/t.parquet", [frame], frame.schema, s3) == 2
    assert source_of("s3://shop/out/t.parquet", s3).frame().equals(frame)
    assert write_table("s3://shop/out/t.jsonl.zst", [frame], frame.schema, s3) == 2
    assert source_of("s3://shop/out/t.jsonl.zst", s3).height == 2
    with pytest.raises(StorageError, match="unknown kind"):
        write_table("s3://shop/out/t.docx", [frame], frame.schema, s3)


def test_a_write_that_breaks_leaves_what_was_there(s3: dict[str, Any]) -> None:
    frame = pl.DataFrame({"a": [1]})
    write_table("s3://shop/kept.parquet", [frame], frame.schema, s3)

    def broken() -> Iterator[pl.DataFrame]:
        yield frame
        raise RuntimeError("the step fails")

    with pytest.raises(RuntimeError, match="the step fails"):
        write_table("s3://shop/kept.parquet", broken(), frame.schema, s3)
    assert source_of("s3://shop/kept.parquet", s3).frame().equals(frame)


def test_an_eager_storage_exports(s3: dict[str, Any], tmp_path: Path) -> None:
    fsspec.filesystem("s3", **s3).pipe("shop/eager.jsonl", b'{"a":1}\n')
    storage = FileStorage(
        "s3://shop/eager.jsonl", str(tmp_path), output="s3://shop/eager.parquet", storage_options=s3
    )
    rows = storage.step().read("dict")
    storage.write([{"a": r["a"] + 1} for r in rows])
    assert storage.export() == 1
    assert source_of("s3://shop/eager.parquet", s3).frame()["a"].to_list() == [2]
    assert "hunter2" not in repr(storage)


def test_missing_buckets_and_servers(s3: dict[str, Any]) -> None:
    for name in ("s3://nosuch/x.jsonl", "s3://nosuch/*.jsonl", "s3://shop/none.jsonl", "s3://shop/none/"):
        with pytest.raises(MissingSource):
            source_of(name, s3)
    away = s3 | {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"max_attempts": 1}}}
    with pytest.raises(StorageError, match=r"reading s3://shop/x\.jsonl failed") as caught:
        source_of("s3://shop/x.jsonl", away)
    assert "hunter2" not in str(caught.value)
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(StorageError, match="nosuch"):
        write_table("s3://nosuch/x.parquet", [frame], frame.schema, s3)


def test_missing_credentials(s3: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    options = {"endpoint_url": s3["endpoint_url"], "skip_instance_cache": True}
    with pytest.raises(StorageError, match="redentials"):
        source_of("s3://shop/in/a.jsonl", options)


@dataclass
class Shop:
    """Files over HTTP, some of which break off."""

    files: dict[str, bytes]
    etags: bool = True
    breaks: int = 0
    """How many downloads still to be cut in the middle."""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def shop() -> Iterator[tuple[Shop, str]]:
    state = Shop({})

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            state.asked.append(self.path)
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            data = state.files.get(self.path)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            if data is not None and state.etags:
                self.send_header("ETag", f'"{hash(data)}"')
            self.end_headers()
            if not body or data is None:
                return
            if state.breaks:
                state.breaks -= 1
                self.wfile.write(data[: len(data) // 2])
                self.close_connection = True
            else:
                self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_download_that_breaks_off_is_tried_again(shop: tuple[Shop, str]) -> None:
    state, url = shop
    state.files["/t.jsonl"] = b"".join(b'{"a":%d}\n' % n for n in range(50_000))
    state.breaks = 2
    assert source_of(f"{url}/t.jsonl").frame()["a"].to_list() == list(range(50_000))
    assert state.breaks == 0


def test_a_download_that_always_breaks_off_is_an_error(shop: tuple[Shop, str], cache: Path) -> None:
    state, url = shop
    state.files["/t.jsonl"] = b'{"a":1}\n' * 50_000
    state.breaks = 1000
    with pytest.raises(StorageError, match=r"t\.jsonl failed"):
        source_of(f"{url}/t.jsonl").frame()
    assert not [f for f in cache.rglob("*") if f.is_file()]


def test_files_without_a_version_are_fetched_every_time(shop: tuple[Shop, str], cache: Path) -> None:
    state, url = shop
    state.etags = False
    state.files["/t.jsonl"] = b'{"a":1}\n'
    first = source_of(f"{url}/t.jsonl")
    assert first.frame()["a"].to_list() == [1]
    state.files["/t.jsonl"] = b'{"a":2}\n'
    second = source_of(f"{url}/t.jsonl")
    assert second.frame()["a"].to_list() == [2]
    assert second.fingerprint != first.fingerprint
    assert not cache.exists()


def test_secrets_in_urls_do_not_reach_errors(shop: tuple[Shop, str]) -> None:
    _, url = shop
    with pytest.raises(MissingSource) as caught:
        source_of(f"{url}/none.jsonl?token=hunter2")
    assert "hunter2" not in str(caught.value)
