"""Model back ends behind one request engine. Importing this loads none of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataflow.core.abc import LLMServingABC as LLMServingABC
    from dataflow.serving.api import APILLMServing as APILLMServing
    from dataflow.serving.api import APILLMServing_request as APILLMServing_request
    from dataflow.serving.base import Serving as Serving
    from dataflow.serving.local import LocalEmbeddingServing as LocalEmbeddingServing
    from dataflow.serving.local import LocalLLMServing as LocalLLMServing
    from dataflow.serving.local import LocalRerankServing as LocalRerankServing

_HOMES = {
    "APILLMServing": "dataflow.serving.api",
    "APILLMServing_request": "dataflow.serving.api",
    "LLMServingABC": "dataflow.core.abc",
    "LocalEmbeddingServing": "dataflow.serving.local",
    "LocalLLMServing": "dataflow.serving.local",
    "LocalRerankServing": "dataflow.serving.local",
    "Serving": "dataflow.serving.base",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
