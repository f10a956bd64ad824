"""The database itself refuses to change what was recorded."""

from __future__ import annotations

import pytest
from django.db import Error, connection, transaction

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.decide import accept
from uptake.events.models import Event
from uptake.events.record import record
from uptake.events.tests.world import connection_of, said

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events_event SET name = 'other'",
        "DELETE FROM events_event",
        "UPDATE events_correction SET kind = 'declined'",
        "DELETE FROM events_correction",
        "DELETE FROM events_quarantine",
        "DELETE FROM events_conflict",
    ],
)
def test_what_was_recorded_cannot_be_changed(cast: Cast, statement: str) -> None:
    erp = connection_of(cast.beiyuan)
    record(
        [said(facts={"n": 1}), said(facts={"n": 2}), said("future", at=NOW.replace(year=2027))], connection=erp, now=NOW
    )
    accept(event=Event.objects.get(key="future"), by=EVERYTHING, now=NOW)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_events_know_their_transaction_on_postgresql(cast: Cast) -> None:
    record([said()], connection=connection_of(cast.beiyuan), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 0" if connection.vendor == "sqlite" else "SELECT pg_current_xact_id()::text::bigint")
        assert Event.objects.get().txid == cursor.fetchone()[0]
