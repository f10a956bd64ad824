"""One at a time: the others wait for it without work, and then look how things stand.

An advisory lock, which writes nothing: a transaction that holds a row gets its number at once, and readers by bookmark
go no further than the oldest number that is still at work. On SQLite writers stand in a line anyway. A turn ends with
its transaction.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from django.db import connection


class Turn(IntEnum):
    """What it is a turn of: the first of the two numbers by which PostgreSQL tells advisory locks apart."""

    SPENDING = 0x7570746C
    """Of a person: fifty taps on one button would otherwise all find enough points, and then stand in a line for the
    reward only to learn one after the other that the first had it."""
    BOARDS = 0x7570746D
    """Of a company: its boards are counted on from what they say."""


NUMBERS: Final = 2**31


def wait_for_turn(turn: Turn, of: int) -> None:
    """Waits until it is ours; call it in the transaction it is for. `of`: the number of whose turn it is."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [int(turn), of % NUMBERS])
