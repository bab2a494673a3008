"""What `gen.py` writes into `docs/`: a page an operator, their index, and the page of the command line."""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from gen_code import DOMAINS, Found, by_domain

from dataflow.core.catalogue import ColumnInfo, Description, SettingInfo, describe
from dataflow.core.frames import ROW, records
from dataflow.core.operator import Operator
from dataflow.core.prompt import Prompt
from dataflow.core.written import source
from dataflow.testing.cases import Case, run_rows
from dataflow.testing.serving import ScriptedServing

ROOT = Path(__file__).resolve().parent.parent
_TEMPORARY = re.compile(re.escape(tempfile.gettempdir()) + r"/[^/']+/")
MAX_CELL, MAX_ROWS, MAX_CASES = 70, 10, 4
ROWS = {"Map": "1 → 1", "Filter": "1 → 0 or 1", "Expand": "1 → n", "Generate": "1 → 1", "Judge": "1 → 1", "Embed": "1 → 1", "Score": "1 → 1", "Source": "0 → n", "Dataset": "n → m", "Summary": "n → n"}  # fmt: skip


def pages(found: Found) -> dict[str, str]:
    """Path to text of every page."""
    files = {"docs/cli.md": cli_page(), "docs/operators/index.md": index(found["operators"])}
    for domain, classes in by_domain(found["operators"]).items():
        module = cases_of(domain)
        with workplace(getattr(module, "FILES", {})):
            for name, cls in classes.items():
                shown = [c for c in getattr(module, "CASES", ()) if type(c.op) is cls and c.shown][:MAX_CASES]
                files[f"docs/operators/{domain}/{name}.md"] = page(cls, shown)
    return files


def cases_of(domain: str) -> ModuleType | None:
    """The module with the case table of a domain, where it has one."""
    path = ROOT / "tests" / "operators" / f"{domain}_cases.py"
    if not path.exists():
        return None
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # tables are made of those of families, which lie beside them
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # kept alive with all that its cases need
    spec.loader.exec_module(module)
    return module


