"""What a source of people is asked with, as a form; secrets are never filled in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from uptake.connectors.people.ask import FIELDS
from uptake.directory.models import Organization


class SourceForm(forms.Form):
    """Name, company (of a new one) and the fields of its kind, named `set-<name>`."""

    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=100)

    def __init__(
        self, *args: Any, sort: str, companies: list[Organization], kept: dict[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.asked = FIELDS[sort]
        if companies:
            self.fields["company"] = forms.ChoiceField(
                label=_("Company"), choices=[(one.slug, one.name) for one in companies]
            )
        for one in self.asked:
            self.fields[f"set-{one.name}"] = _field(one, kept)
        for field in self.fields.values():
            tick = isinstance(field.widget, forms.CheckboxInput)
            select = isinstance(field.widget, forms.Select)
            css = "form-check-input" if tick else "form-select" if select else "form-control"
            field.widget.attrs["class"] = css

    def given(self) -> tuple[dict[str, str], dict[str, str]]:
        """(settings, secrets) as typed."""
        settings: dict[str, str] = {}
        secrets: dict[str, str] = {}
        for one in self.asked:
            value = self.cleaned_data.get(f"set-{one.name}")
            text = ("yes" if value else "") if one.choice else str(value or "")
            if text:
                (secrets if one.secret else settings)[one.name] = text
        return settings, secrets


def _field(one: Any, kept: dict[str, str] | None) -> forms.Field:
    if one.choice:
        return forms.BooleanField(
            label=one.title, required=False, help_text=one.hint, initial=(kept or {}).get(one.name) == "yes"
        )
    needed = not one.optional and not (one.secret and kept is not None)
    attributes = {"autocomplete": "new-password" if one.secret else "off"}
    hint = one.hint
    if one.secret:
        hint = _("Kept encrypted and never shown again.")
        if kept is not None:
            hint = _("Kept encrypted and never shown again. Leave empty to keep it.")
    elif one.usual:
        usual = _("Usually: %(usual)s") % {"usual": one.usual}
        hint = f"{hint} {usual}".strip()
    return forms.CharField(
        label=one.title,
        required=needed,
        max_length=2000,
        strip=not one.secret,
        help_text=hint,
        widget=forms.PasswordInput(attributes) if one.secret else forms.TextInput(attributes),
        initial="" if one.secret else (kept or {}).get(one.name, ""),
    )
