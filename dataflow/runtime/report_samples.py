"""Rows before and after an operator, side by side, with what changed marked word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dataflow.plan.draw import escaped
from dataflow.runtime.report_values import as_text, listing, mapping

_TOKEN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\u0e00-\u0eff\u0f00-\u0fff]|\w+\s*|[^\w\s]\s*|\s+")
MAX_SHOWN = 700
"""Characters of a cell that the page shows."""
MAX_COMPARED = 1200
"""Words of a cell that are compared; beyond, the comparison takes too long."""
CONTEXT = 14
"""Words kept on each side of a change."""
MIN_ALIKE = 0.25
"""Below this share of common words, two texts are shown as replaced, not as changed."""
OPEN = 3
"""Samples shown unfolded."""


def samples_html(step: Mapping[str, Any]) -> str:
    """The rows kept as examples of what an operator did; the later ones folded."""
    found = [_sample(s) for s in map(mapping, listing(step.get("samples"))) if s]
    if not found:
        return ""
    rest = "".join(found[OPEN:])
    folded = f"<details><summary>{len(found) - OPEN} more</summary>{rest}</details>" if rest else ""
    return f"<h4>Rows before and after</h4>{''.join(found[:OPEN])}{folded}"


def _sample(sample: Mapping[str, Any]) -> str:
    before, after = mapping(sample.get("before")), mapping(sample.get("after"))
    gone = not after and bool(before)
    columns = dict.fromkeys([*before, *after])
    changed = [
        c for c in columns if not gone and (c not in before or c not in after or before[c] != after[c])
    ]
    rows = [_row(c, before, after) for c in changed]
    same = [_same(c, before[c]) for c in columns if c not in changed]
    head = '<tr><th scope="col">column</th><th scope="col">before</th><th scope="col">after</th></tr>'
    row = f"row {escaped(sample['row'])}" if sample.get("row") is not None else "row"
    return (
        f'<div class="sample"><div class="sample-head"><b>{row}</b> {_fate(sample.get("fate"))}</div>'
        f'<table class="cells"><thead>{head}</thead><tbody>{"".join([*same, *rows])}</tbody></table></div>'
    )


def _fate(fate: object) -> str:
    text = str(fate or "")
    style = {"kept": "kept", "dropped": "drop", "failed": "fail"}.get(text.partition(":")[0], "plain")
    return f'<span class="pill p-{style}">{escaped(text[:300])}</span>' if text else ""


def _same(column: str, value: object) -> str:
    return f'<tr class="same"><th scope="row">{escaped(column)}</th><td colspan="2">{clip(value)}</td></tr>'


def _row(column: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    old = clip(before[column]) if column in before else '<span class="none">–</span>'
    new = clip(after[column]) if column in after else '<span class="none">–</span>'
    style, both = "new", (before.get(column), after.get(column))
    if column in before:
        style = "changed" if column in after else "removed"
        if all(isinstance(value, str) for value in both):
            old, new = changes(*map(str, both))
    name = f'<th scope="row">{escaped(column)}<small>{style}</small></th>'
    return f'<tr class="{style}">{name}<td>{old}</td><td>{new}</td></tr>'


def clip(value: object, chars: int = MAX_SHOWN) -> str:
    """A cell as HTML, cut after so many characters, with how many were left out."""
    if value is None:
        return '<span class="none">null</span>'
    text = as_text(value)
    if text == "":
        return '<span class="none">empty</span>'
    more = len(text) - chars
    return escaped(text[:chars]) + (
        f'<span class="none"> … {more:,} more characters</span>' if more > 40 else escaped(text[chars:])
    )


def changes(before: str, after: str) -> tuple[str, str]:
    """Both texts as HTML, with the words that went in `<del>` and those that came in `<ins>`."""
    old, new = _TOKEN.findall(before)[:MAX_COMPARED], _TOKEN.findall(after)[:MAX_COMPARED]
    matcher = difflib.SequenceMatcher(str.isspace, old, new, autojunk=False)
    if not old or not new or matcher.quick_ratio() < MIN_ALIKE:
        return clip(before), clip(after)
    runs = matcher.get_opcodes()
    left = _cut((tag, old[a:b]) for tag, a, b, _, _ in runs)
    right = _cut((tag, new[a:b]) for tag, _, _, a, b in runs)
    return "".join(_marked(left, "del")), "".join(_marked(right, "ins"))


def _cut(runs: Iterator[tuple[str, list[str]]]) -> Iterator[tuple[str, str]]:
    """Runs of words as text: what is the same is cut to the words around changes, and all after a while."""
    room = MAX_SHOWN
    for tag, words in runs:
        text = "".join(words)
        if tag == "equal" and len(words) > 2 * CONTEXT + 4:
            text = "".join(words[:CONTEXT]).rstrip() + " ⋯ " + "".join(words[-CONTEXT:])
        if len(text) > room:
            yield tag, text[:room]
            yield "equal", " ⋯"
            return
        room -= len(text)
        yield tag, text


def _marked(runs: Iterator[tuple[str, str]], mark: str) -> Iterator[str]:
    for tag, text in runs:
        yield escaped(text) if tag == "equal" or not text else f"<{mark}>{escaped(text)}</{mark}>"
