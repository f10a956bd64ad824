"""The company of the demo that works in a real ERP: its people earn from the first order on, and it opens as often as
its Tryton starts. Tryton itself is in `tests/journeys/test_live_erp.py`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from uptake.config.demo.erp import FIVE, PAID, SLUG, SOURCE, close_office, open_office
from uptake.config.demo.people import PASSWORD
from uptake.connectors.models import Pull
from uptake.directory.models import Identity, Kind, Organization, User
from uptake.directory.organize import make_organization
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.record import record
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award, RulebookVersion
from uptake.programme.publish import publish

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def opened(folder: Path, *, park: Organization | None = None, port: int = 8000, now: datetime = NOW) -> Pull:
    return open_office(
        folder=folder,
        language="en",
        park=park,
        address=f"http://127.0.0.1:{port}",
        database="office",
        user="connector",
        now=now,
    )


def ruled_park() -> Organization:
    park = make_organization(kind=Kind.PARK, name="Park", slug="park", parent=None, by=EVERYTHING, now=NOW)
    rule = {"rule": "log-in", "version": 1, "from": "2026-01-01", "on": "auth.login", "points": 1}
    first = (NOW - timedelta(days=9)).date()
    book = {"programme": {}, "rules": [rule]}
    publish(rulebook=book, organization=park, in_force_date=first, by=EVERYTHING, now=NOW - timedelta(days=9))
    return park


@pytest.mark.parametrize("in_a_park", [True, False])
def test_what_is_confirmed_in_the_erp_pays_at_once_and_a_cancelled_order_pays_nothing(
    tmp_path: Path, in_a_park: bool
) -> None:
    pull = opened(tmp_path, park=ruled_park() if in_a_park else None)
    said = [(paid.event, FIVE[0].login, f"thing,{n}") for n, paid in enumerate(PAID)]
    said += [("sale.confirmed", FIVE[1].login, "sale.sale,9"), ("sale.cancelled", FIVE[1].login, "sale.sale,9")]
    at = NOW + timedelta(minutes=1)
    record(
        [
            Happening(event=event, key=f"k{n}", at=at + timedelta(seconds=n), person=login, object=thing)
            for n, (event, login, thing) in enumerate(said)
        ],
        connection=pull.connection,
        now=at + timedelta(minutes=1),
    )

    while consider_new_events(now=at + timedelta(minutes=2)):
        pass

    assert {award.rule: award.points for award in Award.objects.filter(person__staff_number="Y001")} == {
        paid.event.replace(".", "-").replace("_", "-"): paid.points for paid in PAID
    }
    assert RulebookVersion.objects.latest("pk").in_force_at is None, "nobody is told that rules were lowered"
    assert (Organization.objects.get(slug=SLUG).parent is not None) is in_a_park
    assert sum(Award.objects.filter(person__staff_number="Y002").values_list("points", flat=True)) == 0


def test_it_opens_again_at_another_address_with_the_same_people_and_rules(tmp_path: Path) -> None:
    others = [{"username": "ren", "password": "x", "name": "Ren"}]
    (tmp_path / "demo-logins.json").write_text(json.dumps(others))
    opened(tmp_path)
    close_office(now=NOW)
    assert Pull.objects.get().connection.paused_at == NOW

    later = opened(tmp_path, port=9000, now=NOW + timedelta(days=1))

    assert later.settings["address"] == "http://127.0.0.1:9000"
    assert Pull.objects.get().connection.paused_at is None
    assert Organization.objects.filter(slug=SLUG).count() == RulebookVersion.objects.count() == 1
    assert Identity.objects.filter(source=SOURCE, person__isnull=False).count() == len(FIVE) == User.objects.count()
    assert all(user.check_password(PASSWORD) for user in User.objects.all()[:1])
    listed = [one["username"] for one in json.loads((tmp_path / "demo-logins.json").read_text())]
    assert listed == ["ren", *(one.login for one in FIVE)]
