"""A small schema of a shop."""

from __future__ import annotations

from typing import Any

from dataflow.databases.schema import Column, ForeignKey, Schema, Table


def table(name: str, columns: str, *keys: ForeignKey, samples: tuple[tuple[Any, ...], ...] = ()) -> Table:
    made = tuple(Column(c.strip("*"), "TEXT", primary_key=c.endswith("*")) for c in columns.split())
    return Table(name, made, keys, create=f"CREATE TABLE {name} …", samples=samples)


SHOP = Schema(
    "shop",
    "sqlite",
    (
        table("Customer", "id* Name city born phone notes", samples=((1, "Ann", "Oslo", 1980, "-", ""),)),
        table("orders", "id* customer_id total day", ForeignKey(("customer_id",), "Customer", ("id",))),
        table("item", "order_id* place* product price", ForeignKey(("order_id",), "orders", ("id",))),
        table("product", "code* label maker"),
        table("city", "name* country"),
    ),
)
