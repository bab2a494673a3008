"""The import paths of open-dataflow 1.x: every name here is another room's."""

from dataflow.core.registry import OPERATOR_REGISTRY

__all__ = ["OPERATOR_REGISTRY"]
