"""The list of a person: awards, and what else the ledger did with the points, in one order of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet, Value
from django.utils.translation import get_language, gettext

from uptake.directory.models import Organization, Person
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import Connection
from uptake.ledger.models import Entry, Kind, Transfer
from uptake.programme.governance.models import Appeal, AppealState
from uptake.programme.models import Award
from uptake.programme.rewards.models import Redemption, SpecialGrant
from uptake.web import numbers
from uptake.web.catalogue import labels_of
from uptake.web.pages.points.named import BY_AWARDS, what_of
from uptake.web.pages.points.read import Home, rule_of, titled
from uptake.web.pages.points.why import Line, line_of

LINES_PER_PAGE: Final = 30
SHOWN: Final = ("all", "paid", "unpaid", "other")
SILENT: Final = (Kind.MATURED, Kind.DEBT_PAID, Kind.MOVED)
"""They change nothing that one can spend or owes beside what another line says."""
ADDS: Final = (Kind.GRANTED, Kind.REVIVED, Kind.RELEASED, Kind.TIMED_OUT, Kind.REFUNDED)
TAKES: Final = (Kind.TAKEN_BACK, Kind.EXPIRED, Kind.HELD, Kind.FORFEITED)
PRIZES: Final = ("challenge", "prize")
"""What causes entries that tell in their explanation what they were paid for."""
TONES: Final = {"open": "info", "upheld": "good", "refused": "warn", "withdrawn": ""}


@dataclass(frozen=True)
class Other:
    """An entry of the ledger that is not an award."""

    entry: Entry
    what: str
    title: str
    change: int
    """What it did to the points one can spend."""
    sentence: str
    company: Organization
    questionable: bool
    """Something moved, so one can ask for a check."""


@dataclass(frozen=True)
class Listed:
    """One line of the list: an award or another entry, and the latest appeal about it."""

    line: Line | None
    other: Other | None
    appeal: Appeal | None
    tone: str

    @property
    def may_ask(self) -> bool:
        return self.appeal is None or self.appeal.state != AppealState.OPEN


@dataclass(frozen=True)
class Day:
    date: date
    points: int
    """Earned on it: what was spent, lapsed or corrected stands in the lines."""
    lines: Sequence[Listed]


def listed_days(
    viewer: Viewer, who: Person, home: Home, *, show: str, rule: str, number: str | None
) -> tuple[Page[Any], list[Day]]:
    """One page of the list, the newest first, by days. A fixed number of queries, whatever the number of lines."""
    awards = Award.objects.visible_to(viewer).filter(person=who)
    if show == "paid":
        awards = awards.filter(points__gt=0)
    if show == "unpaid":
        awards = awards.filter(points=0)
    if rule:
        awards = awards.filter(rule=rule)
    keys: Any = awards.order_by().annotate(at=F("happened_at"), sort=Value(1)).values_list("at", "sort", "pk")
    entries = _others(viewer, who)
    of_entries = entries.order_by().annotate(at=F("effective_at"), sort=Value(0)).values_list("at", "sort", "pk")
    if show == "other":
        keys = of_entries
    elif show == "all" and not rule:
        keys = keys.union(of_entries, all=True)
    page: Page[Any] = Paginator(keys.order_by("-at", "-sort", "-pk"), LINES_PER_PAGE).get_page(number)
    return page, _days(viewer, who, home, list(page.object_list))


def _others(viewer: Viewer, who: Person) -> QuerySet[Entry]:
    """The entries of the person that are not the giving of an award, in the books the viewer may read."""
    rows = Entry.objects.filter(owner=str(who.pk)).exclude(kind__in=SILENT)
    rows = rows.exclude(Q(kind=Kind.GRANTED, key__startswith=BY_AWARDS))
    if who.pk != viewer.person_id:
        rows = rows.filter(book__in=Organization.objects.filter(viewer.within("path", Deed.SEE_LEDGER)).values("pk"))
    return rows


def _days(viewer: Viewer, who: Person, home: Home, keys: list[tuple[Any, int, int]]) -> list[Day]:
    award_ids = [pk for _at, sort, pk in keys if sort]
    rows = Award.objects.filter(pk__in=award_ids).select_related("event", "rulebook").defer("rulebook__file")
    awards = {award.pk: award for award in rows}
    entries = Entry.objects.in_bulk([pk for _at, sort, pk in keys if not sort])
    appeals = _appeals(viewer, who, awards, entries.values())
    labels = labels_of([award.event.name for award in awards.values()])
    slugs = {award.event.source for award in awards.values()}
    sources = dict(Connection.objects.filter(slug__in=slugs).values_list("slug", "name"))
    others = _told(entries)
    lines: list[tuple[date, Listed]] = []
    for at, sort, pk in keys:
        if sort:
            award = awards[pk]
            found = rule_of(award.rulebook_id, award.rulebook.sha256, award.rule, award.version)
            line = line_of(award, titled(found) if found else award.rule, labels, sources.get(award.event.source, ""))
            appeal = appeals.get((None, pk))
            lines.append((award.date, Listed(line, None, appeal, TONES[appeal.state] if appeal else "")))
        else:
            other = others[pk]
            appeal = appeals.get((other.entry.book, other.entry.key))
            day = home.clock.date_of(at)
            lines.append((day, Listed(None, other, appeal, TONES[appeal.state] if appeal else "")))
    days = []
    for day, group in groupby(lines, key=lambda one: one[0]):
        held = [one for _day, one in group]
        days.append(Day(day, sum(map(_earned, held)), held))
    return days


def _earned(one: Listed) -> int:
    if one.line is not None:
        return one.line.award.points
    return one.other.change if one.other is not None and one.other.entry.kind == Kind.GRANTED else 0


def _appeals(
    viewer: Viewer, who: Person, awards: Iterable[int], entries: Iterable[Entry]
) -> dict[tuple[int | None, int | str], Appeal]:
    """The latest appeal by (None, award) or (company, entry key)."""
    about = Q(award_id__in=list(awards)) | Q(entry_key__in=[entry.key for entry in entries])
    rows = Appeal.objects.visible_to(viewer).filter(about, person=who).order_by("pk")
    return {(None, row.award_id) if row.award_id else (row.company_id, row.entry_key): row for row in rows}


def _told(entries: Mapping[int, Entry]) -> dict[int, Other]:
    redemptions = Redemption.objects.select_related("reward").in_bulk(_numbers(entries.values(), "redemption"))
    specials = SpecialGrant.objects.in_bulk(_numbers(entries.values(), "special"))
    prizes = _explained([entry for entry in entries.values() if _cause(entry)[0] in PRIZES])
    companies = Organization.objects.in_bulk({entry.book for entry in entries.values()})
    told: dict[int, Other] = {}
    for pk, entry in entries.items():
        moved = entry.points - entry.unmoved
        change = moved if entry.kind in ADDS else -moved if entry.kind in TAKES else 0
        kind, number = _cause(entry)
        title = ""
        if kind == "redemption" and number in redemptions:
            title = redemptions[number].reward.name_in(get_language() or "en")
        elif kind == "special" and number in specials:
            title = specials[number].reason
        elif kind in PRIZES:
            title = prize_of(prizes.get((entry.book, entry.key), {}))
        told[pk] = Other(
            entry=entry,
            what=title if kind == "redemption" and title else what_of(entry.kind, kind),
            title=title if kind != "redemption" else str(Kind(entry.kind).label),
            change=change,
            sentence=_sentence(entry, kind),
            company=companies[entry.book],
            questionable=moved > 0,
        )
    return told


def prize_of(explanation: Mapping[str, Any]) -> str:
    """The challenge, or the day of the ranking, that a prize was for, in the reader's language; empty if none."""
    names = [str(explanation.get(key) or "") for key in ("name_en", "name_zh")]
    if (get_language() or "en").startswith("zh"):
        names.reverse()
    name = (names[0] or names[1]).removeprefix(gettext("Prize of a ranking") + " · ")
    try:
        return numbers.day(date.fromisoformat(name))
    except ValueError:
        return name


