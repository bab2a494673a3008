"""The command tree, its exit statuses, and how errors are told."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dataflow import __version__
from dataflow.cli import (
    batches,
    caches,
    card,
    environment,
    init,
    operators,
    push,
    record,
    running,
    runs,
    tune,
)
from dataflow.cli.show import UsageError
from dataflow.core.errors import CompileError, DataFlowError, RunStopped, UnknownName

EXIT_CODES = {
    0: "done",
    1: "a run failed",
    2: "wrong usage: an unknown command, option, file, operator or run",
    3: "the pipeline does not compile; nothing has run",
    4: "some rows failed (only with `--strict`)",
    5: "stopped early with everything saved: run the same command again to go on",
    130: "interrupted (Ctrl-C)",
}
_CODES: dict[type[BaseException], int] = {CompileError: 3, RunStopped: 5, UnknownName: 2, UsageError: 2}
_EPILOG = "\b\nExit status:\n" + "\n".join(f"  {code:<4} {text}" for code, text in EXIT_CODES.items())


class Root(TyperGroup):
    """Tells every error in one line on stderr, and gives it its exit status."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        rest = [a for a in given if a != "--debug"]
        run = partial(super().main, rest, prog_name, complete_var, False, windows_expand_args, **extra)
        code = _guarded(run, debug=rest != given)
        if standalone_mode:
            sys.exit(code)
        return code


def _guarded(run: Callable[[], Any], *, debug: bool) -> int:
    try:
        code = run()
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  # the outermost room: whatever comes is told, and becomes an exit status
        if debug:
            traceback.print_exception(error)
        typer.echo(_told(error, debug=debug), err=True)
        return _code(error)
    return code if isinstance(code, int) else 0


def _code(error: Exception) -> int:
    return next((c for kind, c in _CODES.items() if isinstance(error, kind)), getattr(error, "exit_code", 1))


def _told(error: Exception, *, debug: bool) -> str:
    if isinstance(error, typer.Abort):
        return "dataflow: nothing was done"
    if callable(tell := getattr(error, "format_message", None)):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "dataflow"
        return f"{path}: {tell()} `{path} --help` lists what there is."
    if isinstance(error, DataFlowError):
        return f"dataflow: {error}"
    hint = "" if debug else " (--debug shows where)"
    return f"dataflow: {type(error).__name__}: {error}{hint}"


app = typer.Typer(
    cls=Root,
    name="dataflow",
    help="Prepare data for large language models: run pipelines, look up operators, start projects.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-v", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; anywhere on the line.")
    ] = False,
) -> None:
    """Prepare data for large language models: run pipelines, look up operators, start projects."""


_COMMANDS: tuple[Callable[..., None], ...] = (
    running.run, running.plan, running.preview, tune.tune, running.retry, runs.runs, runs.report, runs.trace, batches.batches,
    card.card, record.record, push.push,
    operators.ops, operators.op, operators.prompts, environment.env,
)  # fmt: skip
for command in _COMMANDS:
    app.command()(command)
app.add_typer(init.app, name="init")
app.add_typer(caches.app, name="cache")
