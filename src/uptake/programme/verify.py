"""Do the awards say what the ledger says, and does every cap hold? Asked of the record itself, book by book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, Sum

from uptake.basics.business_day import Clock
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.ledger.models import ChainHead, Lot
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.evaluate import DayRules, Limit, closing_of
from uptake.programme.in_force import day_rules
from uptake.programme.models import Award, RulebookVersion
from uptake.programme.periods import period_of
from uptake.programme.rulebook_writing import cap_to_file

OF_AWARDS = ("award/", "award0")
"""Between these lie the keys of what awards post."""


def problems_of(book: int) -> list[Problem]:
    """What of I12, I13 and I15 does not hold between the awards of a company and its ledger, a few of each."""
    found: list[Problem] = []
    for invariant, check in (("I13", _awards), ("I12", _causes), ("I15", _caps)):
        for number, what in enumerate(check(book)):
            if number == MOST_PROBLEMS:
                break
            found.append(Problem(book, invariant, None, what))
    return found


def _awards(book: int) -> Iterator[str]:
    """Each award stands at what its lot was granted and not taken back; there are no other lots of awards."""
    query = """
        SELECT a.event_id, a.rule, a.points, COALESCE(l.amount - l.reversed, 0) FROM programme_award a
        LEFT JOIN ledger_lot l ON l.book = a.company_id
            AND l.key = 'award/' || a.event_id || '/' || a.rule || '/of/' || a.person_id
        WHERE a.company_id = %s AND a.points <> COALESCE(l.amount - l.reversed, 0) LIMIT %s
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [book, MOST_PROBLEMS])
        for event, rule, points, there in cursor.fetchall():
            yield f"The award of event {event} by rule {rule} stands at {points} points, its lot at {there}"
    stands = Award.objects.filter(company_id=book).aggregate(sum=Sum("points"))["sum"] or 0
    lots = Lot.objects.filter(book=book, key__gte=OF_AWARDS[0], key__lt=OF_AWARDS[1])
    granted = lots.aggregate(sum=Sum(F("amount") - F("reversed")))["sum"] or 0
    if stands != granted:
        yield f"All awards stand at {stands} points, their lots at {granted}"


def _causes(book: int) -> Iterator[str]:
    """What an award posted names its event as the cause."""
    query = """
        SELECT e.key, e.cause FROM ledger_entry e
        WHERE e.book = %s AND e.key >= %s AND e.key < %s
            AND SUBSTR(e.key, 7, LENGTH(e.cause) - 5) <> SUBSTR(e.cause, 7) || '/' LIMIT %s
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [book, *OF_AWARDS, MOST_PROBLEMS])
        for key, cause in cursor.fetchall():
            yield f"Entry {key} names {cause} as its cause"


class _Scope(NamedTuple):
    """What one cap counts, of one person in one period."""

    person: int
    lineages: tuple[str, ...]
    every: str
    begins: date
    times: bool
    role: str = ""
    """Of a cap for one role: counted are the awards that were judged by it."""


class _Given(NamedTuple):
    """What an award gave, by which rulebook, and the caps that it says it was judged by (where any asks for a role)."""

    rule: str
    day: date
    points: int
    rulebook: int
    caps: tuple[dict[str, Any], ...] = ()


def _caps(book: int) -> Iterator[str]:
    """No cap lets through more than it says: points or paid awards of one person in one period.

    Where caps were changed inside a period, the greatest counts, since nothing given is taken back. Of a cap for one
    role it is what was given under it, as the awards tell: the directory may say by now that the role was another.
    Closed periods where events can be undone are not looked at: what an undone event left to late ones is not taken
    from them when it is restored.
    """
    hashes = dict(RulebookVersion.objects.values_list("pk", "sha256"))
    head = ChainHead.objects.filter(book=book).first()
    if head is None or head.clock_at is None:
        return
    clock = settings_at(Organization.objects.filter(pk=book).first())
    rows = Award.objects.filter(company_id=book, points__gt=0).order_by("person_id", "pk")
    wanted = ["person_id", "rule", "date", "points", "rulebook_id"]
    if rows.filter(rulebook__file__contains='"role"').exists():
        wanted.append("explanation")
    given: list[_Given] = []
    last = 0
    for person, rule, day, points, rulebook, *told in rows.values_list(*wanted).iterator(chunk_size=5000):
        if person != last:
            yield from _person(last, given, hashes, clock, head.clock_at)
            given, last = [], person
        caps = tuple(one["cap"] for one in told[0].get("caps", ())) if told else ()
        given.append(_Given(rule, day, points, rulebook, caps))
    yield from _person(last, given, hashes, clock, head.clock_at)


def _person(person: int, given: list[_Given], hashes: dict[int, str], clock: Clock, at: datetime) -> Iterator[str]:
    taken: dict[_Scope, int] = defaultdict(int)
    allowed: dict[_Scope, int] = {}
    scopes: set[_Scope] = set()
    judged: list[tuple[_Given, DayRules, dict[_Scope, int]]] = []
    for one in given:
        rules = day_rules(one.rulebook, hashes[one.rulebook], one.day, clock)
        most: dict[_Scope, int] = {}
        for limit in _limits(rules, one.rule):
            scope = _scope(person, limit, one, rules)
            if scope is not None:
                most[scope] = min(limit.cap.limit, most.get(scope, limit.cap.limit))
        judged.append((one, rules, most))
        scopes |= {scope for scope in most if _is_looked_at(scope, rules, at)}
    for one, rules, most in judged:
        week_start = rules.rulebook.programme.week_start
        for scope in scopes:
            counts = scope in most if scope.role else one.rule in scope.lineages
            if counts and period_of(one.day, scope.every, week_start) == scope.begins:
                taken[scope] += 1 if scope.times else one.points
                allowed[scope] = max(allowed.get(scope, 0), most.get(scope, 2**63))
    for scope, count in taken.items():
        if count > allowed[scope]:
            what = "awards" if scope.times else "points"
            whose = f" for {scope.role}" if scope.role else ""
            yield (
                f"Person {person} has {count} {what} of {', '.join(scope.lineages)} in the {scope.every} of"
                f" {scope.begins}, the cap{whose} lets {allowed[scope]}"
            )


def _limits(rules: DayRules, lineage: str) -> tuple[Limit, ...]:
    for questions in rules.by_name.values():
        for question in questions:
            if question.rule.rule == lineage:
                return question.limits
    return ()


def _scope(person: int, limit: Limit, given: _Given, rules: DayRules) -> _Scope | None:
    """None where the cap is for a role that was not the person's."""
    cap = limit.cap
    if cap.role is not None and cap_to_file(cap) not in given.caps:
        return None
    begins = period_of(given.day, cap.every, rules.rulebook.programme.week_start)
    return _Scope(person, limit.lineages, cap.every, begins, cap.times, cap.role or "")


def _is_looked_at(scope: _Scope, rules: DayRules, at: datetime) -> bool:
    if not rules.rulebook.reversals:
        return True
    return scope.every != "ever" and at < closing_of(rules.rulebook.programme, scope.begins)
