"""Put what may stand in any order into one order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp


def put_in_order(tree: exp.Expr) -> exp.Expr:
    """Sort operands of AND, OR, IN, = and <>, turn > into <, and drop what says nothing. Changes the tree."""
    from sqlglot import exp

    holder = exp.Paren(this=tree)
    for node in reversed(list(tree.walk())):
        if isinstance(node, exp.Paren):
            _drop_brackets(node)
        elif isinstance(node, exp.And | exp.Or):
            _sort_connector(node)
        elif isinstance(node, exp.EQ | exp.NEQ):
            _sort_sides(node)
        elif isinstance(node, exp.GT | exp.GTE):
            less = exp.LT if isinstance(node, exp.GT) else exp.LTE
            node.replace(less(this=node.expression, expression=node.this))
        elif isinstance(node, exp.In) and node.expressions:
            node.set("expressions", _sorted(node.expressions))
        elif isinstance(node, exp.Not) and isinstance(node.this, exp.Like):
            node.this.set("negate", not node.this.args.get("negate"))
            node.replace(node.this)
        elif isinstance(node, exp.Ordered) and not node.args.get("desc"):
            node.set("desc", None)
        elif isinstance(node, exp.Join):
            _plain_join(node)
    ordered: exp.Expr = holder.this
    ordered.pop()
    return ordered


def _sql(node: exp.Expr) -> str:
    return node.sql(comments=False)


def _sorted(nodes: Sequence[exp.Expr]) -> list[exp.Expr]:
    """In the order of their text, each once."""
    return [node for _, node in sorted({_sql(node): node for node in nodes}.items())]


def _drop_brackets(node: exp.Paren) -> None:
    from sqlglot import exp

    inner, parent = node.this, node.parent
    if isinstance(inner, exp.Query) and not isinstance(inner, exp.Subquery):
        return
    loose = isinstance(inner, exp.Binary | exp.Unary | exp.Predicate | exp.Lambda)
    atom = isinstance(inner, exp.Column | exp.Literal | exp.Paren | exp.Subquery | exp.Null | exp.Boolean)
    holds = isinstance(
        parent, exp.Where | exp.Having | exp.Join | exp.Alias | exp.Ordered | exp.Select | exp.AggFunc
    )
    if atom or holds or isinstance(parent, exp.Paren) or (isinstance(inner, exp.Func) and not loose):
        node.replace(inner)


def _sort_connector(node: exp.And | exp.Or) -> None:
    """Sort the operands of a chain at its top; inner links are taken apart there."""
    from sqlglot import exp

    kind = type(node)
    above = node.parent
    while type(above) is exp.Paren and isinstance(above.parent, exp.And | exp.Or):
        above = above.parent
    if type(above) is kind:
        return
    operands, stack = [], [node.expression, node.this]
    while stack:
        one = stack.pop().unnest()
        if type(one) is kind:
            stack += [one.expression, one.this]
        else:
            operands.append(one)
    loose = exp.Or | exp.Alias if kind is exp.And else exp.And | exp.Alias
    wrapped = [exp.Paren(this=one) if isinstance(one, loose) else one for one in operands]
    first, *rest = _sorted(wrapped)
    chain = first if rest or not isinstance(first, exp.Paren) else first.this
    place = exp.Placeholder()
    node.replace(place)
    for one in rest:
        chain = kind(this=chain, expression=one)
    place.replace(chain)


def _sort_sides(node: exp.Binary) -> None:
    left, right = node.this, node.expression
    if _rank(left) > _rank(right):
        node.set("this", right)
        node.set("expression", left)


def _rank(node: exp.Expr) -> tuple[int, str]:
    """Columns first, then what is worked out, then subqueries and values."""
    from sqlglot import exp

    place = 0 if isinstance(node, exp.Column) else 2 if isinstance(node, exp.Literal | exp.Query) else 1
    return place, _sql(node)


def _plain_join(node: exp.Join) -> None:
    if node.kind == "INNER" or (node.kind == "OUTER" and node.side):
        node.set("kind", None)
