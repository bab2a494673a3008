"""Files of data and of prose, by their type and name."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import polars as pl

from dataflow.core.errors import RowError
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Binding, In
from dataflow.core.rows import Filter
from dataflow.operators._lib.text_rules import Rule
from dataflow.operators.code._rules import label

DATA_TYPES = frozenset({"text", "json", "yaml", "web ontology language", "graphviz", "dot", "graphviz (dot)"})
MAX_LINES = 512
NAMES = frozenset({"readme", "notes", "todo", "description", "cmakelists"})
MIN_VISIBLE, MIN_SHARE = 100, 0.2
_TYPES = {
    ".txt": "text", ".text": "text", ".json": "json", ".jsonl": "json", ".yaml": "yaml", ".yml": "yaml", ".owl": "web ontology language",
    ".gv": "graphviz", ".dot": "dot", ".html": "html", ".htm": "html", ".xhtml": "html",
}  # fmt: skip
_OPTIONAL = {"input_visible_text_key": "visible_text_length", "input_total_code_key": "total_code_length"}
Verdict = bool | tuple[bool, str]


class CodeFileTypeContentFilter(Filter):
    """Keep files of code, and of data and prose only those that are small, telling or worth reading.

    Text, JSON, YAML, Web Ontology Language and Graphviz: up to 512 lines. Text besides: only a `readme`, `notes`, `todo`,
    `description` or `cmakelists`, or a name with `requirement` in it, whatever its case and extension. HTML: at least 100
    visible characters, and 20 % of all. Every other type is kept. From the filters of The Stack v2 (arXiv 2402.19173).

    Types are compared without case; a type that is null is told by the extension of the name, and the row is dropped where
    that is null too, or what a rule needs is.
    """

    input_key = In(doc="has no effect", type="any", optional=True)
    output_key = label("file_type_content_filter_label")
    input_filetype_key = In("filetype", "the type of the file", type="text")
    input_filename_key = In("filename", "its name")
    input_line_count_key = In("line_count", "its lines", type="number")
    input_visible_text_key = In(
        doc="visible characters of HTML; `visible_text_length` where there is one",
        type="number",
        optional=True,
    )
    input_total_code_key = In(
        doc="all characters of HTML; `total_code_length` where there is one", type="number", optional=True
    )

    def skips(self, row: tuple[Any, ...]) -> bool:
        return False

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        there = {p: c for p, c in _OPTIONAL.items() if not binding.reads[p] and c in frame.columns}
        whole = Binding({**binding.reads, **there}, binding.writes, binding.args)
        return super().transform(frame, whole)

    def keep(
        self, _: Any, kind: str | None, name: str | None, lines: Any, visible: Any, total: Any
    ) -> Verdict:
        plain = (name or "").strip().lower()
        told = (
            kind.strip().lower()
            if isinstance(kind, str)
            else _TYPES.get(PurePosixPath(plain).suffix, "other")
        )
        if kind is None and not plain:
            return False, "null"
        if told in DATA_TYPES:
            within = _kept(Rule("lines", pl.lit(0), high=MAX_LINES), lines)
            return within if within is not True or told != "text" else _named(plain)
        return _html(visible, total) if told == "html" else True


def _kept(rule: Rule, value: Any) -> Verdict:
    if value is None:
        return False, "null"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RowError(f"{rule.what}: {value!r} is no number")
    good = (rule.low is None or value >= rule.low) and (rule.high is None or value <= rule.high)
    return True if good else (False, rule.reason(value))


def _named(name: str) -> Verdict:
    stem = PurePosixPath(name.replace("\\", "/")).stem
    if stem in NAMES or "requirement" in stem:
        return True
    return False, f"name of a text: {stem or 'none'}" if stem else "null"


def _html(visible: Any, total: Any) -> Verdict:
    enough = _kept(Rule("visible characters", pl.lit(0), low=MIN_VISIBLE), visible)
    if enough is not True or total is None:
        return enough if total is not None else (False, "null")
    return _kept(
        Rule("share of visible characters", pl.lit(0), low=MIN_SHARE), visible / total if total else 0.0
    )
