"""Web pages put together of a main text and of what stands around it, with the lines of the main text.

`python tests/operators/golden_pages.py` writes both to `golden_pages.json`.

Not held: headings, lists and tables on pages whose main text stands in no element that is named for it, by `article`,
`main` or a usual class; trafilatura takes the paragraphs alone there. Pages of menus and notices
alone, whose text it takes for want of a better one.
"""

from __future__ import annotations

import json
import random
from html import escape
from pathlib import Path

from golden_page_parts import FOOTER, HEAD, LAYOUTS, NAV
from golden_texts import ARABIC, CHINESE, RUSSIAN

FILE = Path(__file__).with_name("golden_pages.json")
SUBJECTS = ["The harbour", "A lighthouse", "The old railway", "This small museum", "The northern forest", "Her workshop", "The river", "Our village", "That bridge", "The observatory"]  # fmt: skip
VERBS = ["was built by people from the valley", "has been closed to visitors for a while", "draws more guests than anyone had expected", "lies half an hour from the nearest road", "was painted by several artists of that time"]  # fmt: skip
REASONS = ["because the winters there are long & hard", "and nobody could say who paid for it", "while the <new> one is still being planned", "so that it can be seen from far away", "as the letters in the town hall show", "though it cost more than £200 and two years"]  # fmt: skip
ENDS = ["Few of those who worked on it are alive today.", "It is worth the walk, even in the rain.", "The mayor would not say more about that.", "“We shall see,” said the woman at the gate.", "More than half of it has been restored since."]  # fmt: skip
TITLES = ["How it began", "What came after", "A walk along the shore", "The plans of the town", "Who looks after it", "Stones and timber"]  # fmt: skip
THINGS = ["two metres of strong rope", "a lamp with a spare battery", "bread and cheese for the way", "the map of the northern shore", "dry socks in a bag", "a whistle made of tin"]  # fmt: skip


def paragraph(draw: random.Random, n: int) -> str:
    subject, verb, reason, end = (draw.choice(part) for part in (SUBJECTS, VERBS, REASONS, ENDS))
    return f"{subject} {verb} {n} times over, {reason}. {end}"


def part(draw: random.Random, kind: str, n: int) -> tuple[str, list[str]]:
    """A part of a main text as HTML, and its lines."""
    if kind == "heading":
        title = f"{draw.choice(TITLES)} in part {n}"
        return f"<h2>{title}</h2>", [title]
    if kind == "list":
        things = [f"{thing} for day {n}" for thing in draw.sample(THINGS, 3)]
        return "<ul>" + "".join(f"<li>{thing}</li>" for thing in things) + "</ul>", things
    if kind == "table":
        rows = [[thing, str(draw.randint(2, 99))] for thing in draw.sample(THINGS, 3)]
        made = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
        return f"<table>{made}</table>", [" | ".join(row) for row in rows]
    text = paragraph(draw, n)
    if kind == "quote":
        return f"<blockquote><p>{escape(text)}</p></blockquote>", [text]
    if kind == "marked":
        first, rest = text.split(" ", 1)
        return f'<p class="x"><b>{first}</b> <a href="/x">{escape(rest[:9])}</a>{escape(rest[9:])}</p>', [
            text
        ]
    if kind == "broken":
        first, rest = text.split(" ", 1)
        return f"<p>\n  {first}\n\t{escape(rest)}\n", [text]
    return f"<p>{escape(text)}</p>", [text]


SHAPES = [
    ["text"] * 4,
    ["text", "heading", "text", "text", "text"],
    ["text", "text", "list", "text", "text"],
    ["text", "text", "table", "text"],
    ["marked", "text", "quote", "text", "marked"],
    ["text", "broken", "broken", "text"],
    ["text", "heading", "text", "list", "heading", "text", "text"],
    ["text", "text", "heading", "table", "text", "quote"],
    ["broken", "marked", "heading", "text", "list", "text"],
    ["text"] * 7,
]
ALONE = {"text", "quote", "marked"}
"""What is found in elements without a name."""


def page(seed: int, layout: str, shape: list[str]) -> dict[str, str]:
    draw = random.Random(seed)
    parts = [part(draw, kind, n + 2) for n, kind in enumerate(shape)]
    first, rest = parts[0][0], "\n".join(html for html, _ in parts[1:])
    text = LAYOUTS[layout].replace("{{", "{").replace("}}", "}").replace("{title}", "The town paper")
    text = text.replace("{main}", f"{first}\n{rest}").replace("{first}", first).replace("{rest}", rest)
    return {"text": text, "made": "\n".join(line for _, lines in parts for line in lines)}


def bare(*inner: str) -> str:
    return (
        "<html>"
        + HEAD.replace("{{", "{").replace("}}", "}").replace("{title}", "")
        + "<body>"
        + "".join(inner)
        + "</body></html>"
    )


def plain_page(texts: list[str]) -> dict[str, str]:
    """A page in another script."""
    main = "".join(f"<p>{text}</p>" for text in texts)
    return {"text": bare(NAV, f"<article>{main}</article>", FOOTER), "made": "\n".join(texts)}


EMPTY = [bare(), bare("<p></p>"), bare("<div> </div>", "<article></article>"), bare("<!-- nothing -->"), "<p>&nbsp;</p>", "<br>", "<div></div>", "<!DOCTYPE html><html></html>", "<html><head><title>The town paper</title></head></html>"]  # fmt: skip
"""Pages without a main text."""
PLAIN = [
    "no tags at all",
    "if a < b and c > d: return",
    "List<String> x = y;",
    "a\n\nb\n",
    "1 &lt; 2",
    "<think>hm</think> so",
    "x <3 y",
    "",
    "<@user> said",
    "中文，没有标签。",
    "std::vector<int> v;",
]
"""What is no page, and stays."""


def table() -> list[dict[str, str]]:
    names = [
        (layout, shape)
        for shape in SHAPES
        for layout in LAYOUTS
        if layout != "unnamed" or set(shape) <= ALONE
    ]
    pages = [page(seed, *name) for seed, name in enumerate(names)]
    scripts = [plain_page([f"{i}. {text}" for i in range(1, 5)]) for text in (CHINESE, RUSSIAN, ARABIC)]
    empty = [{"text": text, "made": ""} for text in EMPTY]
    return [*pages, *scripts, *empty, *({"text": text, "made": text} for text in PLAIN)]


def normal(text: str) -> list[str]:
    """The lines of a text, without bullets, borders of tables and spaces more than one."""
    return [" ".join(line.split()).strip("-| ") for line in text.split("\n") if line.strip()]


if __name__ == "__main__":
    rows = [json.dumps(row, ensure_ascii=True) for row in table()]
    FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
