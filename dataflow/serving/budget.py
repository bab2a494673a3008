"""A limit in US dollars that no run exceeds: the most that a call can cost is reserved before it is sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dataflow.core.errors import BudgetExceeded, ConfigError
from dataflow.core.frames import dumps
from dataflow.core.protocols import Request
from dataflow.serving.policy import Policy

MESSAGE_TOKENS = 16
"""What a message takes at most beside its text: role, separators, the start of the reply."""
PART_TOKENS = 50_000
"""What a part of a message that is no text, such as an image, takes at most."""


class Budget:
    """US dollars that may be spent, and what has been spent and reserved of them.

    `spent` holds what earlier parts of a run cost. A reservation ends in `settle`: at the true cost, at nothing
    where the call was refused, or in full where its answer was lost, for it may have been billed.
    """

    def __init__(self, limit: float, spent: float = 0.0) -> None:
        if not limit >= 0 or spent < 0:
            raise ConfigError(f"budget={limit} and spent={spent} are dollars, at least 0")
        self.limit, self.spent, self.lost = limit, spent, 0.0
        self.reserved = 0.0
        self._under_way = 0
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()

    async def reserve(self, most: float) -> None:
        """Reserve the most that a call can cost; waits while calls under way may leave enough.

        Raises:
            BudgetExceeded: no call is under way any more, and what is left is less than this one may cost.
        """
        if self._fits(most) and not self._waiting:
            self._take(most)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((most, turn))
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.settle(most, 0.0)
            raise

    def settle(self, most: float, cost: float, *, lost: bool = False) -> None:
        """End a reservation at what the call did cost; `lost` where nobody knows, and so at all of it."""
        self.reserved -= most
        self._under_way -= 1
        self.spent += most if lost else cost
        self.lost += most if lost else 0.0
        if not self._under_way:
            self.reserved = 0.0
        self._serve()

    def _fits(self, most: float) -> bool:
        return self.spent + self.reserved + most <= self.limit

    def _take(self, most: float) -> None:
        self.reserved += most
        self._under_way += 1

    def _serve(self) -> None:
        """Let those go whose reservation fits now, and end those that can never go."""
        left: deque[tuple[float, asyncio.Future[None]]] = deque()
        for most, turn in self._waiting:
            if turn.done():
                continue
            if self._fits(most):
                self._take(most)
                turn.set_result(None)
            else:
                left.append((most, turn))
        self._waiting = left
        if not self._under_way:
            for most, turn in left:
                turn.set_exception(self._exceeded(most))
            self._waiting = deque()

    def _exceeded(self, most: float) -> BudgetExceeded:
        lost = f", {self.lost:.4f} of them for answers that were lost" if self.lost else ""
        return BudgetExceeded(
            f"the next call may cost {most:.6f} US dollars, and of the budget of {self.limit:g} "
            f"{self.spent:.6f} are spent{lost}. Everything is saved; run again with a higher budget to go on."
        )


def most_for_chat(request: Request, identity: Mapping[str, Any], policy: Policy, name: str) -> float:
    """US dollars that a chat can cost at most.

    Raises:
        ConfigError: nothing limits the length of the reply, or the price is unknown.
    """
    _check_priced(policy, name)
    per_prompt, per_completion = policy.price
    if not (per_prompt or per_completion):
        return 0.0
    sampling = _sampling(identity)
    limit = sampling.get("max_completion_tokens") or sampling.get("max_tokens") or policy.max_output
    if limit is None:
        raise ConfigError(
            f"{name}: a budget needs to know the longest reply, and this model's is unknown: set max_tokens"
        )
    prompt = _prompt_tokens(request)
    return (prompt * per_prompt + int(limit) * int(sampling.get("n") or 1) * per_completion) / 1e6


def most_for_texts(texts: Sequence[str], policy: Policy, name: str) -> float:
    """US dollars that the embedding of texts can cost at most."""
    _check_priced(policy, name)
    tokens = sum(len(t.encode("utf-8", "surrogatepass")) + MESSAGE_TOKENS for t in texts)
    return tokens * policy.price[0] / 1e6


def _check_priced(policy: Policy, name: str) -> None:
    if not policy.priced:
        raise ConfigError(
            f"{name}: a budget needs a price, and this model's is unknown: set price=(dollars for a million prompt "
            "tokens, for a million completion tokens)"
        )


def _sampling(identity: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings among which a back end names the longest reply."""
    given = identity.get("sampling")
    return given if isinstance(given, Mapping) else identity


def _prompt_tokens(request: Request) -> int:
    """A token is at least a byte of UTF-8, so that the bytes bound the tokens."""
    size = _bytes(list(request.messages)) + (_bytes(request.schema) if request.schema is not None else 0)
    parts: int = sum(
        part.get("type") != "text"
        for message in request.messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
    )
    return size + MESSAGE_TOKENS * (len(request.messages) + 1) + PART_TOKENS * parts


def _bytes(value: Any) -> int:
    try:
        return len(orjson.dumps(value))
    except (TypeError, orjson.JSONEncodeError):
        return len(dumps(value).encode("utf-8", "surrogatepass"))
