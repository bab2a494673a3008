"""Operators of open-dataflow 1.x: all are here, with their settings, in their order, and the keys of `run`.

A table `<name>_operators.json` has a row an operator: its domain, `settings` and `keys`, each a list of names or an object of
names and defaults. The default `"(required)"` stands for one that must be given, `"(any)"` for one of our own words. A
model must always be given, so that of a serving may be null there. Where lists name them, an object `defaults` may hold some
defaults of both; `differs` has those that are others here on purpose.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.registry import OPERATOR_REGISTRY

REQUIRED, ANY = "(required)", "(any)"
FILES = sorted(Path(__file__).parent.glob("*_operators.json"))
TABLE: dict[str, dict[str, Any]] = {
    name: row for file in FILES for name, row in json.loads(file.read_text("utf-8")).items()
}
DOCUMENTED = (Path(__file__).parents[2] / "docs/compatibility.md").read_text("utf-8")
COUNTS = {"general_text": 62, "reasoning": 19, "code": 19, "text2sql": 12}
"""How many operators of a domain the tables have."""


@pytest.mark.parametrize("name", TABLE)
def test_it_is_in_its_domain(name: str) -> None:
    domain = TABLE[name]["domain"]
    cls = OPERATOR_REGISTRY.get(name)
    assert cls.__module__.startswith(f"dataflow.operators.{domain}.")


@pytest.mark.parametrize("name", TABLE)
def test_settings_may_be_given_by_name_and_by_position(name: str) -> None:
    have, wanted = list(_settings(OPERATOR_REGISTRY.get(name))), list(TABLE[name]["settings"])
    assert have[: len(wanted)] == wanted


@pytest.mark.parametrize("name", TABLE)
def test_run_has_its_keys(name: str) -> None:
    assert set(TABLE[name]["keys"]) <= set(_keys(OPERATOR_REGISTRY.get(name)))


@pytest.mark.parametrize("name", TABLE)
def test_settings_have_their_defaults(name: str) -> None:
    have, wanted = _settings(OPERATOR_REGISTRY.get(name)), _told(TABLE[name]["settings"])
    same = {
        s: d
        for s, d in wanted.items()
        if d != ANY and not (s.endswith("_serving") and have.get(s) == REQUIRED)
    }
    assert {s: have.get(s) for s in same} == same


@pytest.mark.parametrize("name", TABLE)
def test_keys_have_their_defaults(name: str) -> None:
    have, wanted = _keys(OPERATOR_REGISTRY.get(name)), _told(TABLE[name]["keys"])
    assert {k: have.get(k) for k in wanted} == wanted


@pytest.mark.parametrize("name", TABLE)
def test_keys_come_in_their_order(name: str) -> None:
    """Scripts give them by position too."""
    wanted = list(_told(TABLE[name]["keys"]))
    assert list(_keys(OPERATOR_REGISTRY.get(name)))[: len(wanted)] == wanted


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if "defaults" in row])
def test_other_defaults_are_documented(name: str) -> None:
    """But for labels of filters, which are written where they are named, and models, which must be given."""
    cls, differs = OPERATOR_REGISTRY.get(name), TABLE[name].get("differs", {})
    have = _settings(cls) | _keys(cls)
    for key, old in TABLE[name]["defaults"].items():
        label = key == "output_key" and have[key] is None and str(old).endswith(("_label", "_filter"))
        serving = key == "llm_serving" and old is None and have[key] == REQUIRED
        if not (label or serving):
            assert have[key] == differs.get(key, old), f"{name}: {key}"
    assert not differs or f"`{name}`" in DOCUMENTED


def test_no_domain_has_fewer() -> None:
    wanted = Counter(row["domain"] for row in TABLE.values())
    assert {domain: wanted[domain] for domain in COUNTS} == COUNTS
    modules = [OPERATOR_REGISTRY.get(name).__module__ for name in OPERATOR_REGISTRY.keys()]  # noqa: SIM118
    have = Counter(
        m.split(".")[2] for m in modules if m.startswith("dataflow.operators.")
    )  # not those of tests
    assert [d for d, n in wanted.items() if have[d] < n] == []


def _told(table: Any) -> dict[str, Any]:
    """The defaults that a table tells: none where it is a list of names."""
    return table if isinstance(table, dict) else {}


def _settings(cls: type[OperatorABC]) -> dict[str, Any]:
    """The settings by position, with their defaults."""
    if not issubclass(cls, Operator):
        return _defaults(list(inspect.signature(cls).parameters.values()))
    leading = list(cls.leading)
    order = leading + [f for f in cls.model_fields if f not in leading]
    fields = {f: cls.model_fields[f] for f in order}
    return {
        name: REQUIRED if field.is_required() else _plain(field.get_default(call_default_factory=True))
        for name, field in fields.items()
    }


def _keys(cls: type[OperatorABC]) -> dict[str, Any]:
    """The keys of `run`, with their defaults."""
    defaults = _defaults(list(inspect.signature(cls.run).parameters.values())[2:])
    if not issubclass(cls, Operator):
        return defaults
    needed = [k for k, p in cls.outputs.items() if not (p.default or p.like or p.optional)]
    return {name: REQUIRED if name in needed else default for name, default in defaults.items()}


def _defaults(parameters: list[inspect.Parameter]) -> dict[str, Any]:
    return {p.name: REQUIRED if p.default is p.empty else _plain(p.default) for p in parameters}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    return [_plain(v) for v in value] if isinstance(value, (tuple, list)) else value
