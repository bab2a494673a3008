"""Engine processes: started at first use, shared, restarted when they die, stopped with their last user."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import aiohttp

from dataflow.core.errors import ServingError

log = logging.getLogger(__name__)
GUARD = Path(__file__).with_name("guard.py")
POLL_S = 0.1
SIGN_S = 5.0
"""Seconds that a process which is up has to list its models."""
COOL_S = 5.0
"""Seconds after a start that failed in which calls fail likewise, so that those behind it do not try it again."""
STOP_S = 20.0
"""How long a stop may take; the guard kills after ten seconds."""
TAIL_LINES, TAIL_CHARS = 20, 3000


@dataclass(frozen=True)
class EngineSpec:
    """What an engine process is started with; users of equal ones share a process."""

    name: str
    """What errors and log lines call it."""
    command: tuple[str, ...]
    """`{host}` and `{port}` in it are put in when it starts."""
    host: str = "127.0.0.1"
    port: int = 0
    """The port it should have; a free one where this is taken, or 0."""
    start_timeout_s: float = 600.0
    max_restarts: int = 3
    """Restarts within `window_s`, after which it is given up."""
    window_s: float = 600.0


class EngineProcess:
    """One server process that speaks OpenAI's protocol. Its coroutines run on the background thread."""

    _shared: ClassVar[dict[EngineSpec, EngineProcess]] = {}
    _leasing: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, spec: EngineSpec) -> None:
        self.spec, self.users, self.port = spec, 0, spec.port
        self.starts: list[float] = []
        """When it was started, as far back as `window_s`."""
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._ready = self._served = False
        self._starting: asyncio.Task[None] | None = None
        self._failed_at, self._fault = -math.inf, ""
        self._turn = asyncio.Lock()

    @classmethod
    def lease(cls, spec: EngineSpec) -> EngineProcess:
        """The process of a spec, for one more user, who must `release` it. Starts nothing."""
        with cls._leasing:
            process = cls._shared.setdefault(spec, cls(spec))
            process.users += 1
        return process

    async def release(self) -> None:
        """Stop the process if this was its last user."""
        with self._leasing:
            self.users -= 1
        if self.users == 0 and self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        async with self._turn:
            if self.users == 0:
                await self._stop()
                self._served, self._failed_at, self.starts = False, -math.inf, []

    @property
    def pid(self) -> int | None:
        """The leader of the process group, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def url(self) -> str:
        """The base address, which ends in `/v1`, of a process that answers; started where it does not run.

        Raises:
            ServingError: it does not come up, or died too often; quotes the end of its log.
        """
        if not self.is_up:
            if time.monotonic() - self._failed_at < COOL_S:
                raise ServingError(self._fault)
            if self._starting is None or self._starting.done():
                self._starting = asyncio.create_task(self._start())
            # a call that is given up must not take the start with it that others wait for
            await asyncio.shield(self._starting)
        return f"{self._root()}/v1"

    @property
    def is_up(self) -> bool:
        """Whether it has come up, and runs."""
        return self._ready and self.pid is not None

    async def alive(self) -> bool:
        """Whether there is hope for calls that get no answer: one that hangs is killed, for the next to start anew."""
        if self.is_up and not await self._is_listening():
            log.warning("%s gives no sign of life; it is ended, to be started again", self.spec.name)
            self._kill()
        return time.monotonic() - self._failed_at >= COOL_S

    async def _is_listening(self) -> bool:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SIGN_S)) as session:
            return await self._is_ready(session)

    def _root(self) -> str:
        host = "127.0.0.1" if self.spec.host in ("0.0.0.0", "") else self.spec.host  # noqa: S104
        return f"http://{host}:{self.port}"

    async def _start(self) -> None:
        async with self._turn:
            while not self.is_up:
                now = time.monotonic()
                self.starts = [t for t in self.starts if now - t < self.spec.window_s]
                if len(self.starts) > self.spec.max_restarts:
                    self._fail(f"ended {len(self.starts)} times within {self.spec.window_s:g} s")
                self.starts.append(now)
                fault = await self._launch()
                if fault is None:
                    self._ready = self._served = True
                elif not self._served:
                    self._fail(fault)
                else:
                    log.warning("%s %s; it is started again", self.spec.name, fault)

    def _fail(self, fault: str) -> None:
        self._failed_at = time.monotonic()
        self._fault = f"{self.spec.name} {fault}. {self.log_tail()}"
        raise ServingError(self._fault)

    async def _launch(self) -> str | None:
        """Start the process and wait until it answers; what went wrong, or null."""
        self._ready = False
        self._kill()
        self.port = _free_port(self.spec.host, self.port or self.spec.port)
        put_in = {"{host}": self.spec.host, "{port}": str(self.port)}
        command = [_filled(word, put_in) for word in self.spec.command]
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="dataflow-engine-"))
        with self._log_path(self._folder).open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", str(GUARD), *command],
                stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        log.info("%s starts on port %d, log %s", self.spec.name, self.port, self._log_path(self._folder))
        try:
            fault = await self._answers(self._process)
        except BaseException:
            self._kill()
            raise
        if fault is not None:
            self._kill()
        return fault

    async def _answers(self, process: subprocess.Popen[bytes]) -> str | None:
        until = time.monotonic() + self.spec.start_timeout_s
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while time.monotonic() < until:
                if process.poll() is not None:
                    return "ended while it started"
                if await self._is_ready(session):
                    return None
                await asyncio.sleep(POLL_S)
        return f"did not answer within {self.spec.start_timeout_s:g} s"

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        """Whether it lists its models, and is healthy where it tells."""
        try:
            async with session.get(f"{self._root()}/v1/models") as models:
                listed = models.status == 200
            async with session.get(f"{self._root()}/health") as health:
                return listed and health.status in (200, 404)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _stop(self) -> None:
        """End the process group and wait for it; the log of an orderly stop goes with it."""
        process, self._ready = self._process, False
        if process is not None and process.poll() is None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(b".")
                process.stdin.close()
            until = time.monotonic() + STOP_S
            while process.poll() is None and time.monotonic() < until:
                await asyncio.sleep(
                    POLL_S / 5
                )  # no thread: at the end of the interpreter there are no new ones
        self._kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _kill(self) -> None:
        """Kill what is left of the process group, and take leave of it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        process.wait()

    def log_tail(self) -> str:
        """The end of what the process wrote, and where all of it is."""
        if self._folder is None:
            return "It has not been started."
        path = self._log_path(self._folder)
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_CHARS))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join([f"The end of its log ({path}):", *lines[-TAIL_LINES:]])

    @staticmethod
    def _log_path(folder: Path) -> Path:
        return folder / "engine.log"


def _filled(word: str, put_in: Mapping[str, str]) -> str:
    for name, value in put_in.items():
        word = word.replace(name, value)
    return word


def _free_port(host: str, wanted: int) -> int:
    """The wanted port if it can be listened on, else a free one."""
    for port in dict.fromkeys((wanted, 0)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if not port:
                    raise ServingError(f"nothing can listen on {host!r}: {error}") from error
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("unreachable")
