"""The result of a vote in words, in the language that is active."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from uptake.programme.governance.ballot import LAPSED, REFUSED
from uptake.programme.governance.close import Standing, standing_of
from uptake.programme.governance.models import Proposal, ProposalKind, ProposalState
from uptake.programme.sentences import day, number


def result_sentence(proposal: Proposal, now: datetime) -> str:
    """7 of 9 voted, 5 yes and 1 no: accepted; in force from 25 May 2026."""
    standing = standing_of(proposal, now)
    fields = {
        "voted": number(standing.voted),
        "members": number(proposal.members),
        "yes": number(standing.votes.yes),
        "no": number(standing.votes.no),
        "quorum": number(proposal.quorum),
    }
    if standing.state == ProposalState.OPEN:
        return _("%(voted)s of %(members)s voted so far; %(quorum)s are needed.") % fields
    if standing.state == ProposalState.WITHDRAWN:
        return _("Taken back before the vote was over.")
    if proposal.kind == ProposalKind.EMERGENCY:
        return _emergency(proposal, standing, fields)
    if standing.state == LAPSED:
        return _("%(voted)s of %(members)s voted, %(quorum)s were needed: lapsed.") % fields
    if standing.state == REFUSED:
        return _("%(voted)s of %(members)s voted, %(yes)s yes and %(no)s no: refused.") % fields
    if proposal.version is not None:
        fields["day"] = day(proposal.version.in_force_date)
        pattern = _("%(voted)s of %(members)s voted, %(yes)s yes and %(no)s no: accepted; in force from %(day)s.")
        return pattern % fields
    return _("%(voted)s of %(members)s voted, %(yes)s yes and %(no)s no: accepted; not published yet.") % fields


def _emergency(proposal: Proposal, standing: Standing, fields: dict[str, str]) -> str:
    if standing.state == ProposalState.ACCEPTED:
        return _("%(voted)s of %(members)s voted, %(yes)s yes and %(no)s no: confirmed; it stays lowered.") % fields
    if proposal.version is not None:
        fields["day"] = day(proposal.version.in_force_date)
        pattern = _("%(voted)s of %(members)s voted, %(yes)s yes and %(no)s no: not confirmed; as before from %(day)s.")
        return pattern % fields
    return _("%(voted)s of %(members)s voted, %(yes)s yes and %(no)s no: not confirmed.") % fields


def held_back_sentence(code: str) -> str:
    """Why an accepted rulebook is not published; empty where it is."""
    sentences = {
        "rules_moved_on": _("The rules have changed since the vote began. A new proposal must begin from them."),
        "seal_broken": _("Something is not as it was sealed, so nothing is published. Ask whoever runs the platform."),
        "examples_fail": _("An example event of the draft would not earn what it must, so nothing is published."),
        "refused": _("The rulebook cannot be published as it is. Its clock may be another than that of the place."),
        "clock_refused": _(
            "The clock it names cannot begin on its first date: a date would be lost, or has begun by it already."
            " Publish it at another hour, or propose another clock."
        ),
    }
    return sentences.get(code, "")
