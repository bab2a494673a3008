"""The languages of source files that rules make exceptions for, by name, file name or content."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from dataflow.core.errors import MissingDependency

LONG_LINED = frozenset({"html", "json", "markdown", "roff", "roff manpage", "smt", "tex", "text", "xml"})
"""Languages of data and of prose, whose lines may be long."""
NUMBERED = frozenset({"motorola 68k assembly", "webassembly"})
"""Languages with few letters for their digits."""

_ALIASES = {
    "md": "markdown", "groff": "roff", "troff": "roff", "manpage": "roff manpage", "smt-lib": "smt", "smtlib": "smt",
    "latex": "tex", "tex/latex": "tex", "txt": "text", "plain text": "text", "plaintext": "text", "text only": "text",
    "xhtml": "html", "jsonl": "json", "json lines": "json", "wasm": "webassembly", "wat": "webassembly", "wast": "webassembly",
    "68k assembly": "motorola 68k assembly",
}  # fmt: skip
_EXTENSIONS = {
    ".html": "html", ".htm": "html", ".xhtml": "html", ".json": "json", ".jsonl": "json", ".geojson": "json", ".webmanifest": "json",
    ".md": "markdown", ".markdown": "markdown", ".roff": "roff", ".man": "roff manpage", ".mdoc": "roff manpage", ".smt2": "smt",
    ".smt": "smt", ".tex": "tex", ".sty": "tex", ".cls": "tex", ".ltx": "tex", ".txt": "text", ".xml": "xml", ".xsd": "xml", ".xsl": "xml",
    ".xslt": "xml", ".svg": "xml", ".rss": "xml", ".wat": "webassembly", ".wast": "webassembly", ".x68": "motorola 68k assembly",
}  # fmt: skip
_READ_CHARS = 20_000
_SURE = 0.4
"""Of pygments' marks, from 0 to 1: at least this much."""


def language_named(name: str) -> str:
    """The name of a language in lower case, one name for each."""
    plain = name.strip().lower()
    return _ALIASES.get(plain, plain)


def language_of_file(name: str) -> str | None:
    """The language that the extension of a file name stands for, where a rule makes an exception for it; else `other`.

    Null of a name without extension.
    """
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if len(suffix) == 2 and suffix[1] in "12345678":
        return "roff manpage"
    return _EXTENSIONS.get(suffix, "other") if suffix else None


def detected(text: str) -> str | None:
    """The language of a text by its content: HTML, JSON, Roff, TeX, WebAssembly, XML, or null for any other.

    Raises:
        MissingDependency: pygments is not installed.
    """
    head = text[:_READ_CHARS].lstrip("\ufeff \t\r\n")
    if head.startswith(("{", "[")):
        return "json" if _is_json(text) else None
    if head.startswith("(module"):
        return "webassembly"
    if head.startswith("<"):
        return _best(head, "html", "xml")
    return _best(head, "tex", "groff")


def _is_json(text: str) -> bool:
    try:
        json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return False
    return True


def _best(head: str, *names: str) -> str | None:
    marks: dict[str, Any] = {name: _lexer(name).analyse_text(head) for name in names}
    best = max(names, key=marks.__getitem__)
    return language_named(best) if marks[best] >= _SURE else None


def _lexer(name: str) -> Any:
    try:
        from pygments.lexers import find_lexer_class_by_name
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "code", "Telling programming languages apart") from None
    return find_lexer_class_by_name(name)
