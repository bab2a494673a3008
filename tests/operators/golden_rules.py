"""What every rule filter of general_text decides about difficult texts, found by the plainest Python there is.

`python tests/operators/golden_rules.py` writes the decisions to `golden_rules.json`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from golden_texts import TEXTS

FILE = Path(__file__).with_name("golden_rules.json")
STOPS = {"a", "an", "the", "of", "and", "to", "be", "or", "not", "don't", "can't", "won't"}
BLOCKED = ["shit", "fuck", "fuck's", "son of a bitch", "他妈的", "bitch"]
ENDS = ".!?\n。！？｡؟۔।"
BREAKS = ENDS + "–,;•/|…，；、،؛"


def sign(c: str) -> bool:
    """Whether a character is Chinese or Japanese."""
    return (
        c.isalnum()
        and re.match("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]", c)
        is not None
    )


def parts(text: str) -> list[str]:
    """Runs of letters and digits with single apostrophes in them, and Chinese and Japanese characters."""
    text = "".join(f" {c} " if sign(c) else c for c in text.lower().replace("’", "'"))
    return re.findall(r"\w+(?:'\w+)*", text)


def runs(text: str, marks: str) -> list[str]:
    for mark in marks:
        text = text.replace(mark, "\n")
    return text.split("\n")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def share(things: list[Any], wanted: Callable[[Any], bool]) -> float:
    return sum(map(wanted, things)) / len(things)


def category(text: str, kinds: str) -> bool:
    return any(unicodedata.category(c).startswith(tuple(kinds.split())) for c in text)


def bullet(line: str) -> bool:
    return line[0] in "•‣▶◀◦■□▪▫–" or line.split()[0] in ("-", "*", "+", "·")


def javascript(text: str) -> bool:
    found = lines(text)
    scripts = [line for line in found if re.search("javascript", line, re.I | re.A)]
    return len(found) <= 3 or (len(found) - len(scripts) >= 3 and len(scripts) / len(found) <= 0.5)


def symbols(text: str) -> float:
    spaced = "".join(f" {c} " if sign(c) else c for c in text)
    return len(re.findall(r"#|\.\.\.|…", text)) / len(re.findall(r"\w+|[^\w\s]+", spaced))


def longest_run(text: str) -> int:
    return max(len("".join(f" {c} " if sign(c) else c for c in run).split()) for run in runs(text, BREAKS))


def special(text: str) -> bool:
    spelled = r"\bu200e\b|\\u200e\b|\bu\+200e\b|(\\u|\bu\+)(26[0-9a-f]{2}|273[0-9a-f])\b|(\\u000|\bu\+)1f[0-9a-f]{3}\b"
    points = {
        0x200E,
        0xFFFD,
        0x25A1,
        *range(0x2600, 0x2700),
        *range(0x2730, 0x2740),
        *range(0x1F000, 0x20000),
    }
    residues = bool(re.search(r"&#0*247;", text)) or "{/U}" in text
    return residues or any(ord(c) in points for c in text) or bool(re.search(spelled, text, re.I))


ENTITIES = [
    "nbsp",
    "lt",
    "gt",
    "amp",
    "quot",
    "apos",
    "hellip",
    "ndash",
    "mdash",
    "lsquo",
    "rsquo",
    "ldquo",
    "rdquo",
]


def entity(text: str) -> bool:
    text = text.replace("＆", "&").replace("；", ";")
    return any(f"&{name};" in text for name in ENTITIES) or bool(
        re.search("&#[0-9]{1,7};|&#[xX][0-9a-fA-F]{1,6};", text)
    )


def documents(text: str) -> int:
    """Mentions of identity documents."""
    before, after = "(?<![A-Za-z0-9_])", "(?![A-Za-z0-9_])"
    phrases = [
        r"(identity|identification)\s+(card|number|document|paper)s?" + after,
        r"(id|i\.d\.)[\s-]*(card|number)s?" + after,
        r"(id|i\.d\.)[\s-]*nos?(\.|\s*[:：#0-9])",
        r"nric" + after,
        r"ic\s+numbers?" + after,
        r"resident\s+registration" + after,
        r"[1-9]\d{5}(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dx]" + after,
    ]
    found = [m for p in phrases for m in re.finditer(before + p, text, re.I)]
    return len(found) + sum(text.count(word) for word in ("身份证", "身份證", "身分證", "公民身份号码"))


def blocked(text: str) -> int:
    rest, count = parts(text), 0
    entries = sorted(map(parts, BLOCKED), key=len, reverse=True)
    while rest:
        found = next((e for e in entries if rest[: len(e)] == e), [])
        count += bool(found)
        rest = rest[max(len(found), 1) :]
    return count


def stopped(text: str) -> bool:
    found = parts(text)
    count = sum(part in STOPS for part in found)
    return count > 2 and count / len(found) > 0.3


def mean(text: str) -> float:
    return round(sum(map(len, text.split())) / len(text.split()), 2)


Rule = tuple[dict[str, Any], Callable[[str], bool]]
RULES: dict[str, Rule] = {
    "ContentNullFilter": ({}, lambda t: True),
    "WordNumberFilter": ({"min_words": 3, "max_words": 30}, lambda t: 3 <= len(t.split()) < 30),
    "MeanWordLengthFilter": ({}, lambda t: 3 <= mean(t) < 10),
    "AlphaWordsFilter": (
        {"threshold": 0.8, "use_tokenizer": False},
        lambda t: share(t.split(), lambda w: category(w, "L")) > 0.8,
    ),
    "CapitalWordsFilter": (
        {},
        lambda t: share(t.split(), lambda w: category(w, "Lu Lt") and not category(w, "Ll")) <= 0.2,
    ),
    "UniqueWordsFilter": ({"threshold": 0.3}, lambda t: len({w.lower() for w in t.split()}) / len(t.split()) > 0.3),
    "SymbolWordRatioFilter": ({}, lambda t: symbols(t) < 0.4),
    "LineEndWithEllipsisFilter": ({}, lambda t: share(lines(t), lambda ln: ln.endswith(("...", "…"))) < 0.3),
    "LineStartWithBulletpointFilter": ({}, lambda t: share(lines(t), bullet) <= 0.9),
    "LineWithJavascriptFilter": ({}, javascript),
    "ColonEndFilter": ({}, lambda t: t.strip()[-1] not in ":："),
    "SentenceNumberFilter": (
        {"min_sentences": 3, "max_sentences": 20},
        lambda t: 3 <= sum(bool(re.search(r"\w", run)) for run in runs(t, ENDS)) <= 20,
    ),
    "NoPuncFilter": ({}, lambda t: longest_run(t) <= 112),
    "CharNumberFilter": ({}, lambda t: len("".join(t.split())) >= 100),
    "CurlyBracketFilter": ({}, lambda t: sum(c in "{}" for c in t) / len(t) < 0.025),
    "SpecialCharacterFilter": ({}, lambda t: not special(t)),
    "HtmlEntityFilter": ({}, lambda t: not entity(t)),
    "IDCardFilter": ({}, lambda t: documents(t) < 3),
    "WatermarkFilter": (
        {"watermarks": ["Copyright", "Watermark", "Confidential", "a.b", "(c)"]},
        lambda t: not any(mark in t for mark in ("Copyright", "Watermark", "Confidential", "a.b", "(c)")),
    ),
    "LoremIpsumFilter": ({}, lambda t: not re.search(r"lorem\s+ipsum", t, re.I)),
    "StopWordFilter": ({"threshold": 0.3, "use_tokenizer": False}, stopped),
    "BlocklistFilter": ({"words": BLOCKED}, lambda t: blocked(t) <= 1),
}  # fmt: skip
"""Each filter with its settings, and what it keeps of texts that are not blank."""


def kept(text: str) -> list[str]:
    """The filters that keep a text."""
    return [name for name, (_, keeps) in RULES.items() if text.strip() and keeps(text)]


def table() -> list[dict[str, Any]]:
    """For each text the filters that drop it."""
    return [{"text": t, "dropped": sorted(set(RULES) - set(kept(t)))} for t in TEXTS]


if __name__ == "__main__":
    rows = [json.dumps(row, ensure_ascii=True) for row in table()]
    FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
