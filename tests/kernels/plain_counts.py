"""The counts of the text kernels once more, slowly and plainly: what they must equal."""

from __future__ import annotations

import re
import unicodedata

from plain_repetition import repetition
from plain_source import source, terms

ENDS = ".!?\n。！？｡؟۔।"
BREAKS = "–.!?,;•/|…\n。！？，；、｡؟۔।،؛"
BULLETS = "•‣▶◀◦■□▪▫–"
DASHES = "-*+·"
TERMINALS = ".!?\"'”’…。！？｡؟۔।"
SIGNS = [(0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)]


def is_sign(character: str) -> bool:
    return character.isalnum() and any(low <= ord(character) <= high for low, high in SIGNS)


def lower(text: str) -> str:
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def split_at(text: str, marks: str) -> list[str]:
    return re.split("[" + re.escape(marks) + "]", text)


def is_a(text: str, *categories: str) -> list[bool]:
    return [unicodedata.category(c).startswith(categories) for c in text]


def apart(text: str) -> str:
    """A text with spaces around each character that is written without them."""
    return "".join(f" {c} " if is_sign(c) else c for c in text)


def characters(text: str) -> dict[str, int]:
    return {
        "chars": len(text),
        "spaces": sum(c.isspace() for c in text),
        "letters": sum(is_a(text, "L")),
        "digits": sum(c.isdigit() for c in text),
        "uppers": sum(is_a(text, "Lu", "Lt")),
        "punctuation": sum(is_a(text, "P")),
        "symbols": sum(is_a(text, "S")),
        "braces": text.count("{") + text.count("}"),
        "hashes": text.count("#"),
        "ellipses": len(re.findall(r"\.\.\.|…", text)),
        "tokens": len(re.findall(r"\w+|[^\w\s]+", apart(text))),
        "sentences": sum(bool(re.search(r"\w", part)) for part in split_at(text, ENDS)),
        "longest_unpunctuated": max(len(apart(part).split()) for part in split_at(text, BREAKS)),
    }


def words(text: str) -> dict[str, int]:
    found = text.split()
    return {
        "words": len(found),
        "word_chars": sum(map(len, found)),
        "longest_word": max(map(len, found), default=0),
        "capital_words": sum(any(is_a(w, "Lu", "Lt")) and not any(is_a(w, "Ll")) for w in found),
        "latin_words": sum(bool(re.search("[A-Za-z]", w)) for w in found),
        "lettered_words": sum(any(is_a(w, "L")) for w in found),
    }


def vocabulary(text: str) -> dict[str, int]:
    return {"unique_words": len(set(map(lower, text.split())))}


def lines(text: str) -> dict[str, int]:
    found = [re.sub(r"\s", " ", line.strip()) for line in text.split("\n") if line.strip()]
    again = [line for i, line in enumerate(found) if line in found[:i]]
    ascii_lower = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
    return {
        "lines": len(found),
        "line_chars": sum(map(len, found)),
        "longest_line": max(map(len, found), default=0),
        "ellipsis_lines": sum(line.endswith(("...", "…")) for line in found),
        "bullet_lines": sum(line[0] in BULLETS or line.split()[0] in set(DASHES) for line in found),
        "javascript_lines": sum("javascript" in line.translate(ascii_lower) for line in found),
        "terminal_lines": sum(line[-1] in TERMINALS for line in found),
        "short_lines": sum(len(line) <= 30 for line in found),
        "newlines": text.count("\n"),
        "duplicate_lines": len(again),
        "duplicate_line_chars": sum(map(len, again)),
    }


def parts(text: str) -> list[str]:
    """The parts that are looked up in a list, found by going through the characters."""
    found, part = [], ""
    padded = f" {text} "
    for before, c, after in zip(f" {text}", padded[1:], f"{text} "[1:] + " ", strict=False):
        is_word = (c.isalnum() or c == "_") and not is_sign(c)
        joins = c in "'’" and bool(part) and before not in "'’" and _is_plain(after)
        if is_word or joins:
            part += "'" if joins else c
            continue
        found += [part] if part else []
        found += [c] if is_sign(c) else []
        part = ""
    return [lower(p) for p in [*found, part] if p]


def _is_plain(c: str) -> bool:
    return (c.isalnum() or c == "_") and not is_sign(c)


def listed(text: str, entries: list[str]) -> dict[str, int]:
    wanted = {tuple(parts(e)) for e in entries} - {()}
    rest = parts(text)
    count, found, covered = len(rest), 0, 0
    while rest:
        sizes = [len(e) for e in wanted if tuple(rest[: len(e)]) == e]
        best = max(sizes, default=0)
        found, covered = found + bool(best), covered + best
        rest = rest[max(best, 1) :]
    return {"parts": count, "entries": found, "listed": covered}


GROUPS = {
    "characters": characters,
    "words": words,
    "vocabulary": vocabulary,
    "lines": lines,
    "repetition": repetition,
    "source": source,
    "terms": terms,
}
