"""The period a page is about, the one it is compared with, and today, which is not over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

LENGTHS = (7, 30, 90)
USUAL = 30
LONGEST = 366


class NotAPeriod(ValueError):
    """The dates given are no dates, in the wrong order, in the future, or too far apart."""


@dataclass(frozen=True)
class Period:
    """Whole days from `first` to `last` (inclusive), and the same number of days just before them.

    `today` is shown beside a period that reaches up to yesterday, as a day that is not over.
    """

    first: date
    last: date
    today: date
    named: int | None = None
    """The number of days where the period is 'the last n days'."""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> tuple[date, date]:
        """The period to compare with: as many days, just before."""
        return self.first - timedelta(days=self.days), self.first - timedelta(days=1)

    @property
    def shown_last(self) -> date:
        """The last date of the pictures: today where the period ends yesterday."""
        return self.today if self.last == self.today - timedelta(days=1) else self.last

    @property
    def shown(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.shown_last - self.first).days + 1)]


def last_days(number: int, today: date) -> Period:
    """The `number` whole days before today."""
    return Period(today - timedelta(days=number), today - timedelta(days=1), today, number)


def period_of(given: dict[str, str], today: date) -> Period:
    """The period a page's address names: days=7|30|90, or from and to (ISO dates). Raises NotAPeriod."""
    if given.get("from") or given.get("to"):
        try:
            first, last = date.fromisoformat(given.get("from", "")), date.fromisoformat(given.get("to", ""))
        except ValueError as error:
            raise NotAPeriod("from and to are dates such as 2026-05-14") from error
        if first > last or last > today or (last - first).days >= LONGEST:
            raise NotAPeriod(f"from lies before to, to not after today, and both within {LONGEST} days")
        return Period(first, last, today)
    text = given.get("days", "")
    if text and (not text.isdigit() or int(text) not in LENGTHS):
        raise NotAPeriod("days is one of " + ", ".join(map(str, LENGTHS)))
    return last_days(int(text or USUAL), today)
