"""One key of a connection: what of that which it sent was refused or doubted, day by day."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from uptake.connectors.models import IntakeProblem
from uptake.connectors.protocols import PROTOCOLS
from uptake.directory.models import Identity
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import ApiKey, Conflict, Connection, Quarantine
from uptake.web.pages.data.refused import in_words
from uptake.web.viewing import needs, viewer_for

SHOWN_DAYS = 14
COUNTED_TO = 1000
WORDS: dict[str, tuple[str | Promise, str | Promise]] = {
    "too_fast": (_("Sent too fast"), _("The sender was told when to come again. Ask for fewer, larger requests.")),
    "rejected": (_("Refused events"), _("They were not stored. The sentence says what is wrong with the last one.")),
    "bad_item": (_("Unreadable messages"), _("Single messages of a request that name no event, or are none.")),
    "unreadable": (_("Unreadable requests"), _("The whole request said nothing that could be read.")),
    "conflict": (_("Conflicts"), _("A key came again with other content. What was stored first stands.")),
    "late": (_("Late events"), _("They wait in quarantine until somebody decides.")),
    "future": (_("Events of the future"), _("A clock is wrong. They wait in quarantine until somebody decides.")),
    "odd": (_("Events that do not fit the catalogue"), _("They wait in quarantine until somebody decides.")),
    "queue_full": (_("Server was busy"), _("The sender was told to come again.")),
    "database_busy": (_("Server was busy"), _("The sender was told to come again.")),
    "nobody": (_("Unknown people"), _("Nobody of the connection's place is known by the id that was named.")),
    "not_here": (_("People who moved"), _("Their token was of another company. The widget asks for a new one.")),
    "wrong_source": (_("People of other connections"), _("A key gives tokens for its own connection only.")),
    "wrong_origin": (_("Foreign web pages"), _("A page used the key that the key does not name.")),
}
TOO_LARGE = (_("Requests that are too large"), _("Nothing of them was stored. Send fewer events at once."))
OTHER = (_("Other refusals"), _("Nothing of these requests was stored."))
LARGE = frozenset({"body_too_large", "too_many_events", "unpacked_too_large"})


@dataclass(frozen=True)
class Problem:
    """One sort of problem over the days shown."""

    code: str
    label: str | Promise
    advice: str | Promise
    count: int
    last_at: datetime
    detail: str
    sample: str
    days: Sequence[tuple[date, int]]
    """Newest first, only days that had it."""


def problems_of(rows: Iterable[IntakeProblem]) -> list[Problem]:
    """The rows (newest first) by sort, the latest sort first."""
    by_code: dict[str, list[IntakeProblem]] = defaultdict(list)
    for row in rows:
        by_code[row.code].append(row)
    found = []
    for code, days in by_code.items():
        label, advice = WORDS.get(code, TOO_LARGE if code in LARGE else OTHER)
        last = days[0]
        sampled = next((one for one in days if one.sample is not None), None)
        found.append(
            Problem(
                code=code,
                label=label,
                advice=advice,
                count=sum(one.count for one in days),
                last_at=last.last_at,
                detail=in_words(last.detail),
                sample="" if sampled is None else json.dumps(sampled.sample, ensure_ascii=False, indent=1),
                days=[(one.day, one.count) for one in days],
            )
        )
    return sorted(found, key=lambda one: one.last_at, reverse=True)


@needs(Deed.MANAGE_DATA)
@never_cache
def home(request: HttpRequest, slug: str, key_id: int) -> HttpResponseBase:
    """What was refused of what this key sent and why, and what of its connection waits for a person."""
    viewer = viewer_for(request)
    keys = ApiKey.objects.visible_to(viewer).select_related("connection__organization")
    key = get_object_or_404(keys, pk=key_id, connection__slug=slug)
    since = timezone.localdate() - timedelta(days=SHOWN_DAYS)
    rows = IntakeProblem.objects.visible_to(viewer).filter(key=key, day__gt=since).order_by("-day", "code")
    context = {
        "key": key,
        "connection": key.connection,
        "problems": problems_of(rows),
        "days": SHOWN_DAYS,
        "waits": _waits(viewer, key.connection),
        "clients": [(one.title, request.build_absolute_uri(f"/in/{one.name}")) for one in PROTOCOLS.values()],
        "tab": "connections",
    }
    return render(request, "data/key.html", context)


def _waits(viewer: Viewer, connection: Connection) -> dict[str, int]:
    """What of the whole connection waits for somebody, each counted up to COUNTED_TO."""
    source = connection.slug
    kinds = {
        "quarantined": Quarantine.objects.visible_to(viewer).waiting().filter(event__source=source),
        "conflicts": Conflict.objects.visible_to(viewer).unseen().filter(event__source=source),
        "unmapped": Identity.objects.visible_to(viewer).unresolved().filter(source=source),
    }
    return {name: rows.order_by().values("pk")[:COUNTED_TO].count() for name, rows in kinds.items()}
