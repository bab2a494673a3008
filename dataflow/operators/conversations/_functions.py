"""Functions as a model describes them: checked, looked up by name, and what they say of a call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from dataflow.core.errors import ReplyError, RowError, did_you_mean
from dataflow.core.frames import loads
from dataflow.prompts.conversations import FunctionSpec, SubTaskFunctions

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_SHOWN_CHARS = 160

Spec = dict[str, Any]


def checked(plan: Any) -> list[dict[str, Any]]:
    """A list of sub-tasks with their functions, as it must be.

    Raises:
        ReplyError: it is of another shape, a schema is no valid JSON schema, or two functions have one name.
    """
    if isinstance(plan, Mapping):
        plan = next((v for v in plan.values() if isinstance(v, list)), plan)
    if not isinstance(plan, list) or not plan:
        raise ReplyError("no list of sub-tasks with their functions")
    tasks = [_task(item) for item in plan]
    seen: set[str] = set()
    for spec in (f for task in tasks for f in task["func_list"]):
        if fault := fault_of(spec):
            raise ReplyError(f"function {spec['name']!r}: {fault}")
        if spec["name"] in seen:
            raise ReplyError(f"two functions are named {spec['name']!r}")
        seen.add(spec["name"])
    if not seen:
        raise ReplyError("no sub-task has a function")
    return tasks


def _task(item: Any) -> dict[str, Any]:
    try:
        return {
            "sub_task": (task := SubTaskFunctions.model_validate(item)).sub_task,
            "func_list": [_dump(f) for f in task.func_list],
        }
    except ValidationError as error:
        fault = error.errors()[0]
        raise ReplyError(f"{'/'.join(map(str, fault['loc'])) or 'sub-task'}: {fault['msg']}") from error


def _dump(spec: FunctionSpec) -> Spec:
    """A specification with all its fields, and the schemas in it as they were written."""
    given = spec.model_dump(exclude_unset=True)
    return {name: given.get(name, default) for name, default in _FIELDS.items()}


_FIELDS: Spec = {"name": "", "description": "", "parameters": {}, "required": [], "responses": {}}


def fault_of(spec: Spec) -> str | None:
    """Why a function cannot be called by its specification, if it cannot."""
    if not _NAME.fullmatch(spec["name"]):
        return "the name is not made of up to 64 letters, digits, _ and -"
    if absent := [r for r in spec["required"] if r not in spec["parameters"]]:
        return f"required has {absent[0]!r}, which is no parameter"
    for part in ("parameters", "responses"):
        if fault := _schema_fault({"type": "object", "properties": spec[part]}):
            return f"{part}: {fault}"
    return None


def _schema_fault(schema: Spec) -> str | None:
    import jsonschema  # takes a while to load

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        where = "/".join(str(p) for p in list(error.absolute_path)[1:])
        return f"{where}: {error.message[:_SHOWN_CHARS]}"
    return next(_unusable(schema), None)


def _unusable(schema: Any) -> Iterator[str]:
    """What a valid schema may hold and yet nothing can be checked by: references, expressions that do not compile."""
    if isinstance(schema, list):
        for item in schema:
            yield from _unusable(item)
    if not isinstance(schema, Mapping):
        return
    for key, value in schema.items():
        if key in ("$ref", "$dynamicRef"):
            yield f"{key} refers to what is not there"
        elif key == "pattern" and isinstance(value, str):
            try:
                re.compile(value)
            except re.error as error:
                yield f"pattern {value!r}: {error}"
        else:
            yield from _unusable(value)


def functions_of(cell: Any) -> dict[str, Spec]:
    """The functions of a cell by name: sub-tasks with their functions, or JSON text of them.

    Raises:
        RowError: they are not such as `FunctionGenerator` writes.
    """
    try:
        tasks = checked(loads(cell) if isinstance(cell, str) else cell)
    except ValueError as error:
        raise RowError(f"functions: {error}") from error
    return {spec["name"]: spec for task in tasks for spec in task["func_list"]}


def schema_of(spec: Spec) -> dict[str, Any]:
    """The JSON schema of a call's arguments: no other than the parameters, and all that are required."""
    return {
        "type": "object",
        "properties": spec["parameters"],
        "required": spec["required"],
        "additionalProperties": False,
    }


def call_fault(call: Any, specs: Mapping[str, Spec]) -> str | None:
    """What is wrong with a call by the specification of its function, if anything."""
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
        return 'a call is an object with "name" and "arguments"'
    name, arguments = call["name"], call.get("arguments")
    if name not in specs:
        return f"there is no function {name!r}; there are {', '.join(specs)}.{did_you_mean(name, specs)}"
    if not isinstance(arguments, Mapping):
        return f"{name}: arguments is no object"
    import jsonschema  # takes a while to load

    fault = next(jsonschema.Draft202012Validator(schema_of(specs[name])).iter_errors(arguments), None)
    if fault is None:
        return None
    where = "/".join(map(str, fault.absolute_path))
    return f"{name}: {where + ': ' if where else ''}{fault.message[:_SHOWN_CHARS]}"
