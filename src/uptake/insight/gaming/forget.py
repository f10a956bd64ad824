"""What becomes of findings about a person who is erased: see `uptake.directory.erase`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import Subject, Treatment
from uptake.directory.models import Policy
from uptake.insight.gaming.models import Finding, Opinion

BOTH = (Policy.ANONYMISE, Policy.DROP)


def _count(subject: Subject) -> int:
    return Finding.objects.filter(person_id=subject.person).count()


def _empty(subject: Subject) -> None:
    Opinion.objects.filter(finding__person_id=subject.person).update(reason="")


GAMING = Treatment(
    "gaming",
    _("Points that were under review"),
    dict.fromkeys(BOTH, _("What was found and decided stays, about a number; the reasons in words go")),
    ("gaming.Finding", "gaming.Opinion"),
    _count,
    _empty,
)
