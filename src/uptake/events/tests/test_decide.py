"""Deciding about events in quarantine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.viewer import NotAllowed
from uptake.events.decide import AlreadyDecided, NotQuarantined, accept, decline
from uptake.events.models import Correction, Event, Quarantine
from uptake.events.record import record
from uptake.events.tests.world import connection_of, said

pytestmark = pytest.mark.django_db


def waiting_event(cast: Cast) -> Event:
    record([said("x", at=NOW + timedelta(days=1))], connection=connection_of(cast.beiyuan), now=NOW)
    return Event.objects.get()


def test_an_accepted_event_counts_from_now_on_and_the_deed_is_noted(cast: Cast) -> None:
    event, ren = waiting_event(cast), cast.viewer(cast.ren)
    assert list(Quarantine.objects.waiting()) == [event.quarantine]
    first = accept(event=event, by=ren, now=NOW)
    assert accept(event=event, by=ren, now=NOW) == first
    assert list(Event.objects.standing()) == [event]
    assert not Quarantine.objects.waiting().exists()
    assert first.by is not None
    assert first.by.person == cast.ren
    [entry] = AuditEntry.objects.filter(deed="event.accepted")
    assert (entry.organization, entry.details["event"]) == (cast.beiyuan, event.pk)


def test_a_declined_event_never_counts_and_the_first_decision_stands(cast: Cast) -> None:
    event, ren = waiting_event(cast), cast.viewer(cast.ren)
    decline(event=event, by=ren, now=NOW)
    decline(event=event, by=ren, now=NOW)
    with pytest.raises(AlreadyDecided):
        accept(event=event, by=ren, now=NOW)
    assert not Event.objects.standing().exists()
    assert Correction.objects.count() == 1


def test_what_does_not_wait_cannot_be_decided(cast: Cast) -> None:
    record([said()], connection=connection_of(cast.beiyuan), now=NOW)
    with pytest.raises(NotQuarantined):
        accept(event=Event.objects.get(), by=cast.viewer(cast.ren), now=NOW)


@pytest.mark.parametrize("who", ["lin", "hua", "mo", "wei", "shu"])
def test_only_who_manages_data_there_decides(cast: Cast, who: str) -> None:
    event = waiting_event(cast)
    with pytest.raises(NotAllowed):
        accept(event=event, by=cast.viewer(cast.people()[who]), now=NOW)
    assert not Correction.objects.exists()
