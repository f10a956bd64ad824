"""The one list of menu items, in the same order for everyone; each is shown to those who may do its deed."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from uptake.directory.scope import Deed, Viewer


@dataclass(frozen=True)
class Item:
    """One entry. `url` is the name of the area's first page; an area that does not exist yet is left out."""

    name: str | Promise
    icon: str
    url: str
    deeds: tuple[Deed, ...] = ()
    """Any one of them is enough; none: for everyone who is signed in."""
    ruled_off: bool = False
    """A line is drawn above it."""
    by_place: bool = False
    """Its pages are about a place: the chosen one (`?at=`) is carried along."""
    short: str | Promise = ""
    """The name on the bottom tabs of the phone; empty: not there."""
    also: tuple[str, ...] = ()
    """Further areas (namespaces) whose pages belong to it."""
    below: tuple[Item, ...] = ()
    """Shown under it while one of its pages is open; without icons."""
    page: str = ""
    """One page of an area: the argument of its address. It is marked instead of the area's own item."""


ITEMS: tuple[Item, ...] = (
    Item(_("My points"), "coins", "points:home", short=_("Points")),
    Item(
        _("Ranking"),
        "trophy",
        "boards:home",
        short=_("Ranking"),
        below=(
            Item(_("Who stands where"), "", "boards:home"),
            Item(_("Badges & challenges"), "", "merits:home"),
        ),
    ),
    Item(_("Rewards"), "gift", "rewards:home", short=_("Rewards")),
    Item(_("Overview"), "layout-dashboard", "overview:home", (Deed.SEE_TOTALS,), ruled_off=True, by_place=True),
    Item(
        _("Activity"),
        "chart-histogram",
        "activity:home",
        (Deed.SEE_TOTALS,),
        by_place=True,
        below=(
            Item(_("Companies & people"), "", "activity:home", (Deed.SEE_TOTALS,), by_place=True),
            Item(_("Activation"), "", "activation:home", (Deed.SEE_TOTALS,), by_place=True),
            Item(_("Questions"), "", "explore:home", (Deed.SEE_TOTALS,), by_place=True),
            Item(_("Silent people"), "", "explore:page", (Deed.SEE_PEOPLE,), by_place=True, page="silence"),
            Item(_("Views"), "", "views:home", (Deed.SEE_TOTALS,)),
            Item(_("Segments"), "", "segments:home", (Deed.SEE_PEOPLE,), by_place=True),
        ),
    ),
    Item(_("Impact"), "trending-up", "impact:home", (Deed.SEE_TOTALS,), by_place=True),
    Item(_("Events"), "timeline-event", "events:home"),
    Item(
        _("Rules"),
        "scale",
        "rules:home",
        short=_("Rules"),
        below=(
            Item(_("How do I earn?"), "", "rules:home"),
            Item(_("Rule builder"), "", "building:home", (Deed.MANAGE_RULES,)),
            Item(_("Committee"), "", "committee:home"),
            Item(_("Appeals desk"), "", "appeals:desk", (Deed.MANAGE_RULES,)),
            Item(_("Points given afterwards"), "", "retroactive:home", (Deed.MANAGE_RULES,), by_place=True),
            Item(_("Points under review"), "", "gaming:home", (Deed.SEE_EVENTS,), by_place=True),
            Item(_("Fairness"), "", "fairness:home", (Deed.SEE_TOTALS,), by_place=True),
            Item(_("Monthly report"), "", "transparency:home"),
        ),
    ),
    Item(
        _("Community"),
        "messages",
        "community:home",
        below=(
            Item(_("Posts and questions"), "", "community:home"),
            Item(_("Recognition"), "", "recognition:home"),
            Item(_("Moderation"), "", "moderation:home", (Deed.MANAGE_RULES,)),
        ),
    ),
    Item(
        _("News & learning"),
        "mail",
        "announcements:home",
        below=(
            Item(_("News"), "", "announcements:home"),
            Item(_("Trainings"), "", "trainings:home"),
            Item(_("Starter guide"), "", "guide:home"),
            Item(_("Newcomers"), "", "newcomers:home", (Deed.RUN_TRAININGS, Deed.MANAGE_RULES)),
            Item(_("Feedback box"), "", "feedback:home"),
            Item(_("Feedback to answer"), "", "feedback_desk:home", (Deed.ANSWER_FEEDBACK,)),
            Item(_("Words of messages"), "", "wording:home", (Deed.MANAGE_PEOPLE,), by_place=True),
        ),
    ),
    Item(_("Data"), "database", "data:home", (Deed.MANAGE_DATA,), also=("identities",)),
    Item(
        _("People & roles"),
        "users",
        "people:home",
        (Deed.MANAGE_PEOPLE, Deed.GIVE_ROLES),
        also=("calendar", "seats", "sign_on", "people_sources"),
    ),
    Item(_("Jobs"), "clock-play", "jobs:home", (Deed.RUN_PLATFORM,), ruled_off=True),
    Item(_("Audit log"), "history", "audit:home", (Deed.SEE_AUDIT,)),
)


@dataclass(frozen=True)
class Entry:
    """An item as one viewer sees it on one page."""

    item: Item
    address: str
    here: bool
    below: tuple[Entry, ...] = ()


def menu_for(viewer: Viewer, request: HttpRequest) -> tuple[Entry, ...]:
    """The items this viewer may open, with the one that the page belongs to marked."""
    match = request.resolver_match
    area = match.namespaces[0] if match and match.namespaces else ""
    page = str(next(iter(match.kwargs.values()), "")) if match else ""
    return _entries(ITEMS, viewer, area, page, request.GET.get("at", ""))


def _entries(items: tuple[Item, ...], viewer: Viewer, area: str, page: str, at: str) -> tuple[Entry, ...]:
    entries = []
    allowed = [item for item in items if not item.deeds or any(viewer.may(deed) for deed in item.deeds)]
    special = any(item.page == page and item.url.partition(":")[0] == area for item in allowed if item.page)
    for item in allowed:
        try:
            address = reverse(item.url, args=[item.page] if item.page else [])
        except NoReverseMatch:
            continue
        if at and item.by_place:
            address = f"{address}?{urlencode({'at': at})}"
        below = _entries(item.below, viewer, area, page, at)
        here = area in (item.url.partition(":")[0], *item.also) or any(entry.here for entry in below)
        if here and area == item.url.partition(":")[0] and (item.page or special):
            here = item.page == page
        entries.append(Entry(item, address, here, below))
    return tuple(entries)
