"""Progress: rows, calls, tokens, cost, rate and time left of each operator, on a terminal or as log lines."""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from dataflow.plan.plan import Flow
from dataflow.plan.trace import Call
from dataflow.runtime.stats import StepStats

if TYPE_CHECKING:
    from rich.table import Table

log = logging.getLogger("dataflow.run")
LOG_EVERY_S = 30.0


class Progress:
    """Shows a run while it goes on; a context manager. On a terminal a table, else a log line now and then."""

    def __init__(self, flow: Flow, totals: dict[int, StepStats], *, show: bool) -> None:
        self.flow, self.totals = flow, totals
        self.live = show and sys.stderr.isatty()
        self.started = time.monotonic()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        work = self._draw if self.live else self._log
        self._thread = threading.Thread(target=work, name="dataflow-progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        for call in self.flow.calls:
            log.info("%s", self.line(call))

    def _draw(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with Live(self.table(), console=Console(stderr=True), refresh_per_second=4, transient=False) as live:
            while not self._ended.wait(0.25):
                live.update(self.table())
            live.update(self.table())

    def _log(self) -> None:
        while not self._ended.wait(LOG_EVERY_S):
            for call in self.flow.calls:
                if self.totals[call.step].rows_in:
                    log.info("%s", self.line(call))

    def table(self) -> Table:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        names = (
            "step",
            "operator",
            "rows",
            "dropped",
            "failed",
            "calls",
            "journal",
            "tokens",
            "cost",
            "rate",
            "left",
        )
        for name in names:
            table.add_column(name, justify="left" if name == "operator" else "right", no_wrap=True)
        for call in self.flow.calls:
            table.add_row(*self._cells(call))
        return table

    def _cells(self, call: Call) -> tuple[str, ...]:
        s = self.totals[call.step]
        u = s.usage
        tokens = u.prompt_tokens + u.completion_tokens
        return (
            str(call.step), call.name, f"{s.rows_in:,} → {s.rows_out:,}", f"{sum(s.dropped.values()):,}", f"{s.failed:,}",
            f"{u.calls:,}" if u.calls else "", f"{u.cached:,}" if u.cached else "", f"{tokens:,}" if tokens else "",
            f"${u.cost:.4f}" if u.cost else "", *self._pace(call),
        )  # fmt: skip

    def _pace(self, call: Call) -> tuple[str, str]:
        """Rows a second, and the time until the rows expected here are through."""
        s, seconds = self.totals[call.step], time.monotonic() - self.started
        if not s.rows_in or seconds < 1:
            return "", ""
        rate = s.rows_in / seconds
        expected = self._expected(call)
        left = max(0.0, (expected - s.rows_in) / rate)
        return f"{rate:,.1f}/s", (
            f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
        ) if left >= 1 else ""

    def _expected(self, call: Call) -> float:
        """Rows expected at a step: those of the source, grown or shrunk as the steps before it have done so far."""
        expected = float(self.flow.source.height)
        for before in self.flow.calls:
            if before.step >= call.step:
                break
            s = self.totals[before.step]
            expected *= s.rows_out / s.rows_in if s.rows_in else 1.0
        return expected

    def line(self, call: Call) -> str:
        s = self.totals[call.step]
        u = s.usage
        dropped = "".join(f", {n:,} dropped ({why})" for why, n in s.dropped.most_common(3))
        failed = f", {s.failed:,} failed" if s.failed else ""
        repairs = f", {u.repairs:,} asked again" if u.repairs else ""
        calls = (
            f", {u.calls:,} calls, {u.cached:,} from the journal{repairs}, {u.prompt_tokens + u.completion_tokens:,} tokens"
            if u.calls + u.cached
            else ""
        )
        return f"step {call.step} {call.name}: {s.rows_in:,} rows in, {s.rows_out:,} out{dropped}{failed}{calls}, {s.seconds:.1f} s"
