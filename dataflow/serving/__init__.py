"""Model back ends behind one request engine. Importing this loads none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.core.lazy import lazy

if TYPE_CHECKING:
    from dataflow.core.abc import LLMServingABC as LLMServingABC
    from dataflow.serving.api import APILLMServing as APILLMServing
    from dataflow.serving.api import APILLMServing_request as APILLMServing_request
    from dataflow.serving.base import Serving as Serving
    from dataflow.serving.batch import BatchLLMServing as BatchLLMServing
    from dataflow.serving.flashrag import FlashRAGServing as FlashRAGServing
    from dataflow.serving.google import APIGoogleVertexAIServing as APIGoogleVertexAIServing
    from dataflow.serving.lightrag import LightRAGServing as LightRAGServing
    from dataflow.serving.litellm import LiteLLMServing as LiteLLMServing
    from dataflow.serving.local import LocalEmbeddingServing as LocalEmbeddingServing
    from dataflow.serving.local import LocalLLMServing as LocalLLMServing
    from dataflow.serving.local import LocalRerankServing as LocalRerankServing
    from dataflow.serving.perspective import PerspectiveAPIServing as PerspectiveAPIServing
    from dataflow.serving.sglang import LocalModelLLMServing_sglang as LocalModelLLMServing_sglang
    from dataflow.serving.vision import APIVLMServing_openai as APIVLMServing_openai
    from dataflow.serving.vllm import LocalHostLLMAPIServing_vllm as LocalHostLLMAPIServing_vllm
    from dataflow.serving.vllm import LocalModelLLMServing_vllm as LocalModelLLMServing_vllm
    from dataflow.serving.vllm_media import LocalModelLALMServing_vllm as LocalModelLALMServing_vllm
    from dataflow.serving.vllm_media import LocalVLMServing_vllm as LocalVLMServing_vllm

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "APIGoogleVertexAIServing": "google",
        "APILLMServing": "api",
        "APILLMServing_request": "api",
        "APIVLMServing_openai": "vision",
        "BatchLLMServing": "batch",
        "FlashRAGServing": "flashrag",
        "LLMServingABC": "dataflow.core.abc",
        "LightRAGServing": "lightrag",
        "LiteLLMServing": "litellm",
        "LocalEmbeddingServing": "local",
        "LocalHostLLMAPIServing_vllm": "vllm",
        "LocalLLMServing": "local",
        "LocalModelLALMServing_vllm": "vllm_media",
        "LocalModelLLMServing_sglang": "sglang",
        "LocalModelLLMServing_vllm": "vllm",
        "LocalRerankServing": "local",
        "LocalVLMServing_vllm": "vllm_media",
        "PerspectiveAPIServing": "perspective",
        "Serving": "base",
    },
)
