"""Answering files that are longer than a model can read at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from dataflow.core.asking import Ask, together
from dataflow.core.generate import Generate
from dataflow.core.ports import In, Out
from dataflow.core.protocols import Request
from dataflow.operators._lib.chunks import chunks, estimated_tokens
from dataflow.operators._lib.files import write_text

SUFFIX = "_llm_output.txt"


class ChunkedPromptedGenerator(Generate):
    """Put each row's text file to a model in chunks, and write the joined replies to a file beside it.

    One call a chunk; the cell written is the new file's path: that of the file read, with `_llm_output.txt` in
    place of its last extension. Files are UTF-8 and cut between lines, sentences or words. A row fails, and
    nothing is written for it, if its file cannot be read or any of its chunks gets no reply. An empty file
    gives an empty one without a call.
    """

    system_prompt: str = "You are a helpful agent."
    """What the model is to do with each chunk."""
    json_schema: dict[str, Any] | None = None
    """The JSON schema that each reply must meet."""
    max_chunk_len: int = Field(128_000, ge=1)
    """Most tokens in a chunk."""
    enc: Any = None
    """Counts tokens: any object whose `encode` gives a list; an estimate of four letters a token where left out."""
    separator: str = "\n"
    """Put between the replies to the chunks of one file."""

    input_path_key = In(doc="the path of a text file")
    output_path_key = Out(doc="the path of the file of replies")

    async def answer(self, ask: Ask, path: str) -> str:
        text = await asyncio.to_thread(Path(path).read_text, encoding="utf-8")
        parts = await asyncio.to_thread(lambda: list(chunks(text, self.max_chunk_len, self._size())))
        asked = [Request.of(part, self.system_prompt, self.json_schema) for part in parts if part.strip()]
        replies = await together(*map(ask, asked))
        target = Path(path).with_name(Path(path).stem + SUFFIX)
        await asyncio.to_thread(write_text, target, self.separator.join(replies))
        return str(target)

    def _size(self) -> Callable[[str], float]:
        return estimated_tokens if self.enc is None else lambda text: len(self.enc.encode(text))
