"""What becomes of the awards of a person who is erased: see `uptake.directory.erase`.

Points stay where they are in the ledger, which knows a number and no name. Where events do not count any more they are
taken back by the usual way, when `consider` reads that the events were withdrawn.
"""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import Subject, Treatment
from uptake.directory.models import Policy
from uptake.directory.update_each import update_each
from uptake.ledger.forget import forget_event_keys
from uptake.programme.models import Award, KeptFold, PersonLevel

QUOTING = "condition"
"""The part of an explanation that quotes an event."""


def _awards(subject: Subject) -> QuerySet[Award]:
    return Award.objects.filter(person_id=subject.person)


def _empty(subject: Subject) -> None:
    changed = []
    for award in _awards(subject).iterator():
        if QUOTING in award.explanation:
            award.explanation = {name: value for name, value in award.explanation.items() if name != QUOTING}
            changed.append(award)
    update_each(changed, ["explanation"])
    forget_event_keys(owner=str(subject.person))


def _forget_level(subject: Subject) -> None:
    KeptFold.objects.filter(person_id=subject.person).delete()
    PersonLevel.objects.filter(person_id=subject.person).delete()


AWARDS = Treatment(
    "awards",
    _("Awards and their points"),
    {
        Policy.ANONYMISE: _("Points stay, without the quotes from events"),
        Policy.DROP: _("Taken back within seconds; the ledger stays balanced"),
    },
    ("programme.Award", "ledger.Lot"),
    lambda subject: _awards(subject).count(),
    _empty,
)

LEVELS = Treatment(
    "levels",
    _("Level"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("Deleted")),
    ("programme.PersonLevel", "programme.KeptFold"),
    lambda subject: PersonLevel.objects.filter(person_id=subject.person).count(),
    _forget_level,
)
