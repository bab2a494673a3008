"""From what the command line names to a pipeline object."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from dataflow.cli.show import UsageError
from dataflow.core.errors import ConfigError, UnknownName, did_you_mean
from dataflow.core.registry import PIPELINE_REGISTRY


def pipeline(target: str, source: str = "", settings: list[str] | None = None) -> Any:
    """The pipeline of `FILE[:Class]`, `module:Class` or a registered name, made and set as the options say."""
    cls = pipeline_class(target)
    given = dict(_setting(s) for s in settings or ())
    made = _make(cls, given)
    for path, value in given.items():
        _set(made, path, value)
    if source:
        _first_storage(made).first_entry_file_name = source
    return made


def pipeline_class(target: str) -> type:
    """The class that the target names; without `:Class`, the one pipeline that the file defines."""
    file, _, name = target.rpartition(":") if _names_class(target) else (target, "", "")
    path = Path(file)
    if path.is_file():
        return _the_pipeline(_from_file(path), file, name)
    if path.suffix == ".py" or "/" in file or "\\" in file:
        raise UsageError(f"there is no file {file}")
    if name:
        return _the_pipeline(_from_module(file), file, name)
    try:
        return PIPELINE_REGISTRY.get(file)
    except UnknownName:
        hint = did_you_mean(file, PIPELINE_REGISTRY.keys())
        raise UsageError(
            f"{file!r} is neither a file nor a pipeline of an installed package.{hint}"
        ) from None


def _names_class(target: str) -> bool:
    return ":" in target and target.rpartition(":")[2].isidentifier()


def _from_file(path: Path) -> ModuleType:
    """The file as a module, with its folder first on the path, as `python FILE` has it."""
    stem = re.sub(r"\W", "_", path.stem)
    name = stem if stem not in sys.modules else f"pipeline_{stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file")
    sys.path.insert(0, str(path.resolve().parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _from_module(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise UsageError(f"there is no file and no module {name!r}") from None
        raise


def _the_pipeline(module: ModuleType, file: str, name: str) -> type:
    found = pipelines_of(module)
    if name:
        if not inspect.isclass(cls := getattr(module, name, None)):
            raise UsageError(
                f"{file} defines no class {name!r}; its pipelines are {', '.join(found) or 'none'}.{did_you_mean(name, found)}"
            )
        return cls
    if not found:
        raise UsageError(
            f"{file} defines no pipeline: a class with `forward`, best a subclass of dataflow.pipeline.PipelineABC"
        )
    if len(found) > 1:
        raise UsageError(
            f"{file} defines {len(found)} pipelines; name one: " + ", ".join(f"{file}:{n}" for n in found)
        )
    return next(iter(found.values()))


def pipelines_of(module: ModuleType) -> dict[str, type]:
    """The classes a module defines that have `forward`; those that compile, where there are any."""
    own = {
        n: c
        for n, c in vars(module).items()
        if inspect.isclass(c)
        and c.__module__ == module.__name__
        and callable(getattr(c, "forward", None))
        and not n.startswith("_")
    }
    return {n: c for n, c in own.items() if hasattr(c, "compile")} or own


def _make(cls: type, given: dict[str, Any]) -> Any:
    """An instance; those of the settings that its constructor takes are used up."""
    parameters = inspect.signature(cls).parameters
    taken = {k: _argument(p, given) for k, p in parameters.items() if k in given}
    missing = [
        p.name
        for p in parameters.values()
        if p.default is p.empty
        and p.name not in taken
        and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    if missing:
        options = " ".join(f"--set {name}=…" for name in missing)
        raise UsageError(
            f"{cls.__name__}() needs {', '.join(missing)}: give {options}, or give them defaults"
        )
    return cls(**taken)


def _argument(parameter: inspect.Parameter, given: dict[str, Any]) -> Any:
    """What is set for a constructor's argument; for a serving, the model on this machine that is named."""
    name = parameter.name
    value = given.pop(name)
    if not isinstance(value, str) or not name.endswith("serving") or isinstance(parameter.default, str):
        return value
    maker = _local_serving(name, value)
    known = inspect.signature(maker).parameters
    own = [k for k in given if k.startswith(f"{name}.") and k.removeprefix(f"{name}.") in known]
    return maker(**{k.removeprefix(f"{name}."): given.pop(k) for k in own})


def _local_serving(name: str, model: str) -> Any:
    """What makes the serving of a built-in model; `local` is the default one of its kind."""
    from functools import partial

    from dataflow.serving import LocalEmbeddingServing, LocalLLMServing
    from dataflow.serving.models import DEFAULT_CHAT, DEFAULT_EMBEDDING, find

    if model == "local":
        model = DEFAULT_EMBEDDING if "embedding" in name else DEFAULT_CHAT
    try:
        role = find(model).role
    except ConfigError as error:
        raise UsageError(f"--set {name}={model}: {error} `local` is the default one") from None
    if role == "rerank":
        raise UsageError(f"--set {name}={model}: {model} ranks documents; give a chat or embedding model")
    return partial(LocalLLMServing if role == "chat" else LocalEmbeddingServing, model)


def _setting(text: str) -> tuple[str, Any]:
    """`attr=value`: the value as JSON where it is JSON, else as text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text!r} is not attr=value")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _set(made: Any, path: str, value: Any) -> None:
    """Set an attribute of the pipeline, or (`op.setting`) of an operator, which is then made anew and so checked."""
    name, _, rest = path.partition(".")
    known = [
        *vars(made),
        *(n for n in dir(type(made)) if not n.startswith("_") and not callable(getattr(type(made), n))),
    ]
    if name not in known:
        parameters = list(inspect.signature(type(made)).parameters)
        if name in parameters:
            raise UsageError(
                f"--set {path}: {type(made).__name__} takes {name!r} only where it is made; give the pipeline one, in Python"
            )
        raise UsageError(
            f"--set {path}: {type(made).__name__} has no {name!r}; it has {', '.join(dict.fromkeys(parameters + known))}."
            f"{did_you_mean(name, [*parameters, *known])}"
        )
    if not rest:
        setattr(made, name, value)
        return
    part = getattr(made, name)
    fields = getattr(type(part), "model_fields", None)
    if fields is None:
        _set(part, rest, value)
    else:
        setattr(
            made, name, type(part)(**{k: getattr(part, k) for k in part.model_fields_set} | {rest: value})
        )


def _first_storage(made: Any) -> Any:
    for value in vars(made).values():
        if hasattr(value, "first_entry_file_name"):
            return value
    raise UsageError(f"--source: {type(made).__name__} has no FileStorage among its attributes")
