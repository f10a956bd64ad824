"""Small debts that did not grow for some days are written off by entries, where the terms of the place say so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import AuditEntry, Organization
from uptake.ledger.accounts import AVAILABLE, DEBT
from uptake.ledger.accounts import person as account
from uptake.ledger.grant import Grant, Taking, grant, take_back
from uptake.ledger.models import Account, Entry
from uptake.ledger.move import forfeit
from uptake.ledger.verify import verify
from uptake.programme.governance.models import Committee
from uptake.programme.governance.write_off import write_off_debts

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def terms(place: Organization, most: int, days: int = 30) -> Committee:
    return Committee.objects.create(organization=place, debt_most=most, debt_days=days, changed_at=NOW)


def granted(cast: Cast, key: str, points: int) -> None:
    one = Grant(
        book=cast.beiyuan.pk, key=key, lot=key, owner=str(cast.lin.pk), points=points, cause="event/1",
        happened_at=NOW, available_from=NOW,
    )  # fmt: skip
    grant([one], now=NOW)


def owing(cast: Cast, points: int, key: str = "a") -> None:
    """Lin spent points that are taken back afterwards."""
    granted(cast, key, points)
    forfeit(book=cast.beiyuan.pk, key=f"spent/{key}", owner=str(cast.lin.pk), cause="request/1", now=NOW)
    taken = take_back(
        [Taking(book=cast.beiyuan.pk, key=f"back/{key}", lot=key, points=points, cause="event/2")], now=NOW
    )
    assert taken[0].debt == points


def balance(cast: Cast, part: str) -> int:
    rows = Account.objects.filter(book=cast.beiyuan.pk, code=account(str(cast.lin.pk), part))
    return sum(rows.values_list("balance", flat=True))


def test_a_small_debt_is_written_off_when_its_days_are_over_once(cast: Cast) -> None:
    terms(cast.beiyuan, most=20)
    owing(cast, 12)

    assert write_off_debts(now=NOW + 29 * DAY) == 0
    assert write_off_debts(now=NOW + 31 * DAY) == 1
    assert write_off_debts(now=NOW + 32 * DAY) == 0

    entry = Entry.objects.get(kind="written_off")
    assert (entry.points, entry.owner, entry.cause.partition("/")[0]) == (12, str(cast.lin.pk), "terms")
    assert balance(cast, DEBT) == 0
    assert AuditEntry.objects.filter(deed="debt.written_off", organization=cast.beiyuan).count() == 1
    assert verify().holds
    granted(cast, "later", 5)
    assert balance(cast, AVAILABLE) == 5


@pytest.mark.parametrize(("most", "owed", "written"), [(0, 1, 0), (20, 20, 1), (20, 21, 0)])
def test_only_debts_at_or_below_the_bound(cast: Cast, most: int, owed: int, written: int) -> None:
    terms(cast.beiyuan, most=most)
    owing(cast, owed)
    assert write_off_debts(now=NOW + 31 * DAY) == written


def test_the_parks_terms_hold_where_the_company_has_none_and_never_for_others(cast: Cast) -> None:
    terms(cast.qinghe, most=100)
    owing(cast, 12)
    assert write_off_debts(now=NOW + 31 * DAY) == 0
    terms(cast.park, most=100)
    assert write_off_debts(now=NOW + 31 * DAY) == 1
