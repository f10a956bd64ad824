"""Makes the next item of a stream while the last one is being used."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """The same items in the same order; one is made beforehand in a thread of its own.

    What ends the stream ends it after the same item. `items` may use no database of Django's: its connections belong
    to their threads.
    """
    nothing = object()
    try:
        with ThreadPoolExecutor(1, "ahead") as beside:
            coming = beside.submit(next, items, nothing)
            while (item := coming.result()) is not nothing:
                coming = beside.submit(next, items, nothing)
                yield item  # type: ignore[misc]  # not `nothing`
    finally:
        items.close()
