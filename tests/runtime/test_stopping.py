"""Runs that are stopped from outside: by Ctrl-C, by kill -9, by another run in the same folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flows import Asks, Louder, Steps, chat, column, lines, numbers

from bench.kill import WORKERS, trial
from dataflow.core.errors import RunStopped
from dataflow.runtime import runs
from dataflow.runtime.rundir import RunDir
from dataflow.testing.server import FaultyServer, ServerProcess

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m bench.kill_pipeline` is found from here."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess(latency_s=0.05) as running:
        yield running


def started(source: Path, cache: Path, url: str, temperature: float = 0.0) -> subprocess.Popen[str]:
    """The pipeline of the kill trial, in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "bench.kill_pipeline",
        source,
        cache,
        url,
        str(temperature),
        str(WORKERS),
    ]
    pipe = subprocess.PIPE
    return subprocess.Popen([str(c) for c in command], stdout=pipe, stderr=pipe, text=True)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_ctrl_c_saves_what_is_done(tmp_path: Path, server: ServerProcess, temperature: float) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(200))
    process = started(source, tmp_path / "c", server.url, temperature)
    wait_until(lambda: server.stats()["answered"] > 60)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode in (1, 130, -signal.SIGINT)
    assert "KeyboardInterrupt" in said
    left = runs.load(tmp_path / "c/trial").summary
    assert (left["status"], left["message"]) == ("stopped", "interrupted")

    again = started(source, tmp_path / "c", server.url, temperature)
    again.communicate(timeout=60)
    assert again.returncode == 0
    run = runs.load(tmp_path / "c/trial")
    assert run.summary["status"] == "done"
    assert server.stats()["repeated"] <= WORKERS  # those in flight when it stopped
    assert set(run.lineage["source_row"]) == set(map(str, range(200)))
    calm = started(source, tmp_path / "calm", server.url, temperature)
    calm.communicate(timeout=60)
    name = "trial_step6.jsonl"
    assert (tmp_path / "c" / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()


def test_two_runs_do_not_share_a_folder(tmp_path: Path, server: ServerProcess) -> None:
    source = lines(tmp_path / "in.jsonl", numbers(200))
    first = started(source, tmp_path / "c", server.url)
    wait_until(lambda: server.stats()["calls"] > 0)
    second = started(source, tmp_path / "c", server.url)
    _, said = second.communicate(timeout=30)
    assert second.returncode == 1
    assert "RunStopped: another process is running in" in said
    first.communicate(timeout=60)
    assert first.returncode == 0
    run = runs.load(tmp_path / "c/trial")
    assert run.summary["status"] == "done"
    assert server.stats()["repeated"] == 0


def test_a_folder_is_free_again_after_its_run(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ["a"])
    pipeline = Steps(source, tmp_path, (Louder(), {}))
    with RunDir(tmp_path / "p").locked(), pytest.raises(RunStopped, match="name another file_name_prefix"):
        pipeline.run(progress=False)
    assert not (tmp_path / "p/run.json").exists()
    assert column(pipeline.run(progress=False), "loud") == ["a!"]


def test_a_run_interrupted_in_this_process_goes_on_in_it(tmp_path: Path) -> None:
    """As in a notebook: the serving is used again after the interruption."""
    source = lines(tmp_path / "in.jsonl", numbers(100))
    with FaultyServer(latency_s=0.05) as server:
        pipeline = Steps(source, tmp_path, (Asks(llm_serving=chat(server)), {}))

        def interrupt() -> None:
            wait_until(lambda: server.answered > 20)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(progress=False)
        thread.join()
        assert runs.load(tmp_path / "p").summary["status"] == "stopped"
        run: Any = pipeline.run(progress=False)
        assert column(run, "text") == numbers(100)
        assert server.repeated <= 16


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_kill_9_changes_no_byte_and_repeats_no_reply(temperature: float) -> None:
    found = trial(rows=300, kills=4, temperature=temperature)
    assert found.same
    assert found.repeated <= found.allowed
    assert found.kills > 0
