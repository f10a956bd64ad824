"""What becomes of messages to a person who is erased: see `uptake.directory.erase`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import Subject, Treatment
from uptake.directory.models import Policy
from uptake.notify.models import Bounce, Delivery, Mail, Message, Rhythm, Wish

TABLES: tuple[type[Message] | type[Mail] | type[Wish] | type[Rhythm] | type[Bounce] | type[Delivery], ...] = (
    Message,
    Mail,
    Wish,
    Rhythm,
    Bounce,
    Delivery,
)


def _delete(subject: Subject) -> None:
    for model in TABLES:
        model.objects.filter(person_id=subject.person).delete()


def _count(subject: Subject) -> int:
    return sum(model.objects.filter(person_id=subject.person).count() for model in TABLES)


MESSAGES = Treatment(
    "messages",
    _("Messages and mails to them"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("Deleted")),
    ("notify.Message", "notify.Mail", "notify.Wish", "notify.Rhythm", "notify.Bounce", "notify.Delivery"),
    _count,
    _delete,
)
