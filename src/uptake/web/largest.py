"""The company to begin with, where somebody sees several and named none."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count
from django.utils import timezone

from uptake.directory.models import Membership, Organization


def largest(companies: Sequence[Organization]) -> Organization | None:
    """The one with most people, of which most can be said; the first of those that are alike, None of none."""
    if len(companies) < 2:
        return next(iter(companies), None)
    belonging = Membership.objects.on(timezone.localdate()).filter(organization__company__in=companies)
    people = dict(belonging.values_list("organization__company").annotate(Count("person", distinct=True)).order_by())
    return max(companies, key=lambda one: people.get(one.pk, 0))
