"""The page of fairness: who may read it, and what it says where there is little."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.translation import override

from tests.cast import NOW, Cast, person
from uptake.directory.models import Identity, Membership
from uptake.programme.tests.world import Desk
from uptake.web.pages.fairness.words import SAID

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("who", "at", "status"),
    [("hua", "beiyuan", 200), ("ke", "beiyuan", 200), ("shu", "qinghe", 200), ("ren", "linjiang", 200),
     ("lin", "", 403), ("mo", "beiyuan", 404), ("hua", "qinghe", 404)],
)  # fmt: skip
def test_who_sees_the_totals_of_a_company_reads_it(cast: Cast, client: Client, who: str, at: str, status: int) -> None:
    slugs = {"beiyuan": cast.beiyuan.slug, "qinghe": cast.qinghe.slug, "linjiang": cast.park.slug, "": ""}
    cast.sign_in(cast.people()[who], client)
    answer = client.get("/fairness/", {"at": slugs[at]} if at else {})

    assert answer.status_code == status
    if status == 200:
        assert "Too few people to say" in answer.content.decode()


def test_of_several_companies_the_one_with_most_people_is_shown_first(cast: Cast, client: Client) -> None:
    cast.sign_in(cast.ren, client)
    for place in (cast.beiyuan, cast.qinghe):
        for nth in range(20):
            person(name=f"{place.slug} {nth}", at=place)

        assert client.get("/fairness/").context["company"] == place
        Membership.objects.filter(person__name__startswith=f"{place.slug} ").delete()


@pytest.mark.django_db(transaction=True)
def test_what_stands_out_is_said_in_sentences(cast: Cast, client: Client) -> None:
    Membership.objects.filter(person=cast.hua).delete()  # the only one without a department
    desk = Desk(cast)
    for nth in range(24):
        place = cast.finance if nth % 2 else cast.purchasing
        who = person(name=f"Worker {nth}", at=place, email=f"p{nth}@beiyuan.example")
        cast.identities[f"p{nth}"] = Identity.objects.create(
            source="orders", external_id=f"p{nth}", company=cast.beiyuan, person=who, first_seen_at=NOW
        )
    for nth in range(0, 24, 2):
        desk.processed(f"O{nth}", NOW, who=f"p{nth}", consider=nth == 22)
    cast.sign_in(cast.hua, client)
    page = client.get("/fairness/", {"from": "2026-05-01", "to": "2026-05-13"}).content.decode()

    assert f"In {cast.finance.name} people reach points at 0% of the rate of the best group." in page
    assert "By department" in page
    assert "nothing is on offer" in page
    assert "Worker 3" not in page, "single people are never named"


@pytest.mark.once
def test_every_trigger_has_its_words() -> None:
    import inspect
    import re

    from uptake.statistics.fairness import triggers

    codes = set(re.findall(r'(?:Trigger|warn)\("([A-Z_]+)"', inspect.getsource(triggers)))

    assert codes - {"OBSERVED_EXPECTED", "EARNABILITY"} == set(SAID)
    with override("en"):
        said = SAID["REDEEMED"]("Finance", 0.125, False)[0]
    assert said == "In Finance people redeem points at 13% of the rate of the best group."


@pytest.mark.django_db(transaction=True)
def test_from_thirty_people_on_it_is_drawn_how_much_is_held_by_how_many(cast: Cast, client: Client) -> None:
    desk = Desk(cast)
    for nth in range(40):
        who = person(name=f"P{nth}", at=cast.finance if nth % 2 else cast.purchasing, email=f"p{nth}@beiyuan.example")
        cast.identities[f"p{nth}"] = Identity.objects.create(
            source="orders", external_id=f"p{nth}", company=cast.beiyuan, person=who, first_seen_at=NOW
        )
    for nth in range(20):
        desk.processed(f"O{nth}", NOW, who=f"p{nth}", consider=nth == 19)
    cast.sign_in(cast.hua, client)

    shown = client.get("/fairness/", {"from": "2026-05-01", "to": "2026-05-13"})

    drawn = shown.context["lorenz"]
    assert len(drawn.labels) == 5, "four steps of ten people and more"
    assert drawn.series[0].values[0] == 0
    assert drawn.series[0].values[-1] == pytest.approx(1)
    assert "have none" in drawn.marks[0].label
    assert 'id="fairness-lorenz"' in shown.content.decode()


def test_of_several_companies_the_largest_comes_first_in_rankings_and_monthly_reports(
    cast: Cast, client: Client
) -> None:
    cast.sign_in(cast.ren, client)
    for place in (cast.beiyuan, cast.qinghe):
        for nth in range(20):
            person(name=f"{place.slug} {nth}", at=place)

        assert client.get("/boards/").context["company"] == place
        assert place.name in client.get("/transparency/").content.decode()
        Membership.objects.filter(person__name__startswith=f"{place.slug} ").delete()
