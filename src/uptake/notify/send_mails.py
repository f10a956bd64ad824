"""Sends the mails that wait: a few at a time, each tried again later where the mail server does not take it."""

from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from uptake.notify.models import Mail

MOST_TRIES = 6
FIRST_PAUSE = timedelta(minutes=5)
"""Doubled after every failure: about five hours until it is given up."""
CLAIM = timedelta(minutes=10)
"""For so long no other runner takes a mail that is being sent."""


def send_mails(*, now: datetime, limit: int = 50) -> int:
    """How many were sent or given up.

    A mail is claimed in a transaction of its own before it is sent, so two runners never send one mail both; one whose
    runner was lost in between is tried again after ten minutes.
    """
    with transaction.atomic():
        rows = Mail.objects.select_for_update(skip_locked=True, of=("self",), no_key=True).select_related("person")
        waiting = list(rows.filter(next_at__lte=now).order_by("next_at", "pk")[:limit])
        Mail.objects.filter(pk__in=[one.pk for one in waiting]).update(next_at=now + CLAIM)
    if not waiting:
        return 0
    done = 0
    with get_connection(fail_silently=False) as server:
        for mail in waiting:
            mail.why_not = ""
            mail.tries += 1
            if not mail.person.email or mail.person.erased_at:
                mail.why_not, mail.next_at = "no address", None
            else:
                try:
                    EmailMessage(mail.subject, mail.text, None, [mail.person.email], connection=server).send()
                    mail.sent_at, mail.next_at = now, None
                except (OSError, SMTPException, ValueError) as failed:
                    mail.why_not = str(failed)[:200]
                    again = now + FIRST_PAUSE * 2 ** (mail.tries - 1)
                    mail.next_at = again if mail.tries < MOST_TRIES else None
            done += mail.next_at is None
            mail.save(update_fields=["tries", "why_not", "sent_at", "next_at"])
    return done
