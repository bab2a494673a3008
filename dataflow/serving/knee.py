"""Where more calls at once bring no more answers: for endpoints that queue without a word instead of refusing.

With N calls under way and a mean latency W the throughput is N / W. While there is no queue, W stays at what a call
takes by itself, W0, and throughput grows with N; behind the knee only W grows. So with W far above W0 the limit is
tried at `ROOM` times X * W0, the calls that are worked on at once; it stays there only if the throughput does. W0 is
the mean of the first calls; it is measured anew wherever a lower limit did cost throughput, and a higher limit is
tried now and then. Means and long windows, not minima: latencies with a heavy tail must not look like a queue.
"""

from __future__ import annotations

import math
import time

COLD, TIMED = 8, 40
"""The calls, by number, whose mean latency stands for a call by itself: not the first, which open connections."""
WINDOW = 8
"""Answers in a window, for each call under way; at least `MIN_WINDOW`."""
MIN_WINDOW = 256
ROOM = 1.6
QUEUED = 1.75
"""How much longer than by itself a call takes on average before a queue is suspected."""
KEPT = 0.98
GAINED = 1.04
REST = 8
"""Windows between two trials of a higher limit."""
FASTEST_S = 0.01
"""Endpoints that answer faster are left alone: nothing is gained by a shorter queue there."""


class Knee:
    """A limit that follows the throughput; infinite while no queue was found."""

    def __init__(self) -> None:
        self.limit = math.inf
        self._alone = 0.0
        self._timed = 0
        self._kept: tuple[float, float] | None = None
        """The limit and the throughput before the trial that runs now."""
        self._rest = 0
        self.reset()

    def reset(self) -> None:
        """Begin a new window."""
        self._begun, self._answers, self._sum = 0.0, 0, 0.0

    def answered(self, number: int, begun: float, level: int, *, wanted: bool) -> None:
        """Count the answer to a call by its number, when it was sent, and the calls under way then.

        `wanted` tells whether calls waited for room, without which nothing can be learned.
        """
        now = time.monotonic()
        if COLD < number <= TIMED:
            self._timed += 1
            self._alone += (now - begun - self._alone) / self._timed
        if not wanted or self._alone < FASTEST_S:
            if self._answers:
                self.reset()
            return
        if not self._answers:
            self._begun = now
        else:
            self._sum += now - begun
        self._answers += 1
        if self._answers > max(MIN_WINDOW, WINDOW * level):
            count = self._answers - 1
            self._judge(count / (now - self._begun), self._sum / count, level)

    def _judge(self, throughput: float, latency: float, level: int) -> None:
        """Decide at the end of a window."""
        self.reset()
        if self._kept is not None:
            self._end_trial(throughput, latency)
            return
        self._rest -= 1
        worked_on = throughput * self._alone
        if latency > QUEUED * self._alone and math.ceil(ROOM * worked_on) < level - 1:
            self._kept = self.limit, throughput
            self.limit = max(4.0, math.ceil(ROOM * worked_on))
        elif self.limit < math.inf and (latency < 1.25 * self._alone or self._rest <= 0):
            self._kept = self.limit, throughput
            self.limit = math.ceil(1.25 * level)

    def _end_trial(self, throughput: float, latency: float) -> None:
        assert self._kept is not None
        before, had = self._kept
        self._kept, self._rest = None, REST
        if throughput >= (KEPT if self.limit < before else GAINED) * had:
            return
        if self.limit < before:
            self._alone = max(self._alone, latency)
        self.limit = before
