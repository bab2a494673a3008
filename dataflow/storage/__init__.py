"""Where tables are kept between steps, and where they come from. Importing this loads no polars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.core.lazy import lazy

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
    from dataflow.storage.remote import write_table as write_table
    from dataflow.storage.remote.push import push_to_hub as push_to_hub
    from dataflow.storage.source import FileSource as FileSource
    from dataflow.storage.source import FrameSource as FrameSource
    from dataflow.storage.tables import BadLine as BadLine
    from dataflow.storage.writing import write_frames as write_frames

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "BadLine": "tables",
        "BatchedFileStorage": "batched",
        "DataFlowStorage": "base",
        "DummyStorage": "memory",
        "FileSource": "source",
        "FileStorage": "files",
        "FrameSource": "source",
        "InMemoryStorage": "memory",
        "LazyFileStorage": "lazy",
        "MemoryStorage": "memory",
        "StreamBatchedFileStorage": "batched",
        "push_to_hub": "remote.push",
        "source_of": "remote",
        "write_frames": "writing",
        "write_table": "remote",
    },
)
