"""DataFlow prepares data for large language models: operators that generate, evaluate, filter and refine samples."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# polars' allocator, told before polars loads to keep freed memory a while and in few heaps: else a tenth of the CPU of
# a long stream goes into asking the system for the same pages again
os.environ.setdefault(
    "_RJEM_MALLOC_CONF", f"narenas:{os.cpu_count() or 1},dirty_decay_ms:5000,muzzy_decay_ms:-1"
)

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
