"""The rule builder: a draft is begun, edited with its sentences beside, back-tested and published."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.cast import Cast
from uptake.directory.clock import set_clock
from uptake.directory.models import Role, RoleAssignment
from uptake.directory.place import settings_at
from uptake.directory.scope import EVERYTHING
from uptake.programme.drafting.ask_back_test import ask_back_test
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.drafting.models import Draft
from uptake.programme.drafting.run_back_tests import run_waiting_back_tests
from uptake.programme.models import RulebookVersion
from uptake.programme.rulebook_reading import read_rulebook
from uptake.programme.tests.world import RULES, Desk
from uptake.web.pages.building import edit

pytestmark = pytest.mark.django_db

BOOK: dict[str, Any] = {"rules": [{**RULES[0], "points": {"per": "lines", "points": 2}}]}
FORM = {
    "seen": "1", "rule": "counts", "title": "Counting", "from": "2026-01-01", "on": "stock.counted",
    "when.0.what": "fact:lines", "when.0.op": "gte", "when.0.value": "3", "points.kind": "fixed", "points.fixed": "4",
    "cap.0.limit": "12", "cap.0.unit": "points", "cap.0.every": "day", "streak.working_days": "1",
}  # fmt: skip


@pytest.fixture
def ren(cast: Cast) -> Client:
    return cast.sign_in(cast.ren)


def drafted(cast: Cast, **told: Any) -> Draft:
    return begin_draft(
        organization=cast.beiyuan, title="Double", by=EVERYTHING, now=timezone.now(), **{"rulebook": BOOK, **told}
    )


def page(name: str, draft: Draft, *more: Any) -> str:
    return reverse(f"building:{name}", args=[draft.pk, *more])


def test_draft_is_begun_from_a_template_and_a_refused_file_comes_back(cast: Cast, ren: Client) -> None:
    told = {"place": cast.beiyuan.slug, "title": "Better", "start": "erp_basic"}

    refused = ren.post("/rules/build/new/", {**told, "text": '{"rules": [{"rule": "a", "fro": 1}]}'})
    begun = ren.post("/rules/build/new/", told)

    assert refused.status_code == 422
    assert "fro" in refused.content.decode()
    draft = Draft.objects.get()
    assert begun["Location"] == page("draft", draft)
    shown = ren.get(page("draft", draft)).content.decode()
    assert all((rule.title or rule.rule) in shown for rule in read_rulebook(draft.file).rules)
    assert "Better" in ren.get("/rules/build/").content.decode()


def test_rule_is_added_by_its_form_and_reads_as_chosen(cast: Cast, ren: Client) -> None:
    draft = drafted(cast)

    shown = ren.post(page("look", draft, 1), FORM).content.decode()
    saved = ren.post(page("rule", draft, 1), FORM)

    assert "4 points" in shown
    assert "分" in shown
    assert saved["Location"] == page("draft", draft)
    draft.refresh_from_db()
    rule = read_rulebook(draft.file).rules[1]
    assert (rule.rule, rule.points, rule.cap[0].limit, rule.when[0].value) == ("counts", 4, 12, 3)


@pytest.mark.parametrize("missing", ["rule", "on"])
def test_rule_that_is_not_begun_is_asked_for_and_not_refused(cast: Cast, ren: Client, missing: str) -> None:
    shown = ren.post(page("look", drafted(cast), 1), {**FORM, missing: ""}).content.decode()

    assert "Nothing to read yet" in shown
    assert "rules[" not in shown


def test_refusal_stands_at_its_field_and_nothing_typed_is_lost(cast: Cast, ren: Client) -> None:
    draft = drafted(cast)

    refused = ren.post(page("rule", draft, 1), {**FORM, "points.fixed": "four", "title": "What I typed"})

    text = refused.content.decode()
    assert refused.status_code == 422
    assert 'value="four"' in text
    assert "What I typed" in text
    assert "aria-invalid" in text
    assert "“Points” must be a whole number" in text
    assert "Not saved yet: look at “Points”" in text
    assert "rules[" not in text, "no place in a file where a field is marked"
    draft.refresh_from_db()
    assert draft.saves == 1


def test_changed_rule_in_force_gets_the_next_version(cast: Cast, ren: Client) -> None:
    Desk(cast, BOOK["rules"])
    draft = drafted(cast)

    ren.post(page("rule", draft, 0), {**FORM, "rule": "orders"})

    draft.refresh_from_db()
    assert [(rule.rule, rule.version) for rule in read_rulebook(draft.file).rules] == [("orders", 2)]


def test_events_of_the_last_month_and_a_quick_back_test_stand_beside(
    cast: Cast, ren: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(cast)
    desk.processed("lin-1", at=timezone.now() - timedelta(days=2), lines=7, now=timezone.now())
    draft = drafted(cast)
    form = {**FORM, "rule": "orders", "on": "order.processed", "when.0.what": "",
            "points.kind": "per", "points.per": "lines", "points.points": "2"}  # fmt: skip

    look = ren.post(page("look", draft, 0), form).content.decode()
    few = ren.post(page("quick", draft, 0), form).content.decode()
    monkeypatch.setattr(edit, "HIDE_BELOW", 1)
    quick = ren.post(page("quick", draft, 0), form).content.decode()

    assert "+12" in look  # 14 clipped by 12 a day
    assert "Too few people" in few
    assert "12 points, 1 times" in quick


@pytest.mark.parametrize(
    "key", ["groups", "person_cap", "multipliers", "reversals", "levels", "programme", "examples", "file"]
)
def test_every_part_of_the_file_has_a_page(cast: Cast, ren: Client, key: str) -> None:
    assert ren.get(page("part", drafted(cast), key)).status_code == 200


def test_parts_are_saved_and_their_refusals_shown(cast: Cast, ren: Client) -> None:
    draft = drafted(cast)

    refused = ren.post(page("part", draft, "person_cap"), {"seen": "1", "all.0.limit": "lots", "all.0.unit": "points",
                                                           "all.0.every": "day"})  # fmt: skip
    ren.post(page("part", draft, "person_cap"), {"seen": "1", "all.0.limit": "40", "all.0.unit": "points",
                                                 "all.0.every": "day"})  # fmt: skip

    assert refused.status_code == 422
    assert "aria-invalid" in refused.content.decode()
    draft.refresh_from_db()
    assert [cap.limit for cap in read_rulebook(draft.file).person_cap] == [40]


def test_failing_example_stops_publishing(cast: Cast, ren: Client) -> None:
    example = {"event": "order.processed", "facts": {"lines": 4}, "points": 5}
    draft = drafted(cast, examples=[example])
    form = {"what": "publish", "in_force": "2026-01-01", "seen": "1"}
    RoleAssignment.objects.filter(role=Role.COMMITTEE).delete()

    stopped = ren.post(page("do", draft), form, follow=True)
    ren.post(page("part", draft, "examples"), {"seen": "1", "0.event": "order.processed", "0.facts": "lines=4",
                                               "0.points": "8"})  # fmt: skip
    ren.post(page("do", draft), {**form, "seen": "2"})

    assert "must earn 5" in stopped.content.decode()
    draft.refresh_from_db()
    assert draft.published == RulebookVersion.objects.get()


def test_committee_decides_where_there_is_one(cast: Cast, ren: Client) -> None:
    draft = drafted(cast)

    ren.post(page("do", draft), {"what": "publish", "in_force": "2026-01-01", "seen": "1"})

    assert RoleAssignment.objects.filter(role=Role.COMMITTEE, organization=cast.beiyuan).exists()
    assert not RulebookVersion.objects.exists()


def test_report_tells_names_only_to_who_may_know_people(cast: Cast, ren: Client) -> None:
    desk = Desk(cast)
    desk.processed("lin-1", at=timezone.now() - timedelta(days=2), lines=7, now=timezone.now())
    draft = drafted(cast)
    ask_back_test(draft=draft, days=30, by=EVERYTHING, now=timezone.now())
    waiting = ren.get(page("runs", draft)).content.decode()
    run_waiting_back_tests(clock=timezone.now)
    address = page("report", draft, draft.reports.get().pk)

    to_ren = ren.get(address).content.decode()
    to_ke = cast.sign_in(cast.ke).get(address).content.decode()

    assert "Waits for its turn" in waiting
    assert ren.get(page("runs", draft))["HX-Refresh"] == "true"
    assert "Lin Fang" in to_ren
    assert "Lin Fang" not in to_ke
    assert "7 → 14" in to_ren
    assert "7 → 14" not in to_ke, "three people are too few to tell of one, even without a name"


def test_draft_is_exported_as_it_can_be_read_again(cast: Cast, ren: Client) -> None:
    draft = drafted(cast)

    for kind in ("json", "yaml"):
        assert read_rulebook(ren.get(page("export", draft, kind)).content) == read_rulebook(draft.file)


def test_nobody_else_knows_of_the_draft(cast: Cast, ren: Client) -> None:
    draft = drafted(cast)

    assert cast.sign_in(cast.lin).get(page("draft", draft)).status_code == 403
    assert cast.sign_in(cast.mo).get(page("draft", draft)).status_code in (403, 404)


def test_a_draft_names_another_clock_and_brings_it_where_that_is_ticked(cast: Cast, ren: Client) -> None:
    draft = drafted(cast)
    told = {"seen": "1", "timezone": "Asia/Tokyo", "day_start": "04:00", "week_start": "monday", "rest_days": "sunday"}
    assert ren.post(page("part", draft, "programme"), told).status_code == 302
    shown = ren.get(page("draft", draft)).content.decode()
    assert "It changes the clock from its first date on: Asia/Tokyo, days start at 04:00" in shown
    day = timezone.now().date() + timedelta(days=2)
    publishing = {"what": "publish", "seen": "2", "in_force": day.isoformat()}
    RoleAssignment.objects.filter(role=Role.COMMITTEE).delete()
    refused = ren.post(page("do", draft), publishing, follow=True).content.decode()
    assert "its clock is not that of the place" in refused
    assert not RulebookVersion.objects.exists()
    ren.post(page("do", draft), {**publishing, "changes_clock": "1"})
    assert RulebookVersion.objects.get().in_force_date == day
    assert settings_at(cast.beiyuan).on(day)[1:] == ("Asia/Tokyo", time(4))


def test_a_clock_by_which_a_date_would_be_lost_is_not_saved(cast: Cast, ren: Client) -> None:
    set_clock(
        organization=cast.beiyuan, timezone="Pacific/Pago_Pago", day_start=None, by=EVERYTHING, now=timezone.now()
    )
    draft = drafted(cast)
    told = {"seen": "1", "timezone": "Pacific/Kiritimati", "day_start": "00:00", "week_start": "monday"}
    refused = ren.post(page("part", draft, "programme"), told)
    assert "would lose a whole date" in refused.content.decode()
    assert "Pacific/Kiritimati" in refused.content.decode()
    draft.refresh_from_db()
    assert draft.saves == 1


def test_an_event_of_a_template_that_never_came_is_named_in_words(cast: Cast, ren: Client) -> None:
    told = {"title": "Whole", "place": cast.beiyuan.slug, "start": "erp_classic"}
    ren.post("/rules/build/new/", told)
    page = ren.get(f"/rules/build/{Draft.objects.get().pk}/").content.decode()

    assert "“Session begun”" in page
    assert "40 points for each “Exam passed”" in page
    assert "session.started" not in page
