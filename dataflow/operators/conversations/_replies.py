"""What the operators of this domain share: reading plain replies, showing conversations, dropping with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding
from dataflow.core.replies import clip, without_thinking
from dataflow.core.rows import RowOperator, keep_rows

_LABEL = re.compile(
    r"^(?:(?:new|modified|expanded|atomic)\s+)?(?:scenario|task)\**\s*[:：]\s*", re.IGNORECASE
)
_HEAD = r"^[ \t*#>\d.)-]*{}[ \t*]*[:：][ \t*]*"
_QUOTES = "\"'“”‘’`*#> \t"


def one_line(reply: str, max_words: int) -> str:
    """The first line of a reply that says something, without label, quotes and marks.

    Raises:
        ReplyError: nothing is said, or more than so many words.
    """
    for line in without_thinking(reply).splitlines():
        if text := _LABEL.sub("", line.strip(_QUOTES)).strip(_QUOTES):
            if (words := len(text.split())) > max_words:
                raise ReplyError(f"{words} words where {max_words} are enough, in the reply {clip(reply)}")
            return text
    raise ReplyError(f"nothing is said in the reply {clip(reply)}")


def headed(reply: str, *heads: str) -> tuple[str, ...]:
    """What stands after each of the headings, over any number of lines up to a blank one or the next heading."""
    text = without_thinking(reply)
    names = [h.replace(" ", r"[ _-]*") for h in heads]
    starts = sorted(
        (m.start(), m.end(), n)
        for n, name in enumerate(names)
        for m in re.finditer(_HEAD.format(name), text, re.IGNORECASE | re.MULTILINE)
    )
    found: dict[int, str] = {}
    for (_, start, n), (end, _, _) in zip(starts, [*starts[1:], (len(text), 0, 0)], strict=True):
        body = re.split(r"\n\s*\n", text[start:end].strip())[0]
        found.setdefault(n, " ".join(body.strip("* \t\n").split()))
    for n, head in enumerate(heads):
        if not found.get(n):
            raise ReplyError(f"nothing after `{head}:` in the reply {clip(reply)}")
    return tuple(found[n] for n in range(len(heads)))


def plain(text: str) -> str:
    """A text as it is compared: without case, spaces and stops."""
    return " ".join(text.casefold().strip(" .!").split())


def tagged(reply: str, tag: str) -> str | None:
    """The inside of the first such tag, which may be left open at the end; null where there is none."""
    match = re.search(rf"<{tag}>(.*?)(?:</{tag}>|\Z)", reply, re.DOTALL | re.IGNORECASE)
    return match.group(1).strip() if match else None


def transcript(conversation: Any) -> str:
    """A conversation as text: a list of turns with who spoke and what was said, or whatever else it is as it is."""
    if not isinstance(conversation, list) or not all(isinstance(t, Mapping) for t in conversation):
        return as_text(conversation)
    return "\n".join(f"{_either(t, 'role', 'from')}: {_either(t, 'content', 'value')}" for t in conversation)


def _either(turn: Mapping[str, Any], *names: str) -> str:
    return next((as_text(turn[n]) for n in names if turn.get(n) is not None), "")


def listed(sub_tasks: Sequence[Any]) -> str:
    """Sub-tasks as numbered lines."""
    return "\n".join(f"{n}. {as_text(task)}" for n, task in enumerate(sub_tasks, 1))


def any_null(row: Sequence[Any]) -> bool:
    """Whether a cell is null, or one of those of a port that reads several columns."""
    return any(v is None or (isinstance(v, list) and None in v) for v in row)


def divided(
    op: RowOperator,
    frame: pl.DataFrame,
    binding: Binding,
    results: list[Any],
    lost: Callable[[Any], str | None],
) -> Outcome:
    """The outcome of rows of which those are dropped that `lost` gives a reason for."""
    reasons = [lost(r) for r in results]
    kept = [r is None for r in reasons]
    done = Outcome(
        op.written(keep_rows(frame, kept), binding, [r for r, k in zip(results, kept, strict=True) if k])
    )
    if not all(kept):
        rows = [i for i, k in enumerate(kept) if not k]
        done.dropped = dropped(frame, rows, [reasons[i] or "" for i in rows], binding.first_read)
    return done
