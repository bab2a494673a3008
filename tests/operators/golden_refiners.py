"""What every text refiner of general_text makes of difficult texts, found by the plainest Python there is.

`python tests/operators/golden_refiners.py` writes the texts made to `golden_refiners.json`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from html.entities import html5
from pathlib import Path
from typing import Any

import regex
from golden_lines import sentences
from golden_refiners_dates import normal
from golden_refiners_marks import without_images, without_markup, without_references
from golden_refiners_words import lemmatized, spelled, stemmed, without_contractions, without_stop_words
from golden_texts import REFINED

from dataflow.operators._lib.text_refiner import word_list

FILE = Path(__file__).with_name("golden_refiners.json")
SPACES = [
    *range(9, 14),
    32,
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
]
SPACE = {chr(point) for point in [*SPACES, 0x1C, 0x1D, 0x1E, 0x1F]}


def spaced(text: str) -> str:
    words = [""]
    for c in text:
        if c in SPACE:
            words.append("")
        else:
            words[-1] += c
    return " ".join(filter(None, words))


def lined(text: str) -> str:
    text = text.replace("\r\n", "\n")
    for c in "\r\x85\u2028\u2029":
        text = text.replace(c, "\n")
    paragraphs, blank = "", True
    for line in map(spaced, text.split("\n")):
        if line:
            paragraphs += ("" if not paragraphs else "\n\n" if blank else "\n") + line
        blank = not line
    return paragraphs


def once(text: str) -> str:
    made = ""
    for c in text:
        mark = unicodedata.category(c)[0] in "PS" and not 0x1F1E6 <= ord(c) <= 0x1F1FF
        if not (mark and made.endswith(c)):
            made += c
    return made


def without_digits(text: str) -> str:
    made, i = "", 0
    while i < len(text):
        if not text[i].isdigit():
            made += text[i]
            i += 1
            continue
        i += 1
        for keycap in ("\ufe0f\u20e3", "\u20e3"):
            if text.startswith(keycap, i):
                i += len(keycap)
                break
    return made


def without_emoji(text: str) -> str:
    made, i = "", 0
    while i < len(text):
        end = _emoji_end(text, i)
        if not end:
            made += text[i]
        i = max(end, i + 1)
    return made


def _is(c: str, *names: str) -> bool:
    return any(regex.match(rf"\p{{{name}}}", c) for name in names)


def _emoji_end(text: str, i: int) -> int:
    """Where the emoji that begins there ends; 0 if none does."""
    c, after = text[i], text[i + 1 : i + 2]
    if c == "\ufe0f":
        return i + 1
    keycap = re.match("[0-9#*]\ufe0f*\u20e3", text[i:])
    if keycap:
        end = i + keycap.end()
    elif (
        _is(c, "Emoji_Presentation", "Regional_Indicator")
        or 0x1F3FB <= ord(c) <= 0x1F3FF
        or (0x2600 <= ord(c) <= 0x27BF and _is(c, "Emoji") and c not in "♀♂")
        or (0x1F170 <= ord(c) <= 0x1FAFF and _is(c, "Extended_Pictographic"))
    ):
        end = i + 1
    elif after == "\ufe0f" and _is(c, "Extended_Pictographic"):
        end = i + 2
    else:
        return 0
    while end < len(text):
        joined = text[end] == "\u200d" and end + 1 < len(text) and _is(text[end + 1], "Extended_Pictographic")
        point = ord(text[end])
        if not (
            joined
            or text[end] in "\u200d\ufe0e\ufe0f\u20e3"
            or 0x1F3FB <= point <= 0x1F3FF
            or 0xE0020 <= point <= 0xE007F
        ):
            break
        end += 2 if joined else 1
    return end  # fmt: skip


def without_emoticons(text: str) -> str:
    known = sorted(word_list("emoticons.txt"), key=len, reverse=True)
    made, i = "", 0
    while i < len(text):
        free = i == 0 or text[i - 1] in SPACE or text[i - 1] in ".,!?…。，！？"
        end = next((end for e in known if (end := _emoticon_end(text, i, e))), 0) if free else 0
        if not end:
            made += text[i]
        i = max(end, i + 1)
    return made


def _emoticon_end(text: str, i: int, emoticon: str) -> int:
    """Where that emoticon ends, if it stands there with nothing after it but white space or a mark; 0 if not."""
    if not text.startswith(emoticon, i):
        return 0
    end = i + len(emoticon)
    if emoticon[0] in ":;=" and emoticon[-1] in "()[]DP":
        while text[end : end + 1] == emoticon[-1]:
            end += 1
    after = text[end : end + 1]
    return end if not after or after in SPACE or after in ".,!?…\"'”’)]。，！？" else 0


NAMES = ["nbsp", "lt", "gt", "amp", "quot", "apos", "hellip", "ndash", "mdash", "lsquo", "rsquo", "ldquo", "rdquo"]  # fmt: skip
POINTS = {ord(html5[f"{name};"]): html5[f"{name};"] for name in NAMES}


def without_entities(text: str, *, decode: bool = False) -> str:
    made, i = "", 0
    while i < len(text):
        end, c = _entity(text, i) if text[i] in "&＆" else (0, "")
        made += text[i] if not end else c if decode else " " * c.isspace()
        i = max(end, i + 1)
    return made


def _entity(text: str, i: int) -> tuple[int, str]:
    """Where the entity that begins there ends, and what it stands for; 0 if none does."""
    starts = [i + 1]
    while text[starts[-1] : starts[-1] + 4] in ("amp;", "amp；"):
        starts.append(starts[-1] + 4)
    for start in reversed(starts):
        found = re.match("#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z0-9_]+", text[start:])
        if not found:
            continue
        body, end = found[0], start + found.end()
        closed = text[end : end + 1] in (";", "；")
        if body[0] == "#":
            point = int(body[2:], 16) if body[1] in "xX" else int(body[1:])
            if closed and point in POINTS:
                return end + 1, POINTS[point]
        elif body in NAMES and (closed or (body in html5 and text[end : end + 1] not in ("=", "&"))):
            return end + closed, html5[f"{body};"]
    return 0, ""


Refiner = tuple[str, dict[str, Any], Callable[[str], str]]
REFINERS: list[Refiner] = [
    ("LowercaseRefiner", {}, str.lower),
    ("RemoveExtraSpacesRefiner", {}, spaced),
    ("RemoveExtraSpacesRefiner", {"keep_newlines": True}, lined),
    ("RemoveRepetitionsPunctuationRefiner", {}, once),
    ("RemoveNumberRefiner", {}, without_digits),
    ("RemovePunctuationRefiner", {}, lambda t: "".join(c for c in t if not ("!" <= c <= "~" and not c.isalnum()))),
    (
        "RemovePunctuationRefiner",
        {"unicode_punctuation": True},
        lambda t: "".join(c for c in t if unicodedata.category(c)[0] != "P" and not ("!" <= c <= "~" and not c.isalnum())),
    ),
    ("RemoveEmojiRefiner", {}, without_emoji),
    ("RemoveEmoticonsRefiner", {}, without_emoticons),
    ("HtmlEntityRefiner", {}, without_entities),
    ("HtmlEntityRefiner", {"decode": True}, lambda t: without_entities(t, decode=True)),
    ("HtmlUrlRemoverRefiner", {}, without_markup),
    ("ReferenceRemoverRefiner", {}, without_references),
    ("RemoveImageRefsRefiner", {}, without_images),
    ("RemoveContractionsRefiner", {}, without_contractions),
    ("RemoveStopwordsRefiner", {}, without_stop_words),
    ("StemmingLemmatizationRefiner", {}, stemmed),
    ("StemmingLemmatizationRefiner", {"method": "lemmatization"}, lemmatized),
    ("SpellingCorrectionRefiner", {}, spelled),
    ("TextNormalizationRefiner", {}, normal),
    ("C4LineRefiner", {}, sentences),
]  # fmt: skip
"""Each refiner with its settings, and what it makes of a text."""


def label(name: str, settings: dict[str, Any]) -> str:
    return " ".join([name, *map(str, settings)])


def table() -> list[dict[str, Any]]:
    """For each text what the refiners that change it make of it."""
    rows = []
    for text in REFINED:
        made = {label(name, given): twin(text) for name, given, twin in REFINERS}
        rows.append({"text": text, "made": {name: new for name, new in made.items() if new != text}})
    return rows


if __name__ == "__main__":
    lines = [json.dumps(row, ensure_ascii=True) for row in table()]
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")
