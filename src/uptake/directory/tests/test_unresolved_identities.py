"""Identities that are nobody's yet are seen by those who see the company or park their source named."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.cast import Cast
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING, NOBODY, Viewer

pytestmark = pytest.mark.django_db


def test_they_are_the_unresolved_ones_among_the_visible(cast: Cast) -> None:
    for company in (cast.beiyuan, cast.qinghe, cast.park, None):
        for person in (None, cast.lin):
            Identity.objects.create(
                source="s",
                external_id=f"{company}-{person}",
                company=company,
                person=person,
                first_seen_at=timezone.now(),
            )
    everyone: dict[str, Viewer] = {"all": EVERYTHING, "nobody": NOBODY}
    everyone |= {one.name: cast.viewer(one) for one in (cast.lin, cast.hua, cast.mo, cast.wei, cast.ren)}
    seen = {name: set(Identity.objects.unresolved_for(viewer)) for name, viewer in everyone.items()}

    assert seen == {name: set(Identity.objects.visible_to(viewer).unresolved()) for name, viewer in everyone.items()}
    assert {len(found) for found in seen.values()} >= {0, 1, 4}
