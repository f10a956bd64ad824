"""Addresses that only take a form lead back to the page the form stands on, when a browser asks for them by itself.

That happens to people: a form answers with what was wrong, they reload or go back, and the browser asks for the
address alone. Programs still get the plain 405.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, ResolverMatch, resolve, reverse
from django.utils.translation import gettext as _

STANDS_ON: Final[Mapping[str, str]] = {"rewards:fund": "rewards:liability", "rewards:leave_csv": "rewards:leave"}
"""Forms that do not stand on the page above their address."""


class BackToThePage:
    """Middleware: 405 of a page's form becomes a redirect for whoever reads HTML."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        if answer.status_code != 405 or request.method != "GET" or "HX-Request" in request.headers:
            return answer
        if "text/html" not in request.headers.get("Accept", "") or request.resolver_match is None:
            return answer
        _say(request, _("That address only takes a form. Here is the page it belongs to; nothing was changed."))
        query = request.META.get("QUERY_STRING", "")
        return redirect(page_of(request.path_info, request.resolver_match) + (f"?{query}" if query else ""))


def page_of(path: str, match: ResolverMatch) -> str:
    """The page that a form's address belongs to: the nearest address above that is one."""
    named = STANDS_ON.get(match.view_name)
    return reverse(named) if named else next(_above(path), "/")


def _above(path: str) -> Iterator[str]:
    while path := path.rstrip("/"):
        path = path[: path.rindex("/")]
        for one in (f"{path}/", path):
            try:
                resolve(one or "/")
            except Resolver404:
                continue
            yield one or "/"


def _say(request: HttpRequest, sentence: str) -> None:
    """Once, although one such address may lead to another."""
    waiting = messages.get_messages(request)
    known = any(str(one) == sentence for one in waiting)
    if not isinstance(waiting, list):
        waiting.used = False  # looked at, and still to be shown
    if not known:
        messages.info(request, sentence)
