"""The README of a data set on the hub: its head names the files of each split, its text tells what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from dataflow.core.frames import type_name


def with_split(head: Mapping[str, Any], split: str) -> list[Any]:
    """The head's `configs`, with the files of a split in the config `default`; the other entries stay."""
    configs = [dict(c) for c in head.get("configs") or ()]
    default = next((c for c in configs if c.get("config_name", "default") == "default"), None)
    if default is None:
        configs.append(default := {"config_name": "default", "data_files": []})
    files = default.get("data_files")
    others = [f for f in files if f.get("split") != split] if _by_split(files) else []  # type: ignore[union-attr]
    entry = {"split": split, "path": f"data/{split}-*"}
    default["data_files"] = sorted([*others, entry], key=lambda f: str(f["split"]))
    return configs


def _by_split(files: Any) -> bool:
    return isinstance(files, list) and all(isinstance(f, dict) for f in files)


def with_section(text: str, split: str, section: str) -> str:
    """The text with the section of a split put in place of the one there was, else at the end."""
    begin, end = f"<!-- dataflow: {split} -->", f"<!-- dataflow: end of {split} -->"
    made = f"{begin}\n{section}\n{end}"
    there = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if there.search(text):
        return there.sub(lambda _: made, text)
    return f"{text.rstrip()}\n\n{made}\n".lstrip()


def section_of(split: str, rows: int, schema: pl.Schema, summary: Mapping[str, Any] | None) -> str:
    """What a split holds and, where a run made it, how."""
    lines = [f"## {split}", "", f"{rows:,} rows, made with DataFlow.", "", "| column | type |", "|---|---|"]
    lines += [f"| {_cell(name)} | {type_name(dtype)} |" for name, dtype in schema.items()]
    return "\n".join(lines + (_made_by(summary) if summary else []))


def _made_by(summary: Mapping[str, Any]) -> list[str]:
    total, source = summary["totals"], summary["source"]
    lines = [
        "", f"The pipeline `{summary['pipeline']}` read {source['rows']:,} rows, dropped {total['dropped']:,} and set "
        f"{total['failed']:,} aside.", "", "| step | operator | rows in | rows out |", "|---|---|---|---|",
    ]  # fmt: skip
    steps = summary["steps"]
    return lines + [
        f"| {s['step']} | {_cell(s['operator'])} | {s['rows_in']:,} | {s['rows_out']:,} |" for s in steps
    ]


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
