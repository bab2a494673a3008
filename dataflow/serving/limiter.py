"""How many calls an endpoint is asked at once: learned from its refusals, and shared by all who ask it.

Growth doubles from a few calls on. A refusal tells what the endpoint holds: the calls sent before the refused one
were let in. So the limit falls to their number; refusals of one burst, told by the epoch in which a call was let in,
lower it once. Further refusals without an answer between them lower it by a third each, which follows a quota that
collapsed. At a known ceiling one call more is tried after every `PROBE_EVERY` answers; once a whole round of calls was
let in there, growth doubles again, so that a quota that grew is found within a few round trips.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dataflow.serving.knee import TIMED, Knee

if TYPE_CHECKING:
    from dataflow.serving.slots import Slots

START = 8
WARM = 16
"""Calls under way while the first of them tell how long a call takes by itself."""
PROBE_EVERY = (32, 64)
"""Answers between two probes, at least and at most; between them four rounds of the limit."""
LATELY_S = 60.0
SURE = 1
"""Rounds let in at a known ceiling after which it is forgotten, and the most that was let in lately is tried again."""
DECREASE = 0.7
SHORTEST_PARK_S = 0.01
LONGEST_EXCESS_S = 0.25
"""How long one refusal keeps a busy endpoint from being offered more, whatever it says: its answers show what it holds."""
LONGEST_HINT_S = 120.0


class Lease:
    """Leave for one call to be under way, and what the limiter must know when it ends."""

    __slots__ = ("begun", "epoch", "expired", "level", "number", "task", "timeout_s")

    def __init__(self, number: int, epoch: int, level: int) -> None:
        self.number, self.epoch, self.level = number, epoch, level
        self.begun = time.monotonic()
        self.expired = False
        self.timeout_s: Callable[[], float] | None = None
        """After how long it is taken for lost, as far as that is known now."""
        self.task: asyncio.Task[object] | None = None


class Limiter:
    """The calls under way at one endpoint, model and kind, and how many more it takes now.

    With `adaptive=False` it takes any number.
    """

    def __init__(self, *, adaptive: bool = True) -> None:
        self.adaptive = adaptive
        self.limit = float(START) if adaptive else math.inf
        self.leases: dict[Lease, None] = {}
        self.waiting: set[Slots] = set()
        self.knee = Knee()
        self._begun, self._epoch = 0, 0
        self._ceiling = math.inf
        self._most, self._most_until = 0, 0.0
        self._calm, self._refusals, self._parks = 0, 0, 0
        self._parked_until = 0.0
        self._excess_until = 0.0
        self._allowed, self._allowed_until = math.inf, 0.0
        self._answers = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def bound(self) -> float:
        """Calls under way at most."""
        return min(self.limit, self.knee.limit)

    def has_room(self) -> bool:
        if len(self.leases) >= self.bound:
            return False
        return not self._parked_until or not self._is_parked()

    def begin(self) -> Lease:
        """Count a call as under way."""
        self._begun += 1
        lease = Lease(self._begun, self._epoch, len(self.leases) + 1)
        self.leases[lease] = None
        self._allowed -= 1
        if self._allowed <= 0:
            self._park_until(self._allowed_until)
        return lease

    def answered(self, lease: Lease) -> None:
        """A call of this lease was answered."""
        self.leases.pop(lease, None)
        self._parks = 0
        self._answers += 1
        if lease.epoch == self._epoch:
            self._refusals = 0
        if self.adaptive:
            self._note_level(lease.level)
            if lease.level >= self.limit / 2:
                self._grow(lease)
            self.knee.answered(lease.number, lease.begun, len(self.leases) + 1, wanted=bool(self.waiting))
        self.dispatch()

    def failed(self, lease: Lease) -> None:
        """A call of this lease ended without an answer, for whatever reason but a refusal."""
        self.leases.pop(lease, None)
        self.dispatch()

    def refused(self, lease: Lease, retry_after_s: float | None, backoff: Callable[[int], float]) -> None:
        """A call of this lease was refused for now (429)."""
        if lease.epoch == self._epoch:
            self._lower(sum(other.begun < lease.begun for other in self.leases if other is not lease))
        self.leases.pop(lease, None)
        self.knee.reset()
        now = time.monotonic()
        self._excess_until = now + min(retry_after_s or 0.0, LONGEST_EXCESS_S)
        if self.leases:
            self._wake_in(max(retry_after_s or 0.0, LONGEST_EXCESS_S))
        else:
            self._parks += 1
            least = min(1.0, SHORTEST_PARK_S * 2.0 ** (self._parks - 1))
            self.park(max(least, retry_after_s) if retry_after_s is not None else backoff(self._parks))
        self.dispatch()

    def park(self, seconds: float) -> None:
        """Let nobody in for so long, then one, and more as it is answered."""
        self._epoch += 1
        self.limit, self._ceiling, self._refusals = 1.0, math.inf, 0
        self._park_until(time.monotonic() + seconds)

    def hint(self, calls_left: float, reset_s: float, lease: Lease) -> None:
        """Heed what an answer said of its quota: so many more calls until the reset."""
        begun_since = sum(other.begun > lease.begun for other in self.leases)
        self._allowed = calls_left - begun_since
        self._allowed_until = time.monotonic() + min(reset_s, LONGEST_HINT_S)
        if self._allowed <= 0:
            self._park_until(self._allowed_until)

    @property
    def parked_s(self) -> float:
        """Seconds in which nobody is let in."""
        return max(0.0, self._parked_until - time.monotonic())

    def dispatch(self) -> None:
        """Let in waiting calls, the deepest of all servings first, while there is room."""
        while self.waiting and self.has_room():
            ready = [slots for slots in tuple(self.waiting) if slots.is_ready()]
            if not ready:
                return
            (ready[0] if len(ready) == 1 else min(ready, key=_head)).grant()

    def _grow(self, lease: Lease) -> None:
        """Double up to what is known to be refused; beyond it, one more at a time until a whole round was let in."""
        if self.limit >= WARM and self._begun < TIMED:
            return
        if self.limit + 1 < self._ceiling:
            self.limit = min(self.limit + 1, max(self.limit, 2.0 * lease.level + START))
            return
        self._calm += 1
        if self.limit >= self._ceiling:
            if self._calm > SURE * self.limit:
                self._ceiling, self.limit = math.inf, max(self.limit, float(self._most))
        elif (
            self._calm >= min(max(PROBE_EVERY[0], 4 * self.limit), PROBE_EVERY[1])
            and time.monotonic() >= self._excess_until
        ):
            self.limit, self._calm = self._ceiling, 0

    def _note_level(self, level: int) -> None:
        now = time.monotonic()
        if level >= self._most or now > self._most_until:
            self._most, self._most_until = level, now + LATELY_S

    def _lower(self, let_in: int) -> None:
        """One burst of refusals: the limit falls to what was let in, and further where that was no help."""
        self._epoch += 1
        self._refusals += 1
        held = math.floor(self.limit * DECREASE) if self._refusals > 1 else self.limit
        self.limit = max(1.0, min(float(let_in), held))
        self._ceiling = max(2.0, let_in + 1.0)
        self._calm = 0

    def _is_parked(self) -> bool:
        if time.monotonic() < self._parked_until:
            return True
        self._parked_until, self._allowed = 0.0, math.inf
        return False

    def _park_until(self, when: float) -> None:
        self._parked_until = max(self._parked_until, when)
        self._wake_in(self.parked_s + 0.001)

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._wake, self._answers)

    def _wake(self, answers: int) -> None:
        """Go on after a park; where calls under way hang and nothing was answered, offer one more beside them."""
        self._timer = None
        if self.leases and answers == self._answers:
            self.limit = max(self.limit, len(self.leases) + 1.0)
        self.dispatch()


def _head(slots: Slots) -> tuple[int, int, int]:
    return slots.head
