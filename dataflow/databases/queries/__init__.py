"""SQL as text, through sqlglot: what a query uses, how hard it is, and whether two are the same."""
