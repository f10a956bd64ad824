"""One member lowers a rule or switches it off at once; the committee votes on it afterwards, always."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.governance.lowered_too import coming_rulebooks
from uptake.programme.governance.lowering import NotLower, UnknownRule, check_only_lowers, lowered
from uptake.programme.governance.models import Proposal, ProposalKind
from uptake.programme.governance.propose import TITLE, lock_place, put_to_vote, said
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.publish import publish
from uptake.programme.rulebook_reading import read_rulebook
from uptake.programme.rulebook_writing import to_text


@transaction.atomic
def lower_at_once(
    *,
    organization: Organization,
    rule: str,
    title: str,
    why: str,
    by: Viewer,
    now: datetime,
    points: int | None = None,
    per_day: int | None = None,
) -> Proposal:
    """From now on the rule gives at most `points` each time and `per_day` a day; neither: nothing.

    What happened before is judged as before, however late it comes in. Rulebooks that are published already for a later
    date are lowered too, each from its own date. Opens the vote on it, whose result is whether it stays so: where it is
    not confirmed the rules from before come back. Raises NotAllowed, UnknownRule, NotLower,
    WhyMissing, NoCommittee.
    """
    place = lock_place(organization)
    if not by.may(Deed.MANAGE_RULES, place):
        raise NotAllowed
    reason = said(why)
    day = settings_at(place).date_of(now)
    base = rulebook_version_on(place, day)
    if base is None:
        raise UnknownRule(rule)
    before = parsed(base.pk, base.sha256)
    file = to_text(lowered(before, rule, day, points=points, per_day=per_day))
    check_only_lowers(before, read_rulebook(file), day)  # what is published is what was written
    version = publish(rulebook=file, organization=place, in_force_date=day, by=by, now=now, at_once=True)
    for coming in coming_rulebooks(place, day):
        later = coming.in_force_date
        try:
            less = lowered(parsed(coming.pk, coming.sha256), rule, later, points=points, per_day=per_day)
        except (UnknownRule, NotLower):
            continue  # it has no such rule, or pays no more than what is asked for
        publish(rulebook=to_text(less), organization=place, in_force_date=later, by=by, now=now)
    note(
        deed="rule.lowered",
        actor=by,
        organization=place,
        subject=rule[:TITLE],
        details={"rule": rule, "points": points, "per_day": per_day, "number": version.number, "why": reason},
        now=now,
    )
    proposal = Proposal(
        organization=place,
        kind=ProposalKind.EMERGENCY,
        title=title[:TITLE],
        why=reason,
        proposer_id=by.person_id,
        file=version.file,
        sha256=version.sha256,
        base=base,
    )
    return put_to_vote(proposal, by=by, now=now)


__all__ = ["NotLower", "UnknownRule", "lower_at_once"]
