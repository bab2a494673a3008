"""`dataflow init`: projects, operators, prompts, pipelines and extensions that run and pass their tests at once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dataflow.cli.scaffold import camel, class_name, package_name, snake, write
from dataflow.cli.show import UsageError
from dataflow.core.registry import OPERATOR_REGISTRY

app = typer.Typer(help="Start a project, an operator, a prompt, a package.", invoke_without_command=True)
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]
Into = Annotated[Path, typer.Option("--into", metavar="DIR", help="The folder to write into.")]


class Kind(StrEnum):
    """The kinds of operator that there are templates of."""

    MAP = "map"
    FILTER = "filter"
    EXPAND = "expand"
    GENERATE = "generate"
    JUDGE = "judge"
    DATASET = "dataset"
    SUMMARY = "summary"


@app.callback()
def default(
    context: typer.Context,
    force: Force = False,
    sub: Annotated[str, typer.Option(hidden=True)] = "base",
) -> None:
    """Start a project here, or what else is named: all of it runs and passes its tests at once."""
    if context.invoked_subcommand is None:
        project(Path(), force)


@app.command("project")
def project(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The project's folder; made if need be.")
    ] = Path(),
    force: Force = False,
) -> None:
    """A pipeline, an operator, data, tests and a README."""
    name = folder.resolve().name
    values = {"title": name, "name": camel(name), "module": snake(camel(name))}
    _tell(write(["project"], folder, values, force=force), folder, "dataflow run pipeline.py", "pytest")


@app.command("operator")
def operator(
    name: Annotated[str, typer.Argument(help="The class's name, such as RhymeFilter.")],
    kind: Annotated[Kind, typer.Option("--kind", "-k", help="What becomes of a row.")] = Kind.MAP,
    into: Into = Path(),
    force: Force = False,
) -> None:
    """An operator, its cases, and its test."""
    values = {"name": class_name(name, "an operator"), "module": snake(name)}
    if name in OPERATOR_REGISTRY and not force:
        raise UsageError(
            f"an operator {name} is there already ({OPERATOR_REGISTRY.entry(name).where}); choose another name"
        )
    _tell(
        write(["operator/shared", f"operator/{kind.value}"], into, values, force=force),
        into,
        f"pytest test_{values['module']}.py",
    )


@app.command("prompt")
def prompt(
    name: Annotated[str, typer.Argument(help="The class's name, such as RhymePrompt.")],
    into: Into = Path(),
    force: Force = False,
) -> None:
    """A prompt that every operator takes, and its test."""
    values = {"name": class_name(name, "a prompt"), "module": snake(name)}
    _tell(write(["prompt"], into, values, force=force), into, f"pytest test_{values['module']}.py")


@app.command("pipeline")
def pipeline(
    name: Annotated[str, typer.Argument(help="The class's name, such as AnswerQuestions.")],
    into: Into = Path(),
    force: Force = False,
) -> None:
    """A pipeline, a few rows for it, and its test."""
    values = {"name": class_name(name, "a pipeline"), "module": snake(name)}
    files = write(["pipeline"], into, values, force=force)
    _tell(files, into, f"dataflow run {values['module']}.py", f"pytest test_{values['module']}.py")


@app.command("extension")
def extension(
    name: Annotated[str, typer.Argument(help="The package is named dataflow-NAME.")],
    into: Into = Path(),
    force: Force = False,
) -> None:
    """A package to share: operator, prompt, pipeline.

    Once it is installed, `dataflow ops` lists its operators and `dataflow run` knows its pipelines.
    """
    bare = package_name(name)
    stem = camel(bare)
    values = {
        "dist": f"dataflow-{bare}",
        "package": f"dataflow_{bare.replace('-', '_')}",
        "stem": stem,
        "module": snake(stem),
    }
    if f"{stem}Filter" in OPERATOR_REGISTRY and not force:
        raise UsageError(
            f"an operator {stem}Filter is there already ({OPERATOR_REGISTRY.entry(f'{stem}Filter').where}); choose another name"
        )
    folder = into / values["dist"]
    _tell(
        write(["extension"], folder, values, force=force),
        folder,
        "pip install -e .",
        "pytest",
        f"dataflow op {stem}Filter",
    )


@app.command("repo", hidden=True)
def repo(
    name: Annotated[str, typer.Argument()] = "extension",
    no_input: Annotated[bool, typer.Option("--no-input", hidden=True)] = False,
    into: Into = Path(),
    force: Force = False,
) -> None:
    """The old name of `extension`."""
    extension(name, into, force)


def _tell(files: list[Path], folder: Path, *commands: str) -> None:
    for path in files:
        typer.echo(f"wrote {path}")
    step = [] if folder == Path() else [f"cd {folder}"]
    typer.echo("\nnext:\n" + "\n".join(f"  {c}" for c in (*step, *commands)))
