"""Reading a class as it was written: values and types as source, limits, arguments, the extras its code asks for."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_BOUNDS = {
    "ge": "≥",
    "gt": ">",
    "le": "≤",
    "lt": "<",
    "min_length": "length ≥",
    "max_length": "length ≤",
    "multiple_of": "multiple of",
}
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_ARGS = re.compile(r"^Args:\n((?: {4}.*\n?|\n)+)", re.MULTILINE)
_ARGUMENT = re.compile(r"^ {4}(\w+): ((?:.*\n?)(?: {8}.*\n?)*)", re.MULTILINE)


def source(value: Any) -> str:
    """A value as Python source, the same in every process."""
    if inspect.isroutine(value) or inspect.isclass(value):
        return str(value.__qualname__)
    return _ADDRESS.sub("", repr(value))


def type_text(annotation: Any) -> str:
    """An annotation as short source: no module names, no `Annotated` or `Optional`."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])", "", text.strip("'\""))
    if match := re.fullmatch(r"Annotated\[(.*?),.*\]", text, re.DOTALL):
        text = match.group(1)
    if match := re.fullmatch(r"Optional\[(.*)\]", text):
        text = f"{match.group(1)} | None"
    if match := re.fullmatch(r"Union\[([^\[\]]*)\]", text):
        text = match.group(1).replace(", ", " | ").replace("NoneType", "None")
    return " ".join(text.split())


def constraints(info: FieldInfo) -> str:
    found = []
    for limit in info.metadata:
        found += [
            f"{sign} {getattr(limit, name)}"
            for name, sign in _BOUNDS.items()
            if getattr(limit, name, None) is not None
        ]
        if pattern := getattr(limit, "pattern", None):
            found.append(f"matches {pattern}")
    return ", ".join(found)


def field_docs(cls: type[BaseModel]) -> dict[str, str]:
    """What each field of a class is for: its `Field(description=…)`, or the string that stands under it, here or in a base."""
    told: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        told |= _own_docs(base) if issubclass(base, BaseModel) else {}
    return {name: f.description or told.get(name, "") for name, f in cls.model_fields.items()}


@cache
def _own_docs(cls: type) -> Mapping[str, str]:
    """The strings under the fields in the body of a class; none where its source is not to be had."""
    try:
        (body,) = ast.parse(dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError):
        return {}
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, under in pairwise(body.body):
        match field, under:
            case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(doc))):
                found[name] = inspect.cleandoc(doc)
    return found


def arguments(doc: str) -> dict[str, str]:
    """What the `Args:` of a docstring say of each argument."""
    found = _ARGS.search(inspect.cleandoc(doc))
    return {name: " ".join(told.split()) for name, told in _ARGUMENT.findall(found.group(1) if found else "")}


def without_arguments(doc: str) -> str:
    """The docstring without its `Args:`."""
    return _ARGS.sub("", doc)


def extras_of(cls: type) -> list[str]:
    """The optional extras that the class may ask for: its own `extras`, and those of the `MissingDependency` that
    its code, or the functions of its module which that code names, can raise.
    """
    try:
        module = ast.parse(inspect.getsource(sys.modules[cls.__module__]))
    except (OSError, TypeError, SyntaxError, KeyError):
        return sorted(getattr(cls, "extras", ()))
    defined = {
        n.name: n for n in module.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    found, waiting, seen = set(getattr(cls, "extras", ())), [cls.__name__], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in defined:
            continue
        seen.add(name)
        for node in ast.walk(defined[name]):
            if isinstance(node, ast.Name):
                waiting.append(node.id)
            elif (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "MissingDependency"
                and len(node.args) > 1
            ):
                found.add(str(ast.literal_eval(node.args[1])))
    return sorted(found)
