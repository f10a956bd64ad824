"""What becomes of badges, challenges and prizes of somebody who is erased: see `uptake.directory.erase`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import NAMELESS, Subject, Treatment
from uptake.directory.models import Policy
from uptake.programme.merits.models import Challenge, GivenBadge, Participant

BOTH = (Policy.ANONYMISE, Policy.DROP)


def _count(subject: Subject) -> int:
    joined = Participant.objects.filter(person_id=subject.person).count()
    return joined + GivenBadge.objects.filter(person_id=subject.person).count()


def _empty(subject: Subject) -> None:
    GivenBadge.objects.filter(person_id=subject.person).exclude(reason="").update(reason=NAMELESS)
    for row in GivenBadge.objects.exclude(reason__in=("", NAMELESS)).only("reason"):
        if subject.named_in(row.reason):
            GivenBadge.objects.filter(pk=row.pk).update(reason=NAMELESS)
    for challenge in Challenge.objects.exclude(why="").only("why"):
        if subject.named_in(challenge.why):
            Challenge.objects.filter(pk=challenge.pk).update(why=NAMELESS)


MERITS = Treatment(
    "merits",
    _("Badges and challenges"),
    dict.fromkeys(BOTH, _("Numbers stay; reasons are deleted")),
    ("merits.GivenBadge", "merits.Participant"),
    _count,
    _empty,
)
