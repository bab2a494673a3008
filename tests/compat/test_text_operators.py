"""Operators of open-dataflow 1.x for text: all are here, with their settings, in their order, and the keys of `run`."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dataflow.core.operator import Operator
from dataflow.core.registry import OPERATOR_REGISTRY

TABLE: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("text_operators.json").read_text("utf-8")
)

DOCUMENTED = (Path(__file__).parents[2] / "docs/compatibility.md").read_text("utf-8")


@pytest.mark.parametrize("name", TABLE)
def test_it_is_in_its_domain(name: str) -> None:
    domain = TABLE[name]["domain"]
    cls = OPERATOR_REGISTRY.get(name)
    assert cls.__module__.startswith(f"dataflow.operators.{domain}.")


@pytest.mark.parametrize("name", TABLE)
def test_settings_may_be_given_by_name_and_by_position(name: str) -> None:
    cls = OPERATOR_REGISTRY.get(name)
    wanted = TABLE[name]["settings"]
    fields = list(cls.model_fields) if issubclass(cls, Operator) else list(inspect.signature(cls).parameters)
    leading = list(getattr(cls, "leading", ()))
    order = leading + [f for f in fields if f not in leading]
    assert order[: len(wanted)] == wanted


@pytest.mark.parametrize("name", TABLE)
def test_run_has_its_keys(name: str) -> None:
    keys = list(inspect.signature(OPERATOR_REGISTRY.get(name).run).parameters)[2:]
    assert set(TABLE[name]["keys"]) <= set(keys)


@pytest.mark.parametrize("name", TABLE)
def test_defaults_are_those_of_1x_or_a_difference_that_is_documented(name: str) -> None:
    here = _defaults(OPERATOR_REGISTRY.get(name))
    differs = TABLE[name].get("differs", {})
    if differs:
        assert name in DOCUMENTED
    for key, old in TABLE[name]["defaults"].items():
        assert key in here
        label = key == "output_key" and here[key] is None and str(old).endswith(("_label", "_filter"))
        serving = key == "llm_serving" and old is None
        if not (label or serving):
            assert here[key] == differs.get(key, old), f"{name}: {key}"


def _defaults(cls: type) -> dict[str, Any]:
    """Of settings and keys; tuples as lists, and what must be given as `inspect.Parameter.empty`."""
    given = list(inspect.signature(cls).parameters.values())
    given += list(inspect.signature(cls.run).parameters.values())[2:]  # type: ignore[attr-defined]
    found = {p.name: p.default for p in given}
    if issubclass(cls, Operator):
        fields = {n: f for n, f in cls.model_fields.items() if not f.is_required()}
        found |= {n: f.get_default(call_default_factory=True) for n, f in fields.items()}
    return {n: list(v) if isinstance(v, tuple) else v for n, v in found.items()}


def test_no_domain_has_fewer() -> None:
    wanted = Counter(row["domain"] for row in TABLE.values())
    assert wanted["general_text"] == 62
    modules = [OPERATOR_REGISTRY.get(name).__module__ for name in OPERATOR_REGISTRY.keys()]  # noqa: SIM118
    have = Counter(
        m.split(".")[2] for m in modules if m.startswith("dataflow.operators.")
    )  # not those of tests
    assert [d for d, n in wanted.items() if have[d] < n] == []
