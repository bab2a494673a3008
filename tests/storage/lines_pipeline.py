"""A pipeline without a model, for tests of what its storage reads and leaves."""

from __future__ import annotations

from dataflow.core import In, Map, Out
from dataflow.pipeline import PipelineABC
from dataflow.storage import FileStorage


class LoudRefiner(Map):
    """Write a text in capitals."""

    input_key = In("text")
    output_key = Out("loud")

    def map(self, text: str) -> str:
        return text.upper()


class LinesPipeline(PipelineABC):
    """Texts in capitals."""

    def __init__(self, storage: FileStorage) -> None:
        super().__init__()
        self.storage, self.loud = storage, LoudRefiner()

    def forward(self) -> None:
        self.loud.run(self.storage.step(), input_key="text", output_key="loud")
