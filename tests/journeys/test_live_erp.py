"""Somebody confirms an order in a real Tryton, and has points here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools.tryton.erp import office, running
from tools.tryton.office import CONNECTOR
from tools.tryton.work import Desk, Done
from uptake.config.demo.erp import FIVE, open_office
from uptake.config.demo.people import PASSWORD
from uptake.connectors.pull.pull_due import pull_connection
from uptake.notify.models import Message
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def tryton(tmp_path: Path) -> Iterator[str]:
    """The address of a copy of the furnished Tryton."""
    found = office()
    if found is None:
        pytest.skip("no Tryton is installed: python tools/demo_erp.py --prepare (it takes a minute or two, once)")
    copied = tmp_path / found.name
    with closing(sqlite3.connect(found)) as there, closing(sqlite3.connect(copied)) as here:
        there.backup(here)  # what somebody's demo is writing at this moment stays whole
    with running(copied) as address:
        yield address


def test_an_order_confirmed_in_the_erp_becomes_points_with_a_reason_and_a_toast(tryton: str, tmp_path: Path) -> None:
    where, _, database = tryton.rpartition("/")
    clerk = FIVE[0]
    pull = open_office(
        folder=tmp_path,
        language="en",
        park=None,
        address=where,
        database=database,
        user=CONNECTOR,
        now=datetime.now(UTC),
    )
    done: list[Done] = []
    desk = Desk(tryton, clerk.login, PASSWORD, seed=1, tell=done.append)
    while "confirm" not in {one.verb for one in done}:
        desk.sell()

    while pull_connection(pull_id=pull.pk, clock=lambda: datetime.now(UTC)).unfinished:
        pass
    while consider_new_events(now=datetime.now(UTC)):
        pass

    order = next(one.object for one in done if one.verb == "confirm")
    award = Award.objects.get(rule="sale-confirmed", event__object=order)
    assert (award.points, award.person.staff_number) == (10, clerk.staff_number)
    told = Message.objects.exclude(kind="announcement.published").filter(person=award.person)
    assert [one.content["points"] for one in told] == [10]
