"""`dataflow ops`, `op` and `prompts`: what there is, without importing what is only listed."""

from __future__ import annotations

from typing import Annotated

import typer

from dataflow.cli.show import Json, UsageError, emit, table
from dataflow.core.errors import did_you_mean
from dataflow.core.registry import OPERATOR_REGISTRY, PROMPT_REGISTRY, Entry


def ops(
    words: Annotated[
        list[str] | None, typer.Argument(help="Only those whose name, domain or headline holds these.")
    ] = None,
    domain: Annotated[str, typer.Option("--domain", "-d", help="Only this domain.")] = "",
    kind: Annotated[
        str, typer.Option("--kind", "-k", help="Only this kind: Map, Filter, Generate, Judge, Dataset …")
    ] = "",
    needs: Annotated[
        str, typer.Option(help="Only those that need this: llm, embedding, an extra; `none` for none.")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the operators, also those of other packages."""
    known = OPERATOR_REGISTRY.entries()
    _check("domain", domain, {e.domain for e in known})
    _check("kind", kind, {e.kind for e in known})
    found = [
        e
        for e in _matching(known, words)
        if (not domain or e.domain == domain) and (not kind or e.kind == kind)
    ]
    if needs:
        found = [e for e in found if (not e.needs if needs == "none" else needs in e.needs)]
    if as_json:
        emit([_plain(e) for e in found])
        return
    rows = ((e.name, e.domain, e.kind, " ".join(e.needs), e.headline or f"(of {e.package})") for e in found)
    table(("Operator", "Domain", "Kind", "Needs", ""), rows)
    typer.echo(
        f"{len(found)} of {len(OPERATOR_REGISTRY)} operators. `dataflow op NAME` describes one.", err=True
    )


def op(
    name: Annotated[str, typer.Argument(help="The operator's class name.")],
    lang: Annotated[str, typer.Option(help="en, or zh where it is translated.")] = "en",
    as_json: Json = False,
) -> None:
    """Describe an operator: columns, settings, needs."""
    from dataflow.core.catalogue import describe, get_desc

    cls = OPERATOR_REGISTRY.get(name)
    described = describe(cls, lang)
    if as_json:
        emit(described.to_dict())
        return
    package = (
        f"dataflow.operators.{described.domain}" if cls.__module__.startswith("dataflow.") else cls.__module__
    )
    streams = "row by row" if described.streams else "sees the whole table"
    typer.echo(
        f"{name}  ({described.kind}, {streams})\n\nfrom {package} import {name}\n\n{get_desc(cls, lang)}"
    )


def prompts(
    name: Annotated[str, typer.Argument(help="Print the text of this prompt.")] = "",
    domain: Annotated[str, typer.Option("--domain", "-d", help="Only this domain.")] = "",
    as_json: Json = False,
) -> None:
    """List the prompt templates, or print one."""
    if name:
        _print_prompt(name, as_json)
        return
    known = PROMPT_REGISTRY.entries()
    _check("domain", domain, {e.domain for e in known})
    found = [e for e in known if not domain or e.domain == domain]
    if as_json:
        emit([_plain(e) for e in found])
        return
    table(
        ("Prompt", "Domain", "Slots", ""), ((e.name, e.domain, " ".join(e.reads), e.headline) for e in found)
    )


def _print_prompt(name: str, as_json: bool) -> None:
    cls = PROMPT_REGISTRY.get(name)
    parts = {part: getattr(cls, part, None) or "" for part in ("system", "template")}
    if as_json:
        emit(_plain(PROMPT_REGISTRY.entry(name)) | parts)
        return
    head = f"{name}  (from {cls.__module__} import {name})"
    typer.echo("\n\n".join([head, *(f"{part}:\n{text}" for part, text in parts.items() if text)]))


def _matching(entries: list[Entry], words: list[str] | None) -> list[Entry]:
    wanted = [w.lower() for w in words or ()]
    return [e for e in entries if all(w in f"{e.name} {e.domain} {e.headline}".lower() for w in wanted)]


def _check(what: str, given: str, known: set[str]) -> None:
    if given and given not in known:
        raise UsageError(
            f"no {what} {given!r}; there are {', '.join(sorted(known))}.{did_you_mean(given, known)}"
        )


def _plain(entry: Entry) -> dict[str, object]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(entry).items()}
