"""Engine processes: started once, shared, restarted, stopped with all they started. Real processes throughout."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_stands import SERVER, engine_pid, environment, gone, members

from dataflow.core import background
from dataflow.core.errors import MissingDependency, ServingError
from dataflow.serving.backends.process import EngineProcess, EngineSpec, _free_port
from dataflow.serving.supervised import EngineServing, flags, weights

Make = Callable[..., EngineServing]


class Unheard(EngineServing):
    package = "a_package_that_is_not_there"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes servings of one model whose engines end with the test."""
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    made: list[EngineServing] = []

    def engine(
        *arguments: str, command: tuple[str, ...] = SERVER, workers: int = 8, **settings: Any
    ) -> EngineServing:
        settings = {"start_timeout_s": 30.0, "needs_package": False} | settings
        serving = EngineServing("toy", (*command, *arguments), {"temperature": 0.0}, workers, **settings)
        serving.policy = replace(serving.policy, backoff_s=0.02)
        serving._begin()
        made.append(serving)
        return serving

    yield engine
    for serving in made:
        serving.cleanup()


def process_of(serving: EngineServing) -> EngineProcess:
    return EngineProcess._shared[serving.spec]


def test_starts_at_the_first_call_and_ends_with_cleanup(engine: Make) -> None:
    serving = engine("--reply=hi")
    assert serving.spec not in EngineProcess._shared
    assert serving.generate_from_input(["a", "b"]) == ["hi", "hi"]
    process = process_of(serving)
    group = process.pid
    assert group is not None
    assert len(members(group)) == 2
    serving.cleanup()
    assert gone(group)
    assert process._folder is None
    assert serving.generate_from_input(["c"]) == ["hi"]
    assert process.pid not in (None, group)


def test_start_serving_starts_without_a_call(engine: Make) -> None:
    serving = engine("--dim=4")
    serving.start_serving()
    pid = process_of(serving).pid
    assert pid
    serving.start_serving()
    assert [len(v or []) for v in serving.generate_embedding_from_input(["a", "b"])] == [4, 4]
    assert process_of(serving).pid == pid


def test_servings_of_one_command_share_a_process(engine: Make) -> None:
    one, two, other = engine("--reply=x"), engine("--reply=x"), engine("--reply=y")
    assert [s.generate_from_input(["a"]) for s in (one, two, other)] == [["x"], ["x"], ["y"]]
    process = process_of(one)
    pid = process.pid
    assert process is process_of(two)
    assert process.users == 2
    assert process_of(other).pid != pid
    one.cleanup()
    assert process.pid == pid
    assert two.generate_from_input(["b"]) == ["x"]
    two.cleanup()
    assert process.pid is None


def test_many_first_calls_start_one_process(engine: Make) -> None:
    serving = engine("--reply=x", workers=32)
    assert serving.generate_from_input([f"p{i}" for i in range(100)]) == ["x"] * 100
    assert len(process_of(serving).starts) == 1


def test_a_serving_that_is_collected_lets_go(engine: Make) -> None:
    serving = EngineServing("toy", (*SERVER, "--reply=gone"), {}, 2, needs_package=False, start_timeout_s=30)
    serving.start_serving()
    group = process_of(serving).pid
    assert group
    del serving
    gc.collect()
    assert gone(group)


def test_a_copy_has_an_engine_of_its_own_lease(engine: Make) -> None:
    serving = engine("--reply=x")
    serving.start_serving()
    twin = pickle.loads(pickle.dumps(serving))
    assert twin.generate_from_input(["a"]) == ["x"]
    assert process_of(serving).users == 2
    twin.cleanup()
    assert process_of(serving).users == 1


