"""Give aliases and columns of subqueries names that depend on their place only."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dataflow.databases.queries.references import Names, could_be_any, outputs_of, scopes, sources
from dataflow.databases.schema import Schema

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def rename(tree: exp.Expr, schema: Schema | None) -> exp.Expr:
    """Rename tables' aliases, CTEs and the columns of subqueries, and drop aliases that name nothing further."""
    every = scopes(tree)
    for scope in every:
        _replace_aliases(scope)
    every = scopes(tree)
    _Renaming(every, Names(schema)).run()
    _rename_ctes(tree)
    return tree


def _replace_aliases(scope: Scope) -> None:
    """Put what an alias or a number in GROUP BY, HAVING or ORDER BY stands for in its place."""
    from sqlglot import exp

    query = scope.expression
    if isinstance(query, exp.SetOperation):
        _number_order(query)
    if not isinstance(query, exp.Select):
        return
    meant = {item.alias.lower(): item.this for item in query.selects if isinstance(item, exp.Alias)}
    for key in ("group", "having", "order"):
        clause = query.args.get(key)
        for node in list(clause.walk(prune=lambda inner: isinstance(inner, exp.Query))) if clause else []:
            top = key != "having" and (node.parent is clause or isinstance(node.parent, exp.Ordered))
            if isinstance(node, exp.Literal) and top:
                _replace_number(node, query)
            elif isinstance(node, exp.Column) and not node.table and node.name.lower() in meant:
                _replace_name(node, meant[node.name.lower()], query if top else None, key == "order")


def _replace_number(node: exp.Literal, query: exp.Select) -> None:
    from sqlglot import exp

    place = int(node.this) - 1 if node.is_int else -1
    if 0 <= place < len(query.selects) and not any(item.is_star for item in query.selects):
        item = query.selects[place].unalias()
        if not isinstance(item.unnest(), exp.Literal):
            node.replace(item.copy())


def _replace_name(node: exp.Column, meant: exp.Expr, query: exp.Select | None, in_order: bool) -> None:
    """`query` is given where a whole number would be read as the place of a column."""
    from sqlglot import exp

    plain = meant.unnest()
    if query is not None and isinstance(plain, exp.Literal) and plain.is_int:
        starred = any(item.is_star for item in query.selects)
        place = next(i for i, item in enumerate(query.selects, 1) if item.unalias() is meant)
        node.replace(exp.Null() if starred else exp.Literal.number(place))
        return
    own = node.name.lower() in {column.name.lower() for column in meant.find_all(exp.Column)}
    if in_order or not own:
        node.replace(_bracketed(meant.copy(), node))


