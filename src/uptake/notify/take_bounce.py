"""Takes a mail that came back (RFC 3464) and marks its address, so that nothing more is sent there."""

from __future__ import annotations

import email
import email.policy
from datetime import datetime
from email.message import Message

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.notify.models import Bounce, Mail
from uptake.notify.unsubscribe import NotOurs, mail_named

LARGEST = 2_000_000
"""Bytes of a report that are read."""


class NoReport(ValueError):
    """Not a report about a mail of ours."""


@transaction.atomic
def take_bounce(raw: bytes, *, now: datetime) -> int:
    """How many addresses are marked by this report; 0 where it only tells of a delay.

    A report counts only with the Message-ID of a mail that this installation sent to that very address. Raises
    NoReport.
    """
    report = email.message_from_bytes(raw[:LARGEST], policy=email.policy.compat32)
    names = [str(part.get("Message-ID", "")) for part in _parts(report) if part is not report]
    if report.get_content_type() != "multipart/report" or not any(names):
        raise NoReport
    marked, known = 0, False
    for block in _recipients(report):
        address = _address(str(block.get("Original-Recipient") or block.get("Final-Recipient") or ""))
        mail = _ours(names, address) or _ours(names, _address(str(block.get("Final-Recipient") or "")))
        known = known or mail is not None
        failed = str(block.get("Action", "")).strip().lower() == "failed"
        status = str(block.get("Status", "")).strip()
        if mail is None or not failed or not status.startswith("5."):
            continue
        why = " ".join((str(block.get("Diagnostic-Code") or "") or status).split())[:200]
        Mail.objects.filter(pk=mail.pk).update(why_not=why)
        if status.startswith("5.2.2"):
            continue  # the mailbox is full: this mail is lost, the next may find room
        if mail.person.email.lower() == address.lower():
            kept = {"address": mail.person.email, "why": why, "at": now}
            Bounce.objects.update_or_create(person_id=mail.person_id, defaults=kept)
            marked += 1
    if not known:
        raise NoReport
    return marked


@transaction.atomic
def try_address_again(*, bounce: Bounce, by: Viewer, now: datetime) -> None:
    """Forgets that mails came back from there, as somebody says that they will arrive. Raises NotAllowed."""
    person = bounce.person
    mine = by.person_id == person.pk
    place = next((one.organization for one in person.memberships.on(by.today).select_related("organization")), None)
    if not mine and not by.may(Deed.MANAGE_PEOPLE, place):
        raise NotAllowed
    Bounce.objects.filter(person_id=person.pk).delete()
    details = {"person": person.pk}
    note(deed="mail.tried_again", actor=by, organization=place, subject=person.name, details=details, now=now)


def _parts(report: Message) -> list[Message]:
    """The report, what it holds, and the headers of mails it holds as text only."""
    found = list(report.walk())
    for part in list(found):
        if part.get_content_type() == "text/rfc822-headers":
            text = part.get_payload(decode=True)
            if isinstance(text, bytes):
                found.append(email.message_from_bytes(text, policy=email.policy.compat32))
    return found


def _recipients(report: Message) -> list[Message]:
    """The blocks of a report that are about one recipient each: all but the first."""
    found: list[Message] = []
    for part in report.walk():
        blocks = part.get_payload() if part.get_content_type() == "message/delivery-status" else None
        if isinstance(blocks, list):
            found += [one for one in blocks if isinstance(one, Message) and one.get("Final-Recipient")]
    return found


def _address(said: str) -> str:
    """`rfc822; lin@example.com` → lin@example.com."""
    return said.rpartition(";")[2].strip().strip("<>")


def _ours(names: list[str], address: str) -> Mail | None:
    for name in names:
        try:
            key = mail_named(name, address)
        except NotOurs:
            continue
        found = Mail.objects.select_related("person").filter(pk=key).first()
        if found is not None:
            return found
    return None
