"""Numbers, dates and spans as a reader of English or Chinese writes them. Pure but for the active language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext

Number: TypeAlias = int | float | Decimal
MINUS = "−"


def chinese() -> bool:
    return (get_language() or "").startswith("zh")


def full(value: Number | None, places: int = 0) -> str:
    """All digits with separators and a true minus; an en dash for nothing."""
    if value is None:
        return "–"
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded:,f}".replace("-", MINUS)


def compact(value: Number | None) -> str:
    """9,999 → 12.4k → 1.2M in English; 9,999 → 1.2 万 → 1.2 亿 in Chinese."""
    if value is None:
        return "–"
    size, sign = abs(float(value)), MINUS if value < 0 else ""
    steps = ((10**8, " 亿"), (10**4, " 万")) if chinese() else ((10**9, "B"), (10**6, "M"), (10**4, "k"))
    for step, letter in steps:
        if size >= step:
            unit = 1000 if letter == "k" else step
            return f"{sign}{_three_figures(size / unit)}{letter}"
    return full(value, 0 if float(value).is_integer() or size >= 100 else 1)


def _three_figures(value: float) -> str:
    text = f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
    return text.removesuffix(".0")


def signed(value: Number, places: int = 0) -> str:
    """With + or a true minus; zero stands bare, and so does what rounds to it."""
    text = full(value, places)
    if not text.strip(f"{MINUS}0.,"):
        return text.removeprefix(MINUS)
    return f"+{text}" if value > 0 else text


def share(value: Number | None, places: int = 1) -> str:
    """0.405 → 40.5%."""
    return "–" if value is None else f"{full(Decimal(str(value)) * 100, places)}%"


def points_apart(value: Number, places: int = 1) -> str:
    """The change of a share (0.063 → +6.3 pp)."""
    unit = gettext("pp")
    return f"{signed(Decimal(str(value)) * 100, places)} {unit}"


def money(value: Number) -> str:
    """¥1,442; two decimals only under 100."""
    size = -value if value < 0 else value
    return f"{MINUS if value < 0 else ''}¥{full(size, 2 if size < 100 and size != int(size) else 0)}"


def day(value: date, year: bool = True) -> str:
    """14 May 2026 / 2026 年 5 月 14 日."""
    if chinese():
        return f"{value.year} 年 {value.month} 月 {value.day} 日" if year else f"{value.month} 月 {value.day} 日"
    name = MONTHS[value.month - 1]
    return f"{value.day} {name} {value.year}" if year else f"{value.day} {name}"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS_CHINESE = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def weekday(value: date) -> str:
    return (WEEKDAYS_CHINESE if chinese() else WEEKDAYS)[value.weekday()]


def ends(first: date, last: date) -> tuple[str, str]:
    """The two ends of a span of days, the year said once: 23 Oct, 21 Nov 2026 / 2026 年 10 月 23 日, 11 月 21 日."""
    one_year = first.year == last.year
    return day(first, not one_year or chinese()), day(last, not one_year or not chinese())


def sentences(parts: Iterable[str]) -> str:
    """Sentences after each other: Chinese sets no space between them."""
    return ("" if chinese() else " ").join(part for part in parts if part)


def day_near(value: date, today: date) -> str:
    """Today, Thu 14 May · Yesterday · Tue 12 May; with the year where it is another one."""
    plain = (
        f"{day(value, value.year != today.year)} {weekday(value)}"
        if chinese()
        else (f"{weekday(value)} {day(value, value.year != today.year)}")
    )
    if value == today:
        return gettext("Today, %(day)s") % {"day": plain}
    if value == today - timedelta(days=1):
        return gettext("Yesterday, %(day)s") % {"day": plain}
    return plain


def moment(value: datetime, year: bool = True) -> str:
    """14 May 2026, 14:32 / 2026 年 5 月 14 日 14:32, in the active zone."""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{day(local.date(), year)}{' ' if chinese() else ', '}{local:%H:%M}"


def clock(value: datetime, seconds: bool = False) -> str:
    """14:32, in the active zone."""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


def span(seconds: Number) -> str:
    """A length of time in its two largest units: 2 h 10 min."""
    rest = max(0, round(float(seconds)))
    if rest < 60:
        return gettext("%(n)s s") % {"n": rest}
    minutes, hours, days = rest // 60, rest // 3600, rest // 86400
    if days:
        text = ngettext("%(n)s day", "%(n)s days", days) % {"n": full(days)}
        hours -= days * 24
        return f"{text} {gettext('%(n)s h') % {'n': hours}}" if hours and days < 3 else text
    if hours:
        minutes -= hours * 60
        text = gettext("%(n)s h") % {"n": hours}
        return f"{text} {gettext('%(n)s min') % {'n': minutes}}" if minutes else text
    return gettext("%(n)s min") % {"n": minutes}


def ago(value: datetime, now: datetime) -> str:
    """3 s ago, 2 h 10 min ago; after a week the date."""
    seconds = (now - value).total_seconds()
    if seconds < 0:
        return moment(value)
    if seconds < 1:
        return gettext("just now")
    if seconds > 7 * 86400:
        return day(timezone.localtime(value).date())
    return gettext("%(span)s ago") % {"span": span(seconds)}
