"""What becomes of segments and views that name a person who is erased: see `uptake.directory.erase`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import NAMELESS, Subject, Treatment
from uptake.directory.models import Policy
from uptake.insight.models import SavedView, Segment

BOTH = (Policy.ANONYMISE, Policy.DROP)
PEOPLE = ("people", "only_persons", "not_persons")
"""Keys of questions under which numbers of people stand."""
PERSON = "person"
"""The parameter of an address that takes a person's number."""


def _segments(subject: Subject) -> Iterator[tuple[Segment, dict[str, Any]]]:
    """Segments that hold or name the person, with what changes; those they alone could see change into nothing."""
    for one in Segment.objects.all():
        if not one.roles and one.owner_id == subject.login:
            yield one, {}
            continue
        changed: dict[str, Any] = {}
        if one.members is not None and not one.of_companies and subject.person in one.members:
            changed["members"] = [key for key in one.members if key != subject.person]
        criteria = _without_number(subject.without(one.criteria), subject.person)
        if criteria != one.criteria:
            changed["criteria"] = criteria
        if subject.named_in(one.name):
            changed["name"] = NAMELESS
        if changed:
            yield one, changed


def _without_number(value: Any, person: int) -> Any:
    if isinstance(value, list):
        return [_without_number(one, person) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: [one for one in listed if str(one) != str(person)]
        if key in PEOPLE and isinstance(listed, list)
        else _without_number(listed, person)
        for key, listed in value.items()
    }


def _views(subject: Subject) -> Iterator[tuple[SavedView, dict[str, Any]]]:
    for one in SavedView.objects.all():
        if not one.roles and one.owner_id == subject.login:
            yield one, {}
            continue
        changed: dict[str, Any] = {}
        asked = parse_qsl(one.query, keep_blank_values=True)
        kept = [
            (key, value)
            for key, value in asked
            if not subject.named_in(value) and (key, value) != (PERSON, str(subject.person))
        ]
        if kept != asked:
            changed["query"] = urlencode(kept)
        if subject.named_in(one.name):
            changed["name"] = NAMELESS
        if changed:
            yield one, changed


def _empty_segments(subject: Subject) -> None:
    for one, changed in list(_segments(subject)):
        if changed:
            Segment.objects.filter(pk=one.pk).update(**changed)
        else:
            one.delete()


def _empty_views(subject: Subject) -> None:
    for one, changed in list(_views(subject)):
        if changed:
            SavedView.objects.filter(pk=one.pk).update(**changed)
        else:
            one.delete()


SEGMENTS = Treatment(
    "segments",
    _("Segments that hold or name them"),
    dict.fromkeys(BOTH, _("They are taken out; segments of their own are deleted unless shared")),
    ("insight.Segment",),
    lambda subject: sum(1 for _one in _segments(subject)),
    _empty_segments,
)
VIEWS = Treatment(
    "views",
    _("Saved views that name them"),
    dict.fromkeys(BOTH, _("The name is taken out; views of their own are deleted unless shared")),
    ("insight.SavedView",),
    lambda subject: sum(1 for _one in _views(subject)),
    _empty_views,
)
