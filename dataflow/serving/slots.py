"""Slots: how many calls are in flight, and which waiting one goes next."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count


class Slots:
    """A semaphore that serves the deepest waiting call first, so that rows finish before new ones start."""

    def __init__(self, size: int) -> None:
        self.size, self.taken = size, 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    async def acquire(self, depth: int = 0) -> None:
        if self.taken < self.size and not self._waiting:
            self.taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-depth, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        self.taken -= 1
        while self._waiting and self.taken < self.size:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self.taken += 1
                turn.set_result(None)
