"""Undoing an import."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.viewer import NotAllowed
from uptake.events.models import Batch, Correction, Event, Quarantine
from uptake.events.record import record
from uptake.events.tests.world import batch_of, connection_of, said
from uptake.events.withdraw import withdraw

pytestmark = pytest.mark.django_db


def test_a_withdrawn_batch_stops_counting_and_stays_in_the_record(cast: Cast) -> None:
    erp = connection_of(cast.beiyuan)
    batch = batch_of(erp)
    record([said("kept"), said("changed", facts={"n": 1})], connection=erp, now=NOW)
    rows = [said("1"), said("changed", revision=2, facts={"n": 2}), said("waits", at=NOW + timedelta(days=1))]
    record(rows, connection=erp, now=NOW, batch=batch)
    ren = cast.viewer(cast.ren)
    first = withdraw(batch=batch, by=ren, now=NOW)
    assert withdraw(batch=batch, by=ren, now=NOW) == first
    assert {(one.key, one.revision) for one in Event.objects.standing()} == {("kept", 1), ("changed", 1)}
    assert Event.objects.filter(batch=batch).count() == 3
    assert not Quarantine.objects.waiting().exists()
    assert not Batch.objects.standing().exists()
    [entry] = AuditEntry.objects.filter(deed="import.undone")
    assert entry.details == {"batch": batch.pk, "events": 3}


@pytest.mark.parametrize("who", ["lin", "hua", "mo", "wei", "shu"])
def test_only_who_manages_data_there_undoes(cast: Cast, who: str) -> None:
    batch = batch_of(connection_of(cast.beiyuan))
    with pytest.raises(NotAllowed):
        withdraw(batch=batch, by=cast.viewer(cast.people()[who]), now=NOW)
    assert not Correction.objects.exists()
