"""Threads that write to SQLite come in the order in which they asked, and nobody waits for one who left."""

from __future__ import annotations

import threading
import time

from uptake.config.sqlite3.line import Line


def test_who_came_first_is_let_in_first() -> None:
    line, order = Line(), list[int]()
    assert line.take(1)

    def write(number: int) -> None:
        assert line.take(10)
        order.append(number)
        line.give_back()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        while len(line._waiting) < count:
            time.sleep(0.001)
    line.give_back()
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_who_gave_up_is_passed_over() -> None:
    line = Line()
    assert line.take(1)
    assert not line.take(0.01)
    line.give_back()
    assert line.take(1)
