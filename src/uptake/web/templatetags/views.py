"""The small form that saves the page of questions one looks at."""

from __future__ import annotations

from typing import Any

from django import template

from uptake.web.pages.views.views import role_choices

register = template.Library()


@register.inclusion_tag("views/save.html", takes_context=True)
def save_view(context: Any) -> dict[str, Any]:
    """Name, with whom to share, and the button; of the page and the address that are open."""
    request = context["request"]
    return {
        "kind": context["kind"],
        "place": context["bar"].place,
        "query": request.GET.urlencode(),
        "roles": role_choices(),
        "csrf_token": context["csrf_token"],
    }
