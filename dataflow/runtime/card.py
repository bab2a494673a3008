"""The card of a data set: how a run made it, what is in it, and what to beware of, as Markdown for a hub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from dataflow.core.frames import clean, dumps, records, type_name
from dataflow.core.registry import PIPELINE_REGISTRY
from dataflow.plan.reasons import masked
from dataflow.runtime.front_matter import features, front_matter, size_category
from dataflow.runtime.report_values import count, dollars, percent, tokens
from dataflow.runtime.runs import Run
from dataflow.runtime.tallies import tallies_markdown
from dataflow.serving.models import MODELS
from dataflow.storage.source import FileSource

EXAMPLES = 2
_CELL_CHARS, _VALUE_CHARS, _PROMPT_CHARS = 120, 300, 2000
_REASONS = 5


def card(
    run: Run,
    *,
    title: str | None = None,
    licence: str | None = None,
    languages: Sequence[str] = (),
    tags: Sequence[str] = (),
    pipeline: str | None = None,
) -> str:
    """A Markdown page with the head that the Hugging Face hub reads, from what a run left.

    Prompts and example rows are shown as they are; keys, passwords and folders are not.

    Args:
        title: the name of the data set; that of the pipeline where left out.
        licence: as the hub names it, like `apache-2.0`.
        languages: two-letter codes.
        tags: besides `dataflow`, and `synthetic` where a model was asked.
        pipeline: what to give to `dataflow run` to make the table again.

    Raises:
        StorageError: the table is no longer there.
    """
    told: Mapping[str, Any] = masked(run.summary)
    table = _Table(run)
    head = _head(told, table, licence, languages, tags, title or str(told["pipeline"]))
    sections = {
        "How it was made": _provenance(told),
        "What became of the rows": _funnel(told),
        "Models and prompts": _models(told),
        "What is in it": tallies_markdown(told),
        "Columns": _columns(told, table.schema),
        "Examples": _examples(table.first),
        "Known limitations": _limits(told, licence),
        "Making it again": _again(told, pipeline),
    }
    body = [f"## {name}\n\n{text}" for name, text in sections.items() if text]
    return "\n\n".join([head, f"# {_inline(title or told['pipeline'])}", _lead(told), *body]) + "\n"


class _Table:
    """The final table: its columns, its number of rows and its first rows, without reading the rest."""

    def __init__(self, run: Run) -> None:
        files = [] if run.path is None else [run.path, run.run_dir.parent / run.path.name]
        file = next((f for f in files if f.exists()), None)
        self.name = "" if file is None else file.name
        if file is None:
            self.schema, self.height, self.first = (
                run.table.schema,
                run.table.height,
                run.table.head(EXAMPLES),
            )
        else:
            source = FileSource(file)
            self.schema, self.height = source.schema, source.height
            self.first = next(source.batches(EXAMPLES), pl.DataFrame(schema=source.schema)).head(EXAMPLES)


def _head(
    told: Mapping[str, Any],
    table: _Table,
    licence: str | None,
    languages: Sequence[str],
    tags: Sequence[str],
    title: str,
) -> str:
    synthetic = ["synthetic"] if any(_models_of(s) for s in told["steps"]) else []
    split = {"name": "train", "num_examples": table.height}
    known = features(table.schema)
    info = {**({"features": known} if known else {}), "splits": [split]}
    files = [{"split": "train", "path": table.name}]
    return front_matter({
        "pretty_name": title, "license": licence, "language": list(languages),
        "size_categories": [size_category(table.height)],
        "tags": list(dict.fromkeys(["dataflow", *synthetic, *tags])),
        "configs": [{"config_name": "default", "data_files": files}] if table.name else [],
        "dataset_info": info,
    })  # fmt: skip


def _lead(told: Mapping[str, Any]) -> str:
    steps = len(told["steps"])
    by = f"{steps} step{'s' * (steps != 1)} of the pipeline `{told['pipeline']}`"
    return f"{_rows(told['output']['rows'])}, made from {count(told['source']['rows'])} by {by}."


def _provenance(told: Mapping[str, Any]) -> str:
    source = told["source"]
    name = _place(source["name"])
    facts = {
        "pipeline": f"`{told['pipeline']}`",
        "source": f"{_inline(name)}, {_rows(source['rows'])}" if name else "none: the rows were made",
        "fingerprint of the source": f"`{source['fingerprint']}`" if source.get("fingerprint") else "",
        "lines that could not be read": count(source["bad_lines"]) if source["bad_lines"] else "",
        "made": told["finished"][:10],
        "versions": ", ".join(f"{k} {v}" for k, v in told["versions"].items()),
    }
    return "\n".join(f"* {k}: {v}" for k, v in facts.items() if v)


def _rows(number: int) -> str:
    return f"{count(number)} row{'s' * (number != 1)}"


def _place(name: str) -> str:
    """An address as it is; of a path on somebody's machine only its last part."""
    return name if re.match(r"[a-z]\w+:", name) else Path(name).name


