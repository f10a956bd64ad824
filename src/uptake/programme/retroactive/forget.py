"""What becomes of retroactive runs when a person is erased: see `uptake.directory.erase`. The numbers stay."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import NAMELESS, Subject, Treatment
from uptake.directory.models import Policy
from uptake.programme.retroactive.models import RetroactiveLine, RetroactiveRun


def _empty(subject: Subject) -> None:
    for run in RetroactiveRun.objects.exclude(why=NAMELESS).only("why"):
        if subject.named_in(run.why):
            RetroactiveRun.objects.filter(pk=run.pk).update(why=NAMELESS)


RETROACTIVE = Treatment(
    "retroactive",
    _("Points given afterwards"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("Numbers stay; reasons that name the person are deleted")),
    ("retroactive.RetroactiveRun", "retroactive.RetroactiveLine"),
    lambda subject: RetroactiveLine.objects.filter(person_id=subject.person).count(),
    _empty,
)
