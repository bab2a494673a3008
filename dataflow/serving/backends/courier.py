"""Carrying one batch: upload, creation exactly once, waiting, and handing every line to its call."""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.core.errors import CallError, DataFlowError, ServingError
from dataflow.serving.backends.batches import ENDED, Gone, Line, is_queue_limit, read_line, why_failed
from dataflow.serving.batch_ledger import POSTING, PREPARING, Sent
from dataflow.serving.faults import Fault, Throttled

if TYPE_CHECKING:
    from dataflow.serving.backends.gatherer import Gatherer

log = logging.getLogger(__name__)
_AT_ONCE = 500
_SLOWEST = 6
_FAILURES = 3


class _Refused(DataFlowError):
    """The provider has said that it does not take a batch; unlike silence, this is sure."""


class Courier:
    """One batch on its way. Each of its steps is in the ledger before it is taken, so that it can be taken up anywhere."""

    def __init__(self, home: Gatherer, sent: Sent, lines: Mapping[bytes, bytes] | None = None) -> None:
        self.home, self.sent = home, sent
        self.seen = False
        """Whether the provider has said that it is at work on it."""
        self._stopped = False
        """Whether it was cancelled: what has no answer then is not sent again by itself."""
        self._lines, self._ledger = lines, home.ledger

    async def carry(self) -> None:
        """Take the batch from where it stands to its end."""
        if self._lines is None and self.sent.state == PREPARING:
            await self._unsent("the run ended before it was sent", tries=0)
            return
        if self._lines is not None:
            lines, self._lines = self._lines, None  # they may be large, and are needed no more once uploaded
            if not await self._prepare(lines):
                return
            del lines
        if not self.sent.batch and not await self._create():
            return
        await self._collect(await self._watch())

    async def _prepare(self, lines: Mapping[bytes, bytes]) -> bool:
        """Note the batch down and upload it; false where other batches hold all of its requests."""
        taken = await asyncio.to_thread(self._ledger.prepare, self.sent, list(lines))
        for key in lines.keys() - taken:
            await self.home.place(key)
        if not taken:
            return False
        self.sent = replace(self.sent, requests=len(taken))
        async with self.home.uploads:
            try:
                file = await self._upload([line for key, line in lines.items() if key in taken])
            except (CallError, ServingError) as error:
                await self._unsent(str(error), tries=0)
                raise ServingError(f"a batch could not be uploaded: {error}") from error
        await self.home.nap(0)
        await asyncio.to_thread(self._ledger.posting, self.sent.name, file)
        self.sent = replace(self.sent, file=file, created=time.time())
        return True

    async def _upload(self, lines: Sequence[bytes]) -> str:
        with tempfile.TemporaryDirectory(prefix="dataflow-batch-") as folder:
            path = Path(folder, "requests.jsonl")
            await asyncio.to_thread(_write, path, lines)
            upload = partial(self.home.connection.upload, self.sent.name, path)
            return await self.home.patiently(upload)

    async def _create(self) -> bool:
        """Create the batch, unless it was created already; false where the provider's queue is full."""
        try:
            batch = await self._found_late()
            if batch is None:
                batch = await self.home.patiently(self._create_once())
        except _Refused as error:
            full = is_queue_limit(str(error))
            if full:
                self.home.quota.refused(self.sent, self.home.carrying > 1)
            await self._unsent(str(error), tries=0)
            if full:
                return False
            raise ServingError(f"a batch was not accepted: {error}") from error
        self.sent = replace(self.sent, batch=str(batch["id"]))
        await asyncio.to_thread(self._ledger.opened, self.sent.name, self.sent.batch)
        log.info("batch %s: %d requests submitted", self.sent.batch, self.sent.requests)
        return True

    def _create_once(self) -> Callable[[], Awaitable[dict[str, Any]]]:
        """A call to be tried again: every try but the first looks first whether one before it came through."""
        sent, connection, perhaps = self.sent, self.home.connection, False

        async def create() -> dict[str, Any]:
            nonlocal perhaps
            if perhaps and (found := await connection.find(sent.name, sent.created)):
                return found
            perhaps = True
            try:
                return await connection.create(sent.file, sent.name, self.home.policy.window)
            except Throttled as fault:
                if is_queue_limit(str(fault)):
                    raise _Refused(str(fault)) from None
                raise
            except (CallError, ServingError) as error:
                raise _Refused(str(error)) from error

        return create

    async def _found_late(self) -> dict[str, Any] | None:
        """The batch that a run which ended meanwhile created perhaps; null once it is sure that there is none."""
        if self.sent.state != POSTING:
            return None
        policy, connection = self.home.policy, self.home.connection
        while True:
            late = time.time() - self.sent.created >= policy.lost_after_s
            find = partial(connection.find, self.sent.name, self.sent.created)
            if (found := await self.home.patiently(find)) or late:
                return found
            await self.home.nap(min(policy.poll_s, policy.lost_after_s))

    async def _watch(self) -> dict[str, Any]:
        """The batch, once it has ended."""
        policy, wait = self.home.policy, self.home.policy.poll_s
        while True:
            batch = await self.home.patiently(partial(self.home.connection.get, self.sent.batch))
            if batch["status"] in ENDED:
                self.seen = False
                return batch
            if batch["status"] != "validating":
                self.home.quota.let_in(self.sent.name)
                self.seen = True
            await self.home.nap(wait * (0.75 + random.random() / 2))
            wait = min(1.5 * wait, _SLOWEST * policy.poll_s)

    async def _collect(self, batch: Mapping[str, Any]) -> None:
        """Take over all answers, give back what has none, and close the account."""
        unread, self._stopped = 0, batch["status"] == "cancelled"
        for file in (batch.get("output_file_id"), batch.get("error_file_id")):
            if file:
                unread += await self._fetched(str(file))
        left = await asyncio.to_thread(self._ledger.left, self.sent.name)
        status, note = str(batch["status"]), f"{unread} lines could not be read" if unread else ""
        if unread:
            log.warning("batch %s: %s", self.sent.batch, note)
        self.home.quota.relieved()
        if status == "failed":
            await self._not_accepted(batch, left)
        elif self._stopped and left:
            await self._cancelled(left)
        else:
            self.home.failures = 0
            self.home.quota.let_in(self.sent.name)
            await self._give_back(dict.fromkeys(left, f"no answer in a batch that is {status}"))
            await asyncio.to_thread(self._ledger.end, self.sent.name, status, note)
        log.info(
            "batch %s: %s, %d of %d without an answer", self.sent.batch, status, len(left), self.sent.requests
        )
        await asyncio.to_thread(self.home.sweep)

    async def _fetched(self, file: str) -> int:
        """Settle every line of a file; returns how many could not be read."""
        try:
            return await self.home.patiently(partial(self._read, file))
        except Gone as error:
            log.warning("batch %s: %s; its requests are sent again", self.sent.batch, error)
            return 0

    async def _read(self, file: str) -> int:
        unread, pile = 0, list[Line]()
        async for text in self.home.connection.lines(file):
            if not text.strip():
                continue
            if (line := read_line(text)) is None:
                unread += 1
                continue
            pile.append(line)
            if len(pile) >= _AT_ONCE:
                await self._settle(pile)
                pile = []
        await self._settle(pile)
        return unread

    async def _settle(self, pile: Sequence[Line]) -> None:
        """Keep answers, then hand them out; give back faults; fail what was refused. Doing it twice does no harm."""
        answers = {line.key: line.body for line in pile if line.error is None}
        await asyncio.to_thread(self._ledger.answer, self.sent.name, answers)
        for key in answers:
            self.home.deliver(key)
        refused = {line.key: line.error for line in pile if isinstance(line.error, CallError)}
        await self._refuse(refused)
        if not self._stopped:
            faults = {line.key: str(line.error) for line in pile if isinstance(line.error, Fault)}
            await self._give_back(faults)

    async def _refuse(self, errors: Mapping[bytes, Exception]) -> None:
        freed = await asyncio.to_thread(self._ledger.free, self.sent.name, list(errors), 1)
        await asyncio.to_thread(self._ledger.forget, list(freed))
        for key in freed:
            self.home.refuse(key, errors[key])

    async def _give_back(self, reasons: Mapping[bytes, str], tries: int = 1) -> None:
        """Put requests into the next batch, or fail those that have had their tries."""
        freed = await asyncio.to_thread(self._ledger.free, self.sent.name, list(reasons), tries)
        done = [key for key, total in freed.items() if not self.home.again(key, total, reasons[key])]
        await asyncio.to_thread(self._ledger.forget, done)

    async def _unsent(self, why: str, tries: int) -> None:
        left = await asyncio.to_thread(self._ledger.left, self.sent.name)
        await self._give_back(dict.fromkeys(left, why), tries)
        await asyncio.to_thread(self._ledger.end, self.sent.name, "failed", why)

    async def _cancelled(self, left: Sequence[bytes]) -> None:
        """Stop the run, for somebody has stopped the batch."""
        why = f"batch {self.sent.batch} was cancelled with {len(left):,} requests unanswered"
        await asyncio.to_thread(self._ledger.free, self.sent.name, left, 0)
        await asyncio.to_thread(self._ledger.end, self.sent.name, "cancelled", why)
        raise ServingError(f"{why}; run again to submit them")

    async def _not_accepted(self, batch: Mapping[str, Any], left: Sequence[bytes]) -> None:
        """A batch that failed its validation: wait for room, fail the lines that are to blame, or stop.

        Raises:
            ServingError: no line is to blame, or three batches in a row have failed.
        """
        errors = why_failed(batch)
        text = "; ".join(f"{code} {said}".strip() for _, code, said in errors[:3]) or "no reason given"
        lines = await asyncio.to_thread(self._ledger.lines, self.sent.name)
        if is_queue_limit(text):
            self.home.quota.refused(self.sent, self.home.carrying > 1)
            await self._unsent(text, tries=0)
            return
        self.home.failures += 1
        blamed = {lines[n]: CallError(f"{code} {said}") for n, code, said in errors if n in lines}
        hopeless = not blamed or self.home.failures >= _FAILURES
        if not hopeless:
            await self._refuse(blamed)
            await self._unsent(text, tries=1)
            return
        await asyncio.to_thread(self._ledger.free, self.sent.name, left, 0)
        await asyncio.to_thread(self._ledger.end, self.sent.name, "failed", text)
        raise ServingError(f"batch {self.sent.batch} was not accepted: {text}")


def _write(path: Path, lines: Sequence[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(lines)
