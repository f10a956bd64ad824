"""Saying by hand who an identity is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import Identity, Membership
from uptake.directory.viewer import NotAllowed
from uptake.events.identify import identify
from uptake.events.models import Correction, Event
from uptake.events.record import record
from uptake.events.tests.world import connection_of, said

pytestmark = pytest.mark.django_db


def places() -> dict[str, int | None]:
    return {one.key: one.place_id for one in Event.objects.placed()}  # type: ignore[attr-defined]


def test_past_events_become_the_person_s_and_are_placed_where_they_belonged(cast: Cast) -> None:
    Membership.objects.filter(person=cast.mo).update(until_date=date(2026, 5, 10))
    Membership.objects.create(person=cast.mo, organization=cast.finance, from_date=date(2026, 5, 10))
    park = connection_of(cast.park, "portal")
    record(
        [
            said("before", person="m7", at=datetime(2026, 5, 9, 4, tzinfo=UTC)),
            said("after", person="m7"),
            said("named", person="m7", company="qinghe"),
            said("other", person="m8"),
        ],
        connection=park,
        now=NOW,
    )
    identity, ren = Identity.objects.get(source="portal", external_id="m7"), cast.viewer(cast.ren)
    for _again in range(2):
        identify(identity=identity, person=cast.mo, by=ren, now=NOW)
    beiyuan, qinghe = cast.beiyuan.pk, cast.qinghe.pk
    assert places() == {"before": qinghe, "after": beiyuan, "named": qinghe, "other": None}
    assert {one.key for one in Event.objects.of_person(cast.mo)} == {"before", "after", "named"}
    [told] = Correction.objects.filter(kind="identified")
    assert (told.identity, told.person_id_was) == (identity, None)


def test_taken_back_the_events_belong_nowhere_again_and_may_be_given_to_another(cast: Cast) -> None:
    record([said("1", person="m7")], connection=connection_of(cast.park, "portal"), now=NOW)
    identity, ren = Identity.objects.get(source="portal"), cast.viewer(cast.ren)
    identify(identity=identity, person=cast.mo, by=ren, now=NOW)
    identify(identity=identity, person=None, by=ren, now=NOW)
    assert places() == {"1": None}
    identify(identity=identity, person=cast.lin, by=ren, now=NOW)
    assert places() == {"1": cast.beiyuan.pk}
    told = Correction.objects.filter(kind="identified").order_by("id")
    assert [one.person_id_was for one in told] == [None, cast.mo.pk, None]


def test_who_may_not_map_changes_nothing(cast: Cast) -> None:
    record([said("1", person="m7")], connection=connection_of(cast.park, "portal"), now=NOW)
    with pytest.raises(NotAllowed):
        identify(identity=Identity.objects.get(source="portal"), person=cast.mo, by=cast.viewer(cast.mo), now=NOW)
    assert not Correction.objects.exists()
