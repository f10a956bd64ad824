"""Casts a vote, or changes it, until the deadline; and says something about a proposal."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from uptake.directory.audit import note
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.programme.governance.committee import is_member
from uptake.programme.governance.models import Ballot, Choice, Comment, Elector, Proposal, ProposalState, Vote
from uptake.programme.governance.propose import NotOpen, locked, said

LONGEST_REASON = 1000


class NotAMember(Exception):
    """Who votes was on the committee when the vote began, and still is."""


class ReasonMissing(Exception):
    """Whoever votes openly against says why, in at most 1,000 characters."""


@transaction.atomic
def cast_vote(*, proposal: Proposal, choice: Choice, reason: str = "", by: Viewer, now: datetime) -> None:
    """One's vote; a later one takes its place. In a secret ballot no reason is kept, and no link to who voted.

    Raises NotAMember, NotOpen, ReasonMissing.
    """
    found = locked(proposal)
    elector = Elector.objects.filter(proposal=found, person_id=by.person_id).first() if by.person_id else None
    if elector is None or by.person_id is None or not is_member(by, found.organization):
        raise NotAMember
    if found.state != ProposalState.OPEN or now >= found.closes_at:
        raise NotOpen
    reason = reason.strip()
    if found.secret:
        Ballot.objects.update_or_create(
            token=token_of(found, by.person_id), defaults={"proposal": found, "choice": Choice(choice).value}
        )
    else:
        if len(reason) > LONGEST_REASON or (choice == Choice.NO and not reason):
            raise ReasonMissing
        Vote.objects.update_or_create(
            proposal=found,
            person_id=by.person_id,
            defaults={"choice": Choice(choice).value, "reason": reason, "cast_at": now},
        )
    if elector.voted:
        return  # that it was changed is nobody's business
    elector.voted = True
    elector.save(update_fields=["voted"])
    note(
        deed="vote.cast", actor=by, organization=found.organization, subject=f"{found.number}",
        details={"proposal": found.pk}, now=now,
    )  # fmt: skip
    if found.organization.company_id is not None:
        key = f"proposal/{found.pk}/person/{by.person_id}"
        record_own([OwnDeed(found.organization.company_id, by.person_id, "vote.cast", key, now)], now=now)


def own_choice(proposal: Proposal, person_id: int) -> tuple[str, str]:
    """(choice, reason) of one's own vote while the vote is open, or of one's open vote afterwards; else empty."""
    if proposal.secret:
        if not proposal.salt:
            return "", ""
        ballot = Ballot.objects.filter(token=token_of(proposal, person_id)).first()
        return (ballot.choice, "") if ballot else ("", "")
    vote = Vote.objects.filter(proposal=proposal, person_id=person_id).first()
    return (vote.choice, vote.reason) if vote else ("", "")


def token_of(proposal: Proposal, person_id: int) -> str:
    """The key of a secret ballot: only with the server's own secret and the salt, which is emptied at the end."""
    assert proposal.salt, "A counted ballot has no keys"
    value = f"{proposal.pk}/{person_id}/{proposal.salt}"
    return salted_hmac("uptake.ballot", value, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()


@transaction.atomic
def write_comment(*, proposal: Proposal, text: str, by: Viewer, now: datetime) -> Comment:
    """A comment on an open proposal, by anybody who may see it. Raises NotAllowed, NotOpen, WhyMissing."""
    found = locked(proposal)
    if by.person_id is None or not Proposal.objects.visible_to(by).filter(pk=found.pk).exists():
        raise NotAllowed
    if found.state != ProposalState.OPEN or now >= found.closes_at:
        raise NotOpen
    made = Comment.objects.create(proposal=found, person_id=by.person_id, text=said(text), written_at=now)
    if found.organization.company_id is not None:
        record_own(
            [OwnDeed(found.organization.company_id, by.person_id, "proposal.commented", f"comment/{made.pk}", now)],
            now=now,
        )
    return made
