"""Do a deed again that lost to another one: PostgreSQL ends one of two transactions that cannot both go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

LOST: Final = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: nothing was written, and the same deed may now succeed."""
TRIES: Final = 5
FIRST_PAUSE: Final = 0.005
"""Seconds; each further pause is twice as long."""


def again_where_lost(door: Callable[P, R]) -> Callable[P, R]:
    """The door, tried up to five times where its transaction lost. Inside another transaction, that one is to be done
    again, so there the error goes up."""

    @wraps(door)
    def through(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return door(*args, **kwargs)
        for turn in range(TRIES - 1):
            try:
                return door(*args, **kwargs)
            except OperationalError as error:
                if not is_lost(error):
                    raise
                time.sleep(FIRST_PAUSE * 2**turn)
        return door(*args, **kwargs)

    return through


def is_lost(error: OperationalError) -> bool:
    """Whether the error says that another transaction won."""
    return getattr(error.__cause__, "sqlstate", None) in LOST
