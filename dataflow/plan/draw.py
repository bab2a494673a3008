"""A pipeline as a picture: operator cards from top to bottom, wired by the columns that they write and read."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NARROW = frozenset("iljtfrI.,:;'|!()[] ")
_WIDE = frozenset("mwMW@%&")

PAD, LANE, CARD = 24, 15, 460
HEAD, ROW, GAP, BAND = 38, 22, 26, 26
"""Pixels: a card's head, one key, the space between cards, the strip that names a stage."""
COLORS = 6

STYLE = """
.dfg{--bg:#fff;--card:#fff;--line:#d5d9de;--ink:#1d242c;--soft:#616b76;--band:#f3f5f7;font-family:Inter,
system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.dfg text{fill:var(--ink);font-size:13px}.dfg .dfg-name{font-weight:600;font-size:14px}
.dfg .dfg-soft{fill:var(--soft);font-size:12px}
.dfg .dfg-col{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px}
.dfg .dfg-card{fill:var(--card);stroke:var(--line)}.dfg .dfg-rule{stroke:var(--line)}
.dfg .dfg-end{fill:var(--band);stroke:var(--line)}.dfg .dfg-band{fill:var(--band)}
.dfg .dfg-wire{fill:none;stroke:currentColor;stroke-width:1.75}.dfg .dfg-tip{fill:currentColor}
.dfg-c0{color:#2f6b9a}.dfg-c1{color:#a8620c}.dfg-c2{color:#4b7a3d}.dfg-c3{color:#a2477f}.dfg-c4{color:#6a5aa8}
.dfg-c5{color:#2a7d7b}
@media screen and (prefers-color-scheme:dark){.dfg{--bg:#14181d;--card:#1c2229;--line:#39434e;--ink:#e6eaee;
--soft:#98a4b0;--band:#1a2027}.dfg-c0{color:#7fb2dd}.dfg-c1{color:#dda557}.dfg-c2{color:#90bf80}
.dfg-c3{color:#dd90bd}.dfg-c4{color:#aa9ee0}.dfg-c5{color:#6cbfbc}}
"""


def escaped(value: object) -> str:
    """Any text as safe HTML and XML; what XML cannot hold (controls, lone surrogates) becomes U+FFFD."""
    return html.escape(_UNSAFE.sub("\ufffd", str(value)))


def text_width(text: str, size: float) -> float:
    """About how wide a sans-serif text is, in pixels; on the wide side, for no font is at hand."""
    return sum(map(_em, text)) * size


