"""Events as they come in, newest first: everybody their own, and those of the places one may see events of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import Connection, Correction, CorrectionKind, Event, EventType, Quarantine
from uptake.programme.explain import Explanation, explain_event
from uptake.programme.sentences import Labels
from uptake.web.pages.events.filters import EventFilter
from uptake.web.sheets import as_csv, as_xlsx
from uptake.web.viewing import login_required, viewer_for

SHOWN = 50
ROWS_EXPORTED = 50_000
NAMES_OFFERED = 500


@dataclass(frozen=True)
class Row:
    """An event as the list shows it."""

    event: Event
    label: str
    who: str
    """The person's name, else the id at the source; empty: nobody, the system did it."""
    known: bool
    company: str
    source: str
    state: str
    tone: str


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The newest events that fit the filter; `?before=<id>` goes on, `?open=<id>` opens one beside the list."""
    viewer = viewer_for(request)
    wanted = EventFilter.of(request.GET)
    before = request.GET.get("before", "")
    events = _chosen(viewer, wanted)
    if before.isdecimal():
        events = events.filter(pk__lt=int(before[:18]))
    found = list(events.order_by("-pk")[: SHOWN + 1])
    more = found[SHOWN - 1].pk if len(found) > SHOWN else None
    rows = rows_of(found[:SHOWN])
    sees_others = viewer.may(Deed.SEE_EVENTS)
    context: dict[str, Any] = {
        "rows": rows,
        "more": more,
        "before": before,
        "filter": wanted,
        "query": wanted.query(),
        "sees_others": sees_others,
        "paused": request.GET.get("live") == "off",
        "live": not before.isdecimal() and request.GET.get("live") != "off",
        "at": _live_place(viewer),
        "names": _names(),
    }
    if sees_others:
        context |= {
            "companies": Organization.objects.filter(
                viewer.within("path", Deed.SEE_EVENTS), kind=Kind.COMPANY
            ).order_by("name")[:NAMES_OFFERED],
            "sources": Connection.objects.visible_to(viewer).order_by("name")[:NAMES_OFFERED],
        }
    opened = request.GET.get("open", "")
    if opened.isdecimal():
        context |= _event_context(request, int(opened[:18]))
    return render(request, "events/home.html", context)


@login_required
def event(request: HttpRequest, event_id: int) -> HttpResponseBase:
    """One event: what was sent, whose it is, what was said about it afterwards. For htmx the drawer only."""
    context = _event_context(request, event_id)
    template = "events/drawer.html" if request.headers.get("HX-Request") else "events/event.html"
    return render(request, template, context)


@login_required
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The events that fit the filter as CSV or XLSX, newest first, at most ROWS_EXPORTED."""
    writers = {"csv": as_csv, "xlsx": as_xlsx}
    if kind not in writers:
        raise Http404
    viewer = viewer_for(request)
    events = _chosen(viewer, EventFilter.of(request.GET)).order_by("-pk")[:ROWS_EXPORTED]
    heads = [
        *(_("Id"), _("Event"), pgettext("of a thing", "Name"), _("Person")),
        *(_("Id at the source"), _("Company"), _("Object")),
        *(_("Happened"), _("Business date"), _("Received"), _("Source"), _("State"), _("Facts")),
    ]
    return writers[kind](f"events-{timezone.localdate().isoformat()}", heads, _sheet(events.iterator(chunk_size=2000)))


def rows_of(events: Sequence[Event]) -> list[Row]:
    """The events with their labels, names and states; a handful of queries for any number."""
    labels = _labels({one.name for one in events})
    sources = dict(Connection.objects.filter(slug__in={one.source for one in events}).values_list("slug", "name"))
    states = _states(events)
    rows = []
    for one in events:
        identity = one.identity
        person = identity.person if identity else None
        state, tone = states.get(one.pk, ("", ""))
        if not state and one.history_only:
            state, tone = _("history only"), ""
        rows.append(
            Row(
                event=one,
                label=labels.get(one.name, ""),
                who=person.name if person else (identity.name or identity.external_id) if identity else "",
                known=person is not None,
                company=one.company.name if one.company else "",
                source=sources.get(one.source, one.source),
                state=state,
                tone=tone,
            )
        )
    return rows


def _chosen(viewer: Viewer, wanted: EventFilter) -> QuerySet[Event]:
    events = wanted.apply(Event.objects.visible_to(viewer), viewer)
    return events.select_related("identity__person", "company")


