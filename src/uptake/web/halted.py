"""Where a deed comes to a closed book: a page that says so, and holds what was typed ready to be sent again."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from uptake.directory.models import Organization
from uptake.ledger.post import BookClosed

NOT_SENT_AGAIN = frozenset({"csrfmiddlewaretoken"})


class Halted:
    """Middleware: whatever door of the ledger refuses because the book is closed, the page of it says so (409)."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if not isinstance(exception, BookClosed):
            return None
        typed = [(name, one) for name, many in request.POST.lists() if name not in NOT_SENT_AGAIN for one in many]
        company = Organization.objects.filter(pk=exception.book).values_list("name", flat=True).first() or ""
        context = {"company": company, "since": exception.since, "typed": typed}
        return render(request, "errors/halted.html", context, status=409)
