"""The forms of People & roles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from uptake.directory.models import Kind, Organization, PersonKind


class Day(forms.DateInput):
    """A date as the browser's own calendar asks for it."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PersonForm(forms.Form):
    """What is known of a person."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("Surname first."))
    staff_number = forms.CharField(label=_("Staff number"), max_length=64, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=PersonKind.choices,
        initial=PersonKind.HUMAN,
        help_text=_("A machine account is never counted as a person."),
    )


class NewPersonForm(PersonForm):
    """A person and where they belong."""

    place = forms.ChoiceField(label=_("Place"))
    work = forms.CharField(label=_("Work"), max_length=100, required=False, help_text=_("Clerk, buyer, storekeeper."))
    from_date = forms.DateField(label=_("From"), widget=Day)

    def __init__(self, *args: Any, places: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser = self.fields["place"]
        assert isinstance(chooser, forms.ChoiceField)
        chooser.choices = list(places)


class PlaceForm(forms.Form):
    """The name of a place, and its clock."""

    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=200)
    trade = forms.CharField(label=_("Trade"), max_length=100, required=False)
    timezone = forms.CharField(
        label=_("Time zone"), max_length=64, required=False, help_text=_("Asia/Shanghai. Empty: as the place above.")
    )
    day_start = forms.TimeField(
        label=_("Day starts at"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("For night shifts: events before this time belong to the day before. Empty: as the place above."),
    )


class ChangedPlaceForm(PlaceForm):
    """A place that there is: its clock changes with the start of a date."""

    from_date = forms.DateField(
        label=_("Another clock holds from"),
        required=False,
        widget=Day,
        help_text=_("The first date by the other clock. Empty: as soon as it can be."),
    )


class NewPlaceForm(PlaceForm):
    """A place that does not exist yet."""

    kind = forms.ChoiceField(label=_("Kind"))
    parent = forms.ChoiceField(label=_("Below"), required=False)
    slug = forms.SlugField(
        label=_("Short name"),
        max_length=100,
        required=False,
        help_text=_("Used by senders of events. Empty: made from the name."),
    )
    field_order = ["kind", "name", "parent", "trade", "slug", "timezone", "day_start"]

    def __init__(
        self, *args: Any, kinds: Iterable[Kind], parents: Iterable[tuple[str, str]], at_root: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        kind, parent = self.fields["kind"], self.fields["parent"]
        assert isinstance(kind, forms.ChoiceField)
        assert isinstance(parent, forms.ChoiceField)
        kind.choices = [(one.value, one.label) for one in kinds]
        parent.choices = [*([("", _("The root of the tree"))] if at_root else []), *parents]
        parent.required = not at_root


def choices_of(places: Iterable[Organization]) -> list[tuple[str, str]]:
    """(slug, name) of places, in the order of the tree, each indented by its depth."""
    ordered = sorted(places, key=lambda place: place.path)
    top = min((place.path.count("/") for place in ordered), default=0)
    by_parent: dict[str, list[Organization]] = {}
    known = {place.path for place in ordered}
    for place in ordered:
        above = place.path[: place.path.rstrip("/").rfind("/") + 1]
        by_parent.setdefault(above if above in known else "", []).append(place)
    found: list[tuple[str, str]] = []

    def walk(above: str) -> None:
        for place in sorted(by_parent.get(above, []), key=lambda place: place.name):
            found.append((place.slug, "\u2003" * (place.path.count("/") - top) + place.name))
            walk(place.path)

    walk("")
    return found
