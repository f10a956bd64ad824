"""One request of a person at a time: the others wait for it without work, and then look how things stand.

Fifty taps on one button would otherwise all find enough points, and then stand in a line for the reward only to learn
one after the other that the first had it. On SQLite writers stand in a line anyway. The turn ends with the transaction.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

SPENDING: Final = 0x7570746C
"""The first of the two numbers by which PostgreSQL tells advisory locks apart; the second is the person's."""
NUMBERS: Final = 2**31


def take_turn(person: int) -> bool:
    """Whether it is ours; call it in the transaction of the request."""
    return connection.vendor != "postgresql" or _ask("SELECT pg_try_advisory_xact_lock(%s, %s)", person) is True


def wait_for_turn(person: int) -> None:
    """As `take_turn`, but waits until it is ours."""
    if connection.vendor == "postgresql":
        _ask("SELECT pg_advisory_xact_lock(%s, %s)", person)


def see_turn_end(person: int) -> None:
    """Waits, outside a transaction, until nobody has it; all who wait go on together."""
    if connection.vendor == "postgresql":
        _ask("SELECT pg_advisory_xact_lock_shared(%s, %s)", person)


def _ask(statement: str, person: int) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, [SPENDING, person % NUMBERS])
        row = cursor.fetchone()
    return row[0] if row else None
