"""How hard a query is by the rule of Spider (Yu et al. 2018, arXiv 1809.08887)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dataflow.databases.queries.parsing import parse

if TYPE_CHECKING:
    from sqlglot import exp


class Hardness(StrEnum):
    """The four levels, from the easiest."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"
    EXTRA = "extra"


@dataclass(frozen=True)
class HardnessCounts:
    """What the level depends on, counted in the outermost query; of set operations in the first one."""

    components: int
    """WHERE, GROUP BY, ORDER BY, LIMIT, each JOIN, each OR, each LIKE."""
    nestings: int
    """Each set operation, and each subquery that a condition compares with."""
    others: int
    """How many are true of: more than one aggregate, selected column, condition of WHERE, column of GROUP BY."""

    @property
    def level(self) -> Hardness:
        """The level by the published table."""
        c, n, o = self.components, self.nestings, self.others
        if n == 0 and c <= 1 and o == 0:
            return Hardness.EASY
        if n == 0 and ((c <= 1 and o <= 2) or (c <= 2 and o < 2)):
            return Hardness.MEDIUM
        if n == 0 and ((c <= 2 and o > 2) or (c == 3 and o <= 2)):
            return Hardness.HARD
        if n == 1 and c <= 1 and o == 0:
            return Hardness.HARD
        return Hardness.EXTRA


def spider_hardness(sql: str, dialect: str = "sqlite") -> Hardness:
    """Spider's level of a query.

    Raises:
        RowError: it cannot be parsed.
    """
    return hardness_counts(parse(sql, dialect)).level


def hardness_counts(tree: exp.Expr) -> HardnessCounts:
    """What the level depends on, of a parsed query.

    As in Spider, aggregates in HAVING and inside arithmetic do not count, a query in FROM is one more table, and
    a NOT before a condition of WHERE counts with the aggregates. An EXISTS counts as a subquery of a condition.
    """
    from sqlglot import exp

    operations = 0
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        operations += isinstance(tree, exp.SetOperation)
        tree = tree.this
    conditions = [c for key in ("where", "having") if (clause := tree.args.get(key)) for c in _own(clause)]
    joins = tree.args.get("joins") or []
    conditions += [node for join in joins if join.args.get("on") for node in _own(join.args["on"])]
    clauses = sum(bool(tree.args.get(key)) for key in ("where", "group", "order", "limit"))
    words = sum(isinstance(node, exp.Or | exp.Like | exp.ILike) for node in conditions)
    nested = sum(isinstance(node, exp.Query) for node in conditions)
    return HardnessCounts(clauses + len(joins) + words, (operations > 0) + nested, _others(tree))


def _others(tree: exp.Expr) -> int:
    from sqlglot import exp

    where, group, order = (tree.args.get(key) for key in ("where", "group", "order"))
    selected = [item.unalias() for item in tree.expressions]
    aggregates = sum(isinstance(item, exp.AggFunc) for item in selected)
    aggregates += sum(isinstance(node, exp.AggFunc) for node in _own(order)) if order else 0
    tests = list(_conditions(where.this)) if where else []
    aggregates += sum(isinstance(test, exp.Not) or bool(test.args.get("negate")) for test in tests)
    grouped = len(group.expressions) if group else 0
    return sum(n > 1 for n in (aggregates, len(selected), len(tests), grouped))


def _conditions(node: exp.Expr) -> Iterator[exp.Expr]:
    """What AND and OR join."""
    from sqlglot import exp

    stack = [node]
    while stack:
        one = stack.pop().unnest()
        if isinstance(one, exp.And | exp.Or):
            stack += [one.expression, one.this]
        else:
            yield one


def _own(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes under one, with queries but not what is in them."""
    from sqlglot import exp

    return node.walk(prune=lambda inner: isinstance(inner, exp.Query))
