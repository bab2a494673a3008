"""What stands for pytest inside of the sandbox, where it is not installed: enough for common test functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


class Failed(Exception):  # pytest's own name
    """A test says by itself that it failed."""


Failed.__module__ = "pytest"


class ExceptionInfo:
    value: Any = None
    type: Any = None


class raises:  # noqa: N801
    """Checks that a block raises."""

    def __init__(self, expected: Any, *call: Any, match: str | None = None, **keywords: Any) -> None:
        self.expected, self.match, self.found = expected, match, ExceptionInfo()
        if call:
            with self:
                call[0](*call[1:], **keywords)

    def __enter__(self) -> ExceptionInfo:
        return self.found

    def __exit__(self, kind: Any, value: Any, trace: Any) -> bool:
        if kind is None:
            raise Failed(f"DID NOT RAISE {self.expected}")
        if not issubclass(kind, self.expected):
            return False
        if self.match is not None and not re.search(self.match, str(value)):
            raise Failed(f"{str(value)!r} does not match {self.match!r}")
        self.found.value, self.found.type = value, kind
        return True


class approx:  # noqa: N801
    """Equals numbers that are near, alone or in lists, tuples and dicts."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Any, rel: float = 1e-6, abs: float = 1e-12) -> None:
        self.expected, self.rel, self.abs = expected, rel, abs

    def __eq__(self, other: Any) -> bool:
        return self._near(self.expected, other)

    def _near(self, wanted: Any, found: Any) -> bool:
        if isinstance(wanted, dict):
            return wanted.keys() == found.keys() and all(self._near(v, found[k]) for k, v in wanted.items())
        if isinstance(wanted, (list, tuple)):
            return len(wanted) == len(found) and all(map(self._near, wanted, found))
        if isinstance(wanted, (int, float, complex)) and isinstance(found, (int, float, complex)):
            return wanted == found or abs(wanted - found) <= max(self.abs, self.rel * abs(wanted))
        return bool(wanted == found)

    def __repr__(self) -> str:
        return f"approx({self.expected!r})"


def fixture(function: Any = None, **_: Any) -> Any:
    if function is None:
        return fixture
    function._fixture = True
    return function


def fail(reason: str = "", **_: Any) -> None:
    raise Failed(reason)


class mark:  # noqa: N801
    """Decorators of tests; only `parametrize` does anything."""

    @staticmethod
    def parametrize(names: Any, values: Any, **_: Any) -> Callable[[Any], Any]:
        keys = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
        rows = [getattr(v, "values", v) for v in values]
        sets = [
            dict(zip(keys, (r,) if len(keys) == 1 and not _is_param(v) else r, strict=True))
            for r, v in zip(rows, values, strict=True)
        ]

        def decorate(function: Any) -> Any:
            before = getattr(function, "_parameters", [{}])
            function._parameters = [{**a, **b} for a in before for b in sets]
            return function

        return decorate

    @staticmethod
    def timeout(*_: Any, **__: Any) -> Callable[[Any], Any]:
        return lambda function: function

    slow = asyncio = staticmethod(lambda function: function)


class param:  # noqa: N801
    def __init__(self, *values: Any, **_: Any) -> None:
        self.values = values


def _is_param(value: Any) -> bool:
    return isinstance(value, param)
