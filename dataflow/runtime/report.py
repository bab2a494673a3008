"""The report of a run: one HTML page, in pictures first, that needs no other file and runs no script."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from itertools import count as count_up
from pathlib import Path
from typing import Any

from dataflow.plan.draw import escaped, graph_svg
from dataflow.runtime.files import write_atomically
from dataflow.runtime.report_charts import flow_svg, latency_svg
from dataflow.runtime.report_operators import costs_html, operator_html
from dataflow.runtime.report_samples import clip
from dataflow.runtime.report_values import (
    amount,
    count,
    decimal,
    dollars,
    duration,
    ends_of,
    finite,
    listing,
    losses,
    mapping,
    name_of,
    number,
    percent,
    steps_of,
    tokens,
)

STATUS = {"done": "kept", "failed": "fail", "stopped": "drop", "running": "run"}


def render(run: Mapping[str, Any]) -> str:
    """Tell what a run did, from its record (`run.json`); a field may be missing, and its part is left out."""
    run = mapping(finite(run))
    sections = [
        ("rows", "Where the rows went", _flow(run)),
        ("costs", "What each operator took", costs_html(steps_of(run))),
        ("latency", "How long a model call took", _latencies(run)),
        ("columns", "How the columns flow", _wiring(run)),
        ("operators", "Operator by operator", "".join(map(operator_html, steps_of(run), count_up(1)))),
        ("unreadable lines", "Lines that could not be read", _bad_lines(run)),
        ("next", "What to do next", _next(run)),
    ]
    shown = [(key, title, body) for key, title, body in sections if body]
    links = "".join(f'<a href="#{key.replace(" ", "-")}">{key.capitalize()}</a>' for key, _, _ in shown)
    body = "".join(
        f'<section id="{key.replace(" ", "-")}"><h2>{title}</h2>{body}</section>'
        for key, title, body in shown
    )
    return _page(run, f"{_header(run)}{_tiles(run)}<nav>{links}</nav>{body}")


def write_report(run: Mapping[str, Any], path: str | Path) -> Path:
    """Write the page, whole or not at all; a page that is there is replaced."""
    write_atomically(Path(path), render(run).encode())
    return Path(path)


def _page(run: Mapping[str, Any], body: str) -> str:
    """The document around the body; its policy forbids scripts and anything from elsewhere."""
    style = files("dataflow.runtime").joinpath("report.css").read_text("utf-8")
    title = f"{run.get('pipeline') or 'Run'} · {run.get('status') or 'report'}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escaped(title)}</title><style>{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _header(run: Mapping[str, Any]) -> str:
    status = str(run.get("status") or "unknown")
    message = (
        f'<p class="message m-{STATUS.get(status, "plain")}">{clip(run["message"])}</p>'
        if run.get("message")
        else ""
    )
    versions = [f"{k} {v}" for k, v in mapping(run.get("versions")).items()]
    limit = number(run.get("limit"))
    preview = f' <span class="pill p-plain">preview of {_rows(limit)}</span>' if limit is not None else ""
    facts = [_moment(run, "started"), _moment(run, "finished"), *versions]
    return (
        f'<header><p class="eyebrow">DataFlow run</p><h1>{escaped(run.get("pipeline") or "Run")} '
        f'<span class="pill p-{STATUS.get(status, "plain")}">{escaped(status)}</span>{preview}</h1>'
        f'<p class="lead">{_story(run)}</p>{message}'
        f'<p class="facts">{" ".join(f"<span>{escaped(f)}</span>" for f in facts if f)}</p></header>'
    )


def _moment(run: Mapping[str, Any], key: str) -> str:
    moment = str(run.get(key) or "")
    return (
        f"{key} {moment[:19].replace('T', ' ')}{' UTC' if moment.endswith(('+00:00', 'Z')) else moment[19:]}"
        if moment
        else ""
    )


def _total(run: Mapping[str, Any], key: str) -> float:
    """A count over all operators: the run's own total, or their sum where it gives none."""
    known = number(mapping(run.get("totals")).get(key))
    if known is not None:
        return known
    if key == "dropped":
        return sum(rows for step in steps_of(run) for _, rows, kind in losses(step) if kind == "drop")
    return sum(amount(step.get(key)) for step in steps_of(run))


