"""Puts a back-tested draft to the vote, with everything sealed; and takes a proposal back while it is open."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.notify.tell import Telling, tell
from uptake.programme.drafting.find_exploits import exploits_of
from uptake.programme.drafting.hand_on import give_back_draft, propose_draft
from uptake.programme.drafting.models import Draft, DraftState
from uptake.programme.governance.ballot import quorum_of
from uptake.programme.governance.committee import members_of, terms_of
from uptake.programme.governance.models import Elector, Proposal, ProposalKind, ProposalState
from uptake.programme.governance.seals import EXPLOITS, OPENED, hash_of_text, seal_of
from uptake.programme.governance.streak_guard import check_streaks
from uptake.programme.in_force import rulebook_version_on
from uptake.programme.models import RulebookVersion
from uptake.programme.rulebook_reading import read_rulebook

LONGEST_TEXT = 4000
TITLE = 200


class NoCommittee(Exception):
    """Nobody holds the role committee at the place, so nobody could vote."""


class WhyMissing(Exception):
    """A proposal says why, in at most 4,000 characters."""


class NothingChanges(Exception):
    """The rulebook is the one in force."""


class NotOpen(Exception):
    """The vote is over, or the proposal was withdrawn."""


@transaction.atomic
def open_proposal(*, draft: Draft, why: str, by: Viewer, now: datetime) -> Proposal:
    """The draft as a proposal whose vote begins now and ends with a business date; closes the draft for changes.

    Copies of the rulebook and of the back-test are sealed with the terms of the vote and the list of members. If the
    file was searched for exploits, the hash of that report goes into the audit log beside the seal.
    Raises NotAllowed, NoCommittee, WhyMissing, NothingChanges, StreaksUnbounded, and of the draft NotOpen,
    NotBackTested.
    """
    place = lock_place(draft.organization)
    if not by.may(Deed.MANAGE_RULES, place):
        raise NotAllowed
    report = propose_draft(draft=draft, by=by, now=now)
    draft.refresh_from_db()
    day = settings_at(place).date_of(now)
    base = base_of(place, day)
    if base is not None and base.sha256 == draft.sha256:
        raise NothingChanges
    check_streaks(place, read_rulebook(draft.file), day)
    proposal = Proposal(
        organization=place,
        kind=ProposalKind.CHANGE,
        title=draft.title,
        why=said(why),
        proposer_id=by.person_id,
        draft=draft.pk,
        file=draft.file,
        sha256=draft.sha256,
        report=report.content,
        report_sha256=report.sha256,
        base=base,
    )
    searched = exploits_of(draft)
    return put_to_vote(proposal, by=by, now=now, exploits=searched.sha256 if searched else "")


@transaction.atomic
def withdraw_proposal(*, proposal: Proposal, by: Viewer, now: datetime) -> Proposal:
    """Ends the vote without a result; the draft can be worked on again. What was lowered at once is always voted on.

    By the proposer, or by whoever manages rules above the place. Raises NotAllowed, NotOpen.
    """
    found = locked(proposal)
    own = by.person_id is not None and by.person_id == found.proposer_id
    above = any(path != found.organization.path and found.organization.path.startswith(path)
                for path in by.paths(Deed.MANAGE_RULES))  # fmt: skip
    if not by.may(Deed.MANAGE_RULES, found.organization) or not (own or above):
        raise NotAllowed
    if found.state != ProposalState.OPEN or now >= found.closes_at or found.kind != ProposalKind.CHANGE:
        raise NotOpen
    found.state, found.closed_at, found.salt = ProposalState.WITHDRAWN, now, ""
    found.ballots.all().delete()
    found.save(update_fields=["state", "closed_at", "salt"])
    free_draft(found, by=by, now=now)
    _note("proposal.withdrawn", found, by, now)
    tell_members(found, "proposal.withdrawn", now)
    return found


def put_to_vote(proposal: Proposal, *, by: Viewer | str, now: datetime, exploits: str = "") -> Proposal:
    """Numbers, seals and stores a proposal; inside the transaction that locked the place. Raises NoCommittee.

    `exploits`: the hash of the report of the search for exploits that goes with it; empty: there is none.
    """
    place = proposal.organization
    clock = settings_at(place)
    day = clock.date_of(now)
    members = members_of(place, day)
    if not members:
        raise NoCommittee
    terms = terms_of(place)
    before = Proposal.objects.filter(organization=place).order_by("-number").values_list("number", flat=True).first()
    proposal.number = (before or 0) + 1
    proposal.latest = latest_number(place)
    proposal.secret = terms.secret
    proposal.salt = secrets.token_hex(32) if terms.secret else ""
    proposal.members = len(members)
    proposal.quorum = quorum_of(len(members), terms.quorum_percent)
    proposal.majority = terms.majority
    proposal.notice_days = terms.notice_days
    proposal.opened_at = now
    proposal.closes_at = clock.start_of(day + timedelta(days=terms.voting_days + 1))
    ids = [one.pk for one in members]
    proposal.seal = seal_of(proposal, ids)
    assert hash_of_text(proposal.file) == proposal.sha256, "What is sealed is what is hashed"
    assert hash_of_text(proposal.report) == proposal.report_sha256, "What is sealed is what is hashed"
    proposal.save(force_insert=True)
    Elector.objects.bulk_create([Elector(proposal=proposal, person_id=pk) for pk in ids])
    hashes = {"seal": proposal.seal, "rulebook": proposal.sha256, "report": proposal.report_sha256}
    _note(OPENED, proposal, by, now, **hashes, **({EXPLOITS: exploits} if exploits else {}))
    company = place.company_id
    if company is not None:
        person = proposal.proposer_id if proposal.kind == ProposalKind.CHANGE else None
        deed = OwnDeed(company, person, OPENED, f"proposal/{proposal.pk}", now, object=f"{proposal.number}")
        record_own([deed], now=now)
    tell_members(proposal, OPENED, now)
    return proposal


def lock_place(place: Organization) -> Organization:
    """The place, ours alone until the transaction ends: its proposals and rulebooks are numbered one after another."""
    return Organization.objects.select_for_update(no_key=True).get(pk=place.pk)


def locked(proposal: Proposal) -> Proposal:
    """The proposal as it is, ours alone until the transaction ends."""
    rows = Proposal.objects.select_for_update(of=("self",), no_key=True).select_related("organization", "base")
    return rows.get(pk=proposal.pk)


def base_of(place: Organization, day: date) -> RulebookVersion | None:
    """What would apply without the proposal: the place's coming rulebook if there is one, else the one in force."""
    coming = RulebookVersion.objects.filter(organization=place, in_force_date__gt=day)
    return coming.order_by("in_force_date", "number").last() or rulebook_version_on(place, day)


