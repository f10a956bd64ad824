"""The seal of a proposal: what people vote on is what was put to the vote, and one can check it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from uptake.basics.canonical import fingerprint
from uptake.directory.models import AuditEntry
from uptake.programme.governance.models import Elector, Proposal

OPENED = "proposal.opened"
RULEBOOK, REPORT, TERMS, LOG = "rulebook", "report", "terms", "log"


def hash_of_text(text: str) -> str:
    """SHA-256 of the text in UTF-8, as 64 hexadecimal digits; empty for an empty text."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def seal_of(proposal: Proposal, electors: Sequence[int]) -> str:
    """The hash over everything that is fixed when a proposal is opened; `electors` are ids of persons."""
    return fingerprint(
        {
            "organization": proposal.organization_id,
            "number": proposal.number,
            "kind": str(proposal.kind),
            "title": proposal.title,
            "why": proposal.why,
            "rulebook": proposal.sha256,
            "report": proposal.report_sha256,
            "base": proposal.base_id,
            "latest": proposal.latest,
            "secret": proposal.secret,
            "members": sorted(electors),
            "quorum": proposal.quorum,
            "majority": str(proposal.majority),
            "notice_days": proposal.notice_days,
            "opened_at": proposal.opened_at,
            "closes_at": proposal.closes_at,
        }
    )


def broken_seals(proposal: Proposal) -> list[str]:
    """What is not as it was sealed: rulebook, report, terms, log (the audit log tells another seal). Empty: all is."""
    electors = list(Elector.objects.filter(proposal=proposal).values_list("person_id", flat=True))
    found = []
    if hash_of_text(proposal.file) != proposal.sha256:
        found.append(RULEBOOK)
    if hash_of_text(proposal.report) != proposal.report_sha256:
        found.append(REPORT)
    if seal_of(proposal, electors) != proposal.seal:
        found.append(TERMS)
    logged = AuditEntry.objects.filter(deed=OPENED, details__proposal=proposal.pk).values_list("details", flat=True)
    if [one.get("seal") for one in logged] != [proposal.seal]:
        found.append(LOG)
    return found
