"""Run the measurements: `python -m bench [NAME …] [--write]`; `--write` puts them into docs/benchmarks.md."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
ALL = {
    "overhead": "Overhead of a model call",
    "kill": "kill -9",
    "batch": "Batches",
    "imports": "Start-up",
    "storage": "Tables between steps",
    "scale": "A million rows",
    "throttle": "Endpoints that hold less than is offered",
    "faults": "Endpoints that fail",
    "overlap": "Overlap of model steps",
    "optimiser": "What the optimiser saves",
    "staleness": "What a change makes stale",
    "targets": "A wanted number of rows",
    "corpus": "Cleaning a corpus",
    "corpus_large": "Cleaning ten gigabytes",
    "answers": "Checking answers",
    "sandbox": "Running model-written programs",
    "databases": "Queries on databases",
    "code_filters": "Filtering source files",
    "zoo": "The text pipelines on the built-in model",
}

LARGE = {"corpus_large", "zoo"}
"""What takes long, and is measured only where it is named."""


def main() -> None:
    names = [a for a in sys.argv[1:] if not a.startswith("-")] or [n for n in ALL if n not in LARGE]
    sections = []
    for name in names:
        if name not in ALL:
            sys.exit(f"no measurement {name!r}; there are {', '.join(ALL)}")
        module = importlib.import_module(f"bench.{name}")
        sections += [f"## {ALL[name]}", "", *(module.__doc__ or "").strip().splitlines(), ""]
        for line in module.measure():
            print(f"{name}: {line}", flush=True)
            sections.append(f"* {line}")
        sections.append("")
    if "--write" in sys.argv:
        _write(sections)


def _write(sections: list[str]) -> None:
    """Put what was measured into the page; what was not measured now stays as it is there."""
    kept = _sections(PAGE.read_text(encoding="utf-8").splitlines()) if PAGE.exists() else {}
    new = kept | _sections(sections)
    ordered = ["\n".join(new[title]).rstrip() + "\n" for title in ALL.values() if title in new]
    PAGE.write_text("\n".join([*_head(), *ordered]).rstrip() + "\n", encoding="utf-8")


def _sections(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("## "):
            found[line.removeprefix("## ")] = []
        if found:
            list(found.values())[-1].append(line)
    return found


def _head() -> list[str]:
    packages = ", ".join(f"{p} {version(p)}" for p in ("dataflow-llm", "polars", "aiohttp", "orjson"))
    machine = (
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()}, Python {platform.python_version()}"
    )
    return [
        "# Benchmarks",
        "",
        "Written by `python -m bench --write`; `make bench` runs them again. The machine is shared and noisy: trust ratios, which",
        "are of measurements made in the same run, more than seconds.",
        "",
        f"Machine: {machine}. Versions: {packages}.",
        "",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


if __name__ == "__main__":
    main()
