"""What the programme did in a month, for everybody of the company: points, decisions, appeals, rules, liability."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TypeVar

from django.db.models import Count, Q, QuerySet, Sum

from uptake.directory.models import Organization
from uptake.directory.place import Span, memberships_of, settings_at, span_on
from uptake.directory.viewer import HIDE_BELOW, ids_of
from uptake.ledger.balances import totals
from uptake.ledger.models import Kind, Transfer
from uptake.programme.governance.models import Appeal, AppealState, Proposal, ProposalKind
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.models import Award, RulebookVersion
from uptake.programme.periods import month_after

TOGETHER = -1
"""The key of groups that are too small to be told apart."""
EVENT = "event"
ONE_DAY = timedelta(days=1)
K = TypeVar("K", int, str)


@dataclass(frozen=True, slots=True)
class ByRule:
    rule: str
    title: str
    points: int
    times: int
    people: int


@dataclass(frozen=True, slots=True)
class ByGroup:
    """A department (key: its id, 0: none) or a role; TOGETHER: several small ones."""

    key: int | str
    name: str
    people: int
    points: int


@dataclass(frozen=True, slots=True)
class ByCause:
    """Points given otherwise than by a rule: appeal, special, recognition …"""

    cause: str
    points: int
    times: int


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who answered appeals."""

    name: str
    upheld: int
    refused: int
    points: int


@dataclass(frozen=True, slots=True)
class Answers:
    """Appeals: filed in the month, and answered in it."""

    filed: int
    upheld: int
    refused: int
    late: int
    """Answered after their time was over."""
    open: int
    """Not answered when the month was over, or now."""
    points: int
    hours: float | None
    """Half were answered within so many."""
    by: tuple[Decider, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """A rulebook that was published in the month."""

    version: RulebookVersion
    changed: tuple[str, ...]
    """Titles of the rules that it changes, adds or ends."""


@dataclass(frozen=True, slots=True)
class Liability:
    """Points that can still be redeemed, and what moved in the month."""

    outstanding: int
    granted: int
    taken_back: int
    redeemed: int
    expired: int
    written_off: int = 0
    """Debts that are owed no more by the terms of the place."""


@dataclass(frozen=True, slots=True)
class MonthReport:
    company: Organization
    first: date
    after: date
    """The first date of the next month."""
    running: bool
    """The month is not over yet."""
    points: int
    people: int
    rules: tuple[ByRule, ...]
    departments: tuple[ByGroup, ...]
    roles: tuple[ByGroup, ...]
    causes: tuple[ByCause, ...]
    proposals: tuple[Proposal, ...]
    lowered: tuple[Proposal, ...]
    appeals: Answers
    published: tuple[Rules, ...]
    liability: Liability


def report_of_month(company: Organization, first: date, *, now: datetime) -> MonthReport:
    """The report of the month that begins with `first`, as it reads at `now`. The caller checks who may see it."""
    after = month_after(first)
    clock = settings_at(company)
    begins, ends = (clock.start_of(day) for day in (first, after))
    rows = Award.objects.filter(company=company, date__gte=first, date__lt=after, points__gt=0)
    sums = list(rows.values_list("person_id", "date").annotate(sum=Sum("points")))
    spans = memberships_of({person for person, _, _ in sums})
    return MonthReport(
        company=company,
        first=first,
        after=after,
        running=now < ends,
        points=sum(points for _, _, points in sums),
        people=len({person for person, _, _ in sums}),
        rules=_rules(rows),
        departments=_departments(sums, spans),
        roles=_roles(sums, spans),
        causes=_causes(company.pk, begins, ends),
        proposals=tuple(
            Proposal.objects.filter(Q(closed_at__gte=begins, closed_at__lt=ends), organization__in=ids_of(company.path))
            .select_related("organization", "proposer", "version", "base")
            .order_by("closed_at", "pk")
        ),
        lowered=tuple(
            Proposal.objects.filter(
                kind=ProposalKind.EMERGENCY,
                opened_at__gte=begins,
                opened_at__lt=ends,
                organization__in=ids_of(company.path),
            ).select_related("organization", "proposer", "version", "base")
        ),
        appeals=_answers(company, begins, ends, now),
        published=_published(company, begins, ends),
        liability=_liability(company.pk, begins, ends),
    )


def months_of(company: Organization, today: date) -> list[date]:
    """The first dates of the months there is something to report of, the latest first; the current one always."""
    oldest = Award.objects.filter(company=company).order_by("date").values_list("date", flat=True).first() or today
    found, month = [], oldest.replace(day=1)
    while month <= today:
        found.append(month)
        month = month_after(month)
    return found[::-1]


def _rules(rows: QuerySet[Award]) -> tuple[ByRule, ...]:
    grouped: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    titles: dict[str, str] = {}
    named = ("rule", "rulebook_id", "rulebook__sha256", "version")
    counted = rows.values_list(*named).annotate(sum=Sum("points"), n=Count("pk"))
    for rule, rulebook, sha256, version, points, times in counted.order_by("version"):
        grouped[rule].append((points, times, 0))
        wording = [one for one in parsed(rulebook, sha256).rules if (one.rule, one.version) == (rule, version)]
        titles[rule] = (wording[0].title if wording else "") or rule
    people = dict(rows.values_list("rule").annotate(n=Count("person_id", distinct=True)))
    found = [
        ByRule(rule, titles[rule], sum(one[0] for one in parts), sum(one[1] for one in parts), people.get(rule, 0))
        for rule, parts in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.points, one.title)))