def _states(events: Sequence[Event]) -> dict[int, tuple[str, str]]:
    """What was said about these events afterwards, as (words, tone), where it matters."""
    keys = [one.pk for one in events]
    found: dict[int, tuple[str, str]] = {
        key: (_("in quarantine"), "warn") for key in Quarantine.objects.filter(pk__in=keys).values_list("pk", flat=True)
    }
    for key, kind in Correction.objects.filter(event__in=keys).order_by("pk").values_list("event_id", "kind"):
        if key is None:
            continue
        if kind == CorrectionKind.ACCEPTED:
            found.pop(key, None)
        elif kind == CorrectionKind.DECLINED:
            found[key] = (_("declined"), "bad")
    batches = {one.batch_id for one in events if one.batch_id}
    undone = set(
        Correction.objects.filter(kind=CorrectionKind.WITHDRAWN, batch__in=batches).values_list("batch_id", flat=True)
    )
    for one in events:
        if one.batch_id in undone:
            found[one.pk] = (_("undone"), "bad")
    return found


def _labels(names: Iterable[str]) -> dict[str, str]:
    field = "label_zh" if (get_language() or "").startswith("zh") else "label_en"
    return dict(EventType.objects.filter(name__in=set(names)).values_list("name", field))


def _names() -> list[tuple[str, str]]:
    """Names of the catalogue with their label in the reader's language, for the filter."""
    field = "label_zh" if (get_language() or "").startswith("zh") else "label_en"
    return list(EventType.objects.order_by("name").values_list("name", field)[:NAMES_OFFERED])


def _live_place(viewer: Viewer) -> str:
    """The slug of the highest place the viewer sees events of: what the live count of the page listens to."""
    places = Organization.objects.filter(viewer.within("path", Deed.SEE_EVENTS))
    return min(places.order_by("pk").values_list("path", "slug"), key=lambda one: one[0].count("/"), default=("", ""))[
        1
    ]


def _event_context(request: HttpRequest, event_id: int) -> dict[str, Any]:
    viewer = viewer_for(request)
    events = Event.objects.visible_to(viewer).select_related("identity__person", "company", "batch__connection")
    one = get_object_or_404(events, pk=event_id)
    kind = EventType.objects.filter(name=one.name).first()
    declared = kind.properties if kind else {}
    mine = viewer.person_id is not None and one.identity is not None and one.identity.person_id == viewer.person_id
    label = "label_zh" if (get_language() or "").startswith("zh") else "label_en"
    facts = [(declared.get(name, {}).get(label) or name, name, _written(value)) for name, value in one.facts.items()]
    revisions = (
        Event.objects.visible_to(viewer).filter(source=one.source, key=one.key).exclude(pk=one.pk).order_by("-revision")
    )
    return {
        "row": rows_of([one])[0],
        "kind": kind,
        "facts": facts,
        "waits": Quarantine.objects.filter(pk=one.pk).first(),
        "corrections": Correction.objects.filter(event=one).select_related("by").order_by("pk"),
        "revisions": revisions[:20],
        "why": _explained(one, kind) if mine or _sees_points(viewer, one) else None,
    }


def _sees_points(viewer: Viewer, one: Event) -> bool:
    return one.company is not None and viewer.may(Deed.SEE_LEDGER, one.company)


def _explained(one: Event, kind: EventType | None) -> Explanation:
    """Why the event earned what it did, or nothing, in the catalogue's words."""
    label = "label_zh" if (get_language() or "").startswith("zh") else "label_en"
    facts = {name: about[label] for name, about in (kind.properties if kind else {}).items() if about.get(label)}
    return explain_event(one, Labels(events=_labels({one.name}), facts=facts))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return orjson.dumps(value, default=str).decode() if isinstance(value, dict | list) else str(value)


def _sheet(events: Iterator[Event]) -> Iterator[list[Any]]:
    block: list[Event] = []
    for one in events:
        block.append(one)
        if len(block) == 2000:
            yield from map(_sheet_row, rows_of(block))
            block = []
    yield from map(_sheet_row, rows_of(block))


def _sheet_row(row: Row) -> list[Any]:
    one = row.event
    return [
        one.pk,
        one.name,
        row.label,
        row.who if row.known else "",
        one.identity.external_id if one.identity else "",
        row.company,
        one.object,
        one.happened_at,
        one.business_date,
        one.received_at,
        one.source,
        row.state,
        orjson.dumps(one.facts, default=str, option=orjson.OPT_SORT_KEYS).decode() if one.facts else "",
    ]
