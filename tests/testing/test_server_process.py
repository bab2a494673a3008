"""The server in a process of its own."""

import signal
import subprocess
import sys
from typing import Any

import pytest
from asking_server import ask, chat, post

from dataflow.core.errors import ConfigError
from dataflow.testing.server import Faults, FaultyServer, ServerProcess, request_key


def test_server_process_counts_and_steers(tmp_path: Any) -> None:
    counts = tmp_path / "counts"
    faults = Faults(status_500=1, first_attempts=1)
    with ServerProcess(
        reply=["-x"], latency_s=0.01, sigma=0.1, faults=faults, slots=4, count_file=counts
    ) as server:
        assert post(server, chat("a"))[0] == 500
        assert [ask(server, "a"), ask(server, "a")] == ["-x", "-x"]
        stats = server.stats()
        assert stats["cpu_s"] > 0
        known = {"calls": 3, "answered": 2, "repeated": 2, "unique": 1, "faulted": {"status_500": 1}}
        assert {name: stats[name] for name in known} == known
        server.set_down(True)
        assert post(server, chat("b"))[0] == 503
        server.set_down(False)
        server.reset()
        assert server.stats()["calls"] == 0
    assert counts.read_text().split() == [request_key(chat("a"))] * 3


@pytest.mark.parametrize("ending", ["SIGTERM", "EOF"])
def test_the_command_ends_on_sigterm_and_at_the_end_of_stdin(ending: str) -> None:
    command = [sys.executable, "-m", "dataflow.testing.server", "--port", "0", "--latency", "0.05"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGTERM) if ending == "SIGTERM" else process.stdin.close()
        assert process.wait(10) == 0


def test_a_process_that_cannot_start_says_so() -> None:
    with (
        FaultyServer() as server,
        pytest.raises(ConfigError, match="did not start"),
        ServerProcess(port=server.port),
    ):
        pass
