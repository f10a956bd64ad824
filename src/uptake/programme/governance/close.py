"""Counts votes whose time is over, and publishes what was accepted, with its notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.clock import ClockTooFar, ClockTooSoon, DateLost
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, Grant, NotAllowed, Viewer
from uptake.programme.drafting.hand_on import draft_published
from uptake.programme.drafting.models import Draft
from uptake.programme.drafting.publish_draft import failing_examples
from uptake.programme.governance.ballot import ACCEPTED, LAPSED, Tally, outcome, tally
from uptake.programme.governance.lowered_too import lowered_too
from uptake.programme.governance.models import Ballot, Proposal, ProposalKind, ProposalState, Vote
from uptake.programme.governance.propose import TITLE, free_draft, latest_number, lock_place, locked, tell_members
from uptake.programme.governance.seals import broken_seals
from uptake.programme.in_force import rulebook_version_on
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import OtherClock, RulebookRefused, TooSoon, publish

THE_VOTE = Viewer(None, None, "committee", (Grant("administrator", "/"),), date.max)
"""Who publishes what was voted for."""
RULES_MOVED_ON, SEAL_BROKEN, FILE_REFUSED = "rules_moved_on", "seal_broken", "refused"
EXAMPLES_FAIL = "examples_fail"
CLOCK_REFUSED = "clock_refused"
ONE_DAY = timedelta(days=1)


class NotAccepted(Exception):
    """Only what was accepted is published."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a proposal stands at an instant, whether or not the job has been there."""

    state: str
    votes: Tally
    voted: int
    """How many of the members voted so far."""


def standing_of(proposal: Proposal, now: datetime) -> Standing:
    """At its deadline a vote is over to the second: what is read then is what will be written down."""
    if proposal.state != ProposalState.OPEN:
        votes = Tally(proposal.yes, proposal.no, proposal.abstain)
        return Standing(proposal.state, votes, votes.voted)
    votes = count(proposal)
    if now < proposal.closes_at:
        return Standing(ProposalState.OPEN.value, votes, votes.voted)
    return Standing(_outcome(proposal, votes), votes, votes.voted)


def count(proposal: Proposal) -> Tally:
    rows = Ballot.objects if proposal.secret else Vote.objects
    return tally(rows.filter(proposal=proposal).values_list("choice", flat=True))


def close_proposals(*, now: datetime) -> int:
    """Every vote whose deadline has come, each in its own transaction; how many there were. Safe to repeat."""
    due = Proposal.objects.filter(state=ProposalState.OPEN, closes_at__lte=now).order_by("closes_at", "pk")
    return sum(_close(proposal, now) for proposal in due)


@transaction.atomic
def publish_accepted(*, proposal: Proposal, by: Viewer, now: datetime) -> Proposal:
    """Tries again to publish what was accepted and held back. Raises NotAllowed, NotAccepted."""
    if not by.may(Deed.MANAGE_RULES, proposal.organization):
        raise NotAllowed
    lock_place(proposal.organization)
    found = locked(proposal)
    if found.state != ProposalState.ACCEPTED or found.kind != ProposalKind.CHANGE:
        raise NotAccepted
    _publish(found, now)
    return found


@transaction.atomic
def _close(proposal: Proposal, now: datetime) -> int:
    lock_place(proposal.organization)
    found = locked(proposal)
    if found.state != ProposalState.OPEN or now < found.closes_at:
        return 0
    votes = count(found)
    found.yes, found.no, found.abstain = votes.yes, votes.no, votes.abstain
    found.state, found.closed_at, found.salt = _outcome(found, votes), found.closes_at, ""
    found.ballots.all().delete()
    found.save(update_fields=["yes", "no", "abstain", "state", "closed_at", "salt"])
    details = {"proposal": found.pk, "state": found.state, "yes": votes.yes, "no": votes.no, "abstain": votes.abstain}
    subject = f"{found.number} {found.title}"[:TITLE]
    note(
        deed="proposal.closed", actor="job", organization=found.organization, subject=subject, details=details, now=now
    )
    if found.kind == ProposalKind.EMERGENCY:
        if found.state != ACCEPTED:
            _bring_back(found, now)
    elif found.state == ACCEPTED:
        _publish(found, now)
    else:
        free_draft(found, by=THE_VOTE, now=now)
    in_force = found.version.in_force_date.isoformat() if found.version else ""
    tell_members(found, "proposal.closed", now, state=found.state, in_force=in_force)
    return 1


