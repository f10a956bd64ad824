"""For whom: effects by the role most people of a department have, beside the points they were given."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pypdf
import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import Membership, Organization
from uptake.directory.scope import EVERYTHING
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.panel_of_departments import usual_roles
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_interventions import BEFORE, PEOPLE, START, registered, shops, work
from uptake.ledger.grant import Grant, grant
from uptake.web.pages.impact.for_whom import FEWEST, for_whom

pytestmark = pytest.mark.django_db
TEN_DAYS = timedelta(days=10)


def of(slug: str) -> list[int]:
    """The ids of the people of a department."""
    rows = Membership.objects.filter(organization__slug=slug).order_by("pk")
    return list(rows.values_list("person_id", flat=True))


def test_a_department_has_the_role_of_more_than_half_of_its_people_before_the_start(cast: Cast) -> None:
    starts = {slug: day.isoformat() if day else None for slug, day in shops(cast).items()}
    for slug, many in (("shop-00", 4), ("shop-01", 3), ("shop-02", 7)):
        Membership.objects.filter(person__in=of(slug)[:many]).update(role="clerk")
    Membership.objects.filter(organization__slug="shop-02").update(from_date=START)
    places = list(Organization.objects.filter(slug__startswith="shop-"))

    assert usual_roles(places, starts) == {"shop-00": "clerk"}, "3 of 7 are no majority, who came later does not count"
    assert usual_roles(places, dict.fromkeys(starts)) == {}


def test_the_effect_of_each_role_stands_beside_its_points(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 39)
    starts = shops(cast)
    for nth in range(12):
        role = "clerk" if nth < 6 else "buyer"
        Membership.objects.filter(organization__slug=f"shop-{nth:02}").update(role=role)
    work(cast, starts, 0.15)
    made = lock(intervention=registered(cast, starts, smallest=0.1), by=EVERYTHING, now=BEFORE)
    given = [
        Grant(
            book=cast.beiyuan.pk, key=f"{slug}/{who}", lot=f"{slug}/{who}", owner=str(who), points=points,
            cause="rule", happened_at=NOW - TEN_DAYS, available_from=NOW - TEN_DAYS,
        )
        for slug, points in (("shop-00", 30), ("shop-01", 900), ("shop-08", 6))
        for who in of(slug)
    ]  # fmt: skip
    grant(given, now=NOW)
    told = for_whom(made, json.loads(evaluate(intervention=made, by=EVERYTHING, now=NOW).text))

    assert told is not None
    rows = {row[0]: row for row in told.rows}
    assert 3 * PEOPLE >= FEWEST
    assert rows["clerk"][4:] == ("6", "10.0"), "of those who began: one of three clerks' departments was given 30 each"
    assert rows["buyer"][4:] == ("6", "2.0")
    assert all(row[1].startswith("+") for row in (rows["clerk"], rows["buyer"]))
    hua = cast.sign_in(cast.hua)
    page = hua.get(f"/impact/{made.pk}/").content.decode()
    whom = page[page.index('id="whom"') :]
    assert whom.index("buyer") < whom.index("2.0") < whom.index("clerk") < whom.index("10.0")
    printed = pypdf.PdfReader(io.BytesIO(hua.get(f"/impact/{made.pk}/report.pdf").content))
    assert "Points a head" in " ".join(one.extract_text() for one in printed.pages)


def test_groups_too_small_to_be_shown_are_told_no_points(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 39)
    monkeypatch.setattr("uptake.web.pages.impact.for_whom.FEWEST", 3 * PEOPLE + 1)
    starts = shops(cast)
    for nth in range(12):
        Membership.objects.filter(organization__slug=f"shop-{nth:02}").update(role="clerk" if nth < 6 else "buyer")
    work(cast, starts, 0.15)
    made = lock(intervention=registered(cast, starts, smallest=0.1), by=EVERYTHING, now=BEFORE)
    told = for_whom(made, json.loads(evaluate(intervention=made, by=EVERYTHING, now=NOW).text))

    assert told is not None
    assert not told.pointed
    assert {row[5] for row in told.rows} == {"–"}
