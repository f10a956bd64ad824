"""Sends the mails that wait: a few at a time, each tried again later where the mail server does not take it now.

What a server says is about one reader: a full mailbox or an address that does not exist holds up nobody else's mail.
Only where the server itself cannot be talked to does the rest wait.
"""

from __future__ import annotations

import smtplib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from uptake.directory.models import Person
from uptake.notify.html import page
from uptake.notify.models import Bounce, Mail, Topic
from uptake.notify.unsubscribe import name_of, stop_address
from uptake.notify.wishes import languages_of

MOST_TRIES = 6
FIRST_PAUSE = timedelta(minutes=5)
"""Doubled after every failure: about five hours until it is given up."""
CLAIM = timedelta(minutes=10)
"""For so long no other runner takes a mail that is being sent."""
NO_SUCH_MAILBOX = (550, 551, 553)


class Fate(Enum):
    """What came of an attempt."""

    SENT = auto()
    LATER = auto()
    NEVER = auto()
    NO_MAILBOX = auto()
    """As never, and nothing else will be sent to this address."""
    LOST = auto()
    """The server could not be talked to, or hung up: as later, and the line is opened anew."""


@dataclass(slots=True)
class Letter:
    """One mail as it goes out: of one row, or of all that a person gets together."""

    rows: list[Mail] = field(default_factory=list)


def send_mails(*, now: datetime, limit: int = 50) -> int:
    """How many were sent or given up.

    A mail is claimed in a transaction of its own before it is sent, so two runners never send one mail both; one whose
    runner was lost in between is sent again after ten minutes, under the same Message-ID.
    """
    letters = _claim(now, limit)
    if not letters:
        return 0
    people = {letter.rows[0].person_id for letter in letters}
    languages = languages_of(people)
    bounced = dict(Bounce.objects.filter(person_id__in=people).values_list("person_id", "address"))
    done, lost, server = 0, 0, get_connection(fail_silently=False)
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as failed:
        _put_off(letters, now, str(failed))
        return 0
    try:
        for place, letter in enumerate(letters):
            person = letter.rows[0].person
            if not person.email or person.erased_at:
                fate, said = Fate.NEVER, "no address"
            elif bounced.get(person.pk, "").lower() == person.email.lower():
                fate, said = Fate.NEVER, "mails to this address come back"
            else:
                with translation.override(languages[person.pk]):
                    message = _message(letter.rows, person, server)
                fate, said = _try(message)
            done += _write(letter, person, fate, said, now)
            lost = lost + 1 if fate is Fate.LOST else 0
            if fate is Fate.LOST:
                server.close()
            if lost > 1:  # not this mail, but the server
                _put_off(letters[place + 1 :], now, said)
                break
    finally:
        server.close()
    return done


def _claim(now: datetime, limit: int) -> list[Letter]:
    """What is due, those that go together as one."""
    with transaction.atomic():
        rows = Mail.objects.select_for_update(skip_locked=True, of=("self",), no_key=True).select_related("person")
        due = rows.filter(next_at__lte=now).order_by("next_at", "pk")
        waiting = list(due[:limit])
        together = {one.person_id for one in waiting if one.together}
        waiting = [one for one in waiting if not one.together]
        parts = list(due.filter(person_id__in=together, together=True)) if together else []
        Mail.objects.filter(pk__in=[one.pk for one in (*waiting, *parts)]).update(next_at=now + CLAIM)
    letters = [Letter([one]) for one in waiting]
    by_person: dict[int, Letter] = {}
    for one in parts:
        by_person.setdefault(one.person_id, Letter()).rows.append(one)
    for letter in by_person.values():
        letter.rows.sort(key=lambda one: one.pk)
    return letters + list(by_person.values())


def _message(rows: list[Mail], person: Person, server: Any) -> EmailMessage:
    """In the active language, with how to stop more of it."""
    topic = Topic(rows[0].topic) if len({one.topic for one in rows}) == 1 else None
    stop = stop_address(person.pk, topic)
    subject, text = rows[0].subject, rows[0].text.rstrip()
    if len(rows) > 1:
        subject = ngettext("%(n)s message from Uptake", "%(n)s messages from Uptake", len(rows)) % {"n": len(rows)}
        text = "\n\n\n".join(f"■ {one.subject}\n\n{one.text.strip()}" for one in rows)
    what = _("No more mails about “%(topic)s”: %(address)s") if topic else _("No more mails like this one: %(address)s")
    others = _("Choose what comes and when: %(address)s") % {"address": f"{settings.URL.geturl().rstrip('/')}/account/"}
    foot = (what % {"topic": topic.label if topic else "", "address": stop}) + "\n" + others
    headers = {
        "Message-ID": name_of(rows[0].pk, person.email),
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    plain = f"{text}\n\n-- \n{foot}\n"
    message = EmailMultiAlternatives(subject, plain, None, [person.email], headers=headers, connection=server)
    message.attach_alternative(page(subject, text, foot), "text/html")
    return message


def _try(message: EmailMessage) -> tuple[Fate, str]:
    """Gives it to the server; what came of it and what was said."""
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        code, said = next(iter(refused.recipients.values()))
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        if code < 500:
            return Fate.LATER, f"{code} {text}"
        status = text.partition(" ")[0]
        nobody = status.startswith("5.1.") if status[:2] == "5." else code in NO_SUCH_MAILBOX
        return (Fate.NO_MAILBOX if nobody else Fate.NEVER), f"{code} {text}"
    except smtplib.SMTPServerDisconnected as gone:
        return Fate.LOST, str(gone)
    except smtplib.SMTPConnectError as failed:
        return Fate.LOST, str(failed)
    except smtplib.SMTPAuthenticationError as failed:
        return Fate.LOST, f"{failed.smtp_code} the mail server refuses our login"
    except smtplib.SMTPResponseException as failed:
        text = failed.smtp_error.decode(errors="replace") if isinstance(failed.smtp_error, bytes) else failed.smtp_error
        return (Fate.LATER if failed.smtp_code < 500 else Fate.NEVER), f"{failed.smtp_code} {text}"
    except smtplib.SMTPException as failed:
        return Fate.LATER, str(failed)
    except ValueError as failed:  # what nobody can send: a line break in an address
        return Fate.NEVER, str(failed)
    except OSError as failed:
        return Fate.LOST, str(failed)
    return Fate.SENT, ""


@transaction.atomic
def _write(letter: Letter, person: Person, fate: Fate, said: str, now: datetime) -> int:
    """Keeps what came of it; how many rows are done. Rows an erasure has taken away meanwhile are not written again."""
    done = 0
    for mail in letter.rows:
        tries = mail.tries + 1
        again = now + FIRST_PAUSE * 2 ** (tries - 1) if fate in (Fate.LATER, Fate.LOST) and tries < MOST_TRIES else None
        sent = now if fate is Fate.SENT else None
        Mail.objects.filter(pk=mail.pk).update(tries=tries, why_not=said[:200], sent_at=sent, next_at=again)
        done += again is None
    if fate is Fate.NO_MAILBOX:
        kept = {"address": person.email, "why": said[:200], "at": now}
        Bounce.objects.update_or_create(person_id=person.pk, defaults=kept)
    return done


def _put_off(letters: list[Letter], now: datetime, said: str) -> None:
    """The server is to blame, so it counts as no try."""
    keys = [one.pk for letter in letters for one in letter.rows]
    Mail.objects.filter(pk__in=keys).update(next_at=now + FIRST_PAUSE, why_not=said[:200])
