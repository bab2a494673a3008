"""Model back ends behind one request engine. Importing this loads none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.core.lazy import lazy

if TYPE_CHECKING:
    from dataflow.core.abc import LLMServingABC as LLMServingABC
    from dataflow.serving.api import APILLMServing as APILLMServing
    from dataflow.serving.api import APILLMServing_request as APILLMServing_request
    from dataflow.serving.base import Serving as Serving
    from dataflow.serving.local import LocalEmbeddingServing as LocalEmbeddingServing
    from dataflow.serving.local import LocalLLMServing as LocalLLMServing
    from dataflow.serving.local import LocalRerankServing as LocalRerankServing

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "APILLMServing": "api",
        "APILLMServing_request": "api",
        "LLMServingABC": "dataflow.core.abc",
        "LocalEmbeddingServing": "local",
        "LocalLLMServing": "local",
        "LocalRerankServing": "local",
        "Serving": "base",
    },
)
