"""Data sets of the ModelScope hub."""

from __future__ import annotations

from dataflow.storage.remote import hub_parts
from dataflow.storage.remote.packages import package
from dataflow.storage.shapes import frame_of
from dataflow.storage.source import FrameSource


def modelscope_source(name: str) -> FrameSource:
    """`ms:dataset` or `ms:dataset:split`, held in memory."""
    dataset, _, split = hub_parts(name, "ms:dataset[:split]", 2)
    hub = package("modelscope.msdatasets", "modelscope", "reading ms:")
    return FrameSource(frame_of([dict(row) for row in hub.MsDataset.load(dataset, split=split)]))
