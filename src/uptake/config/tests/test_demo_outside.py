"""Around the demo stand a directory, software and a group; nothing leaves the machine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast, person
from uptake.config.demo.outside import SAID, stand_around
from uptake.config.demo.park import make_park
from uptake.connectors.people.models import PeopleRun, SaidPerson
from uptake.directory.models import Membership, Person
from uptake.notify.deliver import deliver
from uptake.notify.models import Chat, Delivery, Webhook

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_people_are_found_and_stay_where_they_are_and_nothing_is_sent(cast: Cast) -> None:
    park = make_park(seed=1, today=NOW.date(), days=30, language="zh-hans", rest=frozenset())
    for one in [one for one in park.people if one.company == "beiyuan"][:SAID]:
        if not Person.objects.filter(staff_number=one.staff_number).exists():
            person(name=one.name, at=cast.purchasing, staff_number=one.staff_number)
    people, memberships = Person.objects.count(), set(Membership.objects.values_list("pk", "until_date"))

    stand_around(park, NOW)

    assert (Person.objects.count(), set(Membership.objects.values_list("pk", "until_date"))) == (people, memberships)
    assert SaidPerson.objects.filter(belongs=True).count() >= SAID - 1
    assert SaidPerson.objects.exclude(trouble="").count() >= 1, "one number twice: a person decides"
    assert PeopleRun.objects.get().outcome == "done"
    assert {one.chat for one in Webhook.objects.all()} == {"", Chat.DINGTALK}
    assert Delivery.objects.count() == 1
    assert deliver(clock=lambda: NOW + timedelta(minutes=5), post=_sent) == 0


def _sent(*_about: Any, **_more: Any) -> Any:
    raise AssertionError("it was sent")
