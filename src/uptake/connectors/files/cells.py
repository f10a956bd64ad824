"""What a cell means as text, number, boolean, date or instant. Pure; what means none of it is refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

TRUE = frozenset({"true", "yes", "y", "t", "是", "真", "对"})
FALSE = frozenset({"false", "no", "n", "f", "否", "假", "错"})
EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001
FIRST_YEAR, LAST_YEAR = 1900, 2200
MOST_DIGITS = 40
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_CLOCK = (
    r"(?:[\sT]*(上午|下午)?\s*(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:[.,](\d{1,9}))?)?[分秒]?\s*([AaPp][Mm])?)?"
)
_OFFSET = r"\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?" + _CLOCK + _OFFSET, re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}),?" + _CLOCK + _OFFSET, re.ASCII)


class BadCell(Exception):
    """A cell does not mean what its column should mean. `code` names why; its sentence is in `words.py`."""

    def __init__(self, code: str, *, column: str = "", value: Any = "") -> None:
        super().__init__(code)
        self.code = code
        self.column = column
        self.value = str(value)[:200]


def as_text(cell: Any) -> str:
    """The cell as text without spaces around; numbers as one would write them, nothing as ""."""
    if isinstance(cell, str):
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    return str(cell)


def as_number(cell: Any) -> int | float | Decimal:
    """The cell as an exact number: an int, a float whose shortest writing is the number itself, else a Decimal."""
    if isinstance(cell, bool):
        raise BadCell("not_a_number", value=cell)
    if isinstance(cell, int) and abs(cell) < 2**63:
        return cell
    if isinstance(cell, str):
        text = cell.strip()
        if _WHOLE.fullmatch(text):
            return int(text)
        if not _NUMBER.fullmatch(text) or not any(letter.isdigit() for letter in text):
            raise BadCell("not_a_number", value=cell)
        cell = text.replace(",", "")
    try:
        exact = Decimal(repr(cell) if isinstance(cell, float) else cell)
    except (InvalidOperation, TypeError, ValueError) as failure:
        raise BadCell("not_a_number", value=cell) from failure
    if not exact.is_finite():
        raise BadCell("not_a_number", value=cell)
    if exact == exact.to_integral_value() and abs(exact) < 2**63:
        return int(exact)
    if len(exact.as_tuple().digits) > MOST_DIGITS or abs(exact.adjusted()) > MOST_DIGITS:
        raise BadCell("too_many_digits", value=cell)
    near = float(exact)
    return near if Decimal(repr(near)) == exact else exact


def as_boolean(cell: Any) -> bool:
    """true, yes, 是 and their opposites, in any case; 1 and 0 where the column was said to be boolean."""
    if isinstance(cell, bool):
        return cell
    text = as_text(cell).lower()
    if text in TRUE or text == "1":
        return True
    if text in FALSE or text == "0":
        return False
    raise BadCell("not_a_boolean", value=cell)


def as_date(cell: Any, order: str = "") -> str:
    """The cell as an ISO date, or as an ISO instant where it has a time of day."""
    if isinstance(cell, datetime):
        plain = cell
    elif isinstance(cell, date):
        return cell.isoformat()
    elif isinstance(cell, str):
        plain = _read(cell.strip(), order)
    else:
        plain = _from_number(cell)
    if plain.tzinfo is None and plain.hour == plain.minute == plain.second == plain.microsecond == 0:
        return plain.date().isoformat()
    return plain.isoformat()


class Clock:
    """Reads instants: values that name an offset mean it, naive ones mean the wall clock of `zone` (the earlier of two
    equal readings). `order` is "dmy" or "mdy" for dates that do not begin with the year, "" if there are none."""

    def __init__(self, zone: str, order: str = "") -> None:
        self._zone = ZoneInfo(zone)
        self._order = order

    def at(self, cell: Any) -> datetime:
        """The instant in UTC. BadCell if the cell is no time, or one before 1900 or after 2200."""
        if isinstance(cell, str):
            found = _quickly(cell) or _read(cell.strip(), self._order)
        elif isinstance(cell, datetime):
            found = cell
        elif isinstance(cell, date):
            found = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001
        else:
            found = _from_number(cell)
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise BadCell("time_out_of_range", value=cell)
        if found.tzinfo is None:
            found = found.replace(tzinfo=self._zone)
        return found.astimezone(UTC)

    def each(self, cells: list[Any]) -> list[datetime | BadCell]:
        """What `at` says of each cell, or the BadCell it raises; equal texts are read once."""
        known: dict[str, datetime | BadCell] = {}
        found: list[datetime | BadCell] = []
        for cell in cells:
            at = known.get(cell) if type(cell) is str else None
            if at is None:
                try:
                    at = self.at(cell)
                except BadCell as bad:
                    at = bad
                if type(cell) is str:
                    known[cell] = at
            found.append(at)
        return found


def _quickly(text: str) -> datetime | None:
    """The most usual form, 2026-04-01T14:30:00 with or without an offset."""
    if len(text) < 19 or text[4] != "-":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _read(text: str, order: str) -> datetime:
    """An instant or wall time from text: ISO 8601, year first with any separator, 年月日, day or month first by order,
    or digits only (20260401, 20260401143000, seconds or milliseconds since 1970)."""
    if not text:
        raise BadCell("time_missing")
    try:
        if text.isdigit():
            return _from_digits(text)
        if text[4:5] == "-":
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                pass
        found = _YEAR_FIRST.fullmatch(text)
        if found:
            year, month, day, *rest = found.groups()
            return _put_together(int(year), int(month), int(day), *rest)
        found = _YEAR_LAST.fullmatch(text)
        if found:
            first, second, year, *rest = found.groups()
            if not order:
                raise BadCell("time_ambiguous", value=text)
            day, month = (first, second) if order == "dmy" else (second, first)
            return _put_together(int(year), int(month), int(day), *rest)
    except (ValueError, OverflowError) as failure:
        raise BadCell("not_a_time", value=text) from failure
    raise BadCell("not_a_time", value=text)


def _put_together(
    year: int,
    month: int,
    day: int,
    half_cn: str | None,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    half: str | None,
    offset: str | None,
) -> datetime:
    hours = int(hour or 0)
    mark = {"上午": "am", "下午": "pm"}.get(half_cn or "", (half or "").lower())
    if mark:
        if hours > 12:
            hours -= 12 if mark == "pm" else 0
        hours = hours % 12 + (12 if mark == "pm" else 0)
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    wall = datetime(year, month, day, hours, int(minute or 0), int(second or 0), micro)  # noqa: DTZ001
    if offset is None:
        return wall
    if offset in ("Z", "UTC"):
        return wall.replace(tzinfo=UTC)
    return datetime.fromisoformat(wall.isoformat() + offset[:3] + ":" + offset[-2:])


def _from_digits(text: str) -> datetime:
    if len(text) == 8:
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:]))  # noqa: DTZ001
    if len(text) == 14:
        return datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007
    if len(text) in (10, 13, 16):
        return _from_number(int(text))
    raise BadCell("not_a_time", value=text)


def _from_number(cell: Any) -> datetime:
    """Seconds, milli- or microseconds since 1970 by their size; small numbers are days of a spreadsheet."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        raise BadCell("time_missing" if cell is None else "not_a_time", value=cell)
    if isinstance(cell, int) and 19000101 <= cell <= 22001231:
        return _read(str(cell), "")
    try:
        if 1 <= cell < 200_000:
            return EXCEL_EPOCH + timedelta(days=float(cell))
        for smallest, unit in ((10**15, 1), (10**12, 1000), (10**8, 1_000_000)):
            if cell >= smallest:
                return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(cell * unit))
    except (OverflowError, ValueError) as failure:
        raise BadCell("not_a_time", value=cell) from failure
    raise BadCell("not_a_time", value=cell)