def _story(run: Mapping[str, Any]) -> str:
    """One sentence that says what happened."""
    (first, last), steps = ends_of(run), steps_of(run)
    given = mapping(run.get("source")).get("name")
    name = escaped(given or "the dataset")
    by = f"{len(steps)} operator{'' if len(steps) == 1 else 's'}"
    text = f"{by} on {name}" if first is None else f"{_rows(first)} of {name} went through {by}"
    if given == "" and not first:
        text = f"{by} made rows, with no table to read"
    text += f"; {_rows(last)} came out" if last is not None else "; no output yet"
    gone = [f"{count(n)} {verb}" for verb in ("dropped", "failed") if (n := _total(run, verb))]
    return f"{text}. {' and '.join(gone).capitalize()}." if gone else f"{text}."


def _rows(rows: float) -> str:
    return f"{count(rows)} row{'' if rows == 1 else 's'}"


def _tiles(run: Mapping[str, Any]) -> str:
    (first, last), calls, cached = ends_of(run), _total(run, "calls"), _total(run, "cached")
    prompt, reply = _total(run, "prompt_tokens"), _total(run, "completion_tokens")
    kept = _part(run, last) if last is not None else ""
    tiles = [
        ("rows", f"{count(first)} <span>→</span> {count(last)}", kept),
        ("time", duration(run.get("seconds")), _rate(run)),
    ]
    if calls or cached:
        journal = f"{count(cached)} from the journal" if cached else "none from the journal"
        tiles.append(("model calls", count(calls + cached), journal))
    if prompt or reply:
        tiles.append(
            (
                "tokens",
                tokens(prompt + reply),
                f'<span class="nb">{tokens(prompt)} in,</span> <span class="nb">{tokens(reply)} out</span>',
            )
        )
    if number(mapping(run.get("totals")).get("cost")) is not None or _total(run, "cost"):
        tiles.append(("cost", dollars(_total(run, "cost")), _each(run)))
    held = mapping(run.get("journal"))
    if amount(held.get("calls")):
        paid = dollars(amount(held.get("cost")))
        tiles.append(("journal", count(amount(held.get("calls"))), f"replies kept, {paid} paid in all"))
    tiles += [(verb, count(n), _part(run, n)) for verb in ("dropped", "failed") if (n := _total(run, verb))]
    cells = (
        f"<div><dt>{name}</dt><dd>{value}</dd><dd><small>{note}</small></dd></div>"
        for name, value, note in tiles
    )
    return f'<dl class="tiles">{"".join(cells)}</dl>'


def _part(run: Mapping[str, Any], rows: float) -> str:
    """The share of the source's rows; nothing where operators made or merged rows, for then it is no share."""
    first, last = ends_of(run)
    if not first or last is None or first - _total(run, "dropped") - _total(run, "failed") != last:
        return ""
    return percent(rows, first) + " of the rows"


def _rate(run: Mapping[str, Any]) -> str:
    first, seconds = ends_of(run)[0], amount(run.get("seconds"))
    return f"{decimal(round(first / seconds, 1))} rows a second" if first and seconds else ""


def _each(run: Mapping[str, Any]) -> str:
    rows, cost = ends_of(run)[1], _total(run, "cost")
    return f"{dollars(1000 * cost / rows)} a thousand rows out" if rows and cost else ""


def _flow(run: Mapping[str, Any]) -> str:
    if not steps_of(run) and not run.get("source"):
        return ""
    key = '<span class="k-kept">rows</span> <span class="k-drop">dropped</span> <span class="k-fail">failed</span>'
    return f'<p class="key">{key}</p><div class="scroll">{flow_svg(run)}</div>'


