"""What may go wrong with one try of a call, and come right with another."""

from __future__ import annotations

from dataflow.core.errors import DataFlowError


class Fault(DataFlowError):
    """A try that failed for reasons outside the request: a dropped connection, a 5xx, a garbled body.

    `sent` tells whether the request may have reached the model, and so may be billed.
    """

    def __init__(self, message: str, status: int | None = None, *, sent: bool = True) -> None:
        self.status, self.sent = status, sent
        super().__init__(message)


class Unreachable(Fault):
    """A try that got no answer at all: a refused or dropped connection, or silence."""


class Throttled(Fault):
    """The server asks for patience (429). Never counted as a try."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message, 429, sent=False)
