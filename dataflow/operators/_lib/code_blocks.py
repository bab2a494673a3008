"""The code in what models reply: fenced blocks, as Markdown has them."""

from __future__ import annotations

import re
from typing import NamedTuple

from dataflow.core.errors import ReplyError
from dataflow.core.replies import clip, without_thinking

_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)\Z")
NOT_CODE = frozenset(
    {"text", "txt", "plaintext", "output", "console", "bash", "sh", "shell", "shell-session", "zsh", "cmd", "powershell", "terminal"}
)  # fmt: skip
"""Blocks of these languages tell how code is called, or what it prints."""


class Block(NamedTuple):
    """One fenced block."""

    language: str
    """The first word after the fence, in lower case."""
    code: str
    closed: bool = True


def code_blocks(text: str) -> list[Block]:
    """The fenced blocks of a text, in order; a block that is never closed goes to the end.

    A block ends at a fence of the same character that is at least as long and has nothing after it, so that a longer
    fence may hold shorter ones.
    """
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        found = _FENCE.match(line.rstrip())
        if opened is None:
            opened, lines = found, []
        elif found and not found["info"] and found["fence"].startswith(opened["fence"]):
            blocks.append(_block(opened, lines))
            opened = None
        else:
            lines.append(line)
    if opened is not None:
        blocks.append(_block(opened, lines)._replace(closed=False))
    return blocks


def _block(opened: re.Match[str], lines: list[str]) -> Block:
    indent = len(opened["indent"])
    inside = [line[min(indent, len(line) - len(line.lstrip(" \t"))) :] for line in lines]
    info = opened["info"].split()
    return Block(info[0].strip("{}.").lower() if info else "", "\n".join(inside).strip("\n").rstrip())


def code_of(reply: str) -> str:
    """The code in a reply: its first fenced block that is neither shell nor output, else its first block, else all of it.

    Raises:
        ReplyError: it is blank, or breaks off inside of that block.
    """
    text = without_thinking(reply)
    blocks = [b for b in code_blocks(text) if b.code.strip()]
    block = next((b for b in blocks if b.language not in NOT_CODE), blocks[0] if blocks else None)
    if block is None:
        if not text or _FENCE.match(text.split("\n")[-1].rstrip()):
            raise ReplyError(f"no code in the reply {clip(reply)}")
        return text
    if not block.closed:
        raise ReplyError(f"the code breaks off in the reply {clip(reply)}")
    return block.code
