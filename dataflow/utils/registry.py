"""Where open-dataflow 1.x keeps its registries: those of `dataflow.core.registry`."""

from dataflow.core.registry import (
    OPERATOR_REGISTRY,
    PIPELINE_REGISTRY,
    PROMPT_REGISTRY,
    SERVING_REGISTRY,
    STORAGE_REGISTRY,
    Registry,
)

__all__ = [
    "OPERATOR_REGISTRY",
    "PIPELINE_REGISTRY",
    "PROMPT_REGISTRY",
    "SERVING_REGISTRY",
    "STORAGE_REGISTRY",
    "Registry",
]
