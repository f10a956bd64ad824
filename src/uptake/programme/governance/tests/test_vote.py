"""A draft becomes a proposal, members vote until the deadline, and what they decide happens."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from tests.cast import NOW, Cast
from uptake.basics.business_day import Turn
from uptake.directory.clock import set_clock
from uptake.directory.models import AuditEntry, RoleAssignment
from uptake.directory.place import settings_at
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import NotAllowed
from uptake.events.models import Event
from uptake.notify.models import Message
from uptake.programme.drafting.hand_on import NotBackTested
from uptake.programme.drafting.models import Draft, Report
from uptake.programme.drafting.save import NotOpen as DraftNotOpen
from uptake.programme.drafting.save import save_draft
from uptake.programme.governance.close import (
    NotAccepted,
    close_proposals,
    publish_accepted,
    standing_of,
)
from uptake.programme.governance.committee import Terms
from uptake.programme.governance.configure import TermsRefused, configure_committee
from uptake.programme.governance.models import Ballot, Choice, Elector, Proposal, Vote
from uptake.programme.governance.propose import (
    NoCommittee,
    NothingChanges,
    NotOpen,
    WhyMissing,
    open_proposal,
    withdraw_proposal,
)
from uptake.programme.governance.seals import broken_seals
from uptake.programme.governance.streak_guard import StreaksUnbounded
from uptake.programme.governance.tests.world import COUNTS, ORDERS, Room, after
from uptake.programme.governance.vote import NotAMember, ReasonMissing, cast_vote, own_choice, write_comment
from uptake.programme.governance.words import held_back_sentence
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import publish

pytestmark = pytest.mark.django_db


def configured(room: Room, **terms: Any) -> None:
    hua = room.viewer(room.cast.hua)
    configure_committee(
        organization=room.cast.beiyuan, terms=Terms(**{**asdict(Terms()), **terms}), by=hua, now=NOW
    )  # fmt: skip


STREAK: dict[str, Any] = {
    **ORDERS, "rule": "row", "title": "In a row", "streak": {"every": "day", "length": 5},
}  # fmt: skip


def test_a_streak_without_a_bound_is_refused_where_the_terms_say_so(cast: Cast) -> None:
    room = Room(cast)
    room.proposed([ORDERS, COUNTS, STREAK])  # by itself it is only told

    configured(room, bounded_streaks=True)

    with pytest.raises(StreaksUnbounded, match="row"):
        room.proposed([ORDERS, COUNTS, STREAK])
    assert room.proposed([ORDERS, COUNTS, {**STREAK, "cap": [{"times": 1, "every": "week"}]}]).number == 2


def draft_of(proposal: Proposal) -> Draft:
    assert proposal.draft is not None
    return Draft.objects.get(pk=proposal.draft)


def test_what_most_vote_for_is_published_with_notice(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()
    room.vote(proposal, "yes", "no", "yes")

    assert close_proposals(now=after(proposal, -1)) == 0
    assert close_proposals(now=after(proposal, 60)) == 1

    proposal.refresh_from_db()
    assert (proposal.state, proposal.yes, proposal.no, proposal.closed_at) == ("published", 2, 1, proposal.closes_at)
    version = proposal.version
    assert version is not None
    assert (version.sha256, version.number, version.published_by) == (proposal.sha256, 2, None)
    # Seven days of voting from 13 May end with 20 May (UTC); three days of notice end with 24 May.
    assert version.in_force_date == date(2026, 5, 25)
    assert draft_of(proposal).published == version
    assert close_proposals(now=after(proposal, 120)) == 0
    told = Message.objects.filter(person__in=room.members, kind="proposal.closed")
    assert {one.content["state"] for one in told} == {"published"}
    assert told.count() == 3


@pytest.mark.parametrize(
    ("choices", "state"), [(("yes", "no", "no"), "refused"), (("yes",), "lapsed"), (("yes", "no"), "refused")]
)
def test_what_is_not_voted_for_changes_nothing(cast: Cast, choices: tuple[str, ...], state: str) -> None:
    room = Room(cast)
    proposal = room.proposed()
    room.vote(proposal, *choices)

    close_proposals(now=after(proposal))

    proposal.refresh_from_db()
    assert proposal.state == state
    assert RulebookVersion.objects.count() == 1
    assert draft_of(proposal).state == "tested", "it can be worked on again"


def test_at_the_deadline_the_result_is_read_though_no_job_has_run(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()
    room.vote(proposal, "yes", "yes")

    assert standing_of(proposal, after(proposal, -1)).state == "open"
    assert standing_of(proposal, after(proposal)).state == "accepted"
    with pytest.raises(NotOpen):
        cast_vote(proposal=proposal, choice=Choice.NO, reason="No.", by=room.viewer(cast.ke), now=after(proposal))


def test_a_vote_can_be_changed_until_the_deadline(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()
    room.vote(proposal, "yes", "yes", "yes")
    room.vote(proposal, "no", "no")

    assert standing_of(proposal, NOW).votes.no == 2
    assert own_choice(proposal, cast.ke.pk) == ("no", "No.")
    assert Event.objects.filter(name="vote.cast").count() == 3
    cast_entries = AuditEntry.objects.filter(deed="vote.cast")
    assert [one.details for one in cast_entries] == [{"proposal": proposal.pk}] * 3, "that they voted, not what"


def test_only_members_of_the_beginning_who_still_are_vote(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()

    for who in (cast.lin, cast.hua, cast.mo, cast.ren):
        with pytest.raises(NotAMember):
            cast_vote(proposal=proposal, choice=Choice.YES, by=room.viewer(who), now=NOW)
    RoleAssignment.objects.filter(person=cast.ke).update(until_date=NOW.date())
    with pytest.raises(NotAMember):
        cast_vote(proposal=proposal, choice=Choice.YES, by=room.viewer(cast.ke), now=NOW)


def test_who_votes_openly_against_says_why(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()

    with pytest.raises(ReasonMissing):
        cast_vote(proposal=proposal, choice=Choice.NO, reason=" ", by=room.viewer(cast.ke), now=NOW)
    assert not Vote.objects.exists()


def test_a_secret_vote_leaves_no_link_to_who_voted(cast: Cast) -> None:
    room = Room(cast)
    configured(room, secret=True)
    proposal = room.proposed()
    room.vote(proposal, "yes", "no", "yes")
    room.vote(proposal, "abstain")

    assert own_choice(proposal, cast.ke.pk) == ("abstain", "")
    assert not Vote.objects.exists()
    tokens = set(Ballot.objects.values_list("token", flat=True))
    assert len(tokens) == 3
    Proposal.objects.filter(pk=proposal.pk).update(salt="another")
    proposal.refresh_from_db()
    assert own_choice(proposal, cast.ke.pk) == ("", ""), "without the salt nobody finds the ballot"
    close_proposals(now=after(proposal))
    proposal.refresh_from_db()
    assert (proposal.yes, proposal.no, proposal.abstain, proposal.salt) == (1, 1, 1, "")
    assert not Ballot.objects.exists(), "what was counted is gone"
    assert own_choice(proposal, cast.ke.pk) == ("", "")
    assert Elector.objects.filter(proposal=proposal, voted=True).count() == 3


@pytest.mark.parametrize("field", ["file", "sha256", "report", "quorum", "closes_at", "why"])
def test_what_was_sealed_cannot_be_changed(cast: Cast, field: str) -> None:
    proposal = Room(cast).proposed()
    value = {"quorum": 1, "closes_at": NOW + timedelta(days=90)}.get(field, "x")

    with pytest.raises(DatabaseError), transaction.atomic():
        Proposal.objects.filter(pk=proposal.pk).update(**{field: value})


@pytest.mark.parametrize(
    ("column", "value", "broken"),
    [("file", "{}", "rulebook"), ("report", "{}", "report"), ("quorum", 1, "terms"), ("seal", "0" * 64, "log")],
)
def test_what_somebody_changed_all_the_same_is_found_and_not_published(
    cast: Cast, column: str, value: str | int, broken: str
) -> None:
    room = Room(cast)
    proposal = room.proposed()
    room.vote(proposal, "yes", "yes", "yes")
    assert broken_seals(proposal) == []
    with connection.cursor() as cursor:
        on = "" if connection.vendor == "sqlite" else " ON governance_proposal"
        cursor.execute(f"DROP TRIGGER governance_proposal_sealed{on}")
        cursor.execute(f"UPDATE governance_proposal SET {column} = %s", [value])

    proposal.refresh_from_db()
    assert broken in broken_seals(proposal)
    close_proposals(now=after(proposal))
    proposal.refresh_from_db()
    assert (proposal.state, proposal.held_back) == ("accepted", "seal_broken")
    assert RulebookVersion.objects.count() == 1


def test_a_counted_vote_cannot_be_changed(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()
    room.vote(proposal, "yes", "yes")
    close_proposals(now=after(proposal))

    with pytest.raises(DatabaseError), transaction.atomic():
        Vote.objects.update(choice="no")
    with pytest.raises(DatabaseError), transaction.atomic():
        Vote.objects.create(proposal=proposal, person=room.members[2], choice="no", cast_at=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        Proposal.objects.filter(pk=proposal.pk).update(yes=7)


def test_what_was_accepted_does_not_undo_what_changed_meanwhile(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()
    room.vote(proposal, "yes", "yes")
    publish(
        rulebook={"rules": [COUNTS]}, organization=cast.beiyuan, in_force_date=date(2026, 5, 20),
        by=room.viewer(cast.ren), now=NOW,
    )  # fmt: skip
    close_proposals(now=after(proposal))

    proposal.refresh_from_db()
    assert (proposal.state, proposal.held_back, proposal.version) == ("accepted", "rules_moved_on", None)
    with pytest.raises(NotAllowed):
        publish_accepted(proposal=proposal, by=room.viewer(cast.lin), now=after(proposal, 60))
    assert publish_accepted(proposal=proposal, by=room.viewer(cast.ke), now=after(proposal, 60)).state == "accepted"


def test_an_open_proposal_is_not_published_by_hand(cast: Cast) -> None:
    proposal = Room(cast).proposed()

    with pytest.raises(NotAccepted):
        publish_accepted(proposal=proposal, by=cast.viewer(cast.ke), now=NOW)


def test_who_proposes_must_manage_rules_say_why_and_have_tested(cast: Cast) -> None:
    room = Room(cast)
    draft = room.draft()
    ke = room.viewer(cast.ke)

    for who in (cast.lin, cast.hua, cast.mo):
        with pytest.raises(NotAllowed):
            open_proposal(draft=draft, why="Because.", by=room.viewer(who), now=NOW)
    with pytest.raises(WhyMissing):
        open_proposal(draft=draft, why="  ", by=ke, now=NOW)
    untested = room.draft(title="Untested")
    with connection.cursor() as cursor:
        on = "" if connection.vendor == "sqlite" else " ON drafting_report"
        cursor.execute(f"DROP TRIGGER drafting_report_refuses_delete{on}")
    Report.objects.filter(draft=untested).delete()
    with pytest.raises(NotBackTested):
        open_proposal(draft=untested, why="Because.", by=ke, now=NOW)
    with pytest.raises(NothingChanges):
        open_proposal(draft=room.draft([ORDERS, COUNTS]), why="Because.", by=ke, now=NOW)
    open_proposal(draft=draft, why="Because.", by=ke, now=NOW)
    with pytest.raises(DraftNotOpen):
        open_proposal(draft=draft, why="Again.", by=ke, now=NOW)


def test_nobody_to_vote_no_proposal(cast: Cast) -> None:
    room = Room(cast, members=1)
    draft = room.draft()
    RoleAssignment.objects.filter(person=cast.ke).delete()

    with pytest.raises(NoCommittee):
        open_proposal(draft=draft, why="Because.", by=room.viewer(cast.ren), now=NOW)


def test_the_proposer_or_who_stands_above_takes_it_back(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()

    for who in (room.members[1], cast.lin, cast.mo):
        with pytest.raises(NotAllowed):
            withdraw_proposal(proposal=proposal, by=room.viewer(who), now=NOW)
    withdraw_proposal(proposal=proposal, by=room.viewer(cast.ke), now=NOW)
    assert close_proposals(now=after(proposal)) == 0
    with pytest.raises(NotOpen):
        room.vote(proposal, "yes")
    again = open_proposal(draft=draft_of(proposal), why="Once more.", by=room.viewer(cast.ke), now=NOW)
    withdraw_proposal(proposal=again, by=room.viewer(cast.ren), now=NOW)


def test_the_terms_of_an_open_vote_stay(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()
    configured(room, quorum_percent=100, majority="absolute", notice_days=30)
    room.vote(proposal, "yes", "yes")

    close_proposals(now=after(proposal))

    proposal.refresh_from_db()
    assert (proposal.state, proposal.notice_days) == ("published", 3)


def test_who_gives_the_roles_sets_the_terms_within_bounds(cast: Cast) -> None:
    room = Room(cast)

    with pytest.raises(NotAllowed):
        configure_committee(organization=cast.beiyuan, terms=Terms(), by=room.viewer(cast.ke), now=NOW)
    with pytest.raises(NotAllowed):
        configure_committee(organization=cast.qinghe, terms=Terms(), by=room.viewer(cast.hua), now=NOW)
    for wrong in ({"quorum_percent": 0}, {"voting_days": 0}, {"majority": "all"}, {"notice_days": 61}):
        with pytest.raises(TermsRefused):
            configured(room, **wrong)


def test_everybody_of_the_company_may_say_something(cast: Cast) -> None:
    room = Room(cast)
    proposal = room.proposed()

    write_comment(proposal=proposal, text="What of returns?", by=room.viewer(cast.lin), now=NOW)
    with pytest.raises(NotAllowed):
        write_comment(proposal=proposal, text="Hm.", by=room.viewer(cast.mo), now=NOW)
    with pytest.raises(NotOpen):
        write_comment(proposal=proposal, text="Late.", by=room.viewer(cast.lin), now=after(proposal))
    assert Event.objects.filter(name="proposal.commented").count() == 1


def test_the_committee_changes_the_clock_with_a_rulebook(cast: Cast) -> None:
    room = Room(cast)
    draft = room.draft()
    file = {**json.loads(draft.file)}
    file["programme"] = {**file["programme"], "timezone": "Asia/Tokyo", "day_start": "04:00"}
    saved = save_draft(draft=draft, seen=draft.saves, rulebook=file, by=room.viewer(cast.ke), now=NOW)
    proposal = open_proposal(draft=room.tested(saved), why="We moved.", by=room.viewer(cast.ke), now=NOW)
    assert len(settings_at(cast.beiyuan).turns) == 1
    room.vote(proposal, "yes", "yes", "yes")
    close_proposals(now=after(proposal, 60))
    proposal.refresh_from_db()
    assert proposal.version is not None, proposal.held_back
    turns = settings_at(cast.beiyuan).turns[1:]
    assert turns == (Turn(proposal.version.in_force_date, "Asia/Tokyo", time(4)),)
    assert AuditEntry.objects.get(deed="organization.clock_planned").details["why"] == "rulebook 2"


def test_a_clock_that_cannot_begin_holds_the_rulebook_back_until_it_can(cast: Cast) -> None:
    set_clock(organization=cast.park, timezone="Asia/Shanghai", day_start=None, by=EVERYTHING, now=NOW)
    room = Room(cast)
    configured(room, notice_days=0)
    draft = room.draft()
    file = {**json.loads(draft.file)}
    file["programme"] = {**file["programme"], "timezone": "Pacific/Kiritimati"}
    saved = save_draft(draft=draft, seen=draft.saves, rulebook=file, by=room.viewer(cast.ke), now=NOW)
    proposal = open_proposal(draft=room.tested(saved), why="We moved.", by=room.viewer(cast.ke), now=NOW)
    before = settings_at(cast.beiyuan)
    room.vote(proposal, "yes", "yes", "yes")
    close_proposals(now=after(proposal, 19 * 3600))  # tomorrow has begun on Kiritimati
    proposal.refresh_from_db()
    assert (proposal.state, proposal.held_back) == ("accepted", "clock_refused")
    assert "Publish it at another hour" in held_back_sentence(proposal.held_back)
    assert settings_at(cast.beiyuan) == before
    publish_accepted(proposal=proposal, by=room.viewer(cast.ke), now=after(proposal, 25 * 3600))
    proposal.refresh_from_db()
    assert (proposal.state, proposal.held_back) == ("published", "")
