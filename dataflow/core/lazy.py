"""Packages whose classes load when they are first used, so that importing a package costs nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from dataflow.core.errors import did_you_mean


def lazy(
    package: str, where: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package whose classes load when first used.

    Args:
        package: the package's `__name__`.
        where: class name to the module that defines it, a module of the package unless its name has a dot.
    """

    def load(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}.{did_you_mean(name, where)}")
        home = where[name] if "." in where[name] else f"{package}.{where[name]}"
        found = getattr(import_module(home), name)
        setattr(sys.modules[package], name, found)
        return found

    return load, lambda: sorted({*vars(sys.modules[package]), *where}), list(where)
