"""Where tables are kept between steps, and where they come from. Importing this loads no polars."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataflow.storage.base import DataFlowStorage as DataFlowStorage
    from dataflow.storage.batched import BatchedFileStorage as BatchedFileStorage
    from dataflow.storage.batched import StreamBatchedFileStorage as StreamBatchedFileStorage
    from dataflow.storage.files import FileStorage as FileStorage
    from dataflow.storage.lazy import LazyFileStorage as LazyFileStorage
    from dataflow.storage.memory import DummyStorage as DummyStorage
    from dataflow.storage.memory import InMemoryStorage as InMemoryStorage
    from dataflow.storage.memory import MemoryStorage as MemoryStorage
    from dataflow.storage.remote import source_of as source_of
    from dataflow.storage.source import FileSource as FileSource
    from dataflow.storage.source import FrameSource as FrameSource
    from dataflow.storage.tables import BadLine as BadLine
    from dataflow.storage.writing import write_frames as write_frames

_HOMES = {
    "BadLine": "dataflow.storage.tables",
    "BatchedFileStorage": "dataflow.storage.batched",
    "DataFlowStorage": "dataflow.storage.base",
    "DummyStorage": "dataflow.storage.memory",
    "FileSource": "dataflow.storage.source",
    "FileStorage": "dataflow.storage.files",
    "FrameSource": "dataflow.storage.source",
    "InMemoryStorage": "dataflow.storage.memory",
    "LazyFileStorage": "dataflow.storage.lazy",
    "MemoryStorage": "dataflow.storage.memory",
    "StreamBatchedFileStorage": "dataflow.storage.batched",
    "source_of": "dataflow.storage.remote",
    "write_frames": "dataflow.storage.writing",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
