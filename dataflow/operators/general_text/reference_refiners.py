"""Refiners of references that a page leaves in its text: citations of wikis, and images."""

from __future__ import annotations

import re
from itertools import pairwise

import polars as pl

from dataflow.operators._lib.text_refiner import TextRefiner

ATTRIBUTES = r"""(?:\s(?:"[^"<\n]*"|'[^'<\n]*'|[^<>"'])*?)?"""
REF = re.compile(
    rf"<ref{ATTRIBUTES}/\s*>"
    rf"|<ref{ATTRIBUTES}>(?:(?!<ref[\s>/])[\s\S])*?</ref\s*>"
    rf"|<ref{ATTRIBUTES}>[^\n]*"
    r"|</ref\s*>",
    re.IGNORECASE,
)
CITE = re.compile(r"\{\{\s*(?:cite|citation|sfnp?|harvnb|harvp)(?=[\s|}_-])", re.IGNORECASE)
BRACES = re.compile(r"\{\{|\}\}")

LINK = r"""\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)"""
IMAGE = rf"!\[[^\]\n]*\](?:{LINK}|\[[^\]\n]*\])"
IMAGE_REFS = "|".join(
    (
        rf"\[{IMAGE}\]{LINK}",
        IMAGE,
        r"(?i:<img\s[^<>]*>)",
        r"(?i:(?:(?-u:\b)images/)?(?-u:\b)[0-9a-f]{8,}\.(?:jpe?g|png|gif|webp|svg|bmp|tiff?)(?-u:\b))",
        r"图\s*[0-9]+(?:\s*[-－–—.．]\s*[0-9]+)+\s*[:：]",
        r"[零〇一二三四五六七八九]{5,}",
        r"(?:\\u200[ef](?-u:\b)|(?-u:\b)u200e(?-u:\b)|&#247;|\{/U\}|(?-u:\b)U\+(?:26[0-9A-F]{2}|273[0-9A-F]|1F[0-9A-F]{3})(?-u:\b))",
        r"[\x{200E}\x{FFFD}]",
    )
)


class ReferenceRemoverRefiner(TextRefiner):
    """Delete references from a wiki's text: `<ref>…</ref>` and `{{cite …}}`.

    Citation templates are `cite …`, `citation …`, `sfn`, `harvnb` and `harvp`, with all templates inside them. A
    reference that is never closed goes up to the end of its line.
    """

    def map(self, text: str) -> str:
        if "<" in text:
            text = REF.sub("", text)
        return _without_citations(text) if "{{" in text else text


class RemoveImageRefsRefiner(TextRefiner):
    """Delete references to images, and other leftovers of converted pages.

    References are Markdown images, `<img>` tags, names of image files that are hexadecimal, as exports name them,
    and labels of Chinese figures (`图 3-2：`). Leftovers are five and more Chinese digits in a row (but no number
    such as 一百二十三万), left-to-right marks, replacement characters, `{/U}`, `&#247;`, and code points spelled out
    (`U+2605`, `u200e`). Words stay, however long.
    """

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(IMAGE_REFS, "")


def _without_citations(text: str) -> str:
    cuts, at, ends = [0], 0, _template_ends(text)
    while found := CITE.search(text, at):
        end = ends.get(found.start())
        if end is None:
            line = text.find("\n", found.start())
            end = len(text) if line < 0 else line
        cuts += [found.start(), end]
        at = end
    cuts.append(len(text))
    return "".join(text[a:b] for a, b in list(pairwise(cuts))[::2])


def _template_ends(text: str) -> dict[int, int]:
    """Where each `{{` that is closed ends, after its `}}`."""
    opened: list[int] = []
    ends: dict[int, int] = {}
    for brace in BRACES.finditer(text):
        if brace[0] == "{{":
            opened.append(brace.start())
        elif opened:
            ends[opened.pop()] = brace.end()
    return ends
