"""What becomes of what sources of people said of somebody who is erased: see `uptake.directory.erase`."""

from __future__ import annotations

import secrets

from django.utils.translation import gettext_lazy as _

from uptake.connectors.people.models import PeopleSource, SaidPerson
from uptake.directory.erase import Subject, Treatment
from uptake.directory.models import Policy


def _rows(subject: Subject) -> list[SaidPerson]:
    return list(SaidPerson.objects.filter(person_id=subject.person).select_related("source"))


def _empty(subject: Subject) -> None:
    for one in _rows(subject):
        was, source = one.key, one.source
        one.key, one.user_name = f"erased-{secrets.token_hex(16)}", None
        one.name = one.email = one.staff_number = one.work = one.place_key = one.manager_key = one.trouble = ""
        one.extra, one.active, one.belongs, one.left_at = {}, False, False, None
        one.save()
        SaidPerson.objects.filter(source=source, manager_key=was).update(manager_key="")
        held = PeopleSource.objects.select_for_update(of=("self",)).get(pk=source.pk)
        if was in held.confirmed:
            held.confirmed = [key for key in held.confirmed if key != was]
            held.save(update_fields=["confirmed"])


SAID_BY_SOURCES = Treatment(
    "people_sources",
    _("What sources of people said of them"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("All of it is emptied")),
    ("people_sources.SaidPerson",),
    lambda subject: len(_rows(subject)),
    _empty,
)
