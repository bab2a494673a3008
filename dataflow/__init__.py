"""DataFlow prepares data for large language models: operators that generate, evaluate, filter and refine samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.allocators import keep_freed_memory

keep_freed_memory()  # before polars loads

if TYPE_CHECKING:
    from dataflow.logger import get_logger as get_logger

__version__ = "0.1.0"
version_info = tuple(int(part) for part in __version__.split("."))
__all__ = ["__version__", "get_logger", "version_info"]


def __getattr__(name: str) -> Any:
    if name == "get_logger":
        from dataflow.logger import get_logger

        return get_logger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
