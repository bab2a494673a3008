"""A faulty server in a process of its own, and the command line by which it is told what to do."""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self

import orjson

from dataflow.core.errors import ConfigError
from dataflow.testing.faults import Faults, lognormal

MODULE = "dataflow.testing.server"


@dataclass(eq=False)
class ServerProcess:
    """Run a `FaultyServer` in a process of its own; it ends with this block, or with this process."""

    reply: str | Sequence[str] | None = None
    latency_s: float = 0.0
    sigma: float = 0.0
    """Spread of a log-normal latency with the median `latency_s`; 0 for a constant one."""
    faults: Faults = field(default_factory=Faults)
    slots: int | None = None
    admit: int | None = None
    admit_schedule: Sequence[tuple[float, int]] = ()
    quota: tuple[int, float] | None = None
    outages: Sequence[tuple[float, float]] = ()
    seed: int = 0
    dim: int = 16
    port: int = 0
    count_file: Path | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", MODULE, *self._arguments()]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)  # noqa: S603
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            self.__exit__()
            raise ConfigError(f"ServerProcess: the server did not start; {' '.join(command)}")
        self.base_url = self.url.removesuffix("/chat/completions")
        self.pid = self._process.pid
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def _arguments(self) -> list[str]:
        replies = [self.reply] if isinstance(self.reply, str) else self.reply or ()
        names = ("latency_s", "sigma", "slots", "admit", "seed", "dim", "port", "count_file")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        spans = {
            "admit-schedule": self.admit_schedule,
            "quota": [self.quota] if self.quota else (),
            "outages": self.outages,
        }
        faults = {f.name: getattr(self.faults, f.name) for f in fields(Faults)}
        return [
            *(f"--{name.replace('_', '-')}={value}" for name, value in given.items()),
            *(f"--fault={name}={value}" for name, value in faults.items() if value is not None),
            *(f"--{name}={','.join(f'{a}:{b}' for a, b in pairs)}" for name, pairs in spans.items() if pairs),
            *(f"--reply={text}" for text in replies),
        ]

    def _request(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(self.base_url.split("/")[2], timeout=30)
        try:
            connection.request(method, path, body=orjson.dumps(body))
            return orjson.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stats(self) -> dict[str, Any]:
        """Return `FaultyServer.stats()` of the other process."""
        return dict(self._request("GET", "/stats"))

    def reset(self) -> None:
        """Set the counters to zero."""
        self._request("POST", "/reset")

    def set_down(self, down: bool | Literal["close", "hang"]) -> None:
        """Start or end an outage."""
        self._request("POST", "/down", down)

    def set_admit(self, admit: int | None) -> None:
        """Set how many requests may be under way at once."""
        self._request("POST", "/admit", admit)


def read_arguments(argv: Sequence[str] | None) -> dict[str, Any]:
    """Return the settings of a `FaultyServer` that a command line gives."""
    options = vars(_parser().parse_args(argv))
    latency, sigma = options.pop("latency"), options.pop("sigma")
    options["latency_s"] = lognormal(latency, sigma) if sigma else latency
    options["faults"] = Faults(**dict(options.pop("fault")))
    options["admit_schedule"] = [(seconds, int(admit)) for seconds, admit in options["admit_schedule"]]
    if options["quota"]:
        requests, seconds = options["quota"][0]
        options["quota"] = int(requests), seconds
    return options


def _pairs(text: str) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, _, b in (pair.partition(":") for pair in text.split(","))]


def _fault(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, int(value) if name == "first_attempts" else float(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {MODULE}",
        description="Serve chat completions and embeddings on 127.0.0.1, with faults; the first line printed is the URL.",
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", "--latency-s", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--sigma", type=float, default=0.0, help="spread of a log-normal latency")
    parser.add_argument("--fault", type=_fault, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--reply", action="append", help="repeat it to have the request's hash pick one")
    parser.add_argument("--slots", type=int)
    parser.add_argument("--admit", type=int)
    parser.add_argument("--admit-schedule", type=_pairs, default=[], metavar="SECONDS:ADMIT,…")
    parser.add_argument("--quota", type=_pairs, metavar="REQUESTS:SECONDS")
    parser.add_argument("--outages", type=_pairs, default=[], metavar="BEGIN:END,…", help="in seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dim", type=int, default=16)
    parser.add_argument("--count-file", type=Path, help="append the key of each request to this file")
    return parser