def _outcome(proposal: Proposal, votes: Tally) -> str:
    return outcome(votes, members=proposal.members, quorum=proposal.quorum, majority=proposal.majority)


def _publish(proposal: Proposal, now: datetime) -> None:
    """Publishes with notice, or says why not: an accepted text never undoes what others decided meanwhile."""
    proposal.held_back = ""
    if broken_seals(proposal):
        proposal.held_back = SEAL_BROKEN
    elif latest_number(proposal.organization) != proposal.latest:
        proposal.held_back = RULES_MOVED_ON
    else:
        day = earliest(proposal.organization, now, proposal.notice_days)
        draft = Draft.objects.filter(pk=proposal.draft).first() if proposal.draft else None
        if draft is not None and failing_examples(draft, day):
            proposal.held_back = EXAMPLES_FAIL
        else:
            proposal.version = _published(proposal, proposal.file, day, now)
    if proposal.version is None:
        proposal.held_back = proposal.held_back or FILE_REFUSED
    else:
        proposal.state = ProposalState.PUBLISHED
        draft = Draft.objects.filter(pk=proposal.draft).first() if proposal.draft else None
        if draft is not None:
            draft_published(draft=draft, version=proposal.version)
    proposal.save(update_fields=["held_back", "version", "state"])


def _bring_back(proposal: Proposal, now: datetime) -> None:
    """What was lowered at once and not confirmed: the rules from before apply again, from the next business date, and
    those that were to come, from theirs.

    Unless others were published meanwhile, or apply by then: they are not undone.
    """
    proposal.held_back = RULES_MOVED_ON
    if proposal.base is not None and latest_number(proposal.organization) == proposal.latest:
        day = earliest(proposal.organization, now, 0)
        applies = rulebook_version_on(proposal.organization, day)
        back = {too.now.pk: too.was.file for too in lowered_too(proposal) if too.now.in_force_date <= day}
        later = [too.was for too in lowered_too(proposal) if too.now.in_force_date > day]
        files = [(day, back[applies.pk])] if applies is not None and applies.pk in back else []
        if applies is not None and applies.sha256 == proposal.sha256:
            files = [(day, proposal.base.file)]
        files += [(one.in_force_date, one.file) for one in later]
        versions = [_published(proposal, file, begins, now) for begins, file in files]
        if versions:
            proposal.version = versions[0]
            proposal.held_back = "" if all(versions) else FILE_REFUSED
    proposal.save(update_fields=["held_back", "version"])


def _published(proposal: Proposal, file: str, day: date, now: datetime) -> RulebookVersion | None:
    try:
        with transaction.atomic():
            return publish(
                rulebook=file,
                organization=proposal.organization,
                in_force_date=day,
                by=THE_VOTE,
                now=now,
                changes_clock=proposal.kind == ProposalKind.CHANGE,
            )
    except (OtherClock, RulebookRefused, TooSoon):
        return None
    except (ClockTooSoon, ClockTooFar, DateLost):
        proposal.held_back = CLOCK_REFUSED
        return None


def earliest(place: Organization, now: datetime, notice_days: int) -> date:
    """The first business date that starts after now and at least `notice_days` days from now."""
    clock = settings_at(place)
    today = clock.date_of(now)
    if notice_days and clock.start_of(today) == now:
        return today + timedelta(days=notice_days)
    return today + timedelta(days=notice_days) + ONE_DAY


__all__ = [
    "ACCEPTED", "LAPSED", "NotAccepted", "Standing", "close_proposals", "count", "earliest", "publish_accepted",
    "standing_of",
]  # fmt: skip
