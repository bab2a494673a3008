"""`dataflow env`: what is installed, which keys are set, where things are kept."""

from __future__ import annotations

import os
import platform
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import typer

from dataflow import __version__
from dataflow.cli.show import Json, emit, size

DISTRIBUTION = "dataflow-llm"
KEYS = (
    "DF_API_KEY",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "HF_TOKEN",
    "HF_ENDPOINT",
    "DATAFLOW_CACHE",
    "DF_LOGGING_LEVEL",
)
"""Environment variables that matter; only whether they are set is told, never to what."""
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w.-]+)['\"]")


def env(as_json: Json = False) -> None:
    """Show versions, extras, keys and caches.

    Of keys it tells only whether they are set.
    """
    found = account()
    if as_json:
        emit(found)
        return
    for title, facts in found.items():
        typer.echo(f"{title}:")
        for name, fact in facts.items():
            typer.echo(f"  {name:<28} {_words(fact)}")


def account() -> dict[str, dict[str, Any]]:
    """Everything that `env` tells, by heading."""
    from dataflow.cli.caches import model_folder, models_cached

    base, extras = requirements()
    return {
        "system": {
            "dataflow": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cpus": os.cpu_count(),
            "executable": sys.executable,
        },
        "packages": {name: version(name) for name in base},
        "extras": {extra: {name: version(name) for name in names} for extra, names in extras.items()},
        "keys set": {name: name in os.environ for name in KEYS},
        "models": {"folder": str(model_folder()), **{n: size(b) for n, b in models_cached().items()}},
    }


def requirements() -> tuple[list[str], dict[str, list[str]]]:
    """The packages needed, and those of each extra, as the installed package or the checkout declares them."""
    base: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in _declared():
        name = re.split(r"[\s<>=!~;\[]", line, maxsplit=1)[0]
        match = _EXTRA.search(line)
        (extras.setdefault(match.group(1), []) if match else base).append(name)
    return base, extras


def _declared() -> list[str]:
    from importlib import metadata  # slow, and `--help` needs none of it

    try:
        return metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        project = Path(__file__).parents[2] / "pyproject.toml"
        if not project.exists():
            return []
        table = tomllib.loads(project.read_text("utf-8"))["project"]
        optional = table.get("optional-dependencies", {})
        return [
            *table["dependencies"],
            *(f"{line}; extra == '{extra}'" for extra, lines in optional.items() for line in lines),
        ]


def version(package: str) -> str | None:
    """The version installed, or null."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _words(fact: Any) -> str:
    if isinstance(fact, dict):
        return ", ".join(f"{name} {_words(version)}" for name, version in fact.items())
    return (
        "not installed" if fact is None else "yes" if fact is True else "no" if fact is False else str(fact)
    )
