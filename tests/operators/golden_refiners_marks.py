"""Markup, references and images taken out of texts by plain steps, one character after the other."""

from __future__ import annotations

import re
import unicodedata

from dataflow.operators.general_text.html_refiners import BARE, NAMES

ELEMENTS, FLAGS = set(NAMES.split()), set(BARE.split("|"))
QUOTES = "\"'"


def without_markup(text: str) -> str:
    for name in ("script", "style"):
        text = _without_blocks(text, name)
    while (start := text.find("<!--")) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        text = text[:start] + "\0<" + text[end + 3 :]
    made, i, text = "", 0, text.replace("\0<", "")
    while i < len(text):
        end = _tag_end(text, i) if text[i] == "<" else 0
        made += "" if end else text[i]
        i = max(end, i + 1)
    return _without_urls("".join(line for line in _lines(made) if not _url_line(line)))


def _lines(text: str) -> list[str]:
    return re.findall("[^\n]*\n|[^\n]+", text)


def _without_blocks(text: str, name: str) -> str:
    i = 0
    while found := re.compile(rf"<{name}(\s[^<>]*)?>", re.I).search(text, i):
        close = re.compile(rf"</{name}\s*>", re.I).search(text, found.end())
        if not close:
            return text
        text, i = text[: found.start()] + text[close.end() :], found.start()
    return text


def _tag_end(text: str, i: int) -> int:
    """Where the tag that begins there ends; 0 if none does."""
    rest = text[i:]
    if other := re.match(r"<!doctype[^<>]*>|<\?xml[^<>]*>", rest, re.I):
        return i + other.end()
    head = re.match(r"</?([a-z][a-z0-9:-]*)", rest, re.I)
    name = head[1].lower() if head else ""
    if not head or not (name in ELEMENTS or re.match("[a-z][a-z0-9]*[-:]", name)):
        return 0
    at = i + head.end()
    while True:
        if end := re.match(r"\s*/?>", text[at:]):
            return at + end.end()
        space = re.match(r"\s+", text[at:])
        if not space:
            return 0
        at += space.end()
        key = re.match(r"[a-z_@:][\w.:@-]*", text[at:], re.I)
        if not key:
            return 0
        value = re.match(r"\s*=\s*", text[at + key.end() :])
        if not value:
            if key[0].lower() not in FLAGS:
                return 0
            at += key.end()
            continue
        at += key.end() + value.end()
        if text[at : at + 1] in ('"', "'"):
            end_quote = text.find(text[at], at + 1)
            if end_quote < 0:
                return 0
            at = end_quote + 1
        else:
            bare = re.match(r"[^\s\"'<>=]+", text[at:])
            if not bare:
                return 0
            at += bare.end()


def _foreign(c: str) -> bool:
    """Whether Chinese, Japanese or Korean text begins there."""
    name = unicodedata.name(c, "")
    script = name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "HANGUL"))
    return script or "\u3000" <= c <= "\u303f" or "\uff00" <= c <= "\uffef" or c in "‘’“”…"


def _stops(c: str) -> bool:
    return c.isspace() or c in '()<>"' or _foreign(c)


def _url_end(text: str, i: int) -> int:
    """Where the URL that begins there ends; 0 if none does."""
    head = re.match("https?://", text[i:], re.I)
    if not head:
        return 0
    at, ends = i + head.end(), []
    while at < len(text):
        if text[at] == "(":
            close = at + 1
            while close < len(text) and not _stops(text[close]):
                close += 1
            if text[close : close + 1] != ")":
                break
            at = close + 1
            ends.append(at)
        elif _stops(text[at]):
            break
        else:
            at += 1
            if text[at - 1] not in "'.,;:!?]}":
                ends.append(at)
    return ends[-1] if ends else 0


def _url_line(line: str) -> bool:
    """Whether a line is a URL and nothing else."""
    if not line.endswith("\n"):
        return False
    body = line[:-1].removesuffix("\r").strip(" \t")
    body = body[1:] if body.startswith("<") else body
    end = _url_end(body, 0)
    return bool(end) and body[end:] in ("", ">")


def _without_urls(text: str) -> str:
    made, i = "", 0
    while i < len(text):
        end = _url_end(text, i + 1) if text[i] == "<" else 0
        end = end + 1 if end and text[end : end + 1] == ">" else 0
        end = end or _url_end(text, i)
        made += "" if end else text[i]
        i = max(end, i + 1)
    return made


