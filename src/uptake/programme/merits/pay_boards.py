"""Pays the prizes of boards that have closed: once each, from a budget; what changes later changes nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from uptake.directory.audit import note
from uptake.directory.models import Organization, Person
from uptake.ledger.accounts import budget
from uptake.ledger.balances import balances_of
from uptake.programme.merits.keep_boards import BoardClock
from uptake.programme.merits.models import BoardPrize, PaidBoard, PaidPlace, Score
from uptake.programme.merits.pay import pay
from uptake.programme.merits.shares import Place, shares
from uptake.programme.models import MeritChange

MOST_BACK = 60
"""Boards of one period that are looked back on."""


@transaction.atomic
def pay_boards(company_id: int, *, now: datetime) -> int:
    """Pays what boards of a company have closed since prizes are offered; gives how many boards. Safe to repeat."""
    company = Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=company_id)
    clock = BoardClock(company)
    rows = BoardPrize.objects.filter(company=company).select_related("company").order_by("pk")
    return sum(_pay(row, starts, closed, now) for row in rows for starts, closed in _due(row, clock, now))


def _due(row: BoardPrize, clock: BoardClock, now: datetime) -> Iterator[tuple[date, datetime]]:
    """(start, closing) of the boards to be paid, the oldest first: their period ended after the prizes were offered."""
    paid = set(row.paid.values_list("starts", flat=True))
    found: list[tuple[date, datetime]] = []
    starts = clock.start_of(row.period, clock.clock.date_of(now))
    for _nth in range(MOST_BACK):
        if starts is None:
            break
        end, closed = clock.end_of(row.period, starts), clock.closes_at(row.period, starts)
        if end is not None and end <= row.from_date:
            break
        if closed is not None and closed <= now and starts not in paid and not (row.ended_at and row.ended_at < closed):
            found.append((starts, closed))
        starts = clock.before(row.period, starts)
    return reversed(found)


def _pay(row: BoardPrize, starts: date, closed: datetime, now: datetime) -> int:
    if MeritChange.objects.filter(company_id=row.company_id, changed_at__lt=closed).exists():
        return 0  # the board has still to be told of it
    places = places_of_prizes(row, starts)
    account = budget(row.budget_id)
    points = shares(row.places, places, balances_of(book=row.company_id, codes=[account])[account])
    board = PaidBoard.objects.create(prize=row, starts=starts, points=sum(points.values()), paid_at=now)
    ranks = {one.person: one.rank for one in places}
    PaidPlace.objects.bulk_create(
        PaidPlace(board=board, person_id=person, rank=ranks[person], points=some) for person, some in points.items()
    )
    if points:
        title = {"name_en": _said_in("en", starts), "name_zh": _said_in("zh-hans", starts)}
        pay(
            row.company, points, cause=f"prize/{board.pk}", paid_from=account, title=title, kind="points.prize", now=now
        )
    details = {"period": row.period, "starts": starts.isoformat(), "points": board.points, "people": len(points)}
    note(deed="prizes.paid", actor="job merits", organization=row.company, subject=row.period, details=details, now=now)
    return 1


def _said_in(language: str, starts: date) -> str:
    """What the prize is for, in words of a language, with the first date of the ranking."""
    with translation.override(language):
        return f"{gettext('Prize of a ranking')} · {starts}"


def places_of_prizes(row: BoardPrize, starts: date) -> list[Place]:
    """Who stands where there are prizes: whoever offered them, and who is nobody any more, is passed over."""
    rows = Score.objects.filter(place_id=row.company_id, period=row.period, starts=starts, shown__gt=0)
    rows = rows.exclude(person_id=row.made_by_person_id or 0)
    rows = rows.filter(person__in=Person.objects.filter(erased_at__isnull=True).values("pk"))
    last = rows.order_by("-shown").values_list("shown", flat=True)[len(row.places) - 1 : len(row.places)].first()
    if last is not None:
        rows = rows.filter(shown__gte=last)
    found: list[Place] = []
    before: int | None = None
    told = rows.order_by("-shown", "shown_at", "person__name").values_list("person_id", "shown")
    for number, (person, shown) in enumerate(told, start=1):
        found.append(Place(person, found[-1].rank if shown == before else number))
        before = shown
    return found
