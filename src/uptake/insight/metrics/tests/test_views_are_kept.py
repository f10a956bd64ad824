"""Views: a page of questions under a name, for oneself or for the roles at its place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.scope import NotAllowed
from uptake.insight.metrics.keep_view import TooLong, change_view, drop_view, save_view
from uptake.insight.metrics.kept import NoName, NotARole
from uptake.insight.models import SavedView

pytestmark = pytest.mark.django_db


def saved(cast: Cast, who: str, **more: Any) -> SavedView:
    given: dict[str, Any] = {"name": "Orders", "page": "trends", "query": "at=beiyuan", "organization": cast.beiyuan}
    return save_view(by=cast.viewer(cast.people()[who]), now=NOW, **{**given, **more})


def seen_by(cast: Cast) -> set[str]:
    return {name for name, who in cast.people().items() if SavedView.objects.visible_to(cast.viewer(who)).exists()}


def test_a_view_is_its_owners_until_it_is_shared(cast: Cast) -> None:
    view = saved(cast, "hua")
    assert seen_by(cast) == {"hua"}

    change_view(view=view, name="Orders", roles=["committee", "auditor"], by=cast.viewer(cast.hua), now=NOW)
    assert seen_by(cast) == {"hua", "ke", "shu"}


def test_another_companys_manager_does_not_see_it(cast: Cast) -> None:
    saved(cast, "ren", roles=["manager"])

    assert seen_by(cast) == {"ren", "hua"}


@pytest.mark.parametrize(
    ("role", "seen"),
    [("manager", {"ren", "hua", "mo"}), ("coach", {"ren", "wei"}), ("auditor", {"ren", "shu"})],
)
def test_one_of_the_park_reaches_everybody_with_the_role_in_it(cast: Cast, role: str, seen: set[str]) -> None:
    saved(cast, "ren", query="at=linjiang", organization=cast.park, roles=[role])

    assert seen_by(cast) == seen


def test_one_of_a_company_does_not_reach_the_role_beside_it(cast: Cast) -> None:
    saved(cast, "ren", query="at=qinghe", organization=cast.qinghe, roles=["coach", "manager"])

    assert seen_by(cast) == {"ren", "mo"}


def test_it_is_renamed_and_deleted_by_its_owner_or_who_manages_the_place(cast: Cast) -> None:
    private, shared = saved(cast, "hua"), saved(cast, "hua", roles=["manager"])
    ren, ke = cast.viewer(cast.ren), cast.viewer(cast.ke)

    assert change_view(view=private, name=" New  name ", by=cast.viewer(cast.hua), now=NOW).name == "New name"
    with pytest.raises(NotAllowed):
        change_view(view=private, name="x", by=ren, now=NOW)
    with pytest.raises(NotAllowed):
        drop_view(view=shared, by=ke)
    drop_view(view=shared, by=ren)
    assert list(SavedView.objects.all()) == [private]


@pytest.mark.parametrize(
    ("who", "more", "refusal"),
    [
        ("lin", {}, NotAllowed),
        ("mo", {}, NotAllowed),
        ("hua", {"name": " "}, NoName),
        ("hua", {"roles": ["employee"]}, NotARole),
        ("hua", {"query": "x" * 8_001}, TooLong),
    ],
)
def test_what_is_not_saved(cast: Cast, who: str, more: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        saved(cast, who, **more)
