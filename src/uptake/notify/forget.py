"""What becomes of messages to a person who is erased: see `uptake.directory.erase`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import Subject, Treatment
from uptake.directory.models import Policy
from uptake.notify.models import Message


def _delete(subject: Subject) -> None:
    Message.objects.filter(person_id=subject.person).delete()


MESSAGES = Treatment(
    "messages",
    _("Messages to them"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("Deleted")),
    ("notify.Message",),
    lambda subject: Message.objects.filter(person_id=subject.person).count(),
    _delete,
)
