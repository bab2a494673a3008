"""One program, run in front of its tests, or by a command."""

from __future__ import annotations

import builtins
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from dataflow.sandbox.inside.channel import PASSED, Channel, attempt
from dataflow.sandbox.inside.tests import run_tests


def main(descriptor: int) -> None:
    """Bound this process, run what the judge says, report, end."""
    channel = Channel(descriptor)
    job = channel.hear()
    channel.word = job["word"]
    leave = os._exit
    bound(job["limits"])
    channel.say("ready")
    if job["command"]:
        run_command(channel, job)
    else:
        run_python(channel, job)
    leave(0)


def bound(limits: dict[str, int]) -> None:
    for name, most in limits.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


def run_python(channel: Channel, job: dict[str, Any]) -> None:
    script = not job["tested"]
    module = new_module("__main__" if script else job["name"])
    builtin = dict(vars(builtins))
    flush = flusher()
    prepare(job)
    loaded = attempt(lambda: load(module, job["code"]), script)
    if script and loaded == PASSED:
        loaded = attempt(wind_up, script)
    channel.say("loaded")
    told = channel.hear()
    channel.word = told["word"]
    vars(builtins).update(builtin)
    if script or loaded != PASSED:
        flush()
        channel.say("end", *loaded)
        return
    run_tests(channel, module, told, flush)
    flush()
    channel.say("end", *PASSED)


def new_module(name: str) -> Any:
    module = type(sys)(name)
    vars(module).update(__file__="program.py", __builtins__=builtins)
    sys.modules[name] = module
    return module


def prepare(job: dict[str, Any]) -> None:
    import _sitebuiltins

    sys.argv = ["program.py"]
    sys.path[:0] = [os.getcwd()]  # noqa: PTH109
    sys.path += job["packages"]
    vars(builtins).update(
        exit=_sitebuiltins.Quitter("exit", "Ctrl-D"), quit=_sitebuiltins.Quitter("quit", "Ctrl-D")
    )
    if job["pytest"]:
        stub = type(sys)("pytest")
        exec(job["pytest"], vars(stub))  # noqa: S102
        sys.modules["pytest"] = stub


def load(module: Any, source: str) -> None:
    with open("program.py", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(source)
    exec(compile(source, "program.py", "exec", dont_inherit=True), vars(module))  # noqa: S102


def wind_up() -> None:
    """What an interpreter does after a script: wait for its threads, call what it left to be called."""
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    if "atexit" in sys.modules:
        sys.modules["atexit"]._run_exitfuncs()


def flusher() -> Callable[[], None]:
    streams = [sys.stdout, sys.stderr]

    def flush() -> None:
        for stream in streams:
            try:  # noqa: SIM105
                stream.flush()
            except BaseException:  # noqa: BLE001, S110  # the program may have closed or replaced it
                pass

    return flush


def run_command(channel: Channel, job: dict[str, Any]) -> None:
    """Write the program's files, compile where that is needed, run; the word for the end comes out of the program."""
    channel.say("loaded")
    told = channel.hear()
    channel.word = told["word"]
    for name, text in told["files"].items():
        with open(name, "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            file.write(text)
    if job["compile"]:
        code, _ = spawn(job["compile"])
        if code:
            channel.say("end", "error", 0, "does not compile")
            return
        channel.say("compiled")
    bound(job["run_limits"])
    code, said = spawn(job["command"])
    if code < 0 or code > 128:
        channel.say("exit", code if code < 0 else 128 - code)
    elif code or (job["tested"] and told["word"].encode() not in said):
        channel.say("exit", code)
    else:
        channel.say("end", *PASSED)


def spawn(command: list[str]) -> tuple[int, bytes]:
    """Run a command to its end; its exit code, and what it wrote to descriptor 9."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writer, 9)
        os.execvp(command[0], command)  # noqa: S606
    os.close(writer)
    _, status = os.waitpid(child, 0)
    os.set_blocking(reader, False)
    try:
        said = os.read(reader, 4096)
    except BlockingIOError:
        said = b""
    os.close(reader)
    return os.waitstatus_to_exitcode(status), said
