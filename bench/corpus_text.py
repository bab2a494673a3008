"""A corpus of documents as they are crawled, made of text that lies on the machine, with what was planted in it.

Paragraphs come from the documentation of Python and of installed packages, and from the example book; documents are drawn from
them with a seed. A part of the words is exchanged for others, so that documents that share a paragraph are no near duplicates.
"""

from __future__ import annotations

import random
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

KINDS = {
    "normal": 66, "exact_dup": 8, "near_dup": 8, "short": 5, "html": 4, "repetition": 4, "symbols": 2, "foreign": 2, "code": 1,
}  # fmt: skip
"""How many of a hundred documents are of each kind."""
CHARS = 2500
"""Of a normal document, about."""
EXCHANGED = 0.06
"""Share of the words that are exchanged for others."""
_DOCUMENTED = re.compile(r'"""(.*?)"""', re.DOTALL)
_TECHNICAL = re.compile(r"[`_=<>{}\[\]|#*@\\]")
FOREIGN = {
    "de": "Der alte Mann ging langsam durch die stille Straße und dachte an den Sommer am Meer",
    "fr": "La vieille maison au bord de la rivière gardait encore l'odeur du pain et des pommes",
    "es": "El viento del norte traía noticias de un barco que nadie había visto llegar al puerto",
    "zh": "清晨的街道上没有行人只有远处传来的钟声和面包店里温暖的灯光",
    "ru": "Старый сторож каждое утро открывал ворота и долго смотрел на пустую дорогу",
}


def write_corpus(path: Path, documents: int, seed: int = 1) -> None:
    """A JSONL file of `text`, `id`, `kind`, and for duplicates the `parent` they were made from."""
    with path.open("wb") as file:
        for row in _rows(documents, seed):
            file.write(orjson.dumps(row) + b"\n")


def _rows(documents: int, seed: int) -> Iterator[dict[str, Any]]:
    draw = random.Random(seed)
    pool = _paragraphs()
    words = sorted({w for p in pool[:2000] for w in p.split() if w.isalpha() and len(w) > 3})
    kinds, weights = list(KINDS), list(KINDS.values())
    parents: list[tuple[str, str]] = []
    for number in range(documents):
        kind = draw.choices(kinds, weights)[0] if len(parents) > 20 else "normal"
        parent = None
        if kind in ("exact_dup", "near_dup"):
            parent, text = draw.choice(parents)
            text = text if kind == "exact_dup" else _nearly(draw, text, words)
        else:
            text = _MADE[kind](draw, pool, words)
            if kind == "normal" and len(parents) < 50_000:
                parents.append((f"d{number}", text))
        yield {"id": f"d{number}", "text": text, "kind": kind, "parent": parent}


def _paragraphs() -> list[str]:
    """Paragraphs of prose, in a fixed order."""
    folders = [Path(sysconfig.get_path(p)) for p in ("stdlib", "purelib")]
    files = {f for folder in folders for f in folder.rglob("*") if f.suffix in {".md", ".rst", ".txt", ".py"}}
    texts = [_prose(f) for f in sorted(files) if 2000 < f.stat().st_size < 1 << 20]
    found = {
        re.sub(r"\s+", " ", p).strip() for t in texts for p in re.split(r"\n\s*\n", t) if 120 < len(p) < 2000
    }
    return sorted(p for p in found if not _TECHNICAL.search(p) and _plain(p) > 0.94 * len(p))


def _plain(text: str) -> int:
    return sum(c.isalpha() or c == " " for c in text)


def _prose(file: Path) -> str:
    """A document, or the documentation in a source file."""
    text = file.read_text("utf-8", "ignore")
    return text if file.suffix != ".py" else "\n\n".join(_DOCUMENTED.findall(text))


def _normal(draw: random.Random, pool: list[str], words: list[str]) -> str:
    parts: list[str] = []
    size = max(300.0, draw.gauss(CHARS, CHARS / 3))
    while sum(map(len, parts)) < size:
        parts.append(_exchanged(draw, draw.choice(pool), words))
    return "\n\n".join(parts)


def _exchanged(draw: random.Random, text: str, words: list[str]) -> str:
    return " ".join(draw.choice(words) if draw.random() < EXCHANGED else w for w in text.split(" "))


def _nearly(draw: random.Random, text: str, words: list[str]) -> str:
    """A copy with up to 1 % of its words changed, at least one."""
    made = text.split(" ")
    for _ in range(max(1, len(made) // 100)):
        made[draw.randrange(len(made))] = draw.choice(words)
    return " ".join(made)


def _html(draw: random.Random, pool: list[str], words: list[str]) -> str:
    text = _normal(draw, pool, words).replace("\n\n", "</p>\n<p>")
    return f'<div class="main"><h1>{draw.choice(words)}</h1>\n<p>{text}</p>\n<a href="https://example.org/{draw.random()}">more</a> &nbsp;&lt;</div>'


def _repeating(draw: random.Random, pool: list[str], words: list[str]) -> str:
    return "\n".join([_exchanged(draw, draw.choice(pool), words)[:80]] * draw.randint(10, 40))


def _symbols(draw: random.Random, pool: list[str], words: list[str]) -> str:
    return " ".join(
        draw.choice(words) if draw.random() < 0.4 else draw.choice("# … *** {} | => ...") for _ in range(300)
    )


def _foreign(draw: random.Random, pool: list[str], words: list[str]) -> str:
    sentence = draw.choice(list(FOREIGN.values())).split(" ")
    return " ".join(draw.choice(sentence) for _ in range(300)) if len(sentence) > 1 else sentence[0] * 40


def _code(draw: random.Random, pool: list[str], words: list[str]) -> str:
    return "\n".join(
        f"def {draw.choice(words)}(x):\n    return {{'{draw.choice(words)}': x}}  # {draw.random()}"
        for _ in range(40)
    )


_MADE = {
    "normal": _normal, "html": _html, "repetition": _repeating, "symbols": _symbols, "foreign": _foreign, "code": _code,
    "short": lambda draw, pool, words: " ".join(draw.choices(words, k=draw.randint(1, 12))),
}  # fmt: skip
