"""The page of a place says which days were restated, and shows them as of a date."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tests.cast import Cast, person
from uptake.insight.metrics.tests.world import ZONE, happen
from uptake.insight.models import DayFigure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def told(cast: Cast) -> Cast:
    """A day of Beiyuan and its park that was told three times."""
    today = timezone.now().astimezone(ZONE).date()
    for number in range(5):
        person(name=f"Buyer {number}", at=cast.purchasing)
    happen(cast, [("lin", "order.created", today - timedelta(days=4))], today)
    for organization in (cast.park, cast.beiyuan):
        for days, events, why in ((3, 31, []), (2, 77, ["late"]), (1, 1234, ["late", "undone"])):
            DayFigure.objects.create(
                organization=organization, day=today - timedelta(days=4), as_of=today - timedelta(days=days),
                events=events, people=9, why=why, taken_at=timezone.now(),
            )  # fmt: skip
    return cast


def page(cast: Cast, who: str, slug: str, query: str = "") -> str:
    browser = cast.sign_in(cast.people()[who])
    return browser.get(f"/activity/{slug}/{query}").content.decode()


@pytest.mark.parametrize(("who", "slug"), [("ren", "linjiang"), ("ren", "beiyuan"), ("hua", "beiyuan")])
def test_then_now_and_why(told: Cast, who: str, slug: str) -> None:
    text = page(told, who, slug)

    assert "1 of 1 days is told otherwise now than when it was over." in text
    assert ">31<" in text
    assert ">1,234<" in text
    assert "Late events · Import undone" in text


@pytest.mark.parametrize("kind", ["trends", "active"])
def test_questions_by_day_are_told_the_same(told: Cast, kind: str) -> None:
    today = timezone.now().astimezone(ZONE).date()
    whole = page(told, "ren", f"ask/{kind}", f"?at=beiyuan&as_of={today - timedelta(days=2)}")
    narrowed = [
        page(told, "ren", f"ask/{kind}", f"?at=beiyuan&{more}") for more in ("event=order.created", "every=week")
    ]

    assert ">77<" in whole
    assert whole.count('"label": "Restated"') == 1, "the picture marks the day"
    assert not [text for text in narrowed if "Restated" in text]


def test_as_of_a_date(told: Cast) -> None:
    today = timezone.now().astimezone(ZONE).date()

    text = page(told, "ren", "beiyuan", f"?as_of={today - timedelta(days=2)}")
    assert ">77<" in text
    assert ">31<" not in text
    assert "told otherwise now than as of" in text

    text = page(told, "ren", "beiyuan", f"?as_of={today - timedelta(days=1)}")
    assert "0 of 1 days are told otherwise" in text
    assert "no date such as" in page(told, "ren", "beiyuan", "?as_of=yesterday")


def test_where_nothing_is_written_down_nothing_is_said(told: Cast) -> None:
    for slug in ("qinghe", "beiyuan-purchasing"):
        assert "Restated numbers" not in page(told, "ren", slug)
    assert "Restated numbers" not in page(told, "mo", "qinghe")
