"""Places are made, renamed, moved and closed; the tree keeps its paths and its walls."""

from __future__ import annotations

from datetime import time

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.basics.business_day import Clock
from uptake.directory.clock import UnknownZone, set_clock
from uptake.directory.models import AuditEntry, Kind, Membership, Organization
from uptake.directory.organize import (
    NameTaken,
    OtherCompany,
    StillInUse,
    WrongPlace,
    close_organization,
    make_organization,
    move_organization,
    rename_organization,
    reopen_organization,
)
from uptake.directory.place import settings_at
from uptake.directory.scope import EVERYTHING, NotAllowed


def test_a_place_knows_its_path_and_company(cast: Cast) -> None:
    company = make_organization(kind=Kind.COMPANY, name="Dongshan Foods", parent=cast.park, by=EVERYTHING, now=NOW)
    department = make_organization(kind=Kind.DEPARTMENT, name="销售部", parent=company, by=EVERYTHING, now=NOW)
    team = make_organization(kind=Kind.TEAM, name="East", parent=department, by=EVERYTHING, now=NOW)

    assert company.path == f"/{cast.park.pk}/{company.pk}/"
    assert company.company == company
    assert team.path == f"{department.path}{team.pk}/"
    assert team.company == company
    assert (company.slug, department.slug) == ("dongshan-foods", "dongshan-foods-department")
    assert AuditEntry.objects.filter(deed="organization.made").count() == 3


@pytest.mark.parametrize(
    ("kind", "below", "fits"),
    [
        (Kind.PARK, None, True),
        (Kind.PARK, "park", False),
        (Kind.COMPANY, None, True),
        (Kind.COMPANY, "park", True),
        (Kind.COMPANY, "beiyuan", False),
        (Kind.COMPANY, "purchasing", False),
        (Kind.DEPARTMENT, None, False),
        (Kind.DEPARTMENT, "park", False),
        (Kind.DEPARTMENT, "beiyuan", True),
        (Kind.DEPARTMENT, "purchasing", True),
        (Kind.DEPARTMENT, "receiving", False),
        (Kind.TEAM, "beiyuan", True),
        (Kind.TEAM, "purchasing", True),
        (Kind.TEAM, "receiving", False),
        (Kind.TEAM, "park", False),
    ],
)
def test_each_kind_lies_where_it_may(cast: Cast, kind: Kind, below: str | None, fits: bool) -> None:
    parent = getattr(cast, below) if below else None

    if fits:
        assert make_organization(kind=kind, name="New", parent=parent, by=EVERYTHING, now=NOW).parent == parent
    else:
        with pytest.raises(WrongPlace):
            make_organization(kind=kind, name="New", parent=parent, by=EVERYTHING, now=NOW)


def test_a_manager_makes_places_in_the_own_company_only(cast: Cast) -> None:
    hua = cast.viewer(cast.hua)

    make_organization(kind=Kind.DEPARTMENT, name="Quality", parent=cast.beiyuan, by=hua, now=NOW)

    for kind, parent in ((Kind.DEPARTMENT, cast.qinghe), (Kind.COMPANY, cast.park), (Kind.PARK, None)):
        with pytest.raises(NotAllowed):
            make_organization(kind=kind, name="Quality", parent=parent, by=hua, now=NOW)
    with pytest.raises(NotAllowed):
        rename_organization(organization=cast.qinghe, name="Ours", by=hua, now=NOW)


def test_names_beside_each_other_differ(cast: Cast) -> None:
    with pytest.raises(NameTaken):
        make_organization(kind=Kind.DEPARTMENT, name=" finance ", parent=cast.beiyuan, by=EVERYTHING, now=NOW)
    with pytest.raises(NameTaken):
        rename_organization(organization=cast.finance, name="Purchasing", by=EVERYTHING, now=NOW)
    with pytest.raises(NameTaken):
        rename_organization(organization=cast.finance, name="  ", by=EVERYTHING, now=NOW)
    with pytest.raises(NameTaken):
        make_organization(kind=Kind.COMPANY, name="Other", slug="qinghe", parent=cast.park, by=EVERYTHING, now=NOW)

    assert rename_organization(organization=cast.finance, name="Accounts", by=EVERYTHING, now=NOW).slug == (
        "beiyuan-finance"
    )


def test_all_below_moves_along(cast: Cast) -> None:
    move_organization(organization=cast.purchasing, parent=cast.finance, by=cast.viewer(cast.hua), now=NOW)

    cast.purchasing.refresh_from_db()
    cast.receiving.refresh_from_db()
    assert cast.purchasing.path == f"{cast.finance.path}{cast.purchasing.pk}/"
    assert cast.receiving.path == f"{cast.purchasing.path}{cast.receiving.pk}/"
    assert Organization.objects.below(cast.finance).count() == 3


def test_no_place_moves_below_itself_or_out_of_its_company(cast: Cast) -> None:
    with pytest.raises(WrongPlace):
        move_organization(organization=cast.purchasing, parent=cast.purchasing, by=EVERYTHING, now=NOW)
    inner = make_organization(kind=Kind.DEPARTMENT, name="In", parent=cast.purchasing, by=EVERYTHING, now=NOW)
    with pytest.raises(WrongPlace):
        move_organization(organization=cast.purchasing, parent=inner, by=EVERYTHING, now=NOW)
    with pytest.raises(OtherCompany):
        move_organization(organization=cast.purchasing, parent=cast.qinghe, by=EVERYTHING, now=NOW)


def test_a_place_closes_when_it_is_empty_and_opens_again(cast: Cast) -> None:
    with pytest.raises(StillInUse) as refusal:
        close_organization(organization=cast.purchasing, by=EVERYTHING, now=NOW)
    assert (refusal.value.people, refusal.value.places) == (1, 1)

    close_organization(organization=cast.receiving, by=EVERYTHING, now=NOW)
    Membership.objects.filter(person=cast.lin).update(until_date=TODAY)
    close_organization(organization=cast.purchasing, by=EVERYTHING, now=NOW)
    assert set(Organization.objects.open().filter(company=cast.beiyuan)) == {cast.beiyuan, cast.finance}

    with pytest.raises(WrongPlace):
        reopen_organization(organization=cast.receiving, by=EVERYTHING, now=NOW)
    with pytest.raises(WrongPlace):
        make_organization(kind=Kind.TEAM, name="T", parent=cast.purchasing, by=EVERYTHING, now=NOW)
    assert reopen_organization(organization=cast.purchasing, by=EVERYTHING, now=NOW).closed_at is None


def test_a_clock_is_inherited_from_the_nearest_place_that_names_one(cast: Cast) -> None:
    set_clock(organization=cast.park, timezone="Asia/Shanghai", day_start=time(6), by=EVERYTHING, now=NOW)
    set_clock(organization=cast.beiyuan, timezone="Asia/Urumqi", day_start=None, by=EVERYTHING, now=NOW)
    set_clock(organization=cast.finance, timezone="", day_start=time(0), by=EVERYTHING, now=NOW)

    assert settings_at(cast.receiving) == Clock.steady("Asia/Urumqi", time(6))
    assert settings_at(cast.finance) == Clock.steady("Asia/Urumqi", time(0))
    assert settings_at(cast.qinghe) == Clock.steady("Asia/Shanghai", time(6))
    assert settings_at(None).on(TODAY).day_start == time(0)
    with pytest.raises(UnknownZone):
        set_clock(organization=cast.park, timezone="Asia/Nowhere", day_start=None, by=EVERYTHING, now=NOW)
