"""One text for queries that differ in spelling only."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from dataflow.core.errors import RowError
from dataflow.databases.queries.aliases import rename
from dataflow.databases.queries.order import put_in_order
from dataflow.databases.queries.parsing import parse
from dataflow.databases.queries.references import TEXT_QUOTES, resolve
from dataflow.databases.schema import Schema

if TYPE_CHECKING:
    from sqlglot import exp

SIMPLE = re.compile(r"[a-z_][a-z0-9_]*")
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        add all alter analyse analyze and any array as asc asymmetric between both by case cast
        check collate column commit constraint create cross cube current_date current_role
        current_time current_timestamp current_user default deferrable delete desc describe distinct
        do drop else end escape except exists explain false fetch filter for foreign from full grant
        group grouping groups having if in index indexed initially inner insert intersect into is
        isnull join key keys lateral leading left like limit localtime localtimestamp match natural
        not nothing notnull null of offset on only or order outer over overlaps partition pivot
        placing primary qualify range rank read references returning right rollback row rows select
        session_user set similar some symmetric system table then to trailing transaction true union
        unique unpivot update user using values variadic when where window with
        """,
    )
)
"""Words that some engine does not take for a name without quotes."""


def canonical(sql: str, dialect: str = "sqlite", schema: Schema | None = None) -> str:
    """The query in a normal form: the same for queries that differ in spelling only.

    What does not count: white space, comments, upper and lower case and quotes of names as far as the dialect does
    not tell them apart, names of aliases and of subqueries' columns, `AS`, `INNER`, `ASC`, needless brackets, the order
    of what AND, OR, IN, = and <> hold together, < or > with the sides exchanged, and an alias or number in GROUP BY or
    ORDER BY for what it stands for. Everything else counts, and the order of tables and of selected columns.

    Args:
        sql: one statement.
        dialect: sqlglot's name of its SQL.
        schema: with it, unqualified columns of joins are told apart too, and "texts" in SQLite's double quotes known
            for certain. Without it, a double-quoted name that a column is compared with is a text, and a column without
            a table is of the only table of its own query, even where it is of one further out.

    Raises:
        RowError: it cannot be parsed.
    """
    tree = parse(sql, dialect)
    try:
        tree = canonical_tree(tree, dialect, schema)
        return tree.sql(dialect=dialect, comments=False, normalize_functions="upper")
    except RecursionError as error:
        raise RowError("this query is too deep to be put in a normal form") from error


def digest(sql: str, dialect: str = "sqlite", schema: Schema | None = None) -> str:
    """32 hexadecimal digits, the same for queries with the same normal form.

    Raises:
        RowError: it cannot be parsed.
    """
    return hashlib.blake2b(
        canonical(sql, dialect, schema).encode("utf-8", "replace"), digest_size=16
    ).hexdigest()


def canonical_tree(tree: exp.Expr, dialect: str, schema: Schema | None = None) -> exp.Expr:
    """The tree of the normal form; the one given may be changed."""
    from sqlglot import exp
    from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

    tree = read_texts(tree, dialect, schema)
    tree = normalize_identifiers(tree, dialect=dialect)
    if isinstance(tree, exp.Query):
        tree = rename(tree, schema)
    tree = _unquoted(tree)
    return put_in_order(tree) if isinstance(tree, exp.Query) else tree


def read_texts(tree: exp.Expr, dialect: str, schema: Schema | None = None) -> exp.Expr:
    """Put texts for double-quoted names that name nothing, where the dialect reads them so."""
    from sqlglot import exp

    if dialect not in TEXT_QUOTES:
        return tree
    if schema is not None:
        texts = [found.node for found in resolve(tree, schema, dialect) if found.is_text]
    else:
        texts = [node for node in tree.find_all(exp.Column) if _compared_with(node)]
    for node in texts:
        node.replace(exp.Literal.string(node.name))
    return tree


def _compared_with(node: exp.Column) -> bool:
    """Whether it is a double-quoted name on the right side of a comparison."""
    from sqlglot import exp

    if node.table or not node.this.args.get("quoted"):
        return False
    return node.arg_key in ("low", "high", "expressions", "expression") and isinstance(
        node.parent, exp.Between | exp.In | exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Like
    )


def _unquoted(tree: exp.Expr) -> exp.Expr:
    """Quotes only where the name needs them."""
    from sqlglot import exp

    for name in tree.find_all(exp.Identifier):
        if SIMPLE.fullmatch(name.name) and name.name not in RESERVED:
            name.set("quoted", False)
    return tree