def without_references(text: str) -> str:
    made, i = "", 0
    while i < len(text):
        end = _reference_end(text, i) if text[i] == "<" else 0
        made += "" if end else text[i]
        i = max(end, i + 1)
    return _without_citations(made)


def _reference_end(text: str, i: int) -> int:
    rest = text[i:]
    if stray := re.match(r"</ref\s*>", rest, re.I):
        return i + stray.end()
    if not re.match(r"<ref[\s>/]", rest, re.I):
        return 0
    at = 4
    while at < len(rest) and rest[at] != ">":
        if rest[at] == "<" or (at == 4 and rest[at] not in "/" and not rest[at].isspace()):
            return 0
        if rest[at] in QUOTES:
            quoted = re.match(r"\"[^\"<\n]*\"|'[^'<\n]*'", rest[at:])
            if not quoted:
                return 0
            at += quoted.end()
        else:
            at += 1
    if at >= len(rest):
        return 0
    if rest[:at].rstrip().endswith("/"):
        return i + at + 1
    close = re.compile(r"</ref\s*>", re.I).search(rest, at)
    other = re.compile(r"<ref[\s>/]", re.I).search(rest, at)
    if close and (not other or close.start() < other.start()):
        return i + close.end()
    line = rest.find("\n", at)
    return len(text) if line < 0 else i + line


def _without_citations(text: str) -> str:
    made, i = "", 0
    while i < len(text):
        cited = re.match(r"\{\{\s*(cite|citation|sfnp?|harvnb|harvp)[\s|}_-]", text[i:], re.I)
        end = 0
        if cited:
            end = _template_end(text, i) or (text.find("\n", i) if "\n" in text[i:] else len(text))
        made += "" if end else text[i]
        i = max(end, i + 1)
    return made


def _template_end(text: str, i: int) -> int:
    depth = 0
    while i < len(text):
        pair = text[i : i + 2]
        depth += (pair == "{{") - (pair == "}}")
        i += 2 if pair in ("{{", "}}") else 1
        if not depth:
            return i
    return 0


def without_images(text: str) -> str:
    made, i = "", 0
    while i < len(text):
        end = _image_end(text, i)
        made += "" if end else text[i]
        i = max(end, i + 1)
    return made


def _image_end(text: str, i: int) -> int:
    inner = _markdown_end(text, i + 1) if text[i] == "[" else 0
    if inner and text[inner : inner + 1] == "]" and (end := _link_end(text, inner + 1)):
        return end
    if end := _markdown_end(text, i):
        return end
    forms = [
        (r"<img\s[^<>]*>", re.I),
        (r"(?<!\w)images/[0-9a-f]{8,}\.(jpe?g|png|gif|webp|svg|bmp|tiff?)(?!\w)", re.I | re.A),
        (r"(?<!\w)[0-9a-f]{8,}\.(jpe?g|png|gif|webp|svg|bmp|tiff?)(?!\w)", re.I | re.A),
        (r"图\s*[0-9]+(\s*[-－–—.．]\s*[0-9]+)+\s*[:：]", 0),
        (r"[零〇一二三四五六七八九]{5,}", 0),
        (r"\\u200[ef](?!\w)|(?<!\w)u200e(?!\w)|&#247;|\{/U\}", re.A),
        (r"(?<!\w)U\+(26[0-9A-F]{2}|273[0-9A-F]|1F[0-9A-F]{3})(?!\w)|[\u200e\ufffd]", re.A),
    ]
    return next((m.end() for form, flags in forms if (m := re.compile(form, flags).match(text, i))), 0)


def _markdown_end(text: str, i: int) -> int:
    """Where `![alt](link)` or `![alt][name]` ends; 0 if none begins there."""
    alt = re.compile(r"!\[[^\]\n]*\]").match(text, i)
    if not alt:
        return 0
    name = re.compile(r"\[[^\]\n]*\]").match(text, alt.end())
    return name.end() if name else _link_end(text, alt.end())


def _link_end(text: str, i: int) -> int:
    if text[i : i + 1] != "(":
        return 0
    depth = 0
    for at in range(i, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if text[at] == "\n" or depth > 2:
            return 0
        if not depth:
            return at + 1
    return 0
