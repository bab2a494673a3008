"""The report's account of each operator: one line of bars in the table of costs, and a section of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dataflow.plan.draw import escaped
from dataflow.runtime.report_charts import measures_svg
from dataflow.runtime.report_clusters import clusters_html, is_clusters
from dataflow.runtime.report_samples import clip, samples_html
from dataflow.runtime.report_values import (
    amount,
    as_text,
    count,
    decimal,
    dollars,
    duration,
    listing,
    losses,
    mapping,
    name_of,
    number,
    percent,
    tokens,
)
from dataflow.runtime.tallies import tallies, tallies_html

LONG = 90
"""Characters above which a setting is folded."""
MAX_REASONS = 12

Step = Mapping[str, Any]
Parts = list[tuple[str, float]]


def bar(parts: Parts, whole: float) -> str:
    """A bar of stacked parts (style, size), each as long as its share of the whole."""
    shown = [(style, 100 * size / whole) for style, size in parts if size > 0] if whole > 0 else []
    inner = "".join(f'<i class="b-{style}" style="width:{size:.2f}%"></i>' for style, size in shown)
    return f'<span class="bar" aria-hidden="true">{inner}</span>'


def _time(step: Step) -> Parts:
    return [("time", amount(step.get("seconds")))]


def _calls(step: Step) -> Parts:
    failed = amount(step.get("failed_calls"))
    asked = max(0.0, amount(step.get("calls")) - failed)
    return [("asked", asked), ("cached", amount(step.get("cached"))), ("fail", failed)]


def _tokens(step: Step) -> Parts:
    return [("prompt", amount(step.get("prompt_tokens"))), ("reply", amount(step.get("completion_tokens")))]


def _cost(step: Step) -> Parts:
    return [("cost", amount(step.get("cost")))]


COLUMNS: dict[str, tuple[Callable[[Step], Parts], Callable[[object], str]]] = {
    "time": (_time, duration),
    "model calls": (_calls, count),
    "tokens": (_tokens, tokens),
    "cost": (_cost, dollars),
}
LEGEND = {
    "asked": ("asked", "model calls sent"),
    "cached": ("cached", "from the journal"),
    "fail": ("bad", "failed"),
    "prompt": ("prompt", "prompt tokens"),
    "reply": ("reply", "reply tokens"),
}


def costs_html(steps: Sequence[Step]) -> str:
    """A table of bars, an operator a line: its time, calls, tokens and cost, each column on its own scale."""
    columns = {title: how for title, how in COLUMNS.items() if any(_size(how[0](s)) for s in steps)}
    if not columns:
        return ""
    cells = [_column([parts(s) for s in steps], write) for parts, write in columns.values()]
    lines = zip(steps, zip(*cells, strict=True), strict=True)
    rows = "".join(f"<tr>{_who(at, step)}{''.join(line)}</tr>" for at, (step, line) in enumerate(lines, 1))
    head = "".join(f'<th scope="col">{title}</th>' for title in columns)
    seen = {style for parts, _ in columns.values() for s in steps for style, size in parts(s) if size}
    keys = " ".join(
        f'<span class="k-{k}">{name}</span>' for style, (k, name) in LEGEND.items() if style in seen
    )
    return (
        f'<p class="key">{keys}</p><div class="scroll"><table class="lens c{len(columns)}"><thead><tr>'
        f'<th scope="col">operator</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _size(parts: Parts) -> float:
    return sum(size for _, size in parts)


def _column(column: Sequence[Parts], write: Callable[[object], str]) -> list[str]:
    most = max(map(_size, column), default=0.0)
    return [
        f"<td>{bar(p, most)}<span>{write(_size(p))}</span></td>" if _size(p) else "<td></td>" for p in column
    ]


def _who(at: int, step: Step) -> str:
    reused = ' <span class="pill p-plain">reused</span>' if step.get("reused") else ""
    number_ = f'<span class="n">{escaped(step.get("step", at))}</span>'
    return f'<th scope="row"><a href="#step-{at}" title="{escaped(name_of(step))}">{number_}{escaped(name_of(step))}</a>{reused}</th>'


def operator_html(step: Step, at: int) -> str:
    """What one operator is, what it was set to, and what it did."""
    kind = f'<span class="kind">{escaped(step["kind"])}</span>' if step.get("kind") else ""
    reused = '<span class="pill p-plain">reused</span>' if step.get("reused") else ""
    headline = f'<p class="headline">{escaped(step["headline"])}</p>' if step.get("headline") else ""
    left = "".join([_keys(step), _settings(step), _calls_made(step)])
    right = "".join([_losses(step), _measures(step), _errors(step), _metrics(step)])
    body = "".join(f"<div>{part}</div>" for part in (left, right) if part)
    return (
        f'<article id="step-{at}"><h3><span class="n">{escaped(step.get("step", at))}</span>{escaped(name_of(step))} '
        f'{kind} {reused}<span class="went">{_went(step)}</span></h3>{headline}'
        f'<div class="halves">{body}</div>{clusters_html(step)}{samples_html(step)}</article>'
    )


def _went(step: Step) -> str:
    if number(step.get("rows_in")) is None and number(step.get("rows_out")) is None:
        return "not reached"
    time = f" · {duration(step.get('seconds'))}" if number(step.get("seconds")) is not None else ""
    return f"{count(step.get('rows_in'))} → {count(step.get('rows_out'))} rows{time}"


def _keys(step: Step) -> str:
    ports = [(p, c, "reads") for p, c in mapping(step.get("reads")).items()]
    ports += [(p, c, "writes") for p, c in mapping(step.get("writes")).items()]
    lines = "".join(
        f"<dt>{verb}</dt><dd><code>{escaped(', '.join(map(str, c)) if isinstance(c, (list, tuple)) else c)}</code> "
        f"<small>{escaped(port)}</small></dd>"
        for port, c, verb in ports
        if c is not None
    )
    return f'<h4>Columns</h4><dl class="pairs">{lines}</dl>' if lines else ""


def _settings(step: Step) -> str:
    lines = "".join(
        f"<dt>{escaped(k)}</dt><dd>{_setting(v)}</dd>" for k, v in mapping(step.get("settings")).items()
    )
    return f'<h4>Settings</h4><dl class="pairs">{lines}</dl>' if lines else ""


def _setting(value: object) -> str:
    text = as_text(value)
    if len(text) <= LONG and "\n" not in text:
        return f"<code>{clip(value)}</code>"
    first = " ".join(text[:200].split())[:60]
    return f"<details><summary>{escaped(first)} …</summary><pre>{clip(value, 6000)}</pre></details>"


def _calls_made(step: Step) -> str:
    sent, cached = amount(step.get("calls")), amount(step.get("cached"))
    if not sent + cached:
        return ""
    latency = mapping(step.get("latency"))
    facts = {
        "model": escaped(", ".join(map(str, listing(step.get("models"))))),
        "sent": count(sent),
        "from the journal": count(cached) if cached else "",
        "retried": count(step.get("retried")) if amount(step.get("retried")) else "",
        "asked again": count(step.get("repairs")) if amount(step.get("repairs")) else "",
        "failed": count(step.get("failed_calls")) if amount(step.get("failed_calls")) else "",
        "tokens": " + ".join(f"{tokens(size)} {name}" for name, size in _tokens(step) if size),
        "cost": dollars(step.get("cost")) if amount(step.get("cost")) else "",
        "took": ", ".join(f"{p} {duration(s)}" for p, s in latency.items() if number(s) is not None),
    }
    lines = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items() if value)
    return f'<h4>Model calls</h4><dl class="pairs">{lines}</dl>'


def _losses(step: Step) -> str:
    """One bar of all rows that came in, and a line a reason."""
    found = losses(step)
    if not found:
        return ""
    lost = sum(rows for _, rows, _ in found)
    whole = max(amount(step.get("rows_in")), lost)
    split = [("kept", whole - lost), *((kind, rows) for _, rows, kind in found)]
    most = max(rows for _, rows, _ in found)
    lines = "".join(
        f'<tr><th scope="row">{clip(label, 160)}</th><td>{bar([(kind, rows)], most)}</td>'
        f"<td>{count(rows)}</td><td>{percent(rows, whole)}</td></tr>"
        for label, rows, kind in found[:MAX_REASONS]
    )
    more = (
        f"<p><small>and {len(found) - MAX_REASONS} rarer reasons</small></p>"
        if len(found) > MAX_REASONS
        else ""
    )
    return f'<h4>Rows lost</h4><div class="whole">{bar(split, whole)}</div><table class="reasons">{lines}</table>{more}'


def _measures(step: Step) -> str:
    drawn = measures_svg(step)
    name = escaped(step.get("measured") or "Measure").capitalize()
    keys = '<p class="key"><span class="k-kept">kept</span> <span class="k-drop">dropped</span></p>'
    return f"<h4>{name}</h4>{keys}{drawn}" if drawn else ""


def _errors(step: Step) -> str:
    found = [e for e in map(mapping, listing(step.get("errors"))) if e]
    lines = "".join(
        f"<li><b>{count(e.get('count'))}</b><span>{clip(e.get('error') or '', 400)}</span></li>"
        for e in found
    )
    return f'<h4>Errors</h4><ul class="errors">{lines}</ul>' if lines else ""


def _metrics(step: Step) -> str:
    metrics = {k: v for k, v in mapping(step.get("metrics")).items() if not is_clusters(v)}
    drawn = tallies_html(metrics)
    found = _flat({k: v for k, v in metrics.items() if k not in tallies(metrics)})
    plain = "".join(
        f"<div><dt>{escaped(k)}</dt><dd>{decimal(v)}</dd></div>" for k, v in found if _is_number(v)
    )
    other = "".join(f"<dt>{escaped(k)}</dt><dd>{_setting(v)}</dd>" for k, v in found if not _is_number(v))
    parts = [
        f'<dl class="metrics">{plain}</dl>' if plain else "",
        f'<dl class="pairs">{other}</dl>' if other else "",
    ]
    return (f"<h4>Metrics</h4>{''.join(parts)}" if found else "") + drawn


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested metrics as one list, under names joined by dots."""
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        nested = (
            _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
        )
        found += nested
    return found