@contextmanager
def workplace(files: Mapping[str, str]) -> Iterator[None]:
    """A working directory in which the files lie that the cases of a domain read."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for name, text in files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, "utf-8")
        yield


def index(operators: dict[str, type]) -> str:
    lines = [
        "# Operators",
        "",
        f"{len(operators)} operators, by domain. `dataflow ops` lists them in a terminal.",
        "",
    ]
    for domain, classes in by_domain(operators).items():
        lines += [f"## {domain}", "", DOMAINS.get(domain, ""), ""]
        rows = [
            (f"[{n}]({domain}/{n}.md)", describe(c).kind, describe(c).headline) for n, c in classes.items()
        ]
        lines += [*table(("Operator", "Kind", ""), rows), ""]
    return "\n".join(lines)


def page(cls: type, cases: Sequence[Case]) -> str:
    d = describe(cls)
    parts = [
        f"# {d.name}",
        d.headline,
        facts(d, cls),
        f"```python\nfrom dataflow.operators.{d.domain} import {d.name}\n```",
    ]
    parts += [d.notes] if d.notes else []
    bound = list(columns(d))
    parts += section("Columns", table(("", "Key", "Default", "Type", ""), bound) if bound else [])
    parts += section(
        "Settings", table(("Setting", "Type", "Default", ""), map(setting, d.settings)) if d.settings else []
    )
    arguments = table(
        ("Argument", "Default", ""), ((f"`{a.name}`", f"`{a.default}`", a.doc) for a in d.run_args)
    )
    parts += section("Other arguments of run", arguments if d.run_args else [])
    parts += section("Prompt", prompt(getattr(cls, "default_prompt", None), d))
    parts += section("Examples", examples(cases))
    return "\n\n".join(parts) + "\n"


def facts(d: Description, cls: type) -> str:
    rows = ROWS.get(d.kind, "any")
    if getattr(cls, "expands", False) and d.kind != "Source":
        rows = "1 → n"
    if getattr(cls, "filters", False):
        rows = "1 → 0 or 1"
    passing = "row by row" if d.streams else "sees the whole table"
    needs = f" · needs {', '.join(d.needs)}" if d.needs else ""
    return f"*{d.kind}* · rows {rows}, {passing}{needs} · `{d.module}`"


def section(title: str, lines: Iterable[str]) -> list[str]:
    text = "\n".join(lines).strip("\n")
    return [f"## {title}", text] if text else []


def columns(d: Description) -> Iterator[tuple[str, ...]]:
    for word, listed in (("reads", d.reads), ("writes", d.writes)):
        for c in listed:
            yield (
                word,
                f"`{c.port}`",
                column_default(c),
                f"{c.type}{'' if not c.many else ', one or several'}",
                c.doc,
            )
    if d.open_inputs:
        yield "reads", "any other keyword", "", "any", "a column for the slot of that name"


def column_default(c: ColumnInfo) -> str:
    if c.default:
        return f"`{c.default}`"
    return f"that of `{c.like}`" if c.like else "optional" if c.optional else "required"


def setting(s: SettingInfo) -> tuple[str, str, str, str]:
    default = "required" if s.default is None else code(s.default)
    limits = f" ({s.constraints})" if s.constraints else ""
    return f"`{s.name}`", code(s.type), default, s.description + limits


def prompt(template: Prompt | None, d: Description) -> Iterator[str]:
    if d.prompts:
        yield f"Takes {', '.join(f'`{p}`' for p in d.prompts)}, or a `DIYPromptABC` of your own."
        yield ""
    if isinstance(template, Prompt):
        for part, text in (("System", template.system), ("User", template.template)):
            if text:
                yield from (f"{part}:", "", "````text", text, "````", "")


def examples(cases: Sequence[Case]) -> Iterator[str]:
    for case in cases:
        given = case.op if isinstance(case.op, Operator) else vars(case.op).items()
        named = getattr(case.op, "model_fields_set", None) or {
            s.name for s in describe(type(case.op)).settings
        }
        settings = ", ".join(f"{k}={clip(source(v))}" for k, v in given if k in named and "serving" not in k)
        keys = ", ".join(f"{k}={v!r}" for k, v in case.keys.items())
        yield f"`{type(case.op).__name__}({settings})`" + (f", run with `{keys}`" if keys else "") + ":"
        yield ""
        yield from outcome(case) if isinstance(case.op, Operator) else whole(case)
        yield ""


def whole(case: Case) -> Iterator[str]:
    """The table before and after a free-form operator."""
    after = records(run_rows(case.op, case.rows, **case.keys).frame)
    for word, rows in (("before", case.rows), ("after", after)):
        names = list(dict.fromkeys(k for row in rows for k in row))
        yield f"{word}:"
        yield ""
        yield from table(
            [f"`{n}`" for n in names] or [""], [[cell(r.get(n)) for n in names] for r in rows[:MAX_ROWS]]
        )
        yield ""


def outcome(case: Case) -> Iterator[str]:
    """What really becomes of the rows of a case, as a table of before and after."""
    assert isinstance(case.op, Operator)
    done = run_rows(case.op, case.rows, **case.keys)
    if done.metrics:
        yield from table(("Metric", ""), [(f"`{k}`", cell(v)) for k, v in sorted(done.metrics.items())])
        return
    binding = case.op.bind(**case.keys)
    reads = list(dict.fromkeys(c for _, c in binding.columns_read() if any(c in r for r in case.rows)))
    writes = [c for c in binding.writes.values() if c in done.frame.columns]
    results = _results(done.frame, writes)
    lost = {r: f"dropped: {why}" for r, why in zip(done.dropped["row"], done.dropped["reason"], strict=True)}
    lost |= {r: f"failed: {why}" for r, why in zip(done.failed["row"], done.failed["error"], strict=True)}
    script = (
        case.op.llm_serving.script
        if isinstance(getattr(case.op, "llm_serving", None), ScriptedServing)
        else ()
    )
    scripted = isinstance(script, tuple) and len(script) == len(case.rows)
    rows: list[tuple[str, ...]] = []
    for number, row in enumerate(case.rows or [{}] * min(len({*results, *lost}), MAX_ROWS)):
        before = [cell(row.get(c)) for c in reads] + ([cell(script[number])] if scripted else [])
        after = results.get(str(number)) or [
            [clip(lost.get(str(number), "dropped"))] + [""] * (len(writes) - 1)
        ]
        rows += [(*before, *(a or ["kept"])) for a in after]
    heads = [f"`{c}`" for c in reads] + (["the model's reply"] if scripted else [])
    yield from table((*heads, *([f"→ `{c}`" for c in writes] or ["→"])), rows[:MAX_ROWS])


def _results(frame: Any, writes: Sequence[str]) -> dict[str, list[list[str]]]:
    made: dict[str, list[list[str]]] = {}
    for identity, row in zip(frame[ROW], records(frame), strict=True):
        made.setdefault(identity.split("/")[0], []).append([cell(row[c]) for c in writes])
    return made


def cell(value: Any) -> str:
    return "null" if value is None else code(clip(repr(rounded(value))))


def rounded(value: Any) -> Any:
    """The value without the digits in which machines differ."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


def clip(text: str) -> str:
    text = _TEMPORARY.sub("", text)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    pad = " " if fence == "``" else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return lines + [
        "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in row) + " |" for row in rows
    ]


def cli_page() -> str:
    """The page of the `dataflow` command, from the command itself."""
    import typer.main

    from dataflow.cli.app import EXIT_CODES, app

    root = typer.main.get_command(app)
    lines = [
        "# The `dataflow` command",
        "",
        root.help or "",
        "",
        "Also `python -m dataflow`.",
        "",
        "## Exit status",
        "",
    ]
    lines += [*table(("", ""), [(str(n), text) for n, text in EXIT_CODES.items()]), ""]
    lines += command("dataflow", root, {})
    return "\n".join(lines).rstrip() + "\n"


def command(path: str, made: Any, seen: Mapping[str, Any]) -> Iterator[str]:
    children = {n: c for n, c in getattr(made, "commands", {}).items() if not c.hidden}
    if path != "dataflow":
        yield from (f"## `{path}`", "", made.help or "", "")
    rows = [
        (_usage(p), _default(p), (p.help or "").replace("\b", ""))
        for p in made.params
        if not getattr(p, "hidden", False) and p.name != "help"
    ]
    if rows:
        yield from (*table(("", "Default", ""), rows), "")
    for name, child in children.items():
        yield from command(f"{path} {name}", child, seen)


def _usage(p: Any) -> str:
    if p.param_type_name == "argument":
        return f"`{(p.metavar or p.name).upper()}`"
    return ", ".join(f"`{o}`" for o in (*p.opts, *p.secondary_opts))


def _default(p: Any) -> str:
    if p.required:
        return "required"
    return "" if p.default in (None, False, "", [], ()) or callable(p.default) else f"`{p.default}`"
