"""What becomes of accounts of other systems when a person is erased: see `uptake.directory.erase`."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import Subject, Treatment
from uptake.directory.models import Policy
from uptake.directory.sign_on.models import SignOnLink


def _links(subject: Subject) -> QuerySet[SignOnLink]:
    return SignOnLink.objects.filter(user__person_id=subject.person)


def _delete(subject: Subject) -> None:
    _links(subject).delete()


SIGN_ON = Treatment(
    "sign_on",
    _("Accounts signed in with"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("Deleted")),
    ("sign_on.SignOnLink",),
    lambda subject: _links(subject).count(),
    _delete,
)
