"""The seal of a proposal: what people vote on is what was put to the vote, and one can check it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from uptake.basics.canonical import fingerprint
from uptake.directory.models import AuditEntry
from uptake.programme.drafting.models import ExploitReport
from uptake.programme.governance.models import Elector, Proposal

OPENED = "proposal.opened"
RULEBOOK, REPORT, TERMS, LOG = "rulebook", "report", "terms", "log"
EXPLOITS = "exploits"


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
    """What is not as it was sealed: rulebook, report, exploits, terms, log (the audit log tells another seal).

    Empty: all is as it was."""
    electors = list(Elector.objects.filter(proposal=proposal).values_list("person_id", flat=True))
    found = []
    if hash_of_text(proposal.file) != proposal.sha256:
        found.append(RULEBOOK)
    if hash_of_text(proposal.report) != proposal.report_sha256:
        found.append(REPORT)
    if seal_of(proposal, electors) != proposal.seal:
        found.append(TERMS)
    logged = _logged(proposal)
    searched = exploits_put_to_vote(proposal)
    if any(one.get(EXPLOITS) for one in logged) and (
        searched is None or hash_of_text(searched.content) != searched.sha256
    ):
        found.append(EXPLOITS)
    if [one.get("seal") for one in logged] != [proposal.seal]:
        found.append(LOG)
    return found


def exploits_put_to_vote(proposal: Proposal) -> ExploitReport | None:
    """The search for exploits that went with the proposal: the one whose hash the audit log tells."""
    told = next((one[EXPLOITS] for one in _logged(proposal) if one.get(EXPLOITS)), None)
    if told is None:
        return None
    return ExploitReport.objects.filter(sha256=told, draft=proposal.draft, draft_sha256=proposal.sha256).first()


def _logged(proposal: Proposal) -> list[dict[str, Any]]:
    rows = AuditEntry.objects.filter(deed=OPENED, details__proposal=proposal.pk)
    return list(rows.values_list("details", flat=True))
