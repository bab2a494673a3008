"""The import path of the categories of mathematics that scripts of open-dataflow 1.x use."""
# ruff: noqa: N999

from dataflow.operators.reasoning._categories import CategoryUtils

__all__ = ["CategoryUtils"]