def _funnel(told: Mapping[str, Any]) -> str:
    rows = [
        (s["step"], s["operator"], count(s["rows_in"]), _reasons(s["dropped"]), count(s["failed"]), count(s["rows_out"]))
        for s in told["steps"]
    ]  # fmt: skip
    return _grid(("Step", "Operator", "Rows in", "Dropped", "Failed", "Rows out"), rows)


def _reasons(dropped: Mapping[str, int]) -> str:
    if not dropped:
        return "0"
    reasons = sorted(dropped.items(), key=lambda r: -r[1])
    shown = [f"{reason} {count(n)}" for reason, n in reasons[:_REASONS]]
    if rest := sum(n for _, n in reasons[_REASONS:]):
        shown.append(f"other reasons {count(rest)}")
    return f"{count(sum(dropped.values()))}: {', '.join(shown)}"


def _models(told: Mapping[str, Any]) -> str:
    """Models with their licences, what they took, and what they were asked."""
    users: dict[str, list[str]] = {}
    for step in told["steps"]:
        for model in _models_of(step):
            users.setdefault(model, []).append(f"{step['step']} {step['operator']}")
    if not users:
        return ""
    rows = [
        (m, ", ".join(by), MODELS[m].licence if m in MODELS else "see its maker's terms")
        for m, by in users.items()
    ]
    return "\n\n".join([_grid(("Model", "Steps", "Licence"), rows), _took(told), *_prompts(told)])


def _models_of(step: Mapping[str, Any]) -> list[str]:
    """The models a step asked; where all its replies were kept already, those of its servings."""
    servings = (v for v in step["settings"].values() if isinstance(v, Mapping))
    named = (v.get("model") or v.get("name") for v in servings if "serving" in v)
    return [str(m) for m in step["models"] or dict.fromkeys(named) if m]


def _took(told: Mapping[str, Any]) -> str:
    kept = told["journal"]
    used = kept["prompt_tokens"] + kept["completion_tokens"]
    cost = f", {dollars(kept['cost'])} at list price" if kept["cost"] else ""
    return (
        f"{count(kept['calls'])} replies, {tokens(used)} tokens{cost}, previews and earlier tries included."
    )


def _prompts(told: Mapping[str, Any]) -> Iterator[str]:
    for step in told["steps"]:
        parts = list(_prompts_of(step["settings"]))
        if parts:
            texts = "\n\n".join(f"{_inline(name)}:\n\n{_fenced(text)}" for name, text in parts)
            yield f"<details><summary>Step {step['step']} {step['operator']}</summary>\n\n{texts}\n\n</details>"


