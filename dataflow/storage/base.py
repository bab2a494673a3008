"""What every storage is: a table between the steps of a pipeline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from dataflow.core.frames import records
from dataflow.storage.branches import Stepping

if TYPE_CHECKING:
    from dataflow.core.operator import Operator
    from dataflow.core.ports import Binding

_SHOWN = 120


class DataFlowStorage(Stepping, ABC):
    """Holds the table between steps. A subclass needs `read`, `write` and `get_keys_from_dataframe`.

    `step()` moves on and returns a copy pinned to the step now begun, which an operator reads from; what it
    writes is the table of the step after. Copies are shallow: what steps share lies in an object that all of them
    hold, such as a list or dict, not in an attribute that `write` sets.
    """

    run_dir: Path | None = None
    """The folder that keeps the replies paid for on behalf of this storage; null for none."""

    @abstractmethod
    def read(self, output_type: Any = "dataframe") -> Any:
        """The table of this step, as a pandas frame (`dataframe`) or a list of dicts (`dict`)."""

    @abstractmethod
    def write(self, data: Any) -> Any:
        """Make a list of dicts or a frame the table of the next step."""

    @abstractmethod
    def get_keys_from_dataframe(self) -> list[str]:
        """The names of the columns."""

    def frame(self) -> pl.DataFrame:
        """The table of this step as a polars frame."""
        from dataflow.storage.exchange import taken

        return taken(self.read("dict"))

    def put(self, frame: pl.DataFrame) -> Any:
        """Make a polars frame the table of the next step."""
        return self.write(records(frame))

    def apply(self, operator: Operator, binding: Binding) -> None:
        """Run an operator over the table of this step."""
        from dataflow.core.eager import run_step

        run_step(operator, binding, self)
        self.note_step(binding.writes.values(), operator)

    def __repr__(self) -> str:
        shown = (f"{k}={_clipped(v)}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{type(self).__name__}({', '.join(shown)})"


def _clipped(value: Any) -> str:
    text = f"<{value.height} rows>" if isinstance(value, pl.DataFrame) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
