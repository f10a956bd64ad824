"""The rows of the form of a segment: read from the address, written as criteria, told in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.directory.models import Kind, Organization
from uptake.web.pages.explore.bar import condition_of, said
from uptake.web.usage import labels_of

MOST_ROWS = 8
Text = str | Promise
KINDS: Mapping[str, Text] = {
    "performed": gettext_lazy("did"),
    "not_performed": gettext_lazy("did not do"),
    "first_time": gettext_lazy("did for the first time"),
    "started": gettext_lazy("started to do"),
    "stopped": gettext_lazy("stopped doing"),
    "restarted": gettext_lazy("came back to doing"),
    "regularly": gettext_lazy("regularly do"),
    "property": gettext_lazy("have the property"),
    "in": gettext_lazy("are in"),
}
FIELDS: Mapping[str, tuple[str, ...]] = {
    "performed": ("event", "days", "op", "count"),
    "not_performed": ("event", "days"),
    "first_time": ("event", "days"),
    "started": ("event", "days", "recent_days"),
    "stopped": ("event", "days", "recent_days"),
    "restarted": ("event", "days", "recent_days"),
    "regularly": ("event", "period_days", "min_periods", "total_periods"),
    "property": ("property", "cond", "value"),
    "in": ("in",),
}
"""The fields of a row, by its kind, in order."""
USUAL: Mapping[str, Mapping[str, str]] = {
    "performed": {"days": "30", "op": "gte", "count": "1"},
    "not_performed": {"days": "30"},
    "first_time": {"days": "30"},
    "started": {"days": "60", "recent_days": "30"},
    "stopped": {"days": "60", "recent_days": "30"},
    "restarted": {"days": "60", "recent_days": "14"},
    "regularly": {"period_days": "7", "min_periods": "3", "total_periods": "4"},
    "property": {"cond": "eq"},
    "in": {},
}
"""What stands in a row that was just begun."""
NEEDED = ("in", "property", "recent_days", "period_days", "min_periods", "total_periods")
WHOLE = frozenset({"days", "recent_days", "count", "period_days", "min_periods", "total_periods"})


@dataclass(frozen=True)
class Row:
    """One criterion as the form shows it: `values` by the field's name; `number` is its place, from 0."""

    number: int
    kind: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        return FIELDS.get(self.kind, ())

    @property
    def cells(self) -> list[tuple[str, str, str]]:
        """(field, its name in the address, its value)."""
        return [(name, self.named(name), self.values.get(name, "")) for name in self.fields]

    @property
    def kind_name(self) -> str:
        return self.named("kind")

    @property
    def complete(self) -> bool:
        """Whether everything is chosen without which it says nothing."""
        return all(self.values.get(name) for name in NEEDED if name in self.fields) and (
            "value" not in self.fields or self.values["cond"].startswith("is_") or bool(self.values["value"])
        )

    def named(self, name: str) -> str:
        """The name of a field in the address."""
        return f"c{self.number}_{name}"


def rows_of(request: HttpRequest) -> list[Row]:
    """The rows that the address tells, those without a kind left out, and their places counted anew."""
    found: list[Row] = []
    for number in range(MOST_ROWS):
        kind = request.GET.get(f"c{number}_kind", "")
        if kind not in FIELDS:
            continue
        given = {name: request.GET.get(f"c{number}_{name}") for name in FIELDS[kind]}
        values = {
            name: (value if value is not None else USUAL[kind].get(name, "")).strip()[:200]
            for name, value in given.items()
        }
        found.append(Row(len(found), kind, values))
    return found


def written(rows: Sequence[Row], *, match: str, of: str) -> dict[str, Any]:
    """The rows as criteria that the engine reads; what is wrong with them it says itself."""
    criteria = [_written(row) for row in rows]
    return {"match": "any" if match == "any" else "all", "criteria": criteria} | (
        {"of": "company"} if of == "company" else {}
    )


def _written(row: Row) -> dict[str, Any]:
    values = row.values
    if row.kind == "property":
        condition = condition_of(f"{values['property']}:{values['cond']}:{values['value']}")
        return {"kind": "property", **(condition or {"property": values["property"], "op": values["cond"]})}
    if row.kind == "in":
        place, _colon, value = values["in"].partition(":")
        return {"kind": "in", "place": place, "value": int(value) if value.isdecimal() else value}
    found: dict[str, Any] = {"kind": row.kind}
    for name, value in values.items():
        if value:
            found[name] = int(value) if name in WHOLE and value.isdecimal() else value
    return found


