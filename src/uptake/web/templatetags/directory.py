"""Filters of the pages about people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import template
from django.utils.formats import date_format

from uptake.web import numbers

register = template.Library()


@register.filter
def of(found: Mapping[Any, Any], key: Any) -> Any:
    """The entry of a mapping, empty where there is none."""
    return found.get(key, "")


@register.filter
def month(value: date) -> str:
    """May 2026 / 2026 年 5 月."""
    return f"{value.year} 年 {value.month} 月" if numbers.chinese() else date_format(value, "F Y")


@register.filter
def weekday(value: date) -> str:
    """Mon / 一."""
    return numbers.weekday(value).removeprefix("周").removeprefix("星期")
