"""What `gen.py` writes into the package: name tables, lazy `__init__.py` files and their stubs."""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from dataflow.core.catalogue import describe, domain_of
from dataflow.core.errors import DefinitionError
from dataflow.core.operator import OperatorABC
from dataflow.core.prompt import DIYPromptABC, Prompt, PromptABC
from dataflow.core.registry import ROOMS
from dataflow.core.written import source, type_text

ROOT = Path(__file__).resolve().parent.parent
Found = dict[str, dict[str, type]]
"""Registry name to class name to class, in the order of the tables."""
DOMAINS = {
    "core_text": "Operators of every domain: prompts to a model, and the user's own functions.",
    "general_text": "Rules, statistics and deduplication for any text.",
    "text_pt": "Pre-training corpora: quality, selection, phrasing.",
    "text_sft": "Instruction data: synthesis, scoring, selection.",
    "reasoning": "Questions and answers that take reasoning: synthesis, checks, filters.",
    "code": "Source code and code instructions: filters, synthesis, checks by running.",
    "text2sql": "Questions and SQL over real databases.",
    "agentic_rag": "Questions that need retrieval and several steps.",
    "knowledge_cleaning": "Documents to clean text, chunks and questions.",
    "conversations": "Dialogues and function calls of several turns.",
    "chemistry": "Molecules and reactions in text.",
    "pdf2vqa": "Textbooks in PDF to questions with pictures.",
    "core_vision": "Pictures put to a model.",
    "core_speech": "Speech put to a model.",
}
_MAX_DEFAULT = 60


def discover() -> Found:
    """Every public class that a registry lists."""
    return {
        "operators": operators(),
        "prompts": _classes("dataflow.prompts", lambda c: issubclass(c, PromptABC)),
        "servings": _exported("dataflow.serving", "Serving"),
        "storages": _exported("dataflow.storage", "Storage"),
        "pipelines": _classes("dataflow.zoo", lambda c: hasattr(c, "forward")),
    }


def operators() -> dict[str, type]:
    """Every public operator."""
    return _classes("dataflow.operators", lambda c: issubclass(c, OperatorABC))


def by_domain(operators: dict[str, type]) -> dict[str, dict[str, type]]:
    domains: dict[str, dict[str, type]] = {}
    for name, cls in operators.items():
        domains.setdefault(domain_of(cls.__module__), {})[name] = cls
    return domains


def tables(found: Found) -> dict[str, str]:
    """The `_table.json` of each registry that lists anything."""
    entries: dict[str, Callable[[type], dict[str, Any]]] = {
        "operators": _operator_entry,
        "prompts": _prompt_entry,
    }
    files = {}
    for name, classes in ((n, c) for n, c in found.items() if c):
        make = entries.get(name, lambda cls: {"headline": _headline(cls)})
        rows = {n: {"module": _home(n, c, f"dataflow.{ROOMS[name]}")} | make(c) for n, c in classes.items()}
        files[f"dataflow/{ROOMS[name]}/_table.json"] = _json_lines(rows)
    return files


def _json_lines(rows: dict[str, Any]) -> str:
    """A JSON object, one line a key, so that a change of one is a change of one line."""
    lines = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in rows.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def packages(found: Found) -> dict[str, str]:
    """The lazy `__init__.py` of each domain, and its stub."""
    files = {}
    for domain, classes in by_domain(found["operators"]).items():
        folder = f"dataflow/operators/{domain}"
        files[f"{folder}/__init__.py"] = _lazy_package(domain, classes)
        files[f"{folder}/__init__.pyi"] = _stub(domain, classes)
    return files


def _modules(package: str) -> Iterator[ModuleType]:
    folder = ROOT.joinpath(*package.split("."))
    for child in sorted(pkgutil.iter_modules([str(folder)]), key=lambda m: m.name):
        if not child.name.startswith("_") and not child.ispkg:
            yield import_module(f"{package}.{child.name}")
    # a new domain has no __init__.py yet, so its folder is not a package to pkgutil
    for sub in sorted(p for p in folder.glob("*/") if p.is_dir() and not p.name.startswith(("_", "."))):
        yield from _modules(f"{package}.{sub.name}")


def _classes(package: str, wanted: Callable[[type], bool]) -> dict[str, type]:
    """The public classes defined in the modules of a package, by domain and name."""
    found: dict[str, type] = {}
    for module in _modules(package):
        for name, cls in vars(module).items():
            if (
                inspect.isclass(cls)
                and cls.__module__ == module.__name__
                and not name.startswith("_")
                and wanted(cls)
            ):
                if name in found:
                    raise DefinitionError(
                        f"two classes are named {name}: {found[name].__module__} and {cls.__module__}"
                    )
                found[name] = cls
    return dict(sorted(found.items(), key=lambda nc: (domain_of(nc[1].__module__), nc[0])))


def _exported(package: str, suffix: str) -> dict[str, type]:
    module = import_module(package)
    named = {n: getattr(module, n) for n in getattr(module, "__all__", ()) if suffix in n}
    return {
        n: c for n, c in sorted(named.items()) if inspect.isclass(c) and not getattr(c, "_is_protocol", False)
    }


def _home(name: str, cls: type, package: str) -> str:
    return cls.__module__ if getattr(sys.modules[cls.__module__], name, None) is cls else package


def _operator_entry(cls: type) -> dict[str, Any]:
    d = describe(cls)
    return {
        "kind": d.kind,
        "domain": d.domain,
        "headline": d.headline,
        "reads": [c.port for c in d.reads],
        "writes": [c.port for c in d.writes],
        "needs": list(d.needs),
    }


