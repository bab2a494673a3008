"""Slots: how many calls of a serving are in flight, and which waiting one goes next."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass
from itertools import count

from dataflow.serving.limiter import Lease, Limiter

LARGEST_GROUP = 256
"""Calls that may follow the first of their prefix; then others of that depth have their turn."""

_order = count()


@dataclass(slots=True)
class Ticket:
    """A call's place in the queue, which it keeps for all its tries."""

    depth: int
    group: int
    order: int


class Slots:
    """The slots of one serving at one endpoint.

    A waiting call goes when a slot is free and the endpoint's limiter, which other servings may share, has room:
    the deepest first, so that rows finish before new ones start; of equal depth, those whose prompts begin alike
    together; then the oldest, a call that is tried again being as old as ever.
    """

    def __init__(self, size: int, limiter: Limiter | None = None) -> None:
        self.size, self.taken = size, 0
        self.limiter = limiter or Limiter(adaptive=False)
        self._heap: list[tuple[int, int, int, asyncio.Future[Lease]]] = []
        self._groups: dict[tuple[int, int], list[int]] = {}

    def ticket(self, depth: int = 0, prefix: int = 0) -> Ticket:
        """A place behind those of the same depth, or beside those whose prompts begin alike; 0 is no prefix."""
        order = next(_order)
        if not prefix:
            return Ticket(depth, order, order)
        group = self._groups.get((depth, prefix))
        if group is None or group[1] >= LARGEST_GROUP or order - group[2] > 4 * LARGEST_GROUP:
            if len(self._groups) > LARGEST_GROUP:
                self._groups.clear()
            group = self._groups[depth, prefix] = [order, 0, order]
        group[1] += 1
        group[2] = order
        return Ticket(depth, group[0], order)

    async def acquire(self, ticket: Ticket | None = None, due_in_s: float = 0.0) -> Lease:
        """Wait for a slot and for room; not before `due_in_s` seconds have passed."""
        if due_in_s <= 0 and self.taken < self.size and not self.limiter.waiting and self.limiter.has_room():
            self.taken += 1
            return self.limiter.begin()
        ticket = ticket or self.ticket()
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Lease] = loop.create_future()
        if due_in_s > 0:
            loop.call_later(due_in_s, self._queue, ticket, turn)
        else:
            self._queue(ticket, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.taken -= 1
                self.limiter.failed(turn.result())
            raise

    def release(self) -> None:
        """Give a slot back; the lease has ended by itself."""
        self.taken -= 1
        if self._heap and self.taken + 1 == self.size:
            self.limiter.dispatch()

    @property
    def head(self) -> tuple[int, int, int]:
        """The place of the next call."""
        return self._heap[0][:3]

    def is_ready(self) -> bool:
        """Whether a call waits here for which a slot is free."""
        while self._heap and self._heap[0][3].done():
            heapq.heappop(self._heap)
        if not self._heap:
            self.limiter.waiting.discard(self)
        return bool(self._heap) and self.taken < self.size

    def grant(self) -> None:
        """Let the next call go."""
        turn = heapq.heappop(self._heap)[3]
        if not self._heap:
            self.limiter.waiting.discard(self)
        self.taken += 1
        turn.set_result(self.limiter.begin())

    def _queue(self, ticket: Ticket, turn: asyncio.Future[Lease]) -> None:
        if turn.done():
            return
        heapq.heappush(self._heap, (-ticket.depth, ticket.group, ticket.order, turn))
        self.limiter.waiting.add(self)
        self.limiter.dispatch()
