"""The counts over source files once more, slowly and plainly."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Sequence

HEX = re.compile(r"(?:(?:\\[xX]|(?<![0-9A-Za-z_\x80-\U0010ffff])(?:0[xX])?)[0-9a-fA-F]{2}(?![0-9A-Za-z_\x80-\U0010ffff])[, \t\r\n]*){8,}")  # fmt: skip
BASE64 = re.compile(r"[A-Za-z0-9+/=\n]{64,}")
ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,}")


def head(text: str) -> dict[str, int]:
    return {"head_bytes": len("".join(re.findall(r"[^\n]*\n|[^\n]+", text)[:5]).encode())}


def source(text: str) -> dict[str, int]:
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    sizes = [len(re.sub(r"\r?\n$", "", line)) for line in lines]
    return {
        "source_chars": len(text),
        "source_letters": sum(unicodedata.category(c)[0] == "L" for c in text),
        "source_braces": text.count("{") + text.count("}"),
        "source_lines": len(lines),
        "source_line_chars": sum(sizes),
        "longest_source_line": max(sizes, default=0),
        "alphanumerics": sum(c.isalnum() for c in text),
        "base64_chars": sum(len(m[0]) for m in BASE64.finditer(text)),
        "hex_chars": sum(len(m[0].rstrip(", \t\r\n")) for m in HEX.finditer(text)),
        "escape_chars": sum(len(m[0]) for m in ESCAPES.finditer(text)),
    }


def recurring(parts: Sequence[Hashable]) -> int:
    return sum(n for n in Counter(parts).values() if n > 1)


def terms(text: str) -> dict[str, int]:
    found = re.findall(r"\w+", text)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    kinds = [{unicodedata.category(c) for c in term} for term in found]
    shares = [n / len(found) for n in Counter(found).values()]
    return {
        "terms": len(found),
        "capital_terms": sum(
            len(t) > 1 and bool(k & {"Lu", "Lt"}) and "Ll" not in k for t, k in zip(found, kinds, strict=True)
        ),
        "term_nanobits": round(-sum(p * math.log2(p) for p in shares) * 1e9),
        "stripped_lines": len(lines),
        "recurring_lines": recurring(lines),
        **{
            f"recurring_{n}grams": recurring([tuple(found[i : i + n]) for i in range(len(found) - n + 1)])
            for n in range(2, 11)
        },
    }