def _sentence(entry: Entry, kind: str) -> str:
    """What the entry did, in words."""
    n = {"n": numbers.full(entry.points)}
    if entry.kind == Kind.GRANTED:
        if kind == "special":
            return gettext("Special points were asked for and approved for you: %(n)s points.") % n
        if kind == "recognition":
            return gettext("A colleague recognised what you did: %(n)s points.") % n
        if kind == "retroactive":
            return gettext("The rules were applied to the past by decision: %(n)s points.") % n
        if kind == "appeal":
            return gettext("An appeal of yours was upheld: %(n)s points.") % n
        if kind == "challenge":
            return gettext("You reached the goal of a challenge, and somebody verified it: %(n)s points.") % n
        if kind == "prize":
            return gettext("You stood among the first when the ranking closed: %(n)s points.") % n
        return gettext("%(n)s points were given to you.") % n
    said = {
        Kind.TAKEN_BACK: gettext(
            "%(n)s points were taken back because what earned them was corrected, cancelled or counted anew."
        ),
        Kind.DEBT_CLEARED: gettext("A debt of %(n)s points was cleared."),
        Kind.EXPIRED: gettext("%(n)s points were not spent by their last date and expired."),
        Kind.HELD: gettext("%(n)s points are reserved for a reward until it is decided."),
        Kind.SETTLED: gettext("The %(n)s reserved points were paid for the reward."),
        Kind.RELEASED: gettext("The reward was not handed over; the %(n)s reserved points came back."),
        Kind.TIMED_OUT: gettext("Nobody decided in time; the %(n)s reserved points came back."),
        Kind.REFUNDED: gettext("The reward was refunded; %(n)s points came back."),
        Kind.FORFEITED: gettext("%(n)s points were forfeited."),
        Kind.REVIVED: gettext(
            "%(n)s points had expired because nothing you did was known; it came in late, and they are valid again."
        ),
        Kind.WRITTEN_OFF: gettext("A debt of %(n)s points was written off."),
    }.get(Kind(entry.kind), "")
    text = said % n
    if entry.unmoved:
        text += " " + gettext("%(n)s of them had expired before.") % {"n": numbers.full(entry.unmoved)}
    return text


def _explained(entries: Iterable[Entry]) -> dict[tuple[int, str], Mapping[str, Any]]:
    """The explanation of each entry by (book, key): the first of its transfers carries it."""
    asked = {(entry.book, entry.key) for entry in entries}
    if not asked:
        return {}
    rows = Transfer.objects.filter(
        book__in={book for book, _key in asked}, key__in=[key for _book, key in asked], part=1
    )
    return {(book, key): told for book, key, told in rows.values_list("book", "key", "explanation")}


def _numbers(entries: Iterable[Entry], kind: str) -> list[int]:
    return [number for found, number in map(_cause, entries) if found == kind]


def _cause(entry: Entry) -> tuple[str, int]:
    kind, _slash, rest = entry.cause.partition("/")
    return kind, int(rest) if rest.isdecimal() and len(rest) < 18 else 0
