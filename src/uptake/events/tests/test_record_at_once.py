"""Many senders of the same keys at one moment: one event each, and everybody learns its fate."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection as database
from django.db import connections

from tests.cast import NOW, build_cast
from uptake.events.happening import Fate
from uptake.events.models import Connection, Event
from uptake.events.record import record
from uptake.events.tests.world import connection_of, said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other_content", [False, True])
def test_one_key_from_many_senders_gives_one_event(other_content: bool) -> None:
    erp = connection_of(build_cast().beiyuan)
    senders = 16 if database.vendor == "postgresql" else 4
    together = Barrier(senders)

    def send(number: int) -> list[Fate]:
        try:
            mine = Connection.objects.get(pk=erp.pk)
            rows = [said(f"k{n}", person=f"p{n % 7}", facts={"n": number if other_content else 0}) for n in range(40)]
            random.Random(number).shuffle(rows)
            together.wait()
            return record(rows, connection=mine, now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(senders) as pool:
        told = [fate for fates in pool.map(send, range(senders)) for fate in fates]
    stored = {one.key: one.pk for one in Event.objects.all()}
    assert len(stored) == 40
    assert all(fate.event_id == stored[fate.key] for fate in told)
    losers = "conflict" if other_content else "replayed"
    assert Counter(fate.fate for fate in told) == {"new": 40, losers: 40 * (senders - 1)}
