"""Filters of the pages about people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def of(found: Mapping[Any, Any], key: Any) -> Any:
    """The entry of a mapping, empty where there is none."""
    return found.get(key, "")
