"""What an operator is, read off its class: columns, settings, prompts, needs, in English or Chinese."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from dataflow.core.ports import Arg, In, Out
from dataflow.core.written import (
    arguments,
    constraints,
    extras_of,
    field_docs,
    source,
    type_text,
    without_arguments,
)

LOCALES = Path(__file__).parent.parent / "locales"
"""Holds folders such as `zh` with a file for a family of operators: class name to `headline`, `notes`, and `columns` and `settings` by name."""
FUNCTIONS = (
    "SampleEvaluator",
    "DatasetEvaluator",
    "RowGenerator",
    "Evaluator",
    "Generator",
    "Filter",
    "Refiner",
)
_LABELS = {
    "en": {"reads": "Reads", "writes": "Writes", "settings": "Settings", "args": "Arguments of run", "prompts": "Prompts", "needs": "Needs", "required": "required", "optional": "optional"},
    "zh": {"reads": "读取的列", "writes": "写入的列", "settings": "参数", "args": "run 的其他参数", "prompts": "可用的提示词模板", "needs": "依赖", "required": "必填", "optional": "可选"},
}  # fmt: skip


@dataclass(frozen=True)
class ColumnInfo:
    """A column that is read or written."""

    port: str
    default: str | None
    type: str
    optional: bool
    doc: str
    many: bool = False
    """Whether `run` may name a list of columns."""
    like: str | None = None
    """The port whose column is overwritten where `run` names none."""


@dataclass(frozen=True)
class SettingInfo:
    """An argument of the constructor."""

    name: str
    type: str
    default: str | None
    """As Python source; null where it is required."""
    description: str
    constraints: str = ""

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True)
class ArgInfo:
    """An argument of `run` that is not a column."""

    name: str
    default: str
    doc: str


@dataclass(frozen=True)
class Description:
    """All that a user needs to know of an operator before running it."""

    name: str
    module: str
    domain: str
    kind: str
    function: str
    """What the name says it does: `Filter`, `RowGenerator`, `SampleEvaluator` …; empty where it says nothing."""
    headline: str
    notes: str
    reads: tuple[ColumnInfo, ...]
    writes: tuple[ColumnInfo, ...]
    settings: tuple[SettingInfo, ...]
    run_args: tuple[ArgInfo, ...]
    open_inputs: bool
    """Whether `run` takes further keywords, each a column to read."""
    prompts: tuple[str, ...]
    """The prompt classes it takes besides users' own."""
    calls_models: bool
    streams: bool
    needs: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The description as plain values that JSON can hold."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    def text(self, lang: str = "en") -> str:
        """The description as paragraphs and lists, with labels in that language."""
        label = _LABELS.get(lang, _LABELS["en"])
        parts = [self.headline, *([self.notes] if self.notes else [])]
        parts += _block(label["reads"], (_column_line(c, label) for c in self.reads))
        parts += _block(label["writes"], (_column_line(c, label) for c in self.writes))
        parts += _block(label["settings"], (_setting_line(s, label) for s in self.settings))
        parts += _block(label["args"], (f"{a.name} = {a.default}" + _tail(a.doc) for a in self.run_args))
        parts += _block(label["prompts"], self.prompts)
        parts += _block(label["needs"], self.needs)
        return "\n\n".join(parts)

    def __str__(self) -> str:
        return self.text()


def describe(cls: type, lang: str = "en") -> Description:
    """What the class says of itself; in Chinese (`zh`) where a translation is there, else in English."""
    headline, _, notes = inspect.cleandoc(vars(cls).get("__doc__") or "").partition("\n")
    settings = tuple(_settings(cls))
    calls = bool(getattr(cls, "calls_models", any(s.name.endswith("_serving") for s in settings)))
    free = _free_form(cls)
    described = Description(
        name=cls.__name__,
        module=cls.__module__,
        domain=domain_of(cls.__module__),
        kind=getattr(cls, "kind", "FreeForm"),
        function=next((f for f in FUNCTIONS if cls.__name__.endswith(f)), ""),
        headline=headline,
        notes=(notes if hasattr(cls, "model_fields") else without_arguments(notes)).strip(),
        reads=tuple(
            _reads(k, p) for k, p in {**free, **getattr(cls, "inputs", {})}.items() if isinstance(p, In)
        ),
        writes=tuple(
            _writes(k, p) for k, p in {**free, **getattr(cls, "outputs", {})}.items() if isinstance(p, Out)
        ),
        settings=settings,
        run_args=tuple(
            ArgInfo(k, source(p.default), p.doc)
            for k, p in {**free, **getattr(cls, "run_args", {})}.items()
            if isinstance(p, Arg)
        ),
        open_inputs=bool(getattr(cls, "open_inputs", False)),
        prompts=_prompts(cls, settings),
        calls_models=calls,
        streams=bool(getattr(cls, "streams", False)),
        needs=(*_servings(settings), *extras_of(cls)),
    )
    return _translated(described, _locale(lang).get(cls.__name__)) if lang != "en" else described


