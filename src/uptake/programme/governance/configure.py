"""Sets how the committee of a place decides; votes that are open go on by their own terms."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.programme.governance.committee import Terms
from uptake.programme.governance.models import Committee, Majority
from uptake.programme.publish import NotAPlaceOfRules

LONGEST_DAYS = 60
DEBTS = {"debt_most": (0, 1_000_000), "debt_days": (1, 366)}


class TermsRefused(ValueError):
    """A term out of its bounds; `term` names it."""

    def __init__(self, term: str) -> None:
        self.term = term
        super().__init__(term)


@transaction.atomic
def configure_committee(*, organization: Organization, terms: Terms, by: Viewer, now: datetime) -> Committee:
    """How this place votes from now on. Whoever gives the roles sets it, not the committee itself.

    Raises NotAllowed, NotAPlaceOfRules, TermsRefused.
    """
    if not by.may(Deed.GIVE_ROLES, organization):
        raise NotAllowed
    if organization.kind not in (Kind.COMPANY, Kind.PARK):
        raise NotAPlaceOfRules
    bounds = {"quorum_percent": (1, 100), "voting_days": (1, LONGEST_DAYS), "notice_days": (0, LONGEST_DAYS)}
    for term, (least, most) in (bounds | {"appeal_days": (1, LONGEST_DAYS)} | DEBTS).items():
        if not least <= getattr(terms, term) <= most:
            raise TermsRefused(term)
    if terms.majority not in Majority.values:
        raise TermsRefused("majority")
    found, _new = Committee.objects.update_or_create(
        organization=organization, defaults={**asdict(terms), "changed_at": now}
    )
    note(
        deed="committee.configured", actor=by, organization=organization, subject=organization.name,
        details=asdict(terms), now=now,
    )  # fmt: skip
    return found
