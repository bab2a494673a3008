"""Pictures of a run: where the rows went, how long calls took, what each operator cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflow.plan.draw import clipped, escaped, svg_text
from dataflow.runtime.report_values import (
    amount,
    count,
    duration,
    ends_of,
    listing,
    losses,
    mapping,
    name_of,
    number,
    steps_of,
)

LEFT, TRUNK, LABELS, WIDTH = 300.0, 325.0, 672.0, 1040.0
"""The flow, in pixels: where the trunk starts, its widest, where the labels of branches start, the whole."""
MAX_BRANCHES = 6


@dataclass
class _Node:
    """One bar of the flow: an operator, or an end; and what becomes of the rows that reach it."""

    title: str
    note: str = ""
    link: str = ""
    rows: float | None = None
    out: float = 0.0
    branches: list[tuple[str, float, str]] = field(default_factory=list)
    top: float = 0.0

    @property
    def kept(self) -> float:
        return max(0.0, (self.rows or 0.0) - sum(b[1] for b in self.branches))

    @property
    def remarks(self) -> list[str]:
        """What the branches do not say: rows made, or merged."""
        change = self.out - self.kept
        if self.rows is None or round(change) == 0:
            return []
        return [f"+{count(change)} rows made" if change > 0 else f"{count(-change)} rows merged"]

    @property
    def height(self) -> float:
        labels = len(self.branches) + len(self.remarks)
        return 50.0 if not labels else 40.0 + 19 * max(1, labels)


def _few(branches: list[tuple[str, float, str]]) -> list[tuple[str, float, str]]:
    if len(branches) <= MAX_BRANCHES:
        return branches
    head, tail = branches[: MAX_BRANCHES - 2], branches[MAX_BRANCHES - 2 :]
    rest, failed = [b for b in tail if b[2] == "drop"], [b for b in tail if b[2] == "fail"]
    return [*head, (f"{len(rest)} other reasons", sum(b[1] for b in rest), "drop"), *failed]


def _nodes(run: Mapping[str, Any]) -> list[_Node]:
    source, output = mapping(run.get("source")), mapping(run.get("output"))
    bad, rows = amount(source.get("bad_lines")), number(source.get("rows"))
    nodes = [_Node(str(source.get("name") or "dataset"), "read", "", rows)]
    if bad and rows is not None:
        nodes[0].rows, nodes[0].branches = rows + bad, [("unreadable lines", bad, "fail")]
    for at, step in enumerate(steps_of(run), 1):
        reached = number(step.get("rows_in"))
        note = f"{step.get('kind') or ''}{' · reused' if step.get('reused') else ''}".removeprefix(" · ")
        nodes.append(_Node(f"{step.get('step', at)} {name_of(step)}", note, f"#step-{at}", reached))
        nodes[-1].branches = _few(losses(step)) if reached is not None else []
        nodes[-1].out = amount(step.get("rows_out")) if reached is not None else 0.0
    final = ends_of(run)[1]
    nodes.append(_Node("output", str(output.get("path") or ""), "", final, final or 0.0))
    nodes[0].out = amount(rows)
    return nodes


def _ribbon(node: _Node, scale: float, below: float) -> str:
    """The rows that go on: as wide at the top as were kept, at the bottom as left the operator."""
    if not node.out or below <= node.top:
        return ""
    x, y = LEFT, node.top + 5
    a, b, middle = x + max(1.0, node.kept * scale), x + max(1.0, node.out * scale), (node.top + below) / 2
    return f'<path class="f-kept" d="M{x:g},{y:g}H{a:.1f}C{a:.1f},{middle:g} {b:.1f},{middle:g} {b:.1f},{below:g}H{x:g}Z"/>'


def _branch(at: int, left: float, right: float, node: _Node) -> str:
    """Rows that leave: as wide as they are many where they leave the trunk, then tapering to their label."""
    label, rows, kind = node.branches[at]
    y0, y = node.top + 5, node.top + 24 + 19 * at
    right, end = max(right, left + 1.2), LABELS - 10
    bend = max(right + 14, LEFT + 40)
    text = escaped(clipped(label, WIDTH - LABELS - 54, 12.5))
    return (
        f'<path class="f-{kind}" d="M{left:.1f},{y0:g}C{left:.1f},{y + 1:g} {left:.1f},{y + 1:g} {bend:.1f},{y + 1:g}H{end:g}'
        f'V{y - 1:g}H{bend:.1f}C{right:.1f},{y - 1:g} {right:.1f},{y - 1:g} {right:.1f},{y0:g}Z"/>'
        f'<text class="f-num f-on-{kind}" x="{LABELS:g}" y="{y + 4:g}">{count(rows)}'
        f'<tspan class="f-soft" dx="8">{text}</tspan><title>{escaped(label)}</title></text>'
    )


def _label_svg(node: _Node) -> str:
    name = svg_text("f-name", 0, node.top + 9, clipped(node.title, 212, 13.5), title=node.title)
    note = svg_text("f-soft", 0, node.top + 26, clipped(node.note, 250, 12), title=node.note)
    return (f'<a href="{node.link}">{name}</a>' if node.link else name) + note


def _node_svg(node: _Node, scale: float, below: float) -> str:
    if node.rows is None:
        return _label_svg(node) + svg_text("f-soft", LEFT, node.top + 19, "not reached")
    width = node.rows * scale
    parts = [
        _label_svg(node),
        svg_text("f-num", LEFT - 12, node.top + 9, count(node.rows), end=True),
        _ribbon(node, scale, below),
        f'<rect class="f-bar" x="{LEFT:g}" y="{node.top:g}" width="{max(1.5, width):.1f}" height="5"/>',
    ]
    right = LEFT + width
    for at, (_, rows, _) in enumerate(node.branches):
        parts.append(_branch(at, max(LEFT, right - rows * scale), right, node))
        right -= rows * scale
    y = node.top + 28 + 19 * len(node.branches)
    return "".join([*parts, *(svg_text("f-soft", LABELS, y, remark) for remark in node.remarks)])


def flow_svg(run: Mapping[str, Any]) -> str:
    """Draw the rows from source to output: a trunk as wide as rows remain, losses branching off to the right."""
    nodes = _nodes(run)
    y = 6.0
    for node in nodes:
        node.top, y = y, y + node.height
    most = max((max(n.rows or 0.0, n.out) for n in nodes), default=0.0)
    scale = TRUNK / most if most else 0.0
    after = [n.top for n in nodes[1:]] + [0.0]
    body = "".join(_node_svg(node, scale, below) for node, below in zip(nodes, after, strict=True))
    height = nodes[-1].top + 36
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" role="img" viewBox="0 0 {WIDTH:g} {height:g}" '
        f'aria-label="Rows from source to output, operator by operator">{body}</svg>'
    )


def _bins(values: Sequence[float], top: float, bins: int) -> list[int]:
    found = [0] * bins
    for value in values:
        found[min(bins - 1, int(value / top * bins))] += 1
    return found


def _mark(x: float, level: int, label: str, width: float) -> str:
    far, y = x > width * 0.6, 12 + 15 * level
    text = svg_text("h-label", x - 5 if far else x + 5, y, label, end=far)
    return f'<path class="h-mark" d="M{x:.1f},{y - 10:g}V130"/>{text}'


def measures_svg(step: Mapping[str, Any], width: float = 320, bins: int = 32) -> str:
    """Draw what a filter measured, rows kept below rows dropped, with its thresholds; empty where it measured nothing."""
    found = {
        float(at): (amount(rows[0]), amount(rows[1])) for at, rows in mapping(step.get("measures")).items()
    }
    if len(found) < 2:
        return ""
    limits = {k: at for k, v in mapping(step.get("bounds")).items() if (at := number(v)) is not None}
    least, most = min(found), max(found)
    near = {k: v for k, v in limits.items() if least - (most - least) / 2 <= v <= most + (most - least) / 2}
    low, high = min([least, *near.values()]), max([most, *near.values()])
    slot, span = width / bins, (high - low) or 1.0
    kept, lost = [0.0] * bins, [0.0] * bins
    for at, rows in found.items():
        here = min(bins - 1, int((at - low) / span * bins))
        kept[here], lost[here] = kept[here] + rows[0], lost[here] + rows[1]
    tall = 90 / max(k + d for k, d in zip(kept, lost, strict=True))
    bars = "".join(
        _measure_bar(i * slot, slot, k * tall, d * tall)
        for i, (k, d) in enumerate(zip(kept, lost, strict=True))
    )
    lines = "".join(
        _mark((v - low) / span * width, i, f"{k} {v:g}", width) for i, (k, v) in enumerate(near.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="hist" role="img" viewBox="-2 0 {width + 4:g} 150" '
        f'aria-label="Rows by measure, kept and dropped">{bars}<path class="h-axis" d="M0,130.5H{width:g}"/>{lines}'
        f'<text class="h-label" x="0" y="146">{low:g}</text>'
        f'<text class="h-label" text-anchor="end" x="{width:g}" y="146">{high:g}</text></svg>'
    )


def _measure_bar(x: float, slot: float, kept: float, lost: float) -> str:
    where = f'x="{x + 0.75:.2f}" width="{slot - 1.5:.2f}"'
    parts = [
        (f"f-{style}", top, size)
        for style, top, size in (("kept", 130 - kept, kept), ("drop", 130 - kept - lost, lost))
        if size
    ]
    return "".join(
        f'<rect class="{c}" {where} y="{y:.1f}" height="{max(size, 1):.1f}"/>' for c, y, size in parts
    )


def latency_svg(step: Mapping[str, Any], width: float = 320, bins: int = 26) -> str:
    """Draw the seconds that an operator's calls took, with p50, p90 and p99; empty where nothing was measured."""
    values = [v for v in map(number, listing(step.get("latencies"))) if v is not None and v >= 0]
    known = mapping(step.get("latency"))
    marks = [(p, amount(known.get(p))) for p in ("p50", "p90", "p99") if number(known.get(p)) is not None]
    top = max([*values, *(at for _, at in marks), 0.0])
    if not top:
        return ""
    counts, slot = _bins(values, top, bins), width / bins
    tall = 72 / max(1, *counts)
    bars = "".join(
        f'<rect class="h-bar" x="{i * slot + 0.75:.2f}" y="{130 - n * tall:.1f}" width="{slot - 1.5:.2f}" height="{n * tall:.1f}"/>'
        for i, n in enumerate(counts)
        if n
    )
    lines = "".join(
        _mark(at / top * width, i, f"{p} {duration(at)}", width) for i, (p, at) in enumerate(marks)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="hist" role="img" viewBox="-2 0 {width + 4:g} 150" '
        f'aria-label="Seconds a call took">{bars}<path class="h-axis" d="M0,130.5H{width:g}"/>{lines}'
        f'<text class="h-label" x="0" y="146">0</text>'
        f'<text class="h-label" text-anchor="end" x="{width:g}" y="146">{duration(top)}</text></svg>'
    )
