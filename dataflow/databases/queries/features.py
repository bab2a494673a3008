"""What a query is made of, and a score of its components."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataflow.databases.queries.parsing import parse, reads_only

if TYPE_CHECKING:
    from sqlglot import exp

SCORED_FUNCTIONS = {"Cast", "TryCast", "Round", "Substring", "Date", "TsOrDsToDate", "Coalesce"}


@dataclass(frozen=True)
class Features:
    """Counts of what a query is made of, in all its parts unless said otherwise."""

    depth: int
    """Queries one inside the other: 1 without subqueries and CTEs."""
    tables: int
    """Different tables; CTEs are none."""
    joins: int
    """Tables joined to others, with JOIN or a comma."""
    subqueries: int
    """Queries in brackets, in FROM or in an expression."""
    ctes: int
    set_operations: int
    selected: int
    """Columns of the outermost query; a star is one."""
    conditions: int
    """Comparisons, LIKE, IN, BETWEEN, EXISTS and IS, of WHERE, HAVING and ON."""
    aggregates: int
    windows: int
    cases: int
    group_by: int
    """Queries with GROUP BY; and so on."""
    having: int
    order_by: int
    limit: int
    distinct: int
    functions: tuple[str, ...]
    """Names of the functions called, aggregates too: each once, in upper case, as the dialect writes them, sorted."""
    orders: bool
    """The outermost query orders its rows."""
    reads: bool
    """It is a query, and nothing in it writes."""


def features(sql: str, dialect: str = "sqlite") -> Features:
    """What a query is made of.

    Raises:
        RowError: it cannot be parsed.
    """
    return features_of(parse(sql, dialect), dialect)


def features_of(tree: exp.Expr, dialect: str) -> Features:
    """What a parsed query is made of."""
    from sqlglot import exp

    def count(*kinds: type) -> int:
        return sum(1 for _ in tree.find_all(*kinds))

    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    tables = {table.name.lower() for table in tree.find_all(exp.Table)} - ctes
    outer = first_select(tree)
    clauses = list(tree.find_all(exp.Where, exp.Having)) + [
        on for join in tree.find_all(exp.Join) if (on := join.args.get("on"))
    ]
    return Features(
        depth=max((_depth(select) for select in tree.find_all(exp.Select)), default=0),
        tables=len(tables),
        joins=count(exp.Join),
        subqueries=sum(_is_inner(select) for select in tree.find_all(exp.Select)),
        ctes=count(exp.CTE),
        set_operations=count(exp.SetOperation),
        selected=len(outer.expressions) if outer else 0,
        conditions=len({id(node) for clause in clauses for node in clause.find_all(exp.Predicate)}),
        aggregates=count(exp.AggFunc),
        windows=count(exp.Window),
        cases=count(exp.Case),
        group_by=count(exp.Group),
        having=count(exp.Having),
        order_by=sum(not isinstance(order.parent, exp.Window) for order in tree.find_all(exp.Order)),
        limit=count(exp.Limit, exp.Fetch),
        distinct=count(exp.Distinct),
        functions=_functions(tree, dialect),
        orders=orders_of(tree),
        reads=reads_only(tree),
    )


def orders(sql: str, dialect: str = "sqlite") -> bool:
    """Whether the outermost query orders its rows.

    Raises:
        RowError: it cannot be parsed.
    """
    return orders_of(parse(sql, dialect))


def orders_of(tree: exp.Expr) -> bool:
    """Whether the outermost query of a tree orders its rows."""
    from sqlglot import exp

    while isinstance(tree, exp.Subquery) and not tree.args.get("order"):
        tree = tree.this
    return tree.args.get("order") is not None


def component_score(sql: str, dialect: str = "sqlite") -> int:
    """How many components make a query hard, weighted; counted in the tree, so that texts and names are none.

    2 for a subquery; 1 for each JOIN; 1 for tables joined by a comma; 1 for two or more AND and OR; 1 for an IN, EXISTS
    or LIKE; 1 each for GROUP BY, HAVING, ORDER BY and LIMIT; 1 for a CAST, ROUND, SUBSTRING, DATE or COALESCE; 2 for a
    set operation; 1 for more than one selected column.

    Raises:
        RowError: it cannot be parsed.
    """
    return component_score_of(parse(sql, dialect))


def component_score_of(tree: exp.Expr) -> int:
    """The score of a parsed query."""
    from sqlglot import exp

    def has(*kinds: type) -> bool:
        return tree.find(*kinds) is not None

    commas = [join for join in tree.find_all(exp.Join) if _is_comma(join)]
    outer = first_select(tree)
    score = 2 * any(_is_inner(select) for select in tree.find_all(exp.Select))
    score += sum(1 for _ in tree.find_all(exp.Join)) - len(commas) + bool(commas)
    score += sum(1 for _ in tree.find_all(exp.And, exp.Or)) >= 2
    score += has(exp.In, exp.Exists, exp.Like, exp.ILike)
    score += sum(has(kind) for kind in (exp.Group, exp.Having, exp.Limit))
    score += any(not isinstance(order.parent, exp.Window) for order in tree.find_all(exp.Order))
    score += any(type(node).__name__ in SCORED_FUNCTIONS for node in tree.find_all(exp.Func))
    score += 2 * has(exp.SetOperation)
    return score + (outer is not None and len(outer.expressions) > 1)


def first_select(tree: exp.Expr) -> exp.Select | None:
    """The outermost SELECT; of set operations the first."""
    from sqlglot import exp

    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    return tree if isinstance(tree, exp.Select) else None


def _is_comma(join: exp.Join) -> bool:
    args = ("kind", "side", "method", "on", "using")
    return not any(join.args.get(key) for key in args)


def _depth(select: exp.Expr) -> int:
    from sqlglot import exp

    depth, above = 1, select.parent
    while above is not None:
        depth, above = depth + isinstance(above, exp.Select), above.parent
    return depth


def _is_inner(select: exp.Select) -> bool:
    """Whether it is a subquery: neither outermost, nor the body of a CTE, nor only the further arm of one of these."""
    from sqlglot import exp

    top: exp.Expr = select
    while isinstance(top.parent, exp.SetOperation | exp.Subquery | exp.Paren):
        if isinstance(top.parent, exp.SetOperation) and top.arg_key == "expression":
            return False
        top = top.parent
    return top.parent is not None and not isinstance(top.parent, exp.CTE)


def _functions(tree: exp.Expr, dialect: str) -> tuple[str, ...]:
    from sqlglot import exp

    names = set()
    for node in tree.find_all(exp.Func):
        if isinstance(node, exp.Connector | exp.Case | exp.If | exp.Exists):
            continue
        called = re.match(r"\w+(?=\()|CURRENT_\w+", node.sql(dialect=dialect), re.IGNORECASE)
        if called:
            names.add(called[0].upper())
    return tuple(sorted(names))
