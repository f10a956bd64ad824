"""Says what a product is: its names, where its events come from, which of them are of value, and when it is a habit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.validators import validate_slug
from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization, Product
from uptake.directory.viewer import Deed, NotAllowed, Viewer

MOST_NAMES = 50
"""Sources, and core actions, of one product at most."""


class SlugTaken(Exception):
    """A product of another place has this slug."""


class NoName(ValueError):
    """A product needs a name."""


class WrongNumbers(ValueError):
    """Weeks: 1 to 26, so many of at least as many; days: 1 to 365. Names: at most `MOST_NAMES`."""


@transaction.atomic
def define_product(
    *,
    slug: str,
    organization: Organization,
    name_en: str,
    by: Viewer,
    now: datetime,
    name_zh: str = "",
    sources: Iterable[str] = (),
    core_actions: Iterable[str] = (),
    habitual_weeks: int = 3,
    habitual_of_weeks: int = 4,
    judged_after_days: int = 14,
) -> Product:
    """Makes a product of a park or company, or says anew what it is; the same again changes nothing.

    `sources` are slugs of connections (none: all of the company), `core_actions` names of events (none: any that
    counts as activity). Raises NotAllowed, SlugTaken, NoName, WrongNumbers; ValidationError (Django's) for the slug.
    """
    if organization.kind not in (Kind.PARK, Kind.COMPANY) or not by.may(Deed.MANAGE_DATA, organization):
        raise NotAllowed
    validate_slug(slug)
    name_en, name_zh = (" ".join(name.split())[:200] for name in (name_en, name_zh))
    if not name_en:
        raise NoName
    said = {
        "name_en": name_en,
        "name_zh": name_zh,
        "sources": sorted({one.strip() for one in sources if one.strip()}),
        "core_actions": sorted({one.strip() for one in core_actions if one.strip()}),
        "habitual_weeks": habitual_weeks,
        "habitual_of_weeks": habitual_of_weeks,
        "judged_after_days": judged_after_days,
    }
    if (
        not 1 <= habitual_weeks <= habitual_of_weeks <= 26
        or not 1 <= judged_after_days <= 365
        or max(len(said["sources"]), len(said["core_actions"])) > MOST_NAMES  # type: ignore[arg-type]
    ):
        raise WrongNumbers
    product, made = Product.objects.select_for_update().get_or_create(
        slug=slug, defaults={"organization": organization, "created_at": now, **said}
    )
    if product.organization_id != organization.pk:
        raise SlugTaken
    if not made and all(getattr(product, key) == value for key, value in said.items()):
        return product
    for key, value in said.items():
        setattr(product, key, value)
    product.save()
    note(deed="product.defined", actor=by, organization=organization, subject=name_en, details=said, now=now)
    return product
