"""The seats of a place as they were given, without what their holders did: for those who manage people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.issue_seats import WrongDate, invite_to_seat, revoke_seat
from uptake.directory.models import Kind, Organization, Product, Seat
from uptake.directory.scope import Deed, NotAllowed
from uptake.web import numbers
from uptake.web.viewing import NotYours, needs, place_for, viewer_for

SEATS_A_PAGE: Final = 50


@needs(Deed.MANAGE_PEOPLE)
def home(request: HttpRequest) -> HttpResponseBase:
    """The seats of a place, searched and narrowed by product."""
    viewer, place = viewer_for(request), place_for(request, Deed.MANAGE_PEOPLE)
    top = place if place.kind in (Kind.PARK, Kind.COMPANY) else (place.company or place)
    seats = (
        Seat.objects.visible_to(viewer)
        .filter(company__path__startswith=top.path)
        .select_related("company", "product", "person")
        .order_by("-issued_date", "-pk")
    )
    products = Product.objects.visible_to(viewer).filter(pk__in=seats.order_by().values("product")).order_by("slug")
    slug, wanted = request.GET.get("product", ""), request.GET.get("q", "").strip()[:100]
    if slug:
        seats = seats.filter(product__slug=slug)
    if wanted:
        seats = seats.filter(
            Q(person__name__icontains=wanted)
            | Q(person__staff_number__iexact=wanted)
            | Q(external_id__icontains=wanted)
            | Q(name__icontains=wanted)
        )
    context = {
        "place": top,
        "page": Paginator(seats, SEATS_A_PAGE).get_page(request.GET.get("page")),
        "products": [(one.slug, name_of(one)) for one in products],
        "product": slug,
        "q": wanted,
        "today": viewer.today,
        "chinese": numbers.chinese(),
        "may_define": viewer.may(Deed.MANAGE_DATA),
        "may_see": viewer.may(Deed.SEE_TOTALS, top),
        "narrowed": bool(slug or wanted),
    }
    return render(request, "seats/home.html", context)


def name_of(product: Product) -> str:
    """What a product is called in the reader's language."""
    return (product.name_zh if numbers.chinese() else product.name_en) or product.name_en


@require_POST
@needs(Deed.MANAGE_PEOPLE)
def invite(request: HttpRequest, seat_id: int) -> HttpResponseBase:
    """Writes down that the holder was asked in today."""
    return _change(request, seat_id, invite_to_seat, _("The invitation is written down."))


@require_POST
@needs(Deed.MANAGE_PEOPLE)
def revoke(request: HttpRequest, seat_id: int) -> HttpResponseBase:
    """Takes a seat back from today on."""
    return _change(request, seat_id, revoke_seat, _("The seat was taken back."))


def _change(request: HttpRequest, seat_id: int, door: Callable[..., Seat], said: str) -> HttpResponseBase:
    viewer = viewer_for(request)
    seat = get_object_or_404(Seat.objects.visible_to(viewer), pk=seat_id)
    today: date = viewer.today
    try:
        door(seat=seat, on=today, by=viewer, now=timezone.now())
        messages.success(request, said)
    except NotAllowed:
        raise NotYours(Deed.MANAGE_PEOPLE) from None
    except WrongDate:
        messages.error(request, _("The seat is issued on a later day."))
    return redirect(f"{reverse('seats:home')}?{urlencode({'at': seat.company.slug})}")


def companies_of(viewer: Any) -> list[tuple[str, str]]:
    """(slug, name) of the companies and parks whose people the viewer manages as a whole."""
    kinds = (Kind.PARK, Kind.COMPANY)
    found = Organization.objects.open().filter(viewer.within("path", Deed.MANAGE_PEOPLE), kind__in=kinds)
    return [(one.slug, one.name) for one in found.order_by("path")]
