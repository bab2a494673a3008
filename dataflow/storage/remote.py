"""Tables that are elsewhere: data sets of the Hugging Face and ModelScope hubs, and object stores through fsspec."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dataflow.core.errors import ConfigError, MissingDependency, MissingSource
from dataflow.storage.formats import known_format
from dataflow.storage.shapes import frame_of
from dataflow.storage.source import FileSource, FrameSource


def source_of(name: str) -> FileSource | FrameSource:
    """The source that a name stands for: a path or glob, `hf:…`, `ms:…`, or a URL such as `s3://…`.

    Raises:
        MissingSource: nothing is there.
        MissingDependency: the optional package that reads it is not installed.
        ConfigError: a hub name of too many parts.
    """
    for prefix, load in _HUBS.items():
        if name.startswith(prefix):
            return load(name.removeprefix(prefix))
    return RemoteSource(name) if "://" in name else FileSource(name)


class RemoteSource(FileSource):
    """Files behind a URL, fetched to a temporary folder that goes when the source does."""

    def __init__(self, url: str) -> None:
        fsspec = _package("fsspec", "remote", f"reading {url.partition('://')[0]}://")
        self._folder = TemporaryDirectory(prefix="dataflow-")
        system, place = fsspec.core.url_to_fs(url)
        for file in _remote_files(system, place, url):
            system.get_file(file, str(Path(self._folder.name) / Path(file).name))
        super().__init__(self._folder.name)
        self.path = url


def _remote_files(system: Any, place: str, url: str) -> list[str]:
    if system.isfile(place):
        return [place]
    found = system.ls(place, detail=False) if system.isdir(place) else system.glob(place)
    files = [f for f in found if known_format(Path(f)) and not Path(f).name.startswith(".")]
    if not files:
        raise MissingSource(f"{url!r} holds no table of a known kind")
    return files


def _from_hugging_face(name: str) -> FrameSource:
    """`dataset`, `dataset:split` or `dataset:config:split`; the split is `train` where none is named."""
    dataset, config, split = _parts(name, "hf:dataset[:config][:split]", 3)
    datasets = _package("datasets", "hub", "reading hf:")
    return FrameSource(datasets.load_dataset(dataset, config, split=split).to_polars())


def _from_modelscope(name: str) -> FrameSource:
    """`dataset` or `dataset:split`."""
    dataset, _, split = _parts(name, "ms:dataset[:split]", 2)
    hub = _package("modelscope.msdatasets", "modelscope", "reading ms:")
    return FrameSource(frame_of([dict(row) for row in hub.MsDataset.load(dataset, split=split)]))


def _parts(name: str, form: str, most: int) -> tuple[str, str | None, str]:
    parts = name.split(":")
    if len(parts) > most or not all(parts):
        raise ConfigError(f"{name!r} is not of the form {form}")
    return parts[0], parts[1] if len(parts) == 3 else None, parts[-1] if len(parts) > 1 else "train"


def _package(module: str, extra: str, purpose: str) -> Any:
    try:
        return import_module(module)
    except ImportError as e:
        raise MissingDependency(module.partition(".")[0], extra, purpose) from e


_HUBS: dict[str, Callable[[str], FrameSource]] = {"hf:": _from_hugging_face, "ms:": _from_modelscope}
