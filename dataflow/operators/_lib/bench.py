"""What evaluators of whole benchmarks share: judging by a model, and the file of statistics."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from dataflow.core.asking import ask_all
from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.protocols import LLMServing, Request
from dataflow.core.tables import Dataset
from dataflow.operators._lib.files import write_text

T = TypeVar("T")


class Benchmark(Dataset):
    """Scores each row of a benchmark, and writes statistics of all of them to a file."""

    calls_models: ClassVar[bool] = True

    eval_result_path: str | None = None
    """The JSON file of statistics; `result_bencheval/<class>_result_<unix time>.json` where left out."""

    def publish(self, metrics: Mapping[str, Any]) -> None:
        name = f"result_bencheval/{type(self).__name__}_result_{int(time.time())}.json"
        path = Path(self.eval_result_path or name)
        record = {"bench_name_or_prefix": path.stem, **metrics}
        write_text(path, json.dumps([record], indent=2, ensure_ascii=False) + "\n")


def replies_to(
    serving: LLMServing | None, requests: Sequence[Request | None], operator: str
) -> list[str | None]:
    """The reply to each request, all asked at once; null where there is no request or no reply."""
    asked = [(i, request) for i, request in enumerate(requests) if request is not None]
    replies: list[str | None] = [None] * len(requests)
    if asked:
        got = ask_all(serving, [request for _, request in asked], operator)
        for (i, _), reply in zip(asked, got, strict=True):
            replies[i] = reply if isinstance(reply, str) else None
    return replies


def readable(reply: str | None, parse: Callable[[str], T]) -> T | None:
    """What a reply says, or null where it is missing or says nothing."""
    try:
        return None if reply is None else parse(reply)
    except ReplyError:
        return None


def is_blank(cell: Any) -> bool:
    """Whether a cell says nothing: null, NaN, or blank text."""
    return cell is None or cell != cell or not as_text(cell).strip()


def share(part: int, whole: int) -> float | None:
    """A ratio, or null of nothing."""
    return part / whole if whole else None