def _latencies(run: Mapping[str, Any]) -> str:
    """A histogram for each operator that called a model."""
    drawn = ((at, step, latency_svg(step)) for at, step in enumerate(steps_of(run), 1))
    figures = (
        f'<figure><figcaption><a href="#step-{at}"><span class="n">{escaped(step.get("step", at))}</span>'
        f"{escaped(name_of(step))}</a><small>{escaped(', '.join(map(str, listing(step.get('models')))))}</small></figcaption>"
        f"{svg}</figure>"
        for at, step, svg in drawn
        if svg
    )
    body = "".join(figures)
    return f'<div class="figures">{body}</div>' if body else ""


def _wiring(run: Mapping[str, Any]) -> str:
    """The pipeline's graph, folded; its picture of rows comes first."""
    steps = steps_of(run)
    if not any(mapping(s.get("reads")) or mapping(s.get("writes")) for s in steps):
        return ""
    summary = f"The graph of {len(steps)} operator{'' if len(steps) == 1 else 's'}"
    return f'<details><summary>{summary}</summary><div class="scroll">{graph_svg(steps)}</div></details>'


def _bad_lines(run: Mapping[str, Any]) -> str:
    source = mapping(run.get("source"))
    samples = [s for s in map(mapping, listing(source.get("bad_line_samples"))) if s]
    if not samples and not amount(source.get("bad_lines")):
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escaped(s.get("file") or "")}<small>line {count(s.get("line"))}</small></th>'
        f"<td>{clip(s.get('reason') or '', 200)}</td><td><code>{clip(s.get('text') or '', 200)}</code></td></tr>"
        for s in samples
    )
    total = max(amount(source.get("bad_lines")), len(samples))
    head = (
        '<thead><tr><th scope="col">where</th><th scope="col">why</th><th scope="col">text</th></tr></thead>'
    )
    table = f'<table class="cells lines">{head}<tbody>{rows}</tbody></table>' if rows else ""
    shown = f"; {len(samples)} of them below" if len(samples) < total and samples else ""
    return f"<p>{count(total)} set aside{shown}. The others were read.</p>{table}"


def _next(run: Mapping[str, Any]) -> str:
    """What a person may want to do now: command lines, and where things lie."""
    folder, output = str(run.get("run_dir") or ""), mapping(run.get("output"))
    tips: list[tuple[str, str]] = []
    if run.get("status") in ("stopped", "failed"):
        tips.append(
            ("dataflow run FILE", "goes on where this run ended; no reply that came is paid for again.")
        )
    if _total(run, "failed"):
        tips.append(("dataflow retry FILE", f"tries the {count(_total(run, 'failed'))} failed rows again."))
    if folder:
        tips.append(
            (f"dataflow trace {folder} {_row(run)}", "tells what became of one row, operator by operator.")
        )
    if output.get("path"):
        tips.append((str(output["path"]), f"holds the output: {_output(output)}."))
    if folder and run.get("status") == "done":
        tips += [
            (f"{folder}/{v}.parquet", f"holds the rows {v}, and why.")
            for v in ("dropped", "failed")
            if _total(run, v)
        ]
    items = "".join(f"<dt><code>{escaped(what)}</code></dt><dd>{escaped(why)}</dd>" for what, why in tips)
    return f'<dl class="next">{items}</dl>' if items else ""


def _row(run: Mapping[str, Any]) -> str:
    """A row worth tracing: one that was lost, else any that is known, else the word."""
    samples = [
        s
        for step in steps_of(run)
        for s in map(mapping, listing(step.get("samples")))
        if s.get("row") is not None
    ]
    lost = [s for s in samples if s.get("fate") not in (None, "kept")]
    return str((lost or samples)[0]["row"]) if samples else "ROW"


def _output(output: Mapping[str, Any]) -> str:
    columns = list(mapping(output.get("columns")))
    rows = _rows(amount(output.get("rows")))
    more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
    return f"{rows}; {', '.join(columns[:12])}{more}" if columns else rows
