"""What the pages of business series say: why a row is left out, and how reading from a database went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.connectors.models import Pull
from uptake.connectors.pull.figures import is_sql
from uptake.connectors.pull.words import reason
from uptake.directory.scope import Viewer
from uptake.insight.impact.business_series import ROWS_READ
from uptake.insight.impact.keep_query import may_ask
from uptake.insight.impact.models import Series, SeriesQuery
from uptake.web import numbers

WHY: Final = {
    "bad_date": gettext_lazy("the date cannot be read"),
    "bad_value": gettext_lazy("the value is no number"),
    "no_place": gettext_lazy("no such place here"),
    "two_places": gettext_lazy("several places here are called so"),
    "in_future": gettext_lazy("the day lies in the future"),
    "twice": gettext_lazy("stands in the file already"),
}
"""Why a row is left out."""


@dataclass(frozen=True)
class Database:
    """What a series' page says of reading from a database: how it is asked, if it is, and why the last time failed."""

    query: SeriesQuery | None
    failed: str


def pulls_for(series: Series, viewer: Viewer) -> list[Pull]:
    """The databases the viewer may ask for the series."""
    seen = Pull.objects.visible_to(viewer).select_related("connection__organization").order_by("connection__name")
    return [one for one in seen if may_ask(series, one.connection, viewer) and is_sql(one)]


def database_of(series: Series, viewer: Viewer) -> Database | None:
    """None: the viewer may not have it read."""
    found = SeriesQuery.objects.visible_to(viewer).filter(series=series).select_related("connection").first()
    if found is None:
        return Database(None, "") if pulls_for(series, viewer) else None
    return Database(found, failed(found.failure) if found.failure else "")


def failed(failure: dict[str, str]) -> str:
    """A sentence for the code of a failure, with what the database said."""
    code, detail = failure["code"], failure.get("detail", "")
    if code == "no_column":
        return _("The query no longer gives a column “%(name)s”.") % {"name": detail}
    if code == "too_many":
        return too_many()
    if code == "no_figures":
        return _("No row of the query can be taken.")
    if code == "not_allowed":
        return _("Whoever set it up may no longer do so. Set it up again.")
    return " ".join(part for part in (reason(code), detail) if part)


def too_many() -> str:
    """That a query gives too much."""
    return _("The query gives too many rows: at most %(n)s at a time.") % {"n": numbers.full(ROWS_READ)}
