"""Queries as text: parsed, put in a normal form, described, graded, and resolved against a schema."""

from dataflow.databases.queries.canonical import canonical, digest
from dataflow.databases.queries.features import Features, component_score, features, orders
from dataflow.databases.queries.hardness import Hardness, spider_hardness
from dataflow.databases.queries.parsing import is_read, parse
from dataflow.databases.queries.references import References, references
from dataflow.databases.queries.trimming import trim

__all__ = [
    "Features",
    "Hardness",
    "References",
    "canonical",
    "component_score",
    "digest",
    "features",
    "is_read",
    "orders",
    "parse",
    "references",
    "spider_hardness",
    "trim",
]