def _departments(sums: Sequence[tuple[int, date, int]], spans: Mapping[int, Sequence[Span]]) -> tuple[ByGroup, ...]:
    def department(span: Span | None) -> int:
        path = ids_of(span.path) if span else ()
        below = path[path.index(span.company_id) + 1 :] if span and span.company_id in path else ()
        return below[0] if below else 0

    found = _grouped(sums, spans, department)
    names = dict(Organization.objects.filter(pk__in=[key for key, _, _ in found if key]).values_list("pk", "name"))
    return merged([ByGroup(key, names.get(key, ""), people, points) for key, people, points in found])


def _roles(sums: Sequence[tuple[int, date, int]], spans: Mapping[int, Sequence[Span]]) -> tuple[ByGroup, ...]:
    found = _grouped(sums, spans, lambda span: span.role if span else "")
    return merged([ByGroup(key, key, people, points) for key, people, points in found])


def _grouped(
    sums: Sequence[tuple[int, date, int]], spans: Mapping[int, Sequence[Span]], key_of: Callable[[Span | None], K]
) -> list[tuple[K, int, int]]:
    """(key, people, points) by where each person was on the date."""
    people: dict[K, set[int]] = defaultdict(set)
    points: dict[K, int] = defaultdict(int)
    for person, day, given in sums:
        key = key_of(span_on(spans.get(person, ()), day))
        people[key].add(person)
        points[key] += given
    return [(key, len(people[key]), points[key]) for key in people]


def merged(groups: Sequence[ByGroup]) -> tuple[ByGroup, ...]:
    """The groups, largest sum first; those of fewer than 5 people together, so that none can be worked out.

    One small group alone would follow from the total, so the smallest of the others joins it.
    """
    ranked = sorted(groups, key=lambda one: (one.people, one.points))
    small = [one for one in ranked if one.people < HIDE_BELOW]
    large = [one for one in ranked if one.people >= HIDE_BELOW]
    while small and large and (len(small) == 1 or sum(one.people for one in small) < HIDE_BELOW):
        small.append(large.pop(0))
    shown = sorted(large, key=lambda one: (-one.points, one.name))
    together = sum(one.people for one in small)
    if small and together >= HIDE_BELOW:
        shown.append(ByGroup(TOGETHER, "", together, sum(one.points for one in small)))
    return tuple(shown)


def _causes(book: int, begins: datetime, ends: datetime) -> tuple[ByCause, ...]:
    moved = _in_month(book, begins, ends).filter(kind=Kind.GRANTED).exclude(cause__startswith=f"{EVENT}/")
    points: dict[str, int] = defaultdict(int)
    times: dict[str, int] = defaultdict(int)
    for cause, amount in moved.values_list("cause", "amount").iterator():
        kind = cause.partition("/")[0]
        points[kind] += amount
        times[kind] += 1
    return tuple(ByCause(kind, points[kind], times[kind]) for kind in sorted(points, key=lambda one: -points[one]))