def get_desc(cls: type, lang: str = "zh") -> str:
    """The description as text, in the language asked for where it is there, else in English."""
    return describe(cls, lang).text(lang if cls.__name__ in _locale(lang) else "en")


def domain_of(module: str) -> str:
    """`core_text` for this package's operators and prompts; the top-level package for everybody else's."""
    parts = module.split(".")
    return parts[2] if parts[0] == "dataflow" and len(parts) > 2 else parts[0]


def _reads(key: str, port: In) -> ColumnInfo:
    return ColumnInfo(key, port.default, port.type, port.optional, port.doc, many=port.many)


def _writes(key: str, port: Out) -> ColumnInfo:
    return ColumnInfo(key, port.default, port.type, port.optional, port.doc, like=port.like)


def _settings(cls: type) -> Iterator[SettingInfo]:
    fields: Mapping[str, FieldInfo] | None = getattr(cls, "model_fields", None)
    if fields is None:
        yield from _constructor(cls)
        return
    docs = field_docs(cls)
    for name, info in fields.items():
        default = (
            None
            if info.is_required()
            else source(info.get_default(call_default_factory=True, validated_data={}))
        )
        yield SettingInfo(
            name,
            _written_type(cls, name, info),
            default,
            " ".join(docs[name].split()),
            constraints(info),
        )


def _constructor(cls: type) -> Iterator[SettingInfo]:
    """The settings of a free-form operator: the parameters of its constructor, as its docstring's `Args:` has them."""
    told = arguments(cls.__doc__ or "")
    for p in inspect.signature(cls).parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        default = None if p.default is p.empty else source(p.default)
        noted = "Any" if p.annotation is p.empty else type_text(p.annotation)
        yield SettingInfo(p.name, noted, default, told.get(p.name, ""))


def _free_form(cls: type) -> dict[str, In | Out | Arg]:
    """The ports of a free-form operator: the parameters of its `run` named `input_…` and `output_…`."""
    if hasattr(cls, "inputs"):
        return {}
    ports: dict[str, In | Out | Arg] = {}
    for p in list(inspect.signature(cls.run).parameters.values())[2:]:  # type: ignore[attr-defined]
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        default = p.default if isinstance(p.default, str) and p.default else None
        if p.name.startswith("input_"):
            ports[p.name] = In(default, type="any", optional=p.default is None or p.default == "")
        elif p.name.startswith("output_"):
            ports[p.name] = Out(default, type="any", optional=p.default is None or p.default == "")
        else:
            ports[p.name] = Arg(None if p.default is p.empty else p.default)
    return ports


def _written_type(cls: type, name: str, info: FieldInfo) -> str:
    """The type of a field as its class wrote it."""
    for base in cls.__mro__:
        noted = vars(base).get("__annotations__", {}).get(name)
        if noted is not None:
            return type_text(noted)
    return type_text(info.annotation)


def _prompts(cls: type, settings: Iterable[SettingInfo]) -> tuple[str, ...]:
    if all(s.name != "prompt_template" for s in settings):
        return ()
    return tuple(
        p.__name__
        for p in getattr(cls, "ALLOWED_PROMPTS", ())
        if p.__name__ not in ("PromptABC", "DIYPromptABC")
    )


def _servings(settings: Iterable[SettingInfo]) -> Iterator[str]:
    for setting in settings:
        if setting.name.endswith("_serving"):
            yield setting.name.removesuffix("_serving")


@cache
def _locale(lang: str) -> dict[str, Any]:
    files = sorted((LOCALES / lang).glob("*.json")) if lang.isalpha() else []
    return {name: words for file in files for name, words in json.loads(file.read_bytes()).items()}


def _translated(described: Description, words: Mapping[str, Any] | None) -> Description:
    if not words:
        return described
    columns, settings = words.get("columns", {}), words.get("settings", {})
    return replace(
        described,
        headline=words.get("headline", described.headline),
        notes=words.get("notes", described.notes),
        reads=tuple(replace(c, doc=columns.get(c.port, c.doc)) for c in described.reads),
        writes=tuple(replace(c, doc=columns.get(c.port, c.doc)) for c in described.writes),
        settings=tuple(
            replace(s, description=settings.get(s.name, s.description)) for s in described.settings
        ),
    )


def _block(title: str, lines: Iterable[str]) -> list[str]:
    listed = [f"- {line}" for line in lines]
    return ["\n".join([f"{title}:", *listed])] if listed else []


def _column_line(column: ColumnInfo, label: Mapping[str, str]) -> str:
    default = f" = {column.default!r}" if column.default else f" = {column.like}" if column.like else ""
    marks = ", ".join([column.type, *([label["optional"]] if column.optional else [])])
    return f"{column.port}{default} ({marks})" + _tail(column.doc)


def _setting_line(setting: SettingInfo, label: Mapping[str, str]) -> str:
    default = f" = {setting.default}" if setting.default is not None else f" ({label['required']})"
    limits = f" [{setting.constraints}]" if setting.constraints else ""
    return f"{setting.name}: {setting.type}{default}{limits}" + _tail(setting.description)


def _tail(doc: str) -> str:
    return f": {doc}" if doc else ""
