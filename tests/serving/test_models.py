"""Fetching models: real wheels through pip, a real HTTP server as the hub."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dataflow.core.errors import ConfigError, ServingError
from dataflow.serving.models import MODELS, Hub, Model, ModelFile, Packages, Source, fetch, find

CONTENT = b"weights " * 300_000
HALF = len(CONTENT) // 2


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATAFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "cache" / "models"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = tmp_path / "hub" / "someone" / "toy" / "resolve" / "main"
    folder.mkdir(parents=True)
    (folder / "toy.gguf").write_bytes(CONTENT)
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_QuietHandler, directory=str(tmp_path / "hub"))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.delenv("HF_HUB_OFFLINE")
        yield Hub("someone/toy", {"w.bin": "toy.gguf"})
        server.shutdown()


def toy(*sources: Source) -> Model:
    files = (ModelFile("w.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT)),)
    return Model("toy", "chat", files, "MIT", 8, sources)


def wheels(folder: Path, *parts: bytes) -> Packages:
    """Wheels whose code must never run, each with one part of the file."""
    paths, members = [], []
    for i, part in enumerate(parts, 1):
        path = folder / f"toy_part{i}-1.0-py3-none-any.whl"
        info = f"toy_part{i}-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"toy_part{i}/__init__.py", "raise SystemExit('imported')")
            wheel.writestr(f"toy_part{i}/data.bin", part)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: toy-part{i}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        paths.append(str(path))
        members.append(f"toy_part{i}/data.bin")
    return Packages(tuple(paths), {"w.bin": tuple(members)})


def test_parts_in_packages_are_joined(tmp_path: Path, cache: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    model = toy(wheels(tmp_path, CONTENT[:HALF], CONTENT[HALF:]))
    assert fetch(model, progress=lambda *step: seen.append(step)) == (cache / "toy" / "w.bin",)
    assert (cache / "toy" / "w.bin").read_bytes() == CONTENT
    assert seen[-1] == ("w.bin", len(CONTENT), len(CONTENT))
    assert [p.name for p in (cache / "toy").iterdir()] == ["w.bin"]


def test_a_wrong_checksum_is_refused_and_nothing_stays(tmp_path: Path, cache: Path) -> None:
    other = CONTENT[:-1] + b"!"
    with pytest.raises(ServingError, match=r"expected sha256 \w+, got " + hashlib.sha256(other).hexdigest()):
        fetch(toy(wheels(tmp_path, other)))
    assert list((cache / "toy").iterdir()) == []


def test_the_next_source_helps_out(tmp_path: Path, hub: Hub) -> None:
    (path,) = fetch(toy(wheels(tmp_path, b"something else"), hub))
    assert path.read_bytes() == CONTENT


def test_the_error_says_what_each_source_answered(tmp_path: Path) -> None:
    missing = Packages((str(tmp_path / "gone-1.0-py3-none-any.whl"),), {"w.bin": ("gone/data.bin",)})
    with pytest.raises(ServingError) as caught:
        fetch(toy(missing, Hub("someone/toy", {"w.bin": "toy.gguf"})))
    _, packages, hub = str(caught.value).splitlines()
    assert "gone-1.0" in packages
    assert "ERROR" in packages
    assert hub == "  hub someone/toy: skipped, since HF_HUB_OFFLINE is set"


def test_a_missing_hub_file_is_reported(hub: Hub) -> None:
    with pytest.raises(ServingError, match="hub someone/toy: HTTP Error 404"):
        fetch(toy(Hub("someone/toy", {"w.bin": "nothing.gguf"})))


def test_a_cached_model_asks_no_source(cache: Path) -> None:
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "w.bin").write_bytes(CONTENT)
    assert fetch(toy()) == (cache / "toy" / "w.bin",)


def test_a_cut_off_file_is_fetched_again(tmp_path: Path, cache: Path) -> None:
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "w.bin").write_bytes(CONTENT[:HALF])
    (path,) = fetch(toy(wheels(tmp_path, CONTENT)))
    assert path.read_bytes() == CONTENT


def test_fetching_at_once_corrupts_nothing(cache: Path, hub: Hub) -> None:
    with ThreadPoolExecutor(6) as pool:
        paths = {path for (path,) in pool.map(lambda _: fetch(toy(hub)), range(6))}
    assert paths == {cache / "toy" / "w.bin"}
    assert (cache / "toy" / "w.bin").read_bytes() == CONTENT
    assert [p.name for p in (cache / "toy").iterdir()] == ["w.bin"]


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    assert fetch(own) == fetch(str(own)) == (own,)


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model file .*gone\.gguf"):
        fetch(tmp_path / "gone.gguf")


def test_an_unknown_name_gives_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'smollm2-135m-instruct'"):
        fetch("smolm2-135m-instruct")
    with pytest.raises(ConfigError, match="no built-in embedding model"):
        find("smollm2-135m-instruct", "embedding")


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_table_is_whole(model: Model) -> None:
    assert all(len(file.sha256) == 64 and file.size for file in model.files)
    assert (model.dim > 0) == (model.role == "embedding")
    for source in model.sources:
        names = source.members if isinstance(source, Packages) else source.files  # type: ignore[attr-defined]
        assert set(names) == {file.name for file in model.files}
    assert all("==" in r for s in model.sources if isinstance(s, Packages) for r in s.requirements)