def _answers(company: Organization, begins: datetime, ends: datetime, now: datetime) -> Answers:
    of_company = Appeal.objects.filter(company=company)
    decided = list(
        of_company.filter(
            decided_at__gte=begins, decided_at__lt=ends, state__in=(AppealState.UPHELD, AppealState.REFUSED)
        ).select_related("decided_by")
    )
    until = min(ends, now)
    still = of_company.filter(filed_at__lt=until).filter(Q(decided_at__isnull=True) | Q(decided_at__gte=until)).count()
    spent = [(one.decided_at - one.filed_at).total_seconds() / 3600 for one in decided if one.decided_at]
    deciders: dict[int | None, list[Appeal]] = defaultdict(list)
    for one in decided:
        deciders[one.decided_by_id].append(one)
    return Answers(
        filed=of_company.filter(filed_at__gte=begins, filed_at__lt=ends).count(),
        upheld=sum(one.state == AppealState.UPHELD for one in decided),
        refused=sum(one.state == AppealState.REFUSED for one in decided),
        late=sum(one.decided_at is not None and one.decided_at > one.due_at for one in decided),
        open=still,
        points=sum(one.points for one in decided),
        hours=median(spent) if spent else None,
        by=tuple(
            Decider(
                found[0].decided_by.name if found[0].decided_by else "",
                sum(one.state == AppealState.UPHELD for one in found),
                sum(one.state == AppealState.REFUSED for one in found),
                sum(one.points for one in found),
            )
            for found in sorted(deciders.values(), key=len, reverse=True)
        ),
    )


def _published(company: Organization, begins: datetime, ends: datetime) -> tuple[Rules, ...]:
    versions = list(
        RulebookVersion.objects.applying_to(company)
        .select_related("organization", "published_by__person")
        .order_by("organization_id", "number")
        .defer("file")
    )
    found = []
    for version in versions:
        if begins <= version.published_at < ends:
            before = rulebook_version_on(version.organization, version.in_force_date - ONE_DAY)
            found.append(Rules(version, _changed(before, version)))
    return tuple(found)


def _changed(before: RulebookVersion | None, after: RulebookVersion) -> tuple[str, ...]:
    old = parsed(before.pk, before.sha256).rules if before else ()
    new = parsed(after.pk, after.sha256).rules
    touched = [rule for rule in (*new, *old) if (rule in new) != (rule in old)]
    return tuple(dict.fromkeys(rule.title or rule.rule for rule in touched))


def _liability(book: int, begins: datetime, ends: datetime) -> Liability:
    """What stood on people's accounts at the end of the month: what stands now, less what has moved since."""
    standing = totals(book=book)
    since = Transfer.objects.filter(book=book, seq__gt=_seq_before(book, ends))
    person, debt = "person/", "/debt"
    into = since.filter(target__code__startswith=person).exclude(target__code__endswith=debt)
    out = since.filter(source__code__startswith=person).exclude(source__code__endswith=debt)
    moved = (into.aggregate(sum=Sum("amount"))["sum"] or 0) - (out.aggregate(sum=Sum("amount"))["sum"] or 0)
    kinds = dict(_in_month(book, begins, ends).values_list("kind").annotate(sum=Sum("amount")))
    return Liability(
        outstanding=standing.available + standing.pending + standing.held - moved,
        granted=kinds.get(Kind.GRANTED, 0),
        taken_back=kinds.get(Kind.TAKEN_BACK, 0) + kinds.get(Kind.DEBT_INCURRED, 0),
        redeemed=kinds.get(Kind.SETTLED, 0) - kinds.get(Kind.REFUNDED, 0),
        expired=kinds.get(Kind.EXPIRED, 0) - kinds.get(Kind.REVIVED, 0),
        written_off=kinds.get(Kind.WRITTEN_OFF, 0),
    )


def _in_month(book: int, begins: datetime, ends: datetime) -> QuerySet[Transfer]:
    first, last = _seq_before(book, begins), _seq_before(book, ends)
    return Transfer.objects.filter(book=book, seq__gt=first, seq__lte=last)


def _seq_before(book: int, at: datetime) -> int:
    """The number of the book's last transfer before an instant: ledger time only rises, so it is found by halving."""
    rows = Transfer.objects.filter(book=book)
    low, high = 0, rows.order_by("-seq").values_list("seq", flat=True).first() or 0
    while low < high:
        middle = (low + high + 1) // 2
        posted = rows.filter(seq=middle).values_list("posted_at", flat=True).get()
        low, high = (middle, high) if posted.astimezone(UTC) < at else (low, middle - 1)
    return low
