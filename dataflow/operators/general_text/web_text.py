"""Text out of web pages, and text whose bytes were read in the wrong encoding."""

from __future__ import annotations

import logging
import re
from typing import Any, Literal

import polars as pl

from dataflow.core.errors import MissingDependency
from dataflow.core.frames import clean
from dataflow.core.ports import In, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.text_refiner import TextRefiner

_TAG = re.compile(
    r"<(?:!doctype|/?(?:html|head|body|title|meta|link|script|style|div|span|p|a|br|hr|img|table|tr|td|th|ul|ol|li"
    r"|h[1-6]|article|section|main|nav|header|footer|form|pre|code|blockquote|b|i|em|strong))(?=[\s/>])",
    re.IGNORECASE,
)
_ROOT = re.compile(r"<(?:html|body)[\s>]", re.IGNORECASE)
_INERT = "//template[not(@shadowrootmode)]"
"""What browsers do not show before a script puts it into the page."""
_NOT_ASCII = r"[^\x00-\x7f]"
_NOT_PLAIN = r"[^\t\n\x20-\x25\x27-\x7e]"


class HtmlExtractRefiner(Map):
    """Take the main text out of each web page, in place: without menus, notices and tags, by trafilatura.

    From Barbaresi 2021 (trafilatura, ACL 2021 demonstrations). A page in which no main text is found becomes empty; one that is
    nothing but menus may give these. A part of a page is taken as one; a text in which no HTML tag is found is plain text. Null stays null. Takes about a second a megabyte.

    Raises:
        MissingDependency: trafilatura is not installed.
    """

    keep_plain_text: bool = True
    """Whether plain text stays as it is; it becomes empty else."""
    favor: Literal["balance", "precision", "recall"] = "balance"
    """Whether rather too little is taken (`precision`) or too much (`recall`) where that is in doubt."""
    form: Literal["txt", "markdown"] = "txt"
    """What is made: text alone, or Markdown with headings, lists and emphasis."""
    tables: bool = True
    """Whether the text of tables is taken."""
    comments: bool = False
    """Whether readers' comments are taken."""
    links: bool = False
    """Whether the addresses of links are taken."""

    input_key = In("raw_content", "the page")
    output_key = Out(doc="where the text goes; the column read, unless named", like="input_key")

    def map(self, page: str) -> str:
        if not _TAG.search(page):
            return page if self.keep_plain_text else ""
        whole = page if _ROOT.search(page) else f"<html><body>{page}</body></html>"
        found = _trafilatura().extract(
            clean(whole),
            output_format=self.form,
            favor_precision=self.favor == "precision",
            favor_recall=self.favor == "recall",
            include_tables=self.tables,
            include_comments=self.comments,
            include_links=self.links,
            prune_xpath=_INERT,
        )
        return found or ""


class MojibakeRefiner(TextRefiner):
    """Mend text whose bytes were read in the wrong encoding (`schÃ¶n` is `schön`), in place.

    By ftfy (Speer 2019). Each line is mended by itself, and only where that makes it likelier; pure ASCII stays as it
    is, so most texts cost nothing. Null stays null.

    Raises:
        MissingDependency: ftfy is not installed.
    """

    other_faults: bool = False
    """Whether HTML entities, ligatures, wide letters, curly quotes, control characters and line ends are mended too."""

    input_key = In("raw_content", "the text to mend")
    output_key = Out(doc="where the mended text goes; the column read, unless named", like="input_key")

    def may_change(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains(_NOT_PLAIN if self.other_faults else _NOT_ASCII)

    def map(self, text: str) -> str:
        return str(_ftfy().fix_text(text, self._config()))

    def _config(self) -> Any:
        make = _ftfy().TextFixerConfig
        if self.other_faults:
            return make()
        return make(
            unescape_html=False,
            remove_terminal_escapes=False,
            fix_latin_ligatures=False,
            fix_character_width=False,
            uncurl_quotes=False,
            fix_line_breaks=False,
            fix_surrogates=False,
            remove_control_chars=False,
            normalization=None,
        )


def _trafilatura() -> Any:
    try:
        import trafilatura
    except ModuleNotFoundError:
        raise MissingDependency("trafilatura", "text", "Taking text out of web pages") from None
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it tells of every page without a main text
    return trafilatura


def _ftfy() -> Any:
    try:
        import ftfy
    except ModuleNotFoundError:
        raise MissingDependency("ftfy", "text", "Mending encodings") from None
    return ftfy
