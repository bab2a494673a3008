"""Tests of a program: texts of statements, functions and classes, and the examples of docstrings."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from dataflow.sandbox.inside.channel import GONE, PASSED, Channel, Report, attempt


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