def _em(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if char in _NARROW:
        return 0.34
    return 0.9 if char in _WIDE else 0.7 if char.isupper() else 0.6


def clipped(text: object, width: float, size: float = 13) -> str:
    """The text on one line, cut with an ellipsis where it would be wider than `width` pixels; not escaped."""
    line = " ".join(str(text).split())[:1000]
    if text_width(line, size) <= width:
        return line
    while line and text_width(line + "…", size) > width:
        line = line[:-1]
    return line.rstrip() + "…"


def svg_text(style: str, x: float, y: float, text: str, *, end: bool = False, title: str = "") -> str:
    """One line of SVG text, from x on or up to x; `title` is what a pointer that rests on it is told."""
    anchor = ' text-anchor="end"' if end else ""
    hint = f"<title>{escaped(title)}</title>" if title and title != text else ""
    return f'<text class="{style}" x="{x:.5g}" y="{y:g}"{anchor}>{escaped(text)}{hint}</text>'


@dataclass
class _Port:
    """One line of a card: a column, under the name by which the operator knows it."""

    name: str
    column: str
    y: float = 0.0
    table: str = ""
    """The table that it is read from, where the operator reads several."""


@dataclass
class _Card:
    """An operator, or one of the two ends: the dataset and the output."""

    number: str
    title: str
    kind: str
    stage: str = ""
    inputs: list[str] | None = None
    """The tables that it reads, by number; null for that of the card before."""
    reads: list[_Port] = field(default_factory=list)
    writes: list[_Port] = field(default_factory=list)
    top: float = 0.0

    @property
    def height(self) -> float:
        ports = len(self.reads) + len(self.writes)
        return HEAD + ROW * ports + (8 if ports else 0)


@dataclass
class _Wire:
    """One value of a column: from the port that writes it to the ports that read it."""

    start: _Port
    ends: list[_Port] = field(default_factory=list)
    lane: int = 0
    color: int = 0

    @property
    def bottom(self) -> float:
        return max(end.y for end in self.ends)

    def touches(self, other: _Wire) -> bool:
        """Whether the two cannot share a lane."""
        return self.start.y <= other.bottom + 8 and other.start.y <= self.bottom + 8


def _ports(keys: object) -> list[_Port]:
    pairs = keys.items() if isinstance(keys, Mapping) else ()
    many = ((str(p), c if isinstance(c, (list, tuple)) else [c]) for p, c in pairs)
    return [_Port(p, str(c)) for p, columns in many for c in columns if c is not None]


def _card(at: int, step: Mapping[str, Any]) -> _Card:
    number, stage = step.get("step", at), step.get("stage")
    card = _Card(str(number), str(step.get("operator") or "operator"), str(step.get("kind") or ""))
    card.stage = "" if stage is None else str(stage)
    card.inputs = [str(table) for table in step["inputs"]] if "inputs" in step else None
    card.reads, card.writes = _ports(step.get("reads")), _ports(step.get("writes"))
    if card.inputs is not None and len(card.inputs) > 1:
        table_of = dict(zip(step["reads"], card.inputs, strict=True))
        for port in card.reads:
            port.table = table_of[port.name]
    return card


def _wired(cards: list[_Card]) -> tuple[list[_Card], list[_Wire]]:
    """The cards between their two ends, and the wires: each read is wired to the latest write on its way."""
    first, last = _Card("", "Dataset", "columns read"), _Card("", "Output", "columns nothing else reads")
    source, tables, wires = dict[str, _Wire](), dict[str, dict[str, _Wire]](), list[_Wire]()
    ends, before = set[str](), ""
    for card in cards:
        inputs = [before] if card.inputs is None else card.inputs
        live = {c: w for table in inputs for c, w in tables.get(table, {}).items()}
        for port in card.reads:
            way = tables.get(port.table, {}) if port.table else live
            if port.column not in way and port.column not in source:
                first.writes.append(_Port("", port.column))
                wires.append(source.setdefault(port.column, _Wire(first.writes[-1])))
            (way.get(port.column) or source[port.column]).ends.append(port)
        for port in card.writes:
            wires.append(live.setdefault(port.column, _Wire(port)))
            if wires[-1].start is not port:
                wires[-1] = live[port.column] = _Wire(port)
        before, tables[card.number] = card.number, live
        ends = (ends - set(inputs)) | {before}
    for wire in [w for table in tables if table in ends for w in tables[table].values() if not w.ends]:
        last.reads.append(_Port("", wire.start.column))
        wire.ends.append(last.reads[-1])
    framed = [*([first] if first.writes else []), *cards, *([last] if last.reads else [])]
    return framed, [w for w in wires if w.ends]


def _place(cards: list[_Card]) -> tuple[float, list[tuple[str, float, float]]]:
    """Sets every card and port below the last; gives the height, and each stage's name, top and bottom."""
    y, bands = float(PAD), list[tuple[str, float, float]]()
    stage = ""
    for card in cards:
        if card.stage and card.stage != stage:
            bands.append((card.stage, y, y))
            y += BAND
        stage, card.top = card.stage, y
        for i, port in enumerate([*card.reads, *card.writes]):
            port.y = y + HEAD + ROW * i + ROW / 2
        y += card.height
        if stage:
            bands[-1] = (*bands[-1][:2], y + 12)
        y += GAP
    return y - GAP + PAD, bands


def _lanes(wires: list[_Wire]) -> int:
    """Gives each wire the innermost free lane, short wires first; the number of lanes in use."""
    lanes: list[list[_Wire]] = []
    for i, wire in enumerate(wires):
        wire.color = i % COLORS
    for wire in sorted(wires, key=lambda w: w.bottom - w.start.y):
        free = (i for i, lane in enumerate(lanes) if not any(map(wire.touches, lane)))
        wire.lane = next(free, len(lanes))
        if wire.lane == len(lanes):
            lanes.append([])
        lanes[wire.lane].append(wire)
    return len(lanes)


def _wire_svg(wire: _Wire, left: float) -> str:
    x, y = left - 22 - wire.lane * LANE, wire.start.y
    paths = "".join(
        f'<path class="dfg-wire" d="M{left:g},{y:g}H{x + 7:g}Q{x:g},{y:g} {x:g},{y + 7:g}V{end.y - 7:g}'
        f'Q{x:g},{end.y:g} {x + 7:g},{end.y:g}H{left - 5:g}"/>'
        f'<path class="dfg-tip" d="M{left - 8:g},{end.y - 4:g}L{left:g},{end.y:g}L{left - 8:g},{end.y + 4:g}Z"/>'
        for end in wire.ends
    )
    dot = f'<circle class="dfg-tip" cx="{left:g}" cy="{y:g}" r="3.5"/>'
    return f'<g class="dfg-c{wire.color}"><title>{escaped(wire.start.column)}</title>{paths}{dot}</g>'


def _port_svg(port: _Port, left: float) -> str:
    name = clipped(port.name, 150, 12)
    column = clipped(port.column, CARD - 50 - text_width(name, 12), 12.5)
    return svg_text("dfg-col", left + 14, port.y + 4, column, title=port.column) + svg_text(
        "dfg-soft", left + CARD - 14, port.y + 4, name, end=True
    )


def _card_svg(card: _Card, left: float) -> str:
    frame = "dfg-card" if card.number else "dfg-end"
    title = f"{card.number} {card.title}" if card.number else card.title
    kind = clipped(card.kind, 170, 12)
    room = CARD - 50 - text_width(kind, 12)
    parts = [
        f'<rect class="{frame}" x="{left:g}" y="{card.top:g}" width="{CARD}" height="{card.height:g}" rx="7"/>',
        svg_text("dfg-name", left + 14, card.top + 24, clipped(title, room, 14), title=title),
        svg_text("dfg-soft", left + CARD - 14, card.top + 24, kind, end=True),
        *(_port_svg(port, left) for port in [*card.reads, *card.writes]),
    ]
    if card.reads and card.writes:
        y = card.top + HEAD + ROW * len(card.reads)
        parts.append(f'<path class="dfg-rule" d="M{left + 14:g},{y:g}H{left + CARD - 14:g}"/>')
    return "".join(parts)


def _band_svg(band: tuple[str, float, float], width: float) -> str:
    name, top, bottom = band
    label = name if name.lower().startswith("stage") else f"stage {name}"
    return (
        f'<rect class="dfg-band" x="6" y="{top:g}" width="{width - 12:g}" height="{bottom - top:g}" rx="9"/>'
    ) + svg_text("dfg-soft", width - PAD, top + 18, clipped(label, 300), end=True)


def _svg(width: float, height: float, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dfg" role="img" aria-label="The pipeline as a graph" '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"><style>{STYLE}</style>'
        f"{''.join(parts)}</svg>"
    )


def graph_svg(steps: Sequence[Mapping[str, Any]]) -> str:
    """Draw a pipeline as one SVG: an operator a card, its keys as lines, columns as wires between them.

    A step holds `step`, `operator`, `kind`, `stage`, and `reads` and `writes` from port to column (or list of
    columns); any may be missing. A column that is read before it is written comes from the dataset; one
    that nobody reads after it was written goes to the output.
    """
    cards, wires = _wired([_card(i, step) for i, step in enumerate(steps, 1)])
    height, bands = _place(cards)
    left = PAD + 22 + LANE * _lanes(wires)
    width = left + CARD + PAD
    return _svg(
        width,
        max(height, 2 * PAD),
        [
            *(_band_svg(band, width) for band in bands),
            *(_card_svg(card, left) for card in cards),
            *(_wire_svg(wire, left) for wire in sorted(wires, key=lambda w: -w.lane)),
        ],
    )


def graph_html(steps: Sequence[Mapping[str, Any]], title: str = "Pipeline") -> str:
    """Put the graph of a pipeline on an HTML page of its own, which needs no other file."""
    operators = f"{len(steps)} operator{'' if len(steps) == 1 else 's'}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escaped(title)}</title><style>body{{margin:2rem auto;width:fit-content;max-width:100%;box-sizing:border-box;'
        "padding:0 1rem;font:15px/1.5 Inter,system-ui,sans-serif;background:#fff;color:#1d242c}h1{font-size:1.6rem;"
        "margin:0;letter-spacing:-.02em}p{margin:.2rem 0 1rem;color:#616b76}main{overflow-x:auto}svg{display:block;"
        "max-width:100%;height:auto}@media screen and (prefers-color-scheme:dark){body{background:#14181d;"
        "color:#e6eaee}p{color:#98a4b0}}</style></head><body>"
        f"<h1>{escaped(title)}</h1><p>{operators}</p><main>{graph_svg(steps)}</main></body></html>\n"
    )
