"""What retrieval servings have in common: an optional package, and calls that may be awaited or not."""

from __future__ import annotations

from collections.abc import Generator
from importlib.util import find_spec
from typing import Any, ClassVar, Self, TypeVar

from dataflow.core.errors import MissingDependency
from dataflow.serving.base import Serving

T = TypeVar("T")
FOREIGN = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, OSError, ArithmeticError)
"""What packages that index and search raise for one question; all of it is an error of that row."""


class Ready(list[T]):
    """A list that may be awaited, for callers who know these servings as coroutines."""

    def __await__(self) -> Generator[Any, None, Self]:
        return self
        yield


class RetrievalServing(Serving):
    """A serving of an optional package."""

    package: ClassVar[str] = ""

    def _lacks_package(self) -> bool:
        return find_spec(self.package) is None

    def _missing(self) -> MissingDependency:
        return MissingDependency(self.package, self.package, type(self).__name__)

    def _checked(self) -> None:
        if self._lacks_package():
            raise self._missing()
        self.require()

    def cleanup(self) -> Ready[None]:  # type: ignore[override]  # may be awaited, as in open-dataflow 1.x
        """Let go of index and models; the next call takes them up again."""
        super().cleanup()
        return Ready()


def said(error: Exception) -> str:
    """An exception of another package, in short."""
    return f"{type(error).__name__}: {str(error)[:300]}"
