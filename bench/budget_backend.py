"""A chat back end that bills for its replies, and fails before, while and after it does."""

from __future__ import annotations

import asyncio
import random

from dataflow.core.errors import CallError
from dataflow.core.protocols import Reply, Request
from dataflow.serving.faults import Fault, Throttled, Unreachable


class Costly:
    """Bills what a call took, also where its answer is lost on the way."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.price = draw.uniform(0, 1e6), draw.uniform(0, 1e6)
        self.max_tokens = draw.randint(1, 300)
        self.usual = (200 * self.price[0] + self.max_tokens * self.price[1]) / 1e6
        self.billed = 0.0
        self.identity = {
            "model": "costly",
            "sampling": {"max_tokens": self.max_tokens, "n": draw.randint(1, 2)},
        }

    async def chat(self, request: Request) -> Reply:
        kind = self.draw.random()
        if kind < 0.1:
            raise Throttled("busy", 0.0)
        if kind < 0.15:
            raise Unreachable("refused", sent=False)
        if kind < 0.2:
            raise CallError("bad request", status=400)
        await asyncio.sleep(self.draw.choice((0.0, 0.0, 0.001)))
        prompt = self.draw.randint(1, len(request.messages[0]["content"]))
        completion = self.draw.randint(0, self.max_tokens * self.identity["sampling"]["n"])
        self.billed += (prompt * self.price[0] + completion * self.price[1]) / 1e6
        if kind < 0.3:
            raise Fault("the answer was lost")
        await asyncio.sleep(self.draw.choice((0.0, 0.0, 0.001)))
        return Reply("fine", prompt, completion)

    async def close(self) -> None: ...
