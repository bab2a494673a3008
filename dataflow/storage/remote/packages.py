"""What every remote kind of table shares: optional packages, the cache of what was fetched, another try."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from dataflow.core.errors import MissingDependency

log = logging.getLogger(__name__)
T = TypeVar("T")
WAITS = (0.5, 1.0, 2.0)
"""Seconds before a call is made again."""


def package(module: str, extra: str, purpose: str) -> Any:
    """The module.

    Raises:
        MissingDependency: it is not installed; the error names the extra that brings it.
    """
    try:
        return import_module(module)
    except ImportError as e:
        raise MissingDependency(module.partition(".")[0], extra, purpose) from e


def cache_folder(kind: str) -> Path:
    """Where fetched things of a kind are kept: under `DATAFLOW_CACHE`, else in the user's cache."""
    root = os.environ.get("DATAFLOW_CACHE")
    return (Path(root) if root else platformdirs.user_cache_path("dataflow")) / kind


def retried(call: Callable[[], T], may_help: Callable[[Exception], bool]) -> T:
    """The call's result; it is made again after an error where another try may help."""
    for wait in WAITS:
        try:
            return call()
        except Exception as error:
            if not may_help(error):
                raise
            log.debug("trying again in %s s: %s", wait, type(error).__name__)
            time.sleep(wait)
    return call()
