"""Probes as they are declared, asked in time, and told as events that the metric of uptime counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.connectors.models import Probe
from uptake.connectors.probes.allowed import Allowed, WrongAddress, allowed_from
from uptake.connectors.probes.keep import NoSystemName, NotOnTheList, declare_probe, end_probe
from uptake.connectors.probes.look import Seen
from uptake.connectors.probes.probe_due import probe_due
from uptake.directory.models import AuditEntry, Organization
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.models import Event

pytestmark = pytest.mark.django_db
LIST = allowed_from("erp.test, mes.test")
UP = Seen(True, "answered", "", 200, 31, NOW + timedelta(days=12))
DOWN = Seen(False, "too_slow")


def declared(place: Organization, address: str = "https://erp.test/", minutes: int = 5) -> Probe:
    return declare_probe(
        organization=place, system="ERP", address=address, minutes=minutes, allowed=LIST, by=EVERYTHING, now=NOW
    )


class Asked:
    """Answers with what is set, and counts."""

    def __init__(self, seen: Seen = UP) -> None:
        self.seen, self.addresses = seen, list[str]()

    def __call__(self, address: str) -> Seen:
        self.addresses.append(address)
        return self.seen

    def at(self, minutes: float, allowed: Allowed = LIST) -> int:
        return probe_due(clock=lambda: NOW + timedelta(minutes=minutes), allowed=allowed, ask=self)


def told(company: Organization) -> list[object]:
    rows = Event.objects.filter(name="system.probed", company=company).order_by("happened_at", "pk")
    return [one.facts["up"] for one in rows]


def test_a_probe_is_asked_in_its_time_and_what_is_seen_is_an_event_without_a_person(cast: Cast) -> None:
    probe, asked = declared(cast.beiyuan), Asked()

    assert [asked.at(0), asked.at(4.9), asked.at(5)] == [1, 0, 1]
    asked.seen = DOWN
    asked.at(10)

    probe.refresh_from_db()
    assert told(cast.beiyuan) == [True, True, False]
    assert not told(cast.qinghe)
    assert (probe.up, probe.code, probe.since) == (False, "too_slow", NOW + timedelta(minutes=10))
    event = Event.objects.filter(name="system.probed").order_by("pk")[0]
    assert (event.identity, event.object, event.facts) == (None, "ERP", {"up": True, "milliseconds": 31})
    assert event.business_date == TODAY


def test_an_address_that_two_companies_declare_is_asked_once_within_a_minute_and_told_of_both(cast: Cast) -> None:
    declared(cast.beiyuan, minutes=1)
    declared(cast.qinghe, "HTTPS://ERP.test:443", minutes=1)
    asked = Asked()

    asked.at(0)
    Probe.objects.filter(organization=cast.qinghe).update(next_at=NOW + timedelta(minutes=0.5))
    asked.at(0.5)

    assert asked.addresses == ["https://erp.test/"]
    assert (told(cast.beiyuan), told(cast.qinghe)) == ([True], [True, True])
    asked.at(1.5)
    assert len(asked.addresses) == 2


def test_what_is_no_longer_on_the_list_is_no_outage(cast: Cast) -> None:
    probe = declared(cast.beiyuan)

    assert Asked().at(0, Allowed()) == 0
    assert probe_due(clock=lambda: NOW, allowed=allowed_from("mes.test")) == 1
    probe.refresh_from_db()
    assert (probe.up, probe.code) == (None, "not_allowed")
    assert not Event.objects.filter(name="system.probed").exists()


def test_an_ended_probe_and_one_of_a_closed_company_are_asked_no_more(cast: Cast) -> None:
    probe, asked = declared(cast.beiyuan), Asked()
    declared(cast.qinghe)
    end_probe(probe=probe, by=EVERYTHING, now=NOW)
    end_probe(probe=probe, by=EVERYTHING, now=NOW)
    Organization.objects.filter(pk=cast.qinghe.pk).update(closed_at=NOW)

    assert asked.at(1) == 0
    deeds = AuditEntry.objects.filter(deed__startswith="probe.").order_by("pk").values_list("deed", flat=True)
    assert list(deeds) == ["probe.declared", "probe.declared", "probe.ended"]
    assert declared(cast.beiyuan).pk != probe.pk, "it may be declared again"


def test_one_ended_while_it_is_asked_tells_nothing(cast: Cast) -> None:
    probe = declared(cast.beiyuan)

    def ends(_address: str) -> Seen:
        Probe.objects.filter(pk=probe.pk).update(ended_at=NOW)
        return UP

    assert probe_due(clock=lambda: NOW, allowed=LIST, ask=ends) == 0
    assert not told(cast.beiyuan)


def test_who_may_not_and_what_is_no_address_on_the_list_is_refused(cast: Cast) -> None:
    def declare(system: str = "ERP", address: str = "https://erp.test/", place: Organization | None = None) -> Probe:
        return declare_probe(
            organization=place or cast.beiyuan, system=system, address=address, minutes=5, allowed=LIST, by=EVERYTHING,
            now=NOW,
        )  # fmt: skip

    assert declare().pk == declare(system="Other name").pk, "once per company and address"
    for refusal, said in (
        (NoSystemName, {"system": "  "}),
        (NoSystemName, {"system": "a" * 101}),
        (NotOnTheList, {"address": "https://other.test/"}),
        (WrongAddress, {"address": "erp.test"}),
        (NotAllowed, {"place": cast.purchasing}),
    ):
        with pytest.raises(refusal):
            declare(**said)
    with pytest.raises(NotAllowed):
        declare_probe(
            organization=cast.beiyuan, system="ERP", address="https://mes.test/", minutes=5, allowed=LIST,
            by=cast.viewer(cast.hua), now=NOW,
        )  # fmt: skip
    assert Probe.objects.count() == 1
