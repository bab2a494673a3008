"""Pipelines: `__init__` and `forward`, eager or compiled."""

from dataflow.pipeline.base import BatchedPipelineABC, PipelineABC, StreamBatchedPipelineABC

__all__ = ["BatchedPipelineABC", "PipelineABC", "StreamBatchedPipelineABC"]
