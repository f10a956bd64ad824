"""Overview: what stands there for whom, empty and full, and what needs attention."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tests.cast import BEIYUAN_MARKS, QINGHE_MARKS, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.keys import make_key
from uptake.events.models import ApiKey, Connection
from uptake.events.record import record
from uptake.insight.metrics.tests.world import ZONE, happen

# On PostgreSQL the feed reads only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


def test_an_empty_park_says_what_to_do(cast: Cast) -> None:
    page = cast.sign_in(cast.ren).get("/overview/").content.decode()

    assert "Nothing has come in yet" in page


def test_each_sees_the_place_of_the_own_role(cast: Cast) -> None:
    today = timezone.now().astimezone(ZONE).date()
    happen(cast, [(name, "order.created", today - timedelta(days=2)) for name in ("lin", "hua", "mo")], today)

    for_ren = cast.sign_in(cast.ren).get("/overview/").content.decode()
    for_mo = cast.sign_in(cast.mo).get("/overview/").content.decode()
    for_hua = cast.sign_in(cast.hua).get("/overview/").content.decode()

    assert "Beiyuan Precision" in for_ren
    assert "Qinghe Textile" in for_ren
    assert not [mark for mark in BEIYUAN_MARKS if mark in for_mo]
    assert not [mark for mark in QINGHE_MARKS if mark in for_hua]


def test_an_employee_is_told_whom_to_ask(cast: Cast) -> None:
    answer = cast.sign_in(cast.lin).get("/overview/")

    assert answer.status_code == 403


def test_a_place_of_another_company_does_not_exist(cast: Cast) -> None:
    assert cast.sign_in(cast.mo).get("/overview/?at=beiyuan").status_code == 404


@pytest.mark.parametrize("query", ["days=90", "days=7&compare=none", "show=pv", "from=2026-01-01&to=2026-01-31"])
def test_every_choice_of_period_gives_a_page(cast: Cast, query: str) -> None:
    today = timezone.now().astimezone(ZONE).date()
    happen(cast, [("lin", "$pageview", today - timedelta(days=2))], today)

    assert cast.sign_in(cast.ren).get(f"/overview/?{query}").status_code == 200


def test_a_period_that_is_none_is_said_and_the_usual_one_shown(cast: Cast) -> None:
    today = timezone.now().astimezone(ZONE).date()
    happen(cast, [("lin", "order.created", today - timedelta(days=2))], today)

    page = cast.sign_in(cast.ren).get("/overview/?from=2026-02-02&to=2026-01-01").content.decode()

    assert "That is no period" in page
    assert "Last 30 days" in page


@pytest.mark.parametrize(("alive", "said"), [(False, "Beiyuan Precision: no data since"), (True, ": nobody active")])
def test_no_use_is_told_from_no_data(cast: Cast, alive: bool, said: str) -> None:
    today = timezone.now().astimezone(ZONE).date()
    deeds = [
        (who, "order.created", today - timedelta(days=back)) for who in ("lin", "hua", "ke") for back in range(31, 62)
    ]
    happen(cast, [*deeds, ("mo", "order.created", today)], today)
    if alive:
        connection = Connection.objects.get(slug="erp-beiyuan")
        key, _secret = make_key(connection=connection, by=EVERYTHING, now=timezone.now())
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())

    page = cast.sign_in(cast.ren).get("/overview/").content.decode()

    assert said in page
    assert ("nobody active" in page) == alive


def test_what_waits_is_told_where_it_waits(cast: Cast) -> None:
    now = timezone.now()
    today = now.astimezone(ZONE).date()
    happen(cast, [("lin", "order.created", today), ("mo", "order.created", today)], today)
    connection = Connection.objects.get(slug="erp-beiyuan")
    late = Happening(event="order.created", key="late", at=now - timedelta(days=40), person="nobody-yet")
    record([late], connection=connection, now=now)
    browser = cast.sign_in(cast.ren)

    park, own, other = (browser.get(f"/overview/{at}").content.decode() for at in ("", "?at=beiyuan", "?at=qinghe"))

    assert "1 event waits for a decision" in park
    for page, told in (("/data/quarantine/", "1 event waits for a decision"), ("/data/people/", "nobody&#x27;s yet")):
        assert told in own
        assert f'href="{page}?at=beiyuan"' in own
        assert told not in other
        assert "nobody-yet" in browser.get(f"{page}?at=beiyuan").content.decode()
        assert "nobody-yet" not in browser.get(f"{page}?at=qinghe").content.decode()
    assert cast.sign_in(cast.wei).get("/data/quarantine/?at=qinghe").status_code in (403, 404)
