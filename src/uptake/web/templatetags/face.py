"""The tags and filters of our templates: icons, numbers, dates, small drawings, heads that sort."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from uptake.web import numbers, parts

register = template.Library()

register.filter("number", numbers.full)
register.filter("compact", numbers.compact)
register.filter("signed", numbers.signed)
register.filter("share", numbers.share)
register.filter("pp", numbers.points_apart)
register.filter("money", numbers.money)
register.filter("span", numbers.span)
register.filter("day", numbers.day)
register.filter("moment", numbers.moment)
register.filter("clock", numbers.clock)


@register.filter
def day_short(value: date) -> str:
    """14 May / 5 月 14 日."""
    return numbers.day(value, year=False)


@register.filter
def day_of(value: datetime) -> str:
    """The date of a moment, in the active zone."""
    return numbers.day(timezone.localtime(value).date())


@register.filter
def day_near(value: date, today: date | None = None) -> str:
    return numbers.day_near(value, today or timezone.localdate())


@register.filter
def ago(value: datetime | None) -> SafeString:
    """How long ago, with the exact moment on asking; the script keeps it true (`data-ago`)."""
    if value is None:
        return mark_safe("–")
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        value.isoformat(),
        numbers.moment(value),
        numbers.ago(value, timezone.now()),
    )


@register.filter
def initials(name: str) -> str:
    """Two letters for a round badge: Zhou Min → ZM, 周敏 → 周敏."""
    words = name.split()
    if len(words) > 1:
        return (words[0][:1] + words[-1][:1]).upper()
    return name[:2].upper()


@register.simple_tag
@lru_cache(maxsize=1_000)
def icon(name: str, css: str = "") -> SafeString:
    """An icon of the sprite; it is decoration, so the word beside it must say the same."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {css}" if css else "",
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def spark(values: Sequence[float | None], tone: str = "c1", width: int = 72, height: int = 20) -> SafeString:
    """A small line without axis; it repeats figures of the same row, so it is hidden from readers."""
    line, area, x, y = parts.sparkline(values, width, height)
    if not line:
        return mark_safe("")
    # numbers and a tone of our own: nothing to escape, and there may be fifty in a table
    return mark_safe(  # noqa: S308
        f'<svg class="spark u-tone-{tone}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'aria-hidden="true"><path class="area" d="{area}"/><path class="line" d="{line}"/>'
        f'<circle cx="{x}" cy="{y}" r="2"/></svg>'
    )


@register.simple_tag
def bars(values: Sequence[float], most: float, tone: str = "c1", width: int = 98, height: int = 22) -> SafeString:
    """Small bars from 0 to `most`, a line where there is nothing; hidden from readers, as `spark` is."""
    step = width / max(len(values), 1)
    drawn = []
    for place, value in enumerate(values):
        tall = max(1.0, min(1.0, value / most) * height) if value else 1.0
        drawn.append(
            f'<rect class="{"bar" if value else "none"}" x="{place * step:.1f}" y="{height - tall:.1f}" '
            f'width="{step - 1:.1f}" height="{tall:.1f}"/>'
        )
    return format_html(
        '<svg class="spark u-tone-{}" width="{w}" height="{h}" viewBox="0 0 {w} {h}" aria-hidden="true">{}</svg>',
        tone,
        mark_safe("".join(drawn)),  # noqa: S308
        w=width,
        h=height,
    )


@register.simple_tag
def bar(value: float, of: float = 1, tone: str = "", label: str = "") -> SafeString:
    """A bar of `value` parts of `of`; tone pt (points), g (grey), w (ochre). With a label it is read out."""
    full = max(float(of), 0.0) or 1.0
    width = round(max(0.0, min(1.0, float(value) / full)) * 100, 1)
    said = format_html(' role="img" aria-label="{}"', label) if label else ' aria-hidden="true"'
    # a number and a tone of our own: nothing to escape, and there may be fifty in a table
    return mark_safe(  # noqa: S308
        f'<svg class="u-bar {escape(tone)}" viewBox="0 0 100 6" preserveAspectRatio="none"{said}>'
        f'<rect class="track" width="100" height="6"/><rect class="fill" width="{width}" height="6"/></svg>'
    )


@register.simple_tag
def change(value: parts.Change | None) -> SafeString:
    """▲ +4.2% of 71.4%."""
    if value is None:
        return mark_safe("")
    # glyph and tone are our own
    return mark_safe(  # noqa: S308
        f'<span class="u-d"><em class="{value.tone}">{value.glyph} {escape(value.text)}</em> '
        f"<span>{escape(value.base)}</span></span>"
    )


@register.inclusion_tag("parts/sort_head.html", takes_context=True)
def sort_head(context: Any, key: str, label: str, numeric: bool = False, css: str = "") -> dict[str, Any]:
    """A head of a drill table that sorts by `key` (`?sort=key`, `?sort=-key`); the list is `#list` of the page."""
    request = context["request"]
    now = request.GET.get("sort", context.get("sort", ""))
    falling, rising = now == f"-{key}", now == key
    wanted = key if falling else f"-{key}" if rising or numeric else key
    query = request.GET.copy()
    query["sort"] = wanted
    query.pop("page", None)
    return {
        "label": label,
        "numeric": numeric,
        "css": css,
        "sorted": "descending" if falling else "ascending" if rising else "",
        "href": f"?{query.urlencode()}",
    }


@register.inclusion_tag("parts/pages.html", takes_context=True)
def pages(context: Any, page: Any, target: str = "#list") -> dict[str, Any]:
    """Previous and next of a Django `Page`, keeping the other parameters; htmx swaps `target`."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    return {"page": page, "query": query.urlencode(), "target": target}