def latest_number(place: Organization) -> int:
    """The number of the place's latest rulebook, in force or coming; 0: it has none."""
    rows = RulebookVersion.objects.filter(organization=place).order_by("-number").values_list("number", flat=True)
    return rows.first() or 0


def free_draft(proposal: Proposal, *, by: Viewer, now: datetime) -> None:
    """The draft of a proposal that came to nothing can be worked on again."""
    draft = Draft.objects.filter(pk=proposal.draft, state=DraftState.PROPOSED).first() if proposal.draft else None
    if draft is not None:
        give_back_draft(draft=draft, by=by, now=now)


def tell_members(proposal: Proposal, kind: str, now: datetime, **more: object) -> None:
    """A message to everybody who may vote on it."""
    content = {
        "proposal": proposal.pk,
        "number": proposal.number,
        "title": proposal.title,
        "closes_at": proposal.closes_at.isoformat(),
        **more,
    }
    people = Elector.objects.filter(proposal=proposal).values_list("person_id", flat=True)
    tell(
        [Telling(person_id=pk, key=f"{kind}/{proposal.pk}", kind=kind, content=content) for pk in sorted(people)],
        now=now,
    )


def said(text: str) -> str:
    """The text without blanks around it; WhyMissing where nothing or too much is left."""
    found = text.strip()
    if not found or len(found) > LONGEST_TEXT:
        raise WhyMissing
    return found


def _note(deed: str, proposal: Proposal, by: Viewer | str, now: datetime, **more: object) -> None:
    note(
        deed=deed,
        actor=by,
        organization=proposal.organization,
        subject=f"{proposal.number} {proposal.title}"[:TITLE],
        details={"proposal": proposal.pk, **more},
        now=now,
    )