def rows_from(criteria: Mapping[str, Any]) -> list[Row] | None:
    """The rows of stored criteria; None if they say more than the form can."""
    rows: list[Row] = []
    for one in criteria.get("criteria", ()):
        kind = str(one.get("kind")) if isinstance(one, Mapping) else ""
        if kind not in FIELDS or criteria.get("negated") or len(rows) == MOST_ROWS:
            return None
        values = {name: str(one.get(name, "")) for name in FIELDS[kind]}
        own = set(FIELDS[kind]) | {"kind"}
        if kind == "property":
            value = one.get("value", "")
            values = {
                "property": str(one.get("property", "")),
                "cond": str(one.get("op", "")),
                "value": "|".join(map(str, value)) if isinstance(value, list) else str(value),
            }
            own = {"kind", "property", "op", "value"}
        elif kind == "in":
            if isinstance(one.get("value"), list):
                return None
            values = {"in": f"{one.get('place', 'company')}:{one.get('value')}"}
            own = {"kind", "place", "value"}
        elif not isinstance(one.get("event", ""), str):
            return None
        if set(one) - own:
            return None
        rows.append(Row(len(rows), kind, values))
    return rows


def address(rows: Sequence[Row], *, match: str, of: str) -> dict[str, str]:
    """The rows as parameters of the address."""
    found = {"match": match, "of": of}
    for row in rows:
        found[row.named("kind")] = row.kind
        found |= {row.named(name): value for name, value in row.values.items()}
    return found


def in_words(criteria: Mapping[str, Any]) -> list[str]:
    """Each criterion as a sentence of the reader's language."""
    several = [one for one in criteria.get("criteria", ()) if isinstance(one, Mapping)]
    names = [one["event"] for one in several if isinstance(one.get("event"), str)]
    labels = labels_of(names)
    ids = [one["value"] for one in several if one.get("kind") == "in" and isinstance(one.get("value"), int)]
    places = dict(Organization.objects.filter(pk__in=ids).values_list("pk", "name"))
    return [_in_words(one, labels, places) for one in several]


def _in_words(one: Mapping[str, Any], labels: Mapping[str, str], places: Mapping[int, str]) -> str:
    kind = one.get("kind", "")
    event = one.get("event")
    what = labels.get(event, event) if isinstance(event, str) else _("anything")
    words: dict[str, Any] = {"what": what}
    for name in WHOLE:
        words[name] = one.get(name, "")
    if kind == "performed":
        return _performed(one, words)
    if kind == "not_performed":
        if one.get("days") is None:
            return _("never did %(what)s") % words
        return _("did not do %(what)s in the last %(days)s days") % words
    if kind == "property" and "op" in one:
        return said(str(one.get("property")), one)
    if kind == "in":
        value = one.get("value")
        return _("are in %(place)s") % {"place": places.get(value, value) if isinstance(value, int) else value}
    sentence = {
        "first_time": _("did %(what)s for the first time in the last %(days)s days"),
        "started": _("did %(what)s in the last %(recent_days)s days, but not earlier in the last %(days)s"),
        "stopped": _("did %(what)s earlier in the last %(days)s days, but not in the last %(recent_days)s"),
        "restarted": _(
            "came back to %(what)s in the last %(recent_days)s days, after none earlier in the last %(days)s"
        ),
        "regularly": _(
            "did %(what)s in at least %(min_periods)s of the last %(total_periods)s spans of %(period_days)s days"
        ),
    }.get(str(kind))
    return sentence % words if sentence else _("meet a condition of more parts than the form shows")


def _performed(one: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    op, count = one.get("op", "gte"), int(one.get("count", 1))
    did = _("did %(what)s in the last %(days)s days") if one.get("days") is not None else _("ever did %(what)s")
    told = did % words
    if (op, count) == ("gte", 1):
        return told
    times = {
        "gte": ngettext("at least %(n)s time", "at least %(n)s times", count),
        "lte": ngettext("at most %(n)s time", "at most %(n)s times", count),
        "eq": ngettext("exactly %(n)s time", "exactly %(n)s times", count),
    }.get(str(op), "%(n)s")
    return _("%(deed)s, %(times)s") % {"deed": told, "times": times % {"n": count}}


def places_below(place: Organization) -> list[tuple[str, str]]:
    """(value, name) of what one can be in at a place: its companies and departments."""
    below = Organization.objects.open().below(place).filter(kind__in=[Kind.COMPANY, Kind.DEPARTMENT])
    below = below.exclude(pk=place.pk).select_related("company").order_by("path")
    return [
        (
            f"{one.kind}:{one.pk}",
            one.name if one.company_id in (None, one.pk) else f"{one.company.name if one.company else ''} › {one.name}",
        )
        for one in below
    ]
