"""What a unit of effect cost is told with its interval or not at all; a link opens one report until it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.insight.impact.models import Evaluation, Intervention
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_interventions import BEFORE, registered, shops
from uptake.insight.report import share as sharing
from uptake.insight.report.cost_of_effect import unit_cost
from uptake.insight.report.models import Cost, ShareLink
from uptake.insight.report.note_cost import WrongCost, note_cost
from uptake.insight.report.points_given import points_given
from uptake.insight.report.share import let_in, revoke, share
from uptake.ledger.grant import Grant, grant


@pytest.fixture
def kept(cast: Cast) -> Evaluation:
    made = lock(intervention=registered(cast, shops(cast)), by=EVERYTHING, now=BEFORE)
    return Evaluation.objects.create(
        intervention=made, text="{}", sha="1" * 64, verdict="increase", grade="B", made_at=NOW
    )


@pytest.mark.once
@pytest.mark.parametrize(
    ("effect", "told"),
    [
        ((0.10, 0.05, 0.20), (100.0, 50.0, 200.0)),
        ((-0.10, -0.20, -0.05), (100.0, 50.0, 200.0)),
        ((0.10, -0.01, 0.21), None),
        ((0.10, 0.0, 0.2), None),
        ((0.10, None, None), None),
    ],
)
def test_a_unit_is_told_with_its_interval_or_not_at_all(
    effect: tuple[float, float | None, float | None], told: tuple[float, float, float] | None
) -> None:
    found = unit_cost(1000.0, dict(zip(("value", "low", "high"), effect, strict=True)), 100)

    assert told == (None if found is None else pytest.approx((found.value, found.low, found.high)))


@pytest.mark.django_db
def test_costs_are_noted_again_and_never_changed(cast: Cast, kept: Evaluation) -> None:
    def noted(amount: str, point: str = "0", currency: str = "CNY") -> Cost:
        return note_cost(
            intervention=kept.intervention, amount=Decimal(amount), point_value=Decimal(point), currency=currency,
            by=EVERYTHING, now=NOW,
        )  # fmt: skip

    for wrong in (("-1",), ("0",), ("NaN",), ("1", "0", "XXX")):
        with pytest.raises(WrongCost):
            noted(*wrong)
    noted("1200.5", "0.01")
    last = noted("0", "0.5")

    assert Cost.objects.order_by("-pk")[0] == last
    assert AuditEntry.objects.filter(deed="impact.cost_noted").count() == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        Cost.objects.update(amount=1)
    with pytest.raises(NotAllowed):
        note_cost(
            intervention=kept.intervention, amount=Decimal(1), point_value=Decimal(0), currency="CNY",
            by=cast.viewer(cast.mo), now=NOW,
        )  # fmt: skip


@pytest.mark.django_db
def test_points_count_from_the_start_of_ones_department_only(cast: Cast) -> None:
    made = Intervention(
        organization=cast.beiyuan,
        starts={cast.purchasing.slug: (TODAY - timedelta(days=5)).isoformat(), cast.finance.slug: None},
        plan={},
    )

    def given(who: int, points: int, ago: int) -> Grant:
        at = NOW - timedelta(days=ago)
        return Grant(
            book=cast.beiyuan.pk, key=f"{who}/{ago}", lot=f"{who}/{ago}", owner=str(who), points=points, cause="rule",
            happened_at=at, available_from=at,
        )  # fmt: skip

    grant([given(cast.lin.pk, 10, 2), given(cast.lin.pk, 100, 9), given(cast.ke.pk, 1000, 2)], now=NOW)

    assert points_given(made, last=TODAY) == 10
    assert points_given(made, last=TODAY - timedelta(days=3)) == 0


@pytest.mark.django_db
def test_a_link_opens_its_report_until_it_ends_or_is_revoked(cast: Cast, kept: Evaluation) -> None:
    link, secret = share(evaluation=kept, days=7, label="the board", by=EVERYTHING, now=NOW)
    other, second = share(evaluation=kept, days=90, label="", by=EVERYTHING, now=NOW)

    assert let_in(secret=secret, now=NOW) == kept
    assert let_in(secret=secret, now=NOW + timedelta(days=7)) is None
    assert let_in(secret=secret[:-1], now=NOW) is None
    for _ in range(2):
        revoke(link=other, by=EVERYTHING, now=NOW)
    assert let_in(secret=second, now=NOW) is None
    link.refresh_from_db()
    assert (link.opened, secret in str(vars(link))) == (1, False)
    assert AuditEntry.objects.filter(deed="impact.share_revoked").count() == 1
    with pytest.raises(NotAllowed):
        share(evaluation=kept, days=7, label="", by=cast.viewer(cast.shu), now=NOW)
    with pytest.raises(NotAllowed):
        revoke(link=link, by=cast.viewer(cast.mo), now=NOW)


@pytest.mark.django_db
def test_links_are_few_short_and_to_verdicts_only(kept: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    interim = Evaluation.objects.create(
        intervention=kept.intervention, text="{}", sha="2" * 64, verdict="interim", grade="B", made_at=NOW
    )
    made: Callable[[Evaluation, int], object] = lambda one, days: share(  # noqa: E731
        evaluation=one, days=days, label="", by=EVERYTHING, now=datetime(2026, 5, 13, tzinfo=UTC)
    )
    for one, days, why in (
        (kept, 0, sharing.WrongDays), (kept, 91, sharing.WrongDays), (interim, 7, sharing.StillInterim)
    ):  # fmt: skip
        with pytest.raises(why):
            made(one, days)
    monkeypatch.setattr(sharing, "MOST", 1)
    made(kept, 7)
    with pytest.raises(sharing.TooManyLinks):
        made(kept, 7)
    assert ShareLink.objects.count() == 1
