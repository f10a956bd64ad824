"""What our own modules did joins the one timeline."""

from __future__ import annotations

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import Identity
from uptake.directory.viewer import NotAllowed
from uptake.events.connect import SlugTaken, connect, pause
from uptake.events.models import Connection, Event, EventType
from uptake.events.record_own import OwnDeed, UnknownOwnName, record_own

pytestmark = pytest.mark.django_db


def post(cast: Cast, key: str = "post/1", **more: object) -> OwnDeed:
    values = {"company": cast.beiyuan.pk, "person": cast.lin.pk, "name": "post.written", "key": key, "at": NOW} | more
    return OwnDeed(**values)  # type: ignore[arg-type]


def test_a_deed_is_an_event_of_its_person_and_company_once(cast: Cast) -> None:
    deeds = [
        post(cast),
        post(cast, "post/2", person=None),
        post(cast, company=cast.qinghe.pk, person=cast.mo.pk, key="3"),
    ]
    for _again in range(2):
        fates = record_own(deeds, now=NOW)
    assert [fate.fate for fate in fates] == ["replayed"] * 3
    told = {one.key: (one.identity and one.identity.person_id, one.company_id) for one in Event.objects.all()}
    assert told == {
        "post.written/post/1": (cast.lin.pk, cast.beiyuan.pk),
        "post.written/post/2": (None, cast.beiyuan.pk),
        "post.written/3": (cast.mo.pk, cast.qinghe.pk),
    }
    [connection] = Connection.objects.filter(kind="uptake")
    assert (connection.slug, connection.organization_id) == ("uptake", cast.park.pk)


def test_its_name_is_declared_and_does_not_count_as_use(cast: Cast) -> None:
    record_own([post(cast)], now=NOW)
    kind = EventType.objects.get(name="post.written")
    assert (kind.declared, kind.counts_as_active, kind.label_zh) == (True, False, "发布帖子")
    with pytest.raises(UnknownOwnName):
        record_own([post(cast, name="programme.changed")], now=NOW)


def test_nobody_takes_its_name_or_stops_it(cast: Cast) -> None:
    ren = cast.viewer(cast.ren)
    with pytest.raises(SlugTaken):
        connect(slug="uptake", kind="api", name="x", organization=cast.park, by=ren, now=NOW)
    record_own([post(cast)], now=NOW)
    with pytest.raises(NotAllowed):
        pause(connection=Connection.objects.get(kind="uptake"), by=ren, now=NOW)
    assert Identity.objects.get(source="uptake").external_id == f"person/{cast.lin.pk}"
