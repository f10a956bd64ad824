"""Many values as one parameter of a statement, whatever their number."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import connection as database


def among(column: str, values: list[str]) -> tuple[str, list[str]]:
    """(SQL condition, parameters): the column is one of many values, as one parameter whatever their number."""
    if database.vendor == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(%s))", [orjson.dumps(values).decode()]  # noqa: S608
    return f"{column} = ANY(%s::text[])", [array_of_texts(values)]


def array_of_texts(values: list[str]) -> str:
    """An array of texts in PostgreSQL's notation; the driver's own way takes four times as long."""
    if not values:
        return "{}"
    joined = "\x00".join(values).replace("\\", "\\\\").replace('"', '\\"').replace("\x00", '","')
    return f'{{"{joined}"}}'


def array_of_numbers(values: list[Any]) -> str:
    """An array of numbers or bare words in PostgreSQL's notation."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"
