"""A question stands in the address: it is told in words, answered in a table, and opened down to the people."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.utils import timezone

from tests.cast import Cast, person
from uptake.insight.metrics.tests.world import ZONE, happen
from uptake.web.pages.explore.bar import condition_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def lively(cast: Cast) -> Cast:
    today = timezone.now().astimezone(ZONE).date()
    for number in range(5):
        person(name=f"Buyer {number}", at=cast.purchasing)
    deeds = [(who, "order.created", today - timedelta(days=number)) for who in ("lin", "hua") for number in (1, 2)]
    happen(cast, [*deeds, ("mo", "stock.counted", today - timedelta(days=1))], today)
    return cast


def test_the_question_is_told_in_words_and_answered_in_a_table(lively: Cast) -> None:
    page = lively.sign_in(lively.ren).get("/activity/ask/trends/?event=order.created&every=week").content.decode()

    assert "How many people did order.created per week at" in page
    assert "2 different people, 4 events in the whole period." in page


def test_one_may_choose_only_what_happened_at_the_own_place(lively: Cast) -> None:
    page = lively.sign_in(lively.wei).get("/activity/ask/trends/").content.decode()

    assert "order.created" in page
    assert "stock.counted" not in page


def test_what_is_not_understood_is_said_and_left_out(lively: Cast) -> None:
    page = lively.sign_in(lively.ren).get("/activity/ask/trends/?every=eon&where=amount:like:3").content.decode()

    assert "Counting by “eon” is not possible here." in page
    assert "The condition “amount:like:3” is not understood and was left out." in page
    assert "3 different people" in page


def test_a_condition_is_put_into_the_address(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)

    answer = browser.get("/activity/ask/trends/?every=week&p_name=amount&p_op=gt&p_value=10")

    assert answer.headers["Location"] == "/activity/ask/trends/?every=week&where=amount%3Agt%3A10"
    page = browser.get(answer.headers["Location"]).content.decode()
    assert "amount &gt; 10" in page
    assert "Nothing happened that this question counts" in page


def test_who_sees_totals_finds_small_numbers_hidden(lively: Cast) -> None:
    page = lively.sign_in(lively.hua).get("/activity/ask/trends/").content.decode()

    assert "&lt; 5 different people" in page
    assert "/people/?" not in page


def test_analyses_that_name_people_are_offered_only_to_who_may_see_them(lively: Cast) -> None:
    offered = {
        who: [kind for kind in ("paths", "silence", "funnel") if f'<a href="/activity/ask/{kind}/' in page]
        for who in ("ren", "hua")
        for page in [lively.sign_in(lively.people()[who]).get("/activity/ask/trends/?at=beiyuan").content.decode()]
    }

    assert offered == {"ren": ["paths", "silence", "funnel"], "hua": ["funnel"]}


def test_the_table_can_be_taken_along(lively: Cast) -> None:
    text = lively.sign_in(lively.ren).get("/activity/ask/trends/export.csv?every=month").content.decode("utf-8-sig")

    assert text.splitlines()[0] == "Month from,People,Events"
    assert any(line.endswith(",3,5") or ",3," in line for line in text.splitlines()[1:])


def test_addresses_that_name_nothing(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)

    assert browser.get("/activity/ask/magic/").status_code == 404
    assert browser.get("/activity/ask/trends/export.pdf").status_code == 404
    assert "Nobody can be looked up" in browser.get("/activity/ask/trends/people/?number=7").content.decode()
    assert lively.sign_in(lively.lin).get("/activity/ask/trends/").status_code == 403


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("amount:gt:10", {"property": "amount", "op": "gt", "value": "10"}),
        ("module:eq:stock|orders", {"property": "module", "op": "eq", "value": ["stock", "orders"]}),
        ("url:contains:a:b", {"property": "url", "op": "contains", "value": "a:b"}),
        ("amount:is_set", {"property": "amount", "op": "is_set"}),
        ("amount:gt:", None),
        (":eq:1", None),
        ("amount", None),
    ],
)
def test_conditions_in_the_address(text: str, condition: dict[str, object] | None) -> None:
    assert condition_of(text) == condition


def test_the_numbers_of_a_breakdown_open_their_people(lively: Cast) -> None:
    browser = lively.sign_in(lively.ren)

    page = browser.get("/activity/ask/trends/?by=event&every=month").content.decode()
    behind = browser.get('/activity/ask/trends/people/?by=event&number={"value":"stock.counted"}').content.decode()

    assert "Whole period" in page
    assert "stock.counted, people" in page
    assert quote('{"value":"stock.counted"}') in page
    assert "1 person behind this number" in behind
    assert "Lin Fang" not in behind


def test_active_people_are_counted_by_day_and_in_whole_weeks_and_opened(lively: Cast) -> None:
    yesterday = timezone.now().astimezone(ZONE).date() - timedelta(days=1)
    monday = yesterday - timedelta(days=yesterday.weekday())
    browser = lively.sign_in(lively.ren)

    day = browser.get("/activity/ask/active/?days=7").content.decode()
    on_day = browser.get(f'/activity/ask/active/people/?number={{"day":"{yesterday}","window":7}}').content.decode()
    week = browser.get("/activity/ask/active/?every=week&days=7").content.decode()
    in_week = browser.get(f"/activity/ask/active/people/?every=week&of=whole:{monday}&number={{}}").content.decode()
    nonsense = browser.get("/activity/ask/active/people/?every=week&of=whole:soon&number={}").content.decode()

    assert quote(f'{{"day":"{yesterday}","window":7}}') in day
    assert "3 people behind this number" in on_day
    assert quote(f"whole:{monday}", safe="") in week
    assert "3 people behind this number" in in_week
    assert "the address does not name one" in nonsense
