"""The old import path of the pipeline classes."""

from dataflow.pipeline.base import BatchedPipelineABC, PipelineABC, StreamBatchedPipelineABC

__all__ = ["BatchedPipelineABC", "PipelineABC", "StreamBatchedPipelineABC"]