def test_killed_in_mid_run_every_row_is_answered_once(engine: Make, acting: Any, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    serving = engine("--latency=0.03", f"--count-file={asked}", workers=8)
    prompts = [f"row {i}" for i in range(150)]
    with acting() as usage:
        serving.start_serving()
        process, killed = process_of(serving), []

        def kill_twice() -> None:
            for rows in (30, 80):
                while not asked.exists() or len(asked.read_text().split()) < rows:
                    time.sleep(0.01)
                killed.append(engine_pid(process))
                os.kill(killed[-1], signal.SIGKILL)

        killer = threading.Thread(target=kill_twice, daemon=True)
        killer.start()
        replies = serving.generate_from_input(prompts)
        killer.join(10)
    assert len(killed) == 2
    assert len(process.starts) == 3
    assert serving.errors == {}
    assert None not in replies
    assert len(set(replies)) == 150  # the reply is a hash of the request, so none was mixed up
    assert usage.calls == 150
    sent = asked.read_text().split()
    assert len(set(sent)) == 150
    assert len(sent) <= 150 + 2 * 8  # only what was in flight was sent again


def test_given_up_after_too_many_deaths(engine: Make) -> None:
    serving = engine("--latency=0.2")
    serving.spec = replace(serving.spec, max_restarts=1)
    serving.start_serving()
    process = process_of(serving)
    ended = threading.Event()

    def keep_killing() -> None:
        while not ended.wait(0.05):
            with contextlib.suppress(AssertionError, OSError, IndexError):  # dead by now
                if process._ready:
                    os.kill(engine_pid(process), signal.SIGKILL)

    killer = threading.Thread(target=keep_killing, daemon=True)
    killer.start()
    try:
        with pytest.raises(ServingError, match=r"ended 2 times within 600 s[\s\S]*status -9"):
            serving.generate_from_input(["a"])
    finally:
        ended.set()
        killer.join(10)


PARTING = "import sys; print('CUDA out of memory'); sys.exit(3)"


def test_an_engine_that_does_not_come_up_shows_its_log(engine: Make, tmp_path: Path) -> None:
    count = tmp_path / "count"
    parting = f"open({str(count)!r}, 'a').write('x'); {PARTING}"
    serving = engine(command=(sys.executable, "-c", parting))
    with pytest.raises(
        ServingError, match=r"engine process of toy ended while it started[\s\S]*CUDA out of memory"
    ):
        serving.generate_from_input([f"p{i}" for i in range(50)])
    assert count.read_text() == "x"
    serving.cleanup()


def test_an_engine_that_hangs_at_the_start_is_ended(engine: Make) -> None:
    serving = engine(
        command=(sys.executable, "-c", "print('loading', flush=True); import time; time.sleep(60)")
    )
    serving.spec = replace(serving.spec, start_timeout_s=0.6)
    with pytest.raises(ServingError, match=r"did not answer within 0.6 s[\s\S]*loading"):
        serving.start_serving()
    assert process_of(serving).pid is None


def test_an_engine_that_hangs_is_started_again(engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataflow.serving.backends.process.SIGN_S", 0.5)
    serving = engine("--reply=x", workers=4)
    assert serving.generate_from_input(["a"]) == ["x"]
    process = process_of(serving)
    hung = engine_pid(process)
    os.kill(hung, signal.SIGSTOP)
    replies: list[Any] = []
    asking = threading.Thread(target=lambda: replies.extend(serving.generate_from_input(["b", "c"])))
    asking.start()
    assert background.run(process.alive())  # as the engine asks when it has heard nothing for long
    asking.join(30)
    assert replies == ["x", "x"]
    assert engine_pid(process) != hung
    assert background.run(process.alive())


def test_a_call_that_is_given_up_does_not_end_the_start(engine: Make) -> None:
    serving = engine("--reply=x")
    serving._chat = serving.make_chat()
    serving._opened.append(serving._chat)
    process = process_of(serving)

    async def give_up() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.url(), 0.02)

    background.run(give_up())
    assert not process.is_up
    assert serving.generate_from_input(["a"]) == ["x"]
    assert len(process.starts) == 1


def test_letting_go_ends_a_start(engine: Make) -> None:
    serving = engine(command=(sys.executable, "-c", "import time; time.sleep(60)"))
    serving._chat = serving.make_chat()
    serving._opened.append(serving._chat)
    process = process_of(serving)

    async def begin() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.url(), 0.3)

    background.run(begin())
    group = process.pid
    assert group
    serving.cleanup()
    assert gone(group)


