"""The committee by page: members vote, employees read, the other company finds nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast, give, person
from uptake.directory.models import Role
from uptake.directory.scope import EVERYTHING
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.drafting.models import Draft, Report
from uptake.programme.governance.close import close_proposals
from uptake.programme.governance.models import Comment, Committee, Proposal, Vote
from uptake.programme.governance.seals import hash_of_text
from uptake.programme.governance.tests.world import CHEAPER, COUNTS, ORDERS
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import publish
from uptake.web import numbers

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TOLD: dict[str, Any] = {
    "from": "2026-04-01", "until": "2026-05-01", "days": 30, "people": 12, "events": 400,
    "cost": {"before": 1000, "after": 900, "before_a_month": 1000, "after_a_month": 900},
    "change": {"more": 3, "fewer": 5, "same": 4, "lose_much": 5, "bins": [1, 1, 1, 2, 4, 1, 1, 1]},
    "departments": [
        {"id": 1, "name": "Purchasing", "people": 9, "before": 800, "after": 700, "lose_much": 4},
        {"id": 2, "name": "Two-person office", "people": 2, "before": 200, "after": 200, "lose_much": 0},
    ],
    "gini": {"before": 0.3, "after": 0.2}, "theil": {"before": 0.1, "after": 0.1},
    "caps": {"after": {"people": 2, "of": 8}}, "each": [],
    "rules": [{"rule": "orders", "title": "Orders made"}],
    "gaming": {
        "edges": [{"rule": "orders", "days": 8, "edge_days": 6}],
        "fastest": [{"a_minute": 7.5, "person": 1, "points": 75, "date": "2026-04-02", "rule": "orders", "events": 9}],
    },
}  # fmt: skip


def draft_with_test(cast: Cast) -> Draft:
    now = timezone.now()
    publish(
        rulebook={"rules": [ORDERS, COUNTS]}, organization=cast.beiyuan, in_force_date=now.date() - timedelta(days=99),
        by=EVERYTHING, now=now,
    )  # fmt: skip
    draft = begin_draft(
        organization=cast.beiyuan, title="Pay less for orders", rulebook={"rules": [ORDERS, CHEAPER, COUNTS]},
        by=cast.viewer(cast.ke, now.date()), now=now,
    )  # fmt: skip
    content = json.dumps({**TOLD, "each": [[cast.ke.pk, 120, 90]]})
    Report.objects.create(
        draft=draft, organization=draft.organization, draft_sha256=draft.sha256, from_date="2026-04-01",
        until_date="2026-05-01", days=30, content=content, sha256=hash_of_text(content), made_at=now,
    )  # fmt: skip
    return draft


def proposed(cast: Cast) -> tuple[Client, Proposal]:
    ke = cast.sign_in(cast.ke)
    draft = draft_with_test(cast)
    answer = ke.post("/committee/new/", {"draft": draft.pk, "why": "Orders became easy."})
    proposal = Proposal.objects.get()
    assert answer["Location"] == f"/committee/{proposal.pk}/"
    return ke, proposal


def test_a_draft_goes_to_the_vote_and_its_page_tells_all(cast: Cast) -> None:
    ke, proposal = proposed(cast)

    page = ke.get(f"/committee/{proposal.pk}/").content.decode()
    for words in ("Pay less for orders", "Orders became easy.", "<ins>6 points for each", "<del>10 points for each",
                  "Your vote", "you would have had 90 points instead of 120", proposal.sha256, "as it was sealed",
                  "Purchasing", "−12.5%", "look here", "9 events, most by Orders made", "7.5 a minute",
                  "days that end at the limit"):  # fmt: skip
        assert words in page, words
    assert "Two-person office" not in page
    assert proposal.title in ke.get("/committee/").content.decode()


def test_a_vote_is_cast_and_changed_and_wrong_ones_are_answered(cast: Cast) -> None:
    ke, proposal = proposed(cast)
    address = f"/committee/{proposal.pk}/"

    assert ke.post(address, {"vote": "no", "reason": ""}).status_code == 422
    assert ke.post(address, {"vote": "maybe"}).status_code == 422
    assert ke.post(address, {"vote": "no", "reason": "Too little."}).status_code == 302
    assert ke.post(address, {"vote": "yes", "reason": ""}).status_code == 302
    assert Vote.objects.get().choice == "yes"
    refused = cast.sign_in(cast.lin).post(address, {"vote": "yes"})
    assert (refused.status_code, Vote.objects.count()) == (422, 1)


def test_employees_read_and_comment_and_see_no_names_of_voters(cast: Cast) -> None:
    ke, proposal = proposed(cast)
    ke.post(f"/committee/{proposal.pk}/", {"vote": "no", "reason": "A secret of mine"})
    lin = cast.sign_in(cast.lin)

    page = lin.get(f"/committee/{proposal.pk}/").content.decode()
    assert "Your vote" not in page
    assert "Worth gaming?" not in page
    assert "A secret of mine" not in page
    assert "Take the proposal back" not in page
    assert lin.post(f"/committee/{proposal.pk}/", {"comment": "1", "text": "What of returns?"}).status_code == 302
    assert Comment.objects.get().person == cast.lin
    assert lin.get("/committee/new/").status_code == 403
    assert lin.get("/committee/lower/").status_code == 403
    assert cast.sign_in(cast.mo).get(f"/committee/{proposal.pk}/").status_code == 404


def test_the_result_stands_in_words(cast: Cast) -> None:
    ke, proposal = proposed(cast)
    ke.post(f"/committee/{proposal.pk}/", {"vote": "yes"})
    close_proposals(now=proposal.closes_at)

    page = ke.get(f"/committee/{proposal.pk}/").content.decode()
    assert "1 of 1 voted, 1 yes and 0 no: accepted; in force from" in page
    assert "Published" in page


def test_a_rule_is_lowered_at_once_by_page(cast: Cast) -> None:
    draft_with_test(cast)
    later = publish(
        organization=cast.beiyuan, rulebook={"rules": [{**ORDERS, "points": 12}]}, by=EVERYTHING, now=timezone.now(),
        in_force_date=(timezone.now() + timedelta(days=60)).date(),
    )  # fmt: skip
    ke = cast.sign_in(cast.ke)

    assert ke.post("/committee/lower/", {"rule": "orders", "points": "11", "why": "x"}).status_code == 422
    answer = ke.post("/committee/lower/", {"rule": "orders", "points": "3", "why": "Somebody runs a script."})
    proposal = Proposal.objects.get()
    assert answer["Location"] == f"/committee/{proposal.pk}/"
    page = ke.get(f"/committee/{proposal.pk}/").content.decode()
    assert "<ins>3 points for each" in page
    assert "lowered, unless the vote undoes it" in page
    assert f"lowered too: those from {numbers.day(later.in_force_date)}" in page


def test_who_gives_the_roles_sets_the_terms(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    terms = {"quorum_percent": 60, "majority": "absolute", "voting_days": 5, "notice_days": 2, "appeal_days": 3}
    terms |= {"debt_most": 20, "debt_days": 30, "bounded_streaks": "on"}

    assert "Ke Ming" in hua.get("/committee/settings/").content.decode()
    assert hua.post("/committee/settings/", {**terms, "quorum_percent": 0}).status_code == 422
    assert hua.post("/committee/settings/", {**terms, "secret": "on"}).status_code == 302
    row = Committee.objects.get(organization=cast.beiyuan)
    assert (row.quorum_percent, row.majority, row.secret, row.appeal_days) == (60, "absolute", True, 3)
    assert (row.debt_most, row.debt_days, row.bounded_streaks) == (20, 30, True)
    assert cast.sign_in(cast.ke).get("/committee/settings/").status_code == 403


def test_a_streak_without_a_bound_is_told_and_refused_where_the_terms_say_so(cast: Cast) -> None:
    draft = draft_with_test(cast)
    row = {**ORDERS, "rule": "row", "title": "In a row", "streak": {"every": "day", "length": 1}}
    told = "“In a row” pays for a streak without end"
    day = timezone.localdate() + timedelta(days=9)
    form = {"place": "beiyuan", "in_force": f"{day}", "text": json.dumps({"rules": [ORDERS, row]})}
    ren = cast.sign_in(cast.ren)

    assert told in ren.post("/rules/publish/", {**form, "check": "1"}).content.decode()
    own = begin_draft(
        organization=cast.beiyuan, title="A row", rulebook={"rules": [ORDERS, COUNTS, row]},
        by=cast.viewer(cast.ke, timezone.localdate()), now=timezone.now(),
    )  # fmt: skip
    assert told in ren.get(f"/rules/build/{own.pk}/").content.decode()
    assert "without end" not in ren.get(f"/rules/build/{draft.pk}/").content.decode()

    Committee.objects.create(organization=cast.beiyuan, bounded_streaks=True, changed_at=timezone.now())
    refused = ren.post("/rules/publish/", {**form, "publish": "1"})
    assert (refused.status_code, RulebookVersion.objects.count()) == (422, 1)
    assert "This place refuses that" in refused.content.decode()
    assert json.loads(form["text"])["rules"][1]["title"] in refused.content.decode()  # nothing typed is lost

    content = json.dumps(TOLD)
    Report.objects.create(
        draft=own, organization=own.organization, draft_sha256=own.sha256, from_date="2026-04-01",
        until_date="2026-05-01", days=30, content=content, sha256=hash_of_text(content), made_at=timezone.now(),
    )  # fmt: skip
    proposed = cast.sign_in(cast.ke).post("/committee/new/", {"draft": own.pk, "why": "It helps."})
    assert (proposed.status_code, Proposal.objects.count()) == (422, 0)
    assert "It helps." in proposed.content.decode()


def test_without_proposals_the_page_says_so(cast: Cast) -> None:
    assert "No proposal yet" in cast.sign_in(cast.lin).get("/committee/").content.decode()


def test_one_of_several_members_does_not_publish_alone(cast: Cast) -> None:
    draft_with_test(cast)
    day = timezone.localdate() + timedelta(days=9)
    form = {"place": "beiyuan", "in_force": f"{day}", "text": json.dumps({"rules": [ORDERS]}), "publish": "1"}
    give(person(name="Second member", at=cast.finance), Role.COMMITTEE, cast.beiyuan)

    refused = cast.sign_in(cast.ke).post("/rules/publish/", form)
    assert (refused.status_code, RulebookVersion.objects.count()) == (422, 1)
    assert "put a draft to the vote" in refused.content.decode()
    assert cast.sign_in(cast.ren).post("/rules/publish/", form).status_code == 302
