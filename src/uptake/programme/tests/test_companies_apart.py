"""A batch is written company by company, one while the next is worked out: nothing may come out otherwise for it."""

from __future__ import annotations

from datetime import date, timedelta
from unittest.mock import patch

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.ledger import rows
from uptake.ledger.models import Account, Entry, Transfer
from uptake.ledger.verify import verify
from uptake.notify.models import Message
from uptake.programme import consider
from uptake.programme.consider import catch_up_due, consider_new_events
from uptake.programme.gather import AwardRow
from uptake.programme.models import Award, PutAside
from uptake.programme.post_differences import insert_awards
from uptake.programme.publish import publish
from uptake.programme.tests.world import RULES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("part", "few"), [(1, 1), (1, 10_000), (10_000, 1)], ids=["both", "apart", "behind"])
def test_companies_earn_what_they_earn_together(cast: Cast, part: int, few: int) -> None:
    _work(cast)

    with patch.object(consider, "PART", part), patch.object(rows, "_FEW", few):
        assert consider_new_events(now=NOW + timedelta(minutes=5)) == 24

    # 12 orders of 10 lines each, and a cap of 100 points a day.
    for who, company in ((cast.lin, cast.beiyuan), (cast.mo, cast.qinghe)):
        awards = Award.objects.filter(person=who, company=company).order_by("happened_at").values_list("points")
        assert [points for (points,) in awards] == [10] * 10 + [0] * 2
        assert Account.objects.get(book=company.pk, code=f"person/{who.pk}/available").balance == 100
        times = Transfer.objects.filter(book=company.pk).order_by("seq").values_list("effective_at", flat=True)
        assert list(times) == sorted(times)
        assert Message.objects.get(person=who).content["count"] == 10
    assert verify().holds
    assert consider_new_events(now=NOW + timedelta(minutes=6)) == 0


def test_nothing_is_kept_of_the_company_that_fails(cast: Cast) -> None:
    """The database refuses its rows, on SQLite not before the transaction ends."""
    _work(cast)
    broken = patch.object(consider, "insert_awards", side_effect=_without_event)

    with patch.object(consider, "PART", 1), patch.object(rows, "_FEW", 1), broken:
        consider_new_events(now=NOW + timedelta(minutes=5))

    assert set(Award.objects.values_list("company_id", flat=True)) == {cast.beiyuan.pk}
    assert set(Entry.objects.values_list("book", flat=True)) == {cast.beiyuan.pk}
    assert PutAside.objects.get().company_id == cast.qinghe.pk
    assert catch_up_due(now=NOW + timedelta(minutes=6)) == 12
    assert Award.objects.filter(company=cast.qinghe).count() == 12
    assert verify().holds


def _without_event(awards: list[AwardRow], now: object) -> None:
    """The awards of the company with the highest id are of an event that is not there."""
    if awards[0].company_id == max(Connection.objects.values_list("organization_id", flat=True)):
        for award in awards:
            award.event_id += 1_000_000
    insert_awards(awards, now)  # type: ignore[arg-type]


def _work(cast: Cast) -> None:
    """Lin of Beiyuan and Mo of Qinghe process twelve orders each, told in turns."""
    publish(rulebook={"rules": RULES}, organization=cast.park, in_force_date=date(2020, 1, 1), by=EVERYTHING, now=NOW)
    for slug, company, person in (("steel", cast.beiyuan, cast.lin), ("cloth", cast.qinghe, cast.mo)):
        Connection.objects.create(slug=slug, kind="api", name=slug, organization=company, created_at=NOW)
        Identity.objects.create(source=slug, external_id="one", company=company, person=person, first_seen_at=NOW)
    for number in range(12):
        at = NOW + timedelta(seconds=number)
        for connection in Connection.objects.filter(slug__in=("steel", "cloth")):
            done = Happening("order.processed", str(number), at, "one", str(number), {"lines": 10})
            record([done], connection=connection, now=at)