def _prompt_entry(cls: type) -> dict[str, Any]:
    return {
        "kind": "Prompt",
        "domain": domain_of(cls.__module__),
        "headline": _headline(cls),
        "reads": list(_slots(cls)),
    }


def _slots(cls: type) -> tuple[str, ...]:
    try:
        made = cls()
    except TypeError:
        return ()
    return made.slots if isinstance(made, Prompt) else ()


def _headline(cls: type) -> str:
    return inspect.cleandoc(cls.__doc__ or "").partition("\n")[0]


def _lazy_package(domain: str, classes: dict[str, type]) -> str:
    start = len(f"dataflow.operators.{domain}.")
    where = {name: cls.__module__[start:] for name, cls in classes.items()}
    head = DOMAINS.get(domain, f"The {domain} operators.")
    return formatted(
        f'"""{head}"""\n\n# Generated by `make gen` from the classes in this folder; do not edit.\n\n'
        f"from dataflow.core.lazy import lazy\n\n__getattr__, __dir__, __all__ = lazy(__name__, {where!r},)\n",
        "__init__.py",
    )


def _stub(domain: str, classes: dict[str, type]) -> str:
    """Each class with the constructor and the `run` that its fields and ports give it."""
    imports: set[str] = {"from dataflow.core.protocols import Storage"}
    body = []
    for name, cls in classes.items():
        package, _, module = cls.__module__.rpartition(".")
        imports.add(f"from {package} import {module} as _{module}")
        init = _parameters(_init_parameters(cls), imports, cls)
        run = _parameters(_run_parameters(cls), imports, cls)
        body.append(
            f"class {name}(_{module}.{name}):\n    def __init__(self{init}) -> None: ...\n"
            f"    def run(self, storage: Storage{run}) -> {_returned(cls)}: ...\n"
        )
    head = "# Generated by `make gen` from the classes in this folder; do not edit.\n\n"
    return formatted(
        head + "\n".join(sorted(imports)) + f"\n\n__all__ = {list(classes)!r}\n\n" + "\n".join(body),
        "__init__.pyi",
    )


def _init_parameters(cls: type) -> Iterator[tuple[str, str, str | None]]:
    settings = describe(cls).settings
    optional = False
    for s in settings:
        if optional and s.required:
            yield (
                "*",
                "",
                None,
            )  # settings after this one are given by name: a required one follows an optional one
            optional = False
        optional = optional or not s.required
        yield s.name, s.type, s.default


def _run_parameters(cls: type) -> Iterator[tuple[str, str, str | None]]:
    for p in list(inspect.signature(cls.run).parameters.values())[2:]:  # type: ignore[attr-defined]
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        noted = "Any" if p.annotation is p.empty else type_text(p.annotation)
        needed = p.default is p.empty
        yield (
            star + p.name,
            noted.removesuffix(" | None") if needed else noted,
            None if needed else source(p.default),
        )


def _parameters(given: Iterator[tuple[str, str, str | None]], imports: set[str], cls: type) -> str:
    parts = []
    for name, noted, default in given:
        noted = _imported(noted, imports, cls)
        shown = "" if default is None else f" = {default if _is_literal(default) else '...'}"
        parts.append(f", {name}" + (f": {noted}{shown}" if noted else ""))
    return "".join(parts)


def _imported(noted: str, imports: set[str], cls: type) -> str:
    """The annotation, with the imports it needs added; `Any` where its names cannot be told."""
    if not noted:
        return noted
    try:
        names = {n.id for n in ast.walk(ast.parse(noted, mode="eval")) if isinstance(n, ast.Name)}
    except SyntaxError:
        names = {"?"}
    lines = {name: _import_of(name, cls) for name in names if not hasattr(builtins, name)}
    if None in lines.values():
        imports.add("from typing import Any")
        return "Any"
    imports.update(filter(None, lines.values()))
    return noted


def _import_of(name: str, cls: type) -> str | None:
    """The line that imports what a class's annotations call `name`."""
    if name == "Any":
        return "from typing import Any"
    for base in cls.__mro__[:-1]:
        imported = _imports(base.__module__)
        if name in imported or hasattr(sys.modules[base.__module__], name):
            return imported.get(name, f"from {base.__module__} import {name}")
    prompts = (*getattr(cls, "ALLOWED_PROMPTS", ()), DIYPromptABC)
    return next((f"from {p.__module__} import {name}" for p in prompts if p.__name__ == name), None)


@cache
def _imports(module: str) -> dict[str, str]:
    """Each name that a module imports, under `TYPE_CHECKING` too, with the line that does."""
    lines = {}
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        for alias in node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ():
            renamed = f" as {alias.asname}" if alias.asname else ""
            start = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
            lines[alias.asname or alias.name] = f"{start}import {alias.name}{renamed}"
    return lines


def _is_literal(default: str) -> bool:
    try:
        ast.literal_eval(default)
    except (ValueError, SyntaxError):
        return False
    return len(default) <= _MAX_DEFAULT


def _returned(cls: type) -> str:
    if not hasattr(cls, "outputs"):
        return type_text(inspect.signature(cls.run).return_annotation)  # type: ignore[attr-defined]
    writes = describe(cls).writes
    return "str" if len(writes) == 1 and not writes[0].optional else "str | list[str]"


def formatted(text: str, name: str) -> str:
    """The source as the formatter would have it."""
    for command in (["check", "--select", "I", "--fix", "-q"], ["format", "-q"]):
        argv = [sys.executable, "-m", "ruff", *command, "--stdin-filename", name, "-"]
        text = subprocess.run(
            argv, input=text, capture_output=True, text=True, check=True, cwd=ROOT, encoding="utf-8"
        ).stdout
    return text