def _prompts_of(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if name == "default_prompt" and settings.get("prompt_template"):
            continue
        if isinstance(value, Mapping) and "prompt" in value:
            parts = ((p, value["state"].get(p)) for p in ("system", "template"))
            yield from ((f"{name}, {p}", str(text)) for p, text in parts if text)
        elif isinstance(value, str) and value.strip() and "prompt" in name:
            yield name, value


def _columns(told: Mapping[str, Any], schema: pl.Schema) -> str:
    writers = dict.fromkeys(told["source"]["columns"], "the source")
    for step in told["steps"]:
        writers |= dict.fromkeys(step["writes"].values(), f"step {step['step']} {step['operator']}")
    rows = [(name, type_name(dtype), writers.get(name, "")) for name, dtype in schema.items()]
    return _grid(("Column", "Type", "Written by"), rows)


def _examples(first: pl.DataFrame) -> str:
    return "\n\n".join(_fenced(_example(row), "json") for row in records(first))


def _example(row: Mapping[str, Any]) -> str:
    lines = (f"  {dumps(name)}: {_value(value)}" for name, value in row.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _value(value: Any) -> str:
    """A cell as JSON; a long one cut, as text."""
    text: str = clean(value) if isinstance(value, str) else dumps(value)
    if len(text) <= _VALUE_CHARS:
        return dumps(value)
    return dumps(f"{text[:_VALUE_CHARS]}…")


def _limits(told: Mapping[str, Any], licence: str | None) -> str:
    rows, source = told["source"]["rows"], told["source"]
    notes = []
    if told["limit"] is not None:
        notes.append(f"A preview: only the first {count(told['limit'])} rows of the source were taken.")
    if told["status"] != "done":
        notes.append(f"The run is {told['status']}: the table is not complete.")
    for step in told["steps"]:
        notes += list(_losses(step))
    if source["bad_lines"]:
        whole = rows + source["bad_lines"]
        share = percent(source["bad_lines"], whole)
        notes.append(f"{count(source['bad_lines'])} lines of the source ({share}) could not be read.")
    if any(_models_of(s) for s in told["steps"]):
        notes.append(
            "Columns that steps with a model wrote hold what the model said; nobody has checked each row."
        )
    if not licence:
        notes.append("No licence was given; the licences of source and models may bind the use of the data.")
    return "\n".join(f"* {n}" for n in notes)


def _losses(step: Mapping[str, Any]) -> Iterator[str]:
    where = f"Step {step['step']} {step['operator']}"
    lost = sum(step["dropped"].values())
    if lost:
        main = max(step["dropped"], key=lambda r: step["dropped"][r])
        yield f"{where} dropped {percent(lost, step['rows_in'])} of its rows, most for: {_inline(main)}."
    if step["failed"]:
        first = f", most with: {_inline(step['errors'][0]['error'])}" if step["errors"] else ""
        yield f"{where} failed on {_rows(step['failed'])} ({percent(step['failed'], step['rows_in'])}){first}."


def _again(told: Mapping[str, Any], pipeline: str | None) -> str:
    name = told["pipeline"]
    target = pipeline or (name if name in PIPELINE_REGISTRY else f"FILE.py:{name}")
    source = _place(told["source"]["name"])
    named = f" --source {_quoted(source)}" if source else ""
    version = told["versions"]["dataflow"]
    return _fenced(f'pip install "dataflow-llm=={version}"\ndataflow run {_quoted(target)}{named}', "bash")


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w./:@%+=-]+", word) else "'" + word.replace("'", "'\\''") + "'"


def _grid(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [heads, ["---"] * len(heads), *([_inline(c) for c in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _inline(value: Any) -> str:
    """A value inside a line of Markdown: no line breaks, no markup of its own, not long."""
    text = " ".join(str(clean(str(value))).split())
    text = text if len(text) <= _CELL_CHARS else f"{text[: _CELL_CHARS - 1]}…"
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)


def _fenced(text: str, language: str = "text") -> str:
    """A block of text as it is, in a fence longer than any in it."""
    shown = text if len(text) <= _PROMPT_CHARS or language != "text" else f"{text[:_PROMPT_CHARS]}…"
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{clean(shown)}\n{fence}"
