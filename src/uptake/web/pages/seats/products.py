"""What the products are: names, sources, first value, habit. One form for a new one and for each that there is."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.define_product import NoName, SlugTaken, WrongNumbers, define_product
from uptake.directory.models import Kind, Organization, Product
from uptake.directory.scope import Deed
from uptake.events.models import Connection, EventType
from uptake.web import numbers
from uptake.web.usage import labels_of
from uptake.web.viewing import needs, viewer_for

NAMES_SHOWN: Final = 300


@needs(Deed.MANAGE_DATA)
def home(request: HttpRequest) -> HttpResponseBase:
    """The products the viewer may describe, and the form for one (`?product=<slug>`; none: a new one)."""
    viewer = viewer_for(request)
    places = Organization.objects.open().filter(
        viewer.within("path", Deed.MANAGE_DATA), kind__in=(Kind.COMPANY, Kind.PARK)
    )
    products = Product.objects.filter(organization__in=places).select_related("organization").order_by("slug")
    chosen = products.filter(slug=request.GET.get("product", "")).first()
    wrong = ""
    if request.method == "POST":
        place = get_object_or_404(places, slug=request.POST.get("organization", ""))
        try:
            product = define_product(
                slug=request.POST.get("slug", "").strip(),
                organization=place,
                name_en=request.POST.get("name_en", ""),
                name_zh=request.POST.get("name_zh", ""),
                sources=request.POST.getlist("source"),
                core_actions=request.POST.getlist("core"),
                habitual_weeks=_whole(request, "habitual_weeks"),
                habitual_of_weeks=_whole(request, "habitual_of_weeks"),
                judged_after_days=_whole(request, "judged_after_days"),
                by=viewer,
                now=timezone.now(),
            )
        except NoName:
            wrong = _("The product needs a name.")
        except SlugTaken:
            wrong = _("Another place has a product with this short name.")
        except WrongNumbers:
            wrong = _("Weeks lie between 1 and 26, the first not above the second; days between 1 and 365.")
        except ValidationError:
            wrong = _("The short name takes letters, digits, “-” and “_”.")
        else:
            messages.success(request, _("%(name)s was saved.") % {"name": product.name_en})
            return redirect(reverse("seats:products"))
    names = list(EventType.objects.order_by("name").values_list("name", flat=True)[:NAMES_SHOWN])
    sources = Connection.objects.visible_to(viewer).exclude(kind="uptake").order_by("slug")
    context: dict[str, Any] = {
        "products": list(products),
        "chosen": chosen,
        "places": [(one.slug, one.name) for one in places.order_by("path")],
        "sources": [(one.slug, one.name) for one in sources],
        "names": sorted(labels_of(names).items(), key=lambda one: one[1].casefold()),
        "chinese": numbers.chinese(),
        "given": {name: request.POST.get(name, "") for name in ("slug", "name_en", "name_zh")},
        "wrong": wrong,
        "new": "new" in request.GET or bool(wrong) or not products,
    }
    return render(request, "seats/products.html", context, status=422 if wrong else 200)


def _whole(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