def test_a_command_that_is_not_there(engine: Make) -> None:
    with pytest.raises(ServingError, match="no-such-engine cannot be started"):
        engine(command=("no-such-engine",)).generate_from_input(["a"])


def test_the_engine_does_not_outlive_a_killed_run(tmp_path: Path) -> None:
    code = (
        "from dataflow.serving.supervised import EngineServing\n"
        "from dataflow.serving.backends.process import EngineProcess\n"
        "import sys\n"
        f"s = EngineServing('toy', {SERVER!r}, {{}}, 2, needs_package=False, start_timeout_s=30)\n"
        "s.start_serving()\n"
        "p = EngineProcess._shared[s.spec]\n"
        "print(p.pid, p._folder, flush=True)\n"
        "sys.stdin.read()\n"
    )
    pipe = subprocess.PIPE
    for end in (signal.SIGKILL, signal.SIGINT, None):
        run = subprocess.Popen(
            [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, env=environment()
        )
        assert run.stdout is not None
        first, folder = run.stdout.readline().split()
        group = int(first)
        assert members(group)
        if end is None:
            run.communicate(timeout=30)
        else:
            run.send_signal(end)
            run.communicate(timeout=30)
        assert gone(group)
        if end is signal.SIGKILL:
            shutil.rmtree(folder.decode())
        else:
            assert not Path(folder.decode()).exists()


def test_a_taken_port_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert _free_port("127.0.0.1", port) != port
    assert _free_port("127.0.0.1", port) == port
    with pytest.raises(ServingError, match=r"nothing can listen on '192\.0\.2\.1'"):
        _free_port("192.0.2.1", 0)


def test_the_wanted_port(engine: Make) -> None:
    port = _free_port("127.0.0.1", 0)
    serving = engine("--reply=x", port=port)
    assert serving.generate_from_input(["a"]) == ["x"]
    assert background.run(process_of(serving).url()) == f"http://127.0.0.1:{port}/v1"


def test_a_missing_package_is_named_before_any_call() -> None:
    serving = Unheard("toy", ("x",), {}, 1)
    assert "pip install" in str(serving.check())
    with pytest.raises(MissingDependency, match="needs a_package_that_is_not_there: pip install"):
        serving.generate_from_input(["a"])
    with pytest.raises(MissingDependency):
        serving.start_serving()


@pytest.mark.parametrize(("name", "fault"), [("", "names no model"), ("/no/such/model", "is not there")])
def test_a_model_that_is_not_there(name: str, fault: str) -> None:
    serving = EngineServing(name, ("x",), {}, 1, needs_package=False)
    assert fault in str(serving.check())
    with pytest.raises(ServingError, match=fault):
        serving.generate_from_input(["a"])


def test_the_fingerprint_is_all_that_decides_a_reply() -> None:
    one = EngineServing("toy", ("x",), {"temperature": 0}, 1)
    assert one.fingerprint == EngineServing("toy", ("y", "--port"), {"temperature": 0}, 9).fingerprint
    assert one.fingerprint != EngineServing("toy", ("x",), {"temperature": 1}, 1).fingerprint


def test_where_weights_come_from(tmp_path: Path) -> None:
    assert weights("org/model", None, None) == ("org/model", [])
    assert weights("org/model", None, "/cache") == ("org/model", ["--download-dir", "/cache"])
    assert weights("org/model", str(tmp_path), "/cache") == ("org/model", ["--download-dir", str(tmp_path)])
    (tmp_path / "config.json").write_text("{}")
    assert weights("org/model", str(tmp_path), "/cache") == (str(tmp_path), [])
    assert weights(None, None, None) == ("", [])


def test_flags() -> None:
    assert flags({"a": 1, "b": None, "c": False, "d": True, "e": 0.5}) == ["--a", "1", "--d", "--e", "0.5"]


def test_a_spec_stands_for_its_process() -> None:
    spec = EngineSpec("x", ("y",))
    assert EngineProcess(spec).log_tail() == "It has not been started."
    assert hash(spec) == hash(EngineSpec("x", ("y",)))
