"""The contracts: ports, operators and their kinds, prompts, errors. Everything here is loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from dataflow.core.abc import LLMServingABC as LLMServingABC
    from dataflow.core.abc import WrapperABC as WrapperABC
    from dataflow.core.generate import Embed as Embed
    from dataflow.core.generate import Generate as Generate
    from dataflow.core.generate import Judge as Judge
    from dataflow.core.generate import Source as Source
    from dataflow.core.operator import Operator as Operator
    from dataflow.core.operator import OperatorABC as OperatorABC
    from dataflow.core.ports import Arg as Arg
    from dataflow.core.ports import In as In
    from dataflow.core.ports import NoPort as NoPort
    from dataflow.core.ports import Out as Out
    from dataflow.core.prompt import DIYPromptABC as DIYPromptABC
    from dataflow.core.prompt import Prompt as Prompt
    from dataflow.core.prompt import PromptABC as PromptABC
    from dataflow.core.prompt import prompt_restrict as prompt_restrict
    from dataflow.core.rows import Expand as Expand
    from dataflow.core.rows import Filter as Filter
    from dataflow.core.rows import Map as Map
    from dataflow.core.tables import Dataset as Dataset
    from dataflow.core.tables import Selection as Selection
    from dataflow.core.tables import Summary as Summary

_HOMES = {
    "abc": ("LLMServingABC", "WrapperABC"),
    "generate": ("Embed", "Generate", "Judge", "Source"),
    "operator": ("Operator", "OperatorABC"),
    "ports": ("Arg", "In", "NoPort", "Out"),
    "prompt": ("DIYPromptABC", "Prompt", "PromptABC", "prompt_restrict"),
    "rows": ("Expand", "Filter", "Map"),
    "tables": ("Dataset", "Selection", "Summary"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
__all__ = [*_HOME_OF, "LLM_SERVING_CLASSES", "OPERATOR_CLASSES", "get_operator"]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"dataflow.core.{_HOME_OF[name]}"), name)
    if name == "OPERATOR_CLASSES":
        return Union[__getattr__("OperatorABC"), __getattr__("WrapperABC")]  # noqa: UP007
    if name == "LLM_SERVING_CLASSES":
        return __getattr__("LLMServingABC")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get_operator(operator_name: str, args: dict[str, Any]) -> Any:
    """An operator by name, made with these settings."""
    from dataflow.core.registry import OPERATOR_REGISTRY

    return OPERATOR_REGISTRY.get(operator_name)(**args)


def __dir__() -> list[str]:
    return sorted(__all__)
