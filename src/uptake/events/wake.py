"""Wakes the readers of this process after a commit of events or corrections; other processes look every second."""

from __future__ import annotations

import threading

_bell = threading.Condition()
_rung = 0


def rung() -> int:
    """How often the bell rang so far: read it before reading the record, and pass it to `wait`."""
    with _bell:
        return _rung


def wait(heard: int, seconds: float) -> bool:
    """Waits until the bell rings after `heard` rings, at most `seconds`; whether it did."""
    with _bell:
        return _bell.wait_for(lambda: _rung > heard, seconds)


def ring() -> None:
    """Wakes everyone who waits. Called after a commit."""
    global _rung
    with _bell:
        _rung += 1
        _bell.notify_all()
