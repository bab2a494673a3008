"""Refiners of what HTML leaves in a text: tags, URLs and entities."""

from __future__ import annotations

import re
from functools import cache
from html.entities import html5

import polars as pl
from pydantic import field_validator

from dataflow.core.errors import ConfigError
from dataflow.operators._lib.text_refiner import TextRefiner

ENTITIES = (
    "nbsp", "lt", "gt", "amp", "quot", "apos", "hellip", "ndash", "mdash", "lsquo", "rsquo", "ldquo", "rdquo",
)  # fmt: skip

NAMES = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body "
    "br button canvas caption center circle cite code col colgroup data datalist dd defs del desc details dfn dialog "
    "dir div dl dt ellipse em embed fieldset figcaption figure font footer form frame frameset g h1 h2 h3 h4 h5 h6 "
    "head header hgroup hr html i iframe img input ins kbd label legend li line link main map mark marquee math menu "
    "meta meter nav nobr noembed noframes noscript object ol optgroup option output p param path picture plaintext "
    "polygon polyline pre progress q rect rp rt ruby s samp script search section select slot small source span "
    "strike strong style sub summary sup svg table tbody td template text textarea tfoot th thead time title tr "
    "track tspan tt u ul use var video wbr xmp"
)
BARE = "async|autofocus|autoplay|checked|controls|default|defer|disabled|hidden|ismap|loop|multiple|muted|noshade|novalidate|nowrap|open|readonly|required|reversed|selected"
"""Attributes that need no value."""
NAME = rf"(?:{'|'.join(NAMES.split())}|[a-z][a-z0-9]*[-:][a-z0-9:-]*)"
ATTRIBUTE = rf"""\s+(?:[a-z_@:][\w.:@-]*\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=]+)|(?:{BARE}))"""
# one pass each, for one that is never closed makes a search that could find others go on to the end of the text
MARKUP = (
    r"(?is)<script(?:\s[^<>]*)?>.*?</script\s*>",
    r"(?is)<style(?:\s[^<>]*)?>.*?</style\s*>",
    r"(?s)<!--.*?-->",
    rf"(?i)<!doctype[^<>]*>|<\?xml[^<>]*>|</?{NAME}(?:{ATTRIBUTE})*\s*/?>",
)
CJK = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\x{3000}-\x{303F}\x{FF00}-\x{FFEF}‘’“”…"
URL = rf"""https?://(?:\([^\s()<>"{CJK}]*\)|[^\s()<>"{CJK}])*(?:\([^\s()<>"{CJK}]*\)|[^\s()<>"'.,;:!?\]}}{CJK}])"""


class HtmlUrlRemoverRefiner(TextRefiner):
    """Delete HTML tags and http(s) URLs.

    A tag is `<`, at once the name of an element of HTML (or one with a hyphen or colon), attributes, and `>`,
    over as many lines as it takes: `x < y and z > w`, `List<String>` and `<think>` stay. Comments, scripts and
    style sheets go with what is inside. A URL ends before the punctuation of its sentence, a bracket that it did
    not open, and Chinese, Japanese or Korean text; where it has a line to itself, the line goes too.
    """

    def may_change(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains("(?i)<|https?:")

    def expr(self, text: pl.Expr) -> pl.Expr:
        for markup in MARKUP:
            text = text.str.replace_all(markup, "")
        no_lines = text.str.replace_all(rf"(?im)^[ \t]*<?{URL}>?[ \t]*\r?\n", "")
        return no_lines.str.replace_all(rf"(?i)<{URL}>|{URL}", "")


class HtmlEntityRefiner(TextRefiner):
    """Delete HTML entities, named ones and the same characters by number.

    `&lt;` goes, and so do `&#60;`, `&#x3C;` and, escaped twice, `&amp;lt;`. White space around them stays. `&`
    and `;` may be full-width. The semicolon may lack only where HTML allows that (`&lt`, not `&ndash`) and
    neither a letter, digit, `_`, `=` nor `&` follows, so that `?a=1&gt_x=2` stays. A no-break space leaves a
    space, which keeps the words around it apart.
    """

    html_entities: tuple[str, ...] = ENTITIES
    """Names of the entities, such as `lt`; all other entities stay."""
    decode: bool = False
    """Whether the character that an entity stands for takes its place, instead of nothing."""

    @field_validator("html_entities")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [n for n in names if f"{n};" not in html5]
        if unknown:
            raise ConfigError(f"html_entities: HTML has no entity {unknown[0]!r}")
        return names

    def may_change(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains("[&＆]") if self.html_entities else pl.lit(value=False)

    def map(self, text: str) -> str:
        if not self.html_entities:
            return text
        return _entity(self.html_entities).sub(self._instead, text)

    def _instead(self, found: re.Match[str]) -> str:
        body = found[1]
        if body.startswith("#"):
            made = chr(int(body[2:], 16) if body[1] in "xX" else int(body[1:]))
        else:
            made = html5[f"{body};"]
        return made if self.decode else " " if made.isspace() else ""


@cache
def _entity(names: tuple[str, ...]) -> re.Pattern[str]:
    points = sorted({ord(html5[f"{n};"]) for n in names if len(html5[f"{n};"]) == 1})
    numbers = "|".join(f"#0*{p}|#[xX]0*{_any_case(f'{p:x}')}" for p in points)
    closed = "|".join(sorted(names, key=len, reverse=True))
    bare = "|".join(n for n in names if n in html5) or "(?!)"
    return re.compile(
        rf"[&＆](?:amp[;；])*((?:{closed}{'|' + numbers if numbers else ''})(?=[;；])|(?:{bare})(?![\w=&;；]))[;；]?"
    )


def _any_case(digits: str) -> str:
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in digits)
