"""What runs inside of the sandbox, in front of the program. Only its code travels there: the standard library alone.

It speaks to the judge outside over one descriptor, in lines that begin with a word only the judge and it were told.
The word for the end comes after the program has loaded. Everything used after that is bound before.
"""

from __future__ import annotations

import builtins
import errno
import marshal
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

SEPARATOR = "\x1f"
FORBIDDEN = frozenset(
    {errno.EPERM, errno.EACCES, errno.EROFS, errno.ENETUNREACH, errno.ENETDOWN, errno.EFBIG, errno.ENOSPC}
    | {errno.EDQUOT, errno.EAGAIN, errno.EMFILE, errno.ENOSYS, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}
)
MOST_DETAIL, MOST_SHOWN = 1000, 100_000
Report = tuple[str, int, str]
"""Verdict, line (0 for none), detail."""
PASSED: Report = ("passed", 0, "")
GONE = "ended before its tests did"


class Channel:
    """The line to the judge."""

    def __init__(self, descriptor: int, word: str) -> None:
        self.descriptor, self.word = descriptor, word
        self._write, self._read, self._loads = os.write, os.read, marshal.loads

    def say(self, *fields: object) -> None:
        parts = [self.word, *(str(f) for f in fields)]
        clean = (p.replace("\n", " ").replace("\r", " ").replace(SEPARATOR, " ") for p in parts)
        self._write(self.descriptor, (SEPARATOR.join(clean) + "\n").encode("utf-8", "replace"))

    def hear(self) -> Any:
        """What the judge sends next: its length in eight bytes, then marshalled values."""
        size = int.from_bytes(self._exactly(8), "big")
        return self._loads(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._read(self.descriptor, min(size, 1 << 20))
            if not part:
                os._exit(1)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def main(descriptor: int, job: dict[str, Any]) -> None:
    """Bound this process, run what the job says, report, end."""
    os.set_inheritable(descriptor, False)
    channel = Channel(descriptor, job["word"])
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


def attempt(work: Callable[[], None], script: bool = False) -> Report:
    """What comes of a piece of the program; a script may end by `sys.exit()`."""
    try:
        work()
    except SystemExit as error:
        if not script:
            return "error", line_of(error), GONE
        if error.code in (None, 0):
            return PASSED
        return "error", line_of(error), f"SystemExit: {text_of(error)}"
    except BaseException as error:  # noqa: BLE001  # whatever the program raises is its verdict
        show(error)
        return verdict_of(error), line_of(error), f"{type(error).__name__}: {text_of(error)}".rstrip(": ")
    return PASSED


def show(error: BaseException) -> None:
    try:
        if len(str(error)) < MOST_SHOWN:
            sys.__excepthook__(type(error), error, error.__traceback__)
    except BaseException:  # noqa: BLE001, S110  # a text about an error is no reason for another
        pass


def text_of(error: BaseException) -> str:
    try:
        return str(error)[:MOST_DETAIL]
    except BaseException:  # noqa: BLE001  # the program wrote this method
        return "(cannot be shown)"


def line_of(error: BaseException) -> int:
    """The innermost line of the program or the tests on the way to the error; 0 where there is none."""
    if isinstance(error, SyntaxError) and error.filename in ("program.py", "tests.py"):
        return error.lineno or 0
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in ("program.py", "tests.py"):
            line = step.tb_lineno
        step = step.tb_next
    return line


def verdict_of(error: BaseException) -> str:
    if isinstance(error, AssertionError):
        return "failed"
    if isinstance(error, MemoryError):
        return "memory"
    if type(error).__name__ == "Failed" and type(error).__module__ == "pytest":
        return "failed"
    if type(error) is RuntimeError and "start new thread" in text_of(error):
        return "forbidden"
    cause: BaseException | None = error
    for _ in range(5):
        if not isinstance(cause, OSError):
            break
        if cause.errno in FORBIDDEN or type(cause).__name__ == "gaierror":
            return "forbidden"
        cause = cause.__context__
    return "error"


def run_tests(channel: Channel, module: Any, told: dict[str, Any], flush: Callable[[], None]) -> None:
    if told["doctests"]:
        for name, report in run_doctests(module):
            channel.say("test", name, *report)
    tests = told["tests"]
    if isinstance(tests, str):
        for name, report in test_results(module, tests):
            channel.say("test", name, *report)
        return
    flush()
    until = time.monotonic() + told["total_seconds"]
    for number, test in enumerate(tests):
        most = min(told["seconds"], until - time.monotonic())
        unsaid = apart(module, test, most, channel, number, flush)
        if unsaid is not None:
            channel.say("test", number, *unsaid)


def apart(
    module: Any, test: str, seconds: float, channel: Channel, number: int, flush: Callable[[], None]
) -> Report | None:
    """Run a test in a process of its own, which reports by itself; null where it has."""
    if seconds <= 0:
        return "timeout", 0, "no time was left for it"
    child = os.fork()
    if not child:
        os.setsid()
        reports = [r for _, r in test_results(module, test)]
        flush()
        channel.say("test", number, *next((r for r in reports if r != PASSED), PASSED))
        os._exit(77)
    ended = wait(child, seconds)
    if ended is None:
        return "timeout", 0, f"still ran after {seconds:g} s"
    if ended == 77:
        return None
    return "error", 0, GONE if ended >= 0 else f"killed by signal {-ended}"


def wait(child: int, seconds: float) -> int | None:
    """The exit code of a child (minus its signal where one killed it); null, and it is killed, where time runs out."""
    until, pause = time.monotonic() + seconds, 0.0005
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def test_results(module: Any, source: str) -> list[tuple[str, Report]]:
    """The report of a text of tests: of its functions and classes, or of all of it where it has none."""
    names = vars(module)
    before = dict(names)
    loaded = attempt(lambda: exec(compile(source, "tests.py", "exec", dont_inherit=True), names))  # noqa: S102
    if loaded != PASSED:
        return [("tests", loaded)]
    made = [(n, v) for n, v in list(names.items()) if n not in before or before[n] is not v]
    found = [test for name, value in made for test in tests_of(name, value, names)]
    return [(name, attempt(call)) for name, call in found] or [("tests", PASSED)]


def tests_of(name: str, value: Any, names: dict[str, Any]) -> list[tuple[str, Callable[[], None]]]:
    if isinstance(value, type):
        unit = sys.modules.get("unittest")
        if unit is not None and issubclass(value, unit.TestCase):
            return [(n, unit_test(unit, value, n)) for n in dir(value) if n.startswith("test")]
        if not name.startswith("Test"):
            return []
        return [(n, method_test(value, n, names)) for n in vars(value) if n.startswith("test")]
    if not name.startswith("test") or not hasattr(value, "__code__"):
        return []
    if value.__code__.co_filename != "tests.py":
        return []
    return [(name, lambda: call_test(value, names))]


def unit_test(unit: Any, case: Any, name: str) -> Callable[[], None]:
    def run() -> None:
        result = unit.TestResult()
        unit.TestSuite([case(name)]).run(result)
        for _, text in result.failures:
            raise AssertionError(text.strip().rsplit("\n", 1)[-1].removeprefix("AssertionError: "))
        for _, text in result.errors:
            raise RuntimeError(text.strip().rsplit("\n", 1)[-1])
        if result.unexpectedSuccesses:
            raise AssertionError("passed unexpectedly")

    return run


def method_test(case: Any, name: str, names: dict[str, Any]) -> Callable[[], None]:
    def run() -> None:
        instance = case()
        if hasattr(instance, "setup_method"):
            instance.setup_method()
        call_test(getattr(instance, name), names)

    return run


def call_test(test: Any, names: dict[str, Any]) -> None:
    """Call a test function for each set of its parameters, with the fixtures that it names."""
    for given in getattr(test, "_parameters", [{}]):
        result = test(**given, **fixtures(test, given, names))
        if hasattr(result, "__await__"):
            import asyncio

            asyncio.run(result)


def fixtures(test: Any, given: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    code = test.__code__
    wanted = code.co_varnames[hasattr(test, "__self__") : code.co_argcount - len(test.__defaults__ or ())]
    made = {}
    for name in (n for n in wanted if n not in given):
        if not getattr(names.get(name), "_fixture", False):
            raise TypeError(f"there is no fixture {name!r} here")
        value = names[name](**fixtures(names[name], {}, names))
        made[name] = next(value) if hasattr(value, "__next__") else value
    return made


def run_doctests(module: Any) -> list[tuple[str, Report]]:
    import doctest

    found = [t for t in doctest.DocTestFinder().find(module, module.__name__) if t.examples]
    if not found:
        return [("doctests", ("error", 0, "there are no doctests"))]
    return [(test.name, attempt(lambda test=test: run_doctest(doctest, test))) for test in found]  # type: ignore[misc]


def run_doctest(doctest: Any, test: Any) -> None:
    runner = doctest.DebugRunner(verbose=False)
    try:
        runner.run(test, clear_globs=False)
    except doctest.DocTestFailure as failure:
        example, got = failure.example, failure.got.strip()
        raise AssertionError(f"{example.source.strip()} gave {got}, not {example.want.strip()}") from None
    except doctest.UnexpectedException as failure:
        raise failure.exc_info[1] from None


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