def _bracketed(meant: exp.Expr, place: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    inside = isinstance(place.parent, exp.Binary | exp.Unary | exp.Between | exp.In)
    return (
        exp.Paren(this=meant)
        if inside and isinstance(meant, exp.Binary | exp.Unary | exp.Predicate)
        else meant
    )


def _number_order(query: exp.SetOperation) -> None:
    """ORDER BY of a set operation by the place of the column."""
    from sqlglot import exp

    order = query.args.get("order")
    names = [name.lower() for name in query.named_selects]
    for node in order.expressions if order else []:
        column = node.this
        if isinstance(column, exp.Column) and not column.table and names.count(column.name.lower()) == 1:
            column.replace(exp.Literal.number(names.index(column.name.lower()) + 1))


class _Renaming:
    """All decided first, then done: a name given must not be taken for one that was there."""

    def __init__(self, every: list[Scope], names: Names) -> None:
        self.every, self.names = every, names
        self.aliases = {id(scope): self._named(scope) for scope in every}
        self.outputs: dict[int, dict[str, str]] = {}
        for scope in every:
            self._place_outputs(scope)

    def run(self) -> None:
        from sqlglot import exp

        decided = [
            (node, *found)
            for scope in self.every
            for node in scope.find_all(exp.Column)
            if (found := self._meant(node, scope)) is not None
        ]
        for scope in self.every:
            self._name_sources(scope)
            self._name_outputs(scope)
        for node, table, column in decided:
            node.set("table", exp.to_identifier(table))
            if column:
                node.set("this", exp.to_identifier(column))

    def _named(self, scope: Scope) -> dict[str, str]:
        depth, above = 1, scope.parent
        while above is not None:
            depth, above = depth + 1, above.parent
        return {alias: f"q{depth}t{i}" for i, alias in enumerate(sources(scope), 1)}

    def _place_outputs(self, scope: Scope) -> None:
        """New names of the columns of the subqueries that a query names, where they can be told."""
        from sqlglot import exp

        joins = scope.expression.args.get("joins") or []
        by_name = any(join.args.get("using") or join.method == "NATURAL" for join in joins)
        for _, source in scope.selected_sources.values():
            if isinstance(source, exp.Table) or (id(source.expression) in self.outputs and not by_name):
                continue
            names = outputs_of(source)
            holder = source.expression.find_ancestor(exp.CTE, exp.Subquery)
            listed = bool(holder and holder.args.get("alias") and holder.args["alias"].columns)
            alike = any(names.count(name) > 1 for name in names if name)
            if by_name or listed or alike or "*" in names or source.expression.is_star:
                self.outputs[id(source.expression)] = {}
            else:
                self.outputs[id(source.expression)] = {
                    name: f"c{i}" for i, name in enumerate(names, 1) if name
                }

    def _meant(self, node: exp.Column, scope: Scope) -> tuple[str, str] | None:
        """The alias to put before a column, and its new name if it has one."""
        inner: Scope | None = scope
        while inner is not None:
            found = self._among(node, inner)
            if found is not None:
                return found
            if could_be_any(node, inner, self.names):
                return None
            inner = inner.parent
        return None

    def _among(self, node: exp.Column, scope: Scope) -> tuple[str, str] | None:
        from sqlglot import exp

        named, name = sources(scope), node.name.lower()
        if node.table:
            named = {alias: source for alias, source in named.items() if alias == node.table.lower()}
        hits: list[tuple[str, str]] = []
        for alias, source in named.items():
            new = self.aliases[id(scope)][alias]
            if isinstance(source, exp.Table):
                sure = node.table or len(named) == 1
                if (sure and self.names.open) or (
                    not self.names.open and self.names.column(source.name, name)
                ):
                    hits.append((new, ""))
                continue
            given = self.outputs.get(id(source.expression), {})
            if name in outputs_of(source) or source.expression.is_star or node.table:
                hits.append((new, given.get(name, "")))
        starred = isinstance(node.this, exp.Star)
        if starred and not node.table:
            return None
        if starred:
            return (self.aliases[id(scope)][node.table.lower()], "") if named else None
        return hits[0] if len(hits) == 1 else None

    def _name_sources(self, scope: Scope) -> None:
        from sqlglot import exp

        for name, (node, _) in scope.selected_sources.items():
            holder = node if isinstance(node, exp.Table) else node.find_ancestor(exp.Subquery) or node
            if isinstance(node, exp.Subquery):
                holder = node
            alias = exp.TableAlias(this=exp.to_identifier(self.aliases[id(scope)][name.lower()]))
            old = holder.args.get("alias")
            if isinstance(old, exp.TableAlias) and old.columns:
                alias.set("columns", old.columns)
            holder.set("alias", alias)

    def _name_outputs(self, scope: Scope) -> None:
        """Aliases by place for the columns of a named subquery; elsewhere none, where nothing asks for them."""
        from sqlglot import exp

        query = scope.expression
        if not isinstance(query, exp.Select):
            return
        top: exp.Expr = query
        while isinstance(top.parent, exp.SetOperation | exp.Paren) or (
            isinstance(top.parent, exp.Subquery) and isinstance(top.parent.parent, exp.SetOperation)
        ):
            top = top.parent
        given = self.outputs.get(id(top))
        if given is None:
            asked = {node.name.lower() for node in scope.find_all(exp.Column) if not node.table}
            query.set("expressions", [_without_alias(item, asked) for item in query.expressions])
        elif given:
            items = [item.unalias() for item in query.expressions]
            query.set(
                "expressions", [exp.alias_(item, f"c{i}", copy=False) for i, item in enumerate(items, 1)]
            )


def _without_alias(item: exp.Expr, asked: set[str]) -> exp.Expr:
    from sqlglot import exp

    return item.this if isinstance(item, exp.Alias) and item.alias.lower() not in asked else item


def _rename_ctes(tree: exp.Expr) -> None:
    """Number the CTEs of a statement, unless two have one name."""
    from sqlglot import exp

    ctes = list(tree.find_all(exp.CTE, bfs=False))
    counts = Counter(cte.alias.lower() for cte in ctes)
    if any(n > 1 for n in counts.values()):
        return
    new = {cte.alias.lower(): f"w{i}" for i, cte in enumerate(ctes, 1)}
    for table in tree.find_all(exp.Table):
        if table.name.lower() in new and not table.db:
            table.set("this", exp.to_identifier(new[table.name.lower()]))
    for cte in ctes:
        cte.args["alias"].set("this", exp.to_identifier(new[cte.alias.lower()]))
