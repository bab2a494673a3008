"""`dataflow cache`: what lies in the caches, where, and clearing it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from dataflow.cli.show import Json, UsageError, emit, size, table

app = typer.Typer(help="See and clear fetched models and files, and run directories.", no_args_is_help=True)
_LEFT = (".json", ".html", ".parquet", ".tmp")
Folder = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where to look for run directories.")]


@app.command("path")
def path() -> None:
    """Print the folder of fetched models."""
    typer.echo(str(model_folder()))


@app.command("ls")
def ls(runs: Folder = Path(), as_json: Json = False) -> None:
    """List fetched models and run directories, with their sizes."""
    found = [("model", name, bytes_) for name, bytes_ in models_cached().items()]
    found += [("fetched", name, size_of(d)) for name, d in others_cached().items()]
    found += [("run", str(d), size_of(d)) for d in run_folders(runs)]
    if as_json:
        emit([{"sort": sort, "name": name, "bytes": bytes_} for sort, name, bytes_ in found])
        return
    table(("Sort", "Name", "Size"), ((sort, name, size(bytes_)) for sort, name, bytes_ in found))
    typer.echo(f"models are in {model_folder()}", err=True)


@app.command("clear")
def clear(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Models, fetched files or run directories; all of a sort with an option."),
    ] = None,
    models: Annotated[bool, typer.Option("--models", help="All fetched models.")] = False,
    all_runs: Annotated[bool, typer.Option("--all-runs", help="All run directories under --runs.")] = False,
    runs: Folder = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete fetched models and run directories. A run directory holds replies that were paid for."""
    known = {n: model_folder() / n for n in models_cached()} | others_cached()
    known |= {str(d): d for d in run_folders(runs)}
    wanted = dict.fromkeys(
        [
            *(names or ()),
            *(models_cached() if models else ()),
            *(map(str, run_folders(runs)) if all_runs else ()),
        ]
    )
    if not wanted:
        raise UsageError(
            "name what to delete, or give --models or --all-runs; `dataflow cache ls` lists what there is"
        )
    if unknown := [n for n in wanted if n not in known]:
        raise UsageError(
            f"{', '.join(unknown)}: neither a fetched model or folder of files nor a run directory; `dataflow cache ls` lists what there is"
        )
    folders = [known[n] for n in wanted]
    total = size(sum(map(size_of, folders)))
    listed = "".join(f"\n  {f}" for f in folders)
    if not yes:
        typer.confirm(f"Delete {total}?{listed}\n", abort=True, err=True)
    for folder in folders:
        shutil.rmtree(folder)
    typer.echo(f"deleted {total}")


def model_folder() -> Path:
    """Where fetched models are kept; as `dataflow.serving.models.cache_folder`, which is too slow to import here."""
    import platformdirs

    root = os.environ.get("DATAFLOW_CACHE")
    return (Path(root) if root else platformdirs.user_cache_path("dataflow")) / "models"


def models_cached() -> dict[str, int]:
    """Each fetched model with its size in bytes."""
    return {d.name: size_of(d) for d in _folders(model_folder())}


def others_cached() -> dict[str, Path]:
    """The other folders of the cache: copies of remote files (`objects`, `hub`), what benchmarks installed (`peers`)."""
    return {d.name: d for d in _folders(model_folder().parent) if d.name != "models"}


def run_folders(folder: Path) -> list[Path]:
    """The run directories under a folder."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    marked = (
        mark.parent for name in ("journal.sqlite", "run.json", "preview.json") for mark in folder.rglob(name)
    )
    return sorted(d for d in dict.fromkeys(marked) if _is_run(d))


def _is_run(directory: Path) -> bool:
    """Whether all that lies there is what a run leaves: nothing of anybody else's is ever deleted with it."""
    return all(
        f.name in ("stages", "lock") or ".sqlite" in f.name or f.suffix in _LEFT for f in directory.iterdir()
    )


def size_of(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def _folders(parent: Path) -> list[Path]:
    return sorted(d for d in parent.iterdir() if d.is_dir()) if parent.is_dir() else []
