"""A rulebook is published for a place from a date on, and never changes."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import Error, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.programme.in_force import RulebooksInForce, rulebook_version_on
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import NotAPlaceOfRules, OtherClock, TooSoon, publish
from uptake.programme.rulebook_reading import read_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.templates.list import TEMPLATES
from uptake.programme.tests.world import RULES, published

pytestmark = pytest.mark.django_db

BOOK: dict[str, Any] = {"rules": RULES}
OTHER: dict[str, Any] = {"rules": [{**RULES[0], "points": 7}]}
TOMORROW = TODAY + timedelta(days=1)


def test_first_rulebook_may_apply_from_any_date(cast: Cast) -> None:
    version = published(cast)

    assert (version.number, version.in_force_date) == (1, date(2020, 1, 1))
    assert rulebook_version_on(cast.receiving, date(2020, 1, 1)) == version
    assert rulebook_version_on(cast.receiving, date(2019, 12, 31)) is None


def test_later_rulebook_applies_from_tomorrow_at_the_earliest(cast: Cast) -> None:
    first = published(cast)

    with pytest.raises(TooSoon) as refused:
        publish(rulebook=OTHER, organization=cast.beiyuan, in_force_date=TODAY, by=EVERYTHING, now=NOW)
    second = publish(rulebook=OTHER, organization=cast.beiyuan, in_force_date=TOMORROW, by=EVERYTHING, now=NOW)

    assert refused.value.earliest == TOMORROW
    assert second.number == 2
    assert rulebook_version_on(cast.beiyuan, TODAY) == first
    assert rulebook_version_on(cast.beiyuan, TOMORROW) == second


def test_company_follows_its_park_until_it_has_a_rulebook_of_its_own(cast: Cast) -> None:
    park = publish(rulebook=BOOK, organization=cast.park, in_force_date=TODAY, by=EVERYTHING, now=NOW)
    own = publish(rulebook=OTHER, organization=cast.beiyuan, in_force_date=TOMORROW, by=EVERYTHING, now=NOW)

    books = RulebooksInForce([cast.beiyuan.pk, cast.qinghe.pk])

    def applying(company: Any, day: date) -> int | None:
        found = books.on(company.pk, day)
        return found[0] if found else None

    assert applying(cast.beiyuan, TODAY) == park.pk
    assert applying(cast.beiyuan, TOMORROW) == own.pk
    assert applying(cast.qinghe, TOMORROW) == park.pk
    assert applying(cast.qinghe, TODAY - timedelta(days=1)) is None


def test_company_cannot_change_at_once_what_its_park_has_in_force(cast: Cast) -> None:
    publish(rulebook=BOOK, organization=cast.park, in_force_date=TODAY, by=EVERYTHING, now=NOW)

    with pytest.raises(TooSoon):
        publish(rulebook=OTHER, organization=cast.beiyuan, in_force_date=TODAY, by=EVERYTHING, now=NOW)


def test_publishing_again_what_is_the_latest_changes_nothing(cast: Cast) -> None:
    first = published(cast)

    assert published(cast) == first
    assert RulebookVersion.objects.count() == 1


def test_rulebook_gets_the_clock_of_its_place_and_is_refused_with_another(cast: Cast) -> None:
    cast.beiyuan.timezone, cast.beiyuan.day_start = "Asia/Tokyo", time(4)
    cast.beiyuan.save()

    programme = read_rulebook(published(cast).file).programme

    assert (programme.timezone, programme.day_start) == ("Asia/Tokyo", time(4))
    with pytest.raises(OtherClock):
        publish(
            rulebook={"programme": {"timezone": "UTC"}, **OTHER},
            organization=cast.beiyuan,
            in_force_date=TOMORROW,
            by=EVERYTHING,
            now=NOW,
        )


def test_only_those_who_manage_rules_publish(cast: Cast) -> None:
    for who in (cast.lin, cast.hua, cast.wei, cast.mo, cast.shu):
        with pytest.raises(NotAllowed):
            publish(rulebook=BOOK, organization=cast.beiyuan, in_force_date=TODAY, by=cast.viewer(who), now=NOW)

    publish(rulebook=BOOK, organization=cast.beiyuan, in_force_date=TODAY, by=cast.viewer(cast.ke), now=NOW)


def test_everybody_there_sees_the_rulebook_and_nobody_elsewhere(cast: Cast) -> None:
    version = published(cast)

    seen = {
        name
        for name, who in cast.people().items()
        if RulebookVersion.objects.visible_to(cast.viewer(who)).filter(pk=version.pk).exists()
    }

    assert seen == set(cast.people()) - {"mo"}


def test_publishing_is_audited_with_the_hash(cast: Cast) -> None:
    version = publish(rulebook=BOOK, organization=cast.beiyuan, in_force_date=TODAY, by=cast.viewer(cast.ke), now=NOW)

    entry = AuditEntry.objects.get(deed="rulebook.published")
    assert (entry.actor_name, entry.organization) == ("Ke Ming", cast.beiyuan)
    assert entry.details == {"number": 1, "sha256": version.sha256, "in_force_date": TODAY.isoformat()}


@pytest.mark.parametrize("place", ["purchasing", "receiving"])
def test_departments_and_teams_have_no_rulebook(cast: Cast, place: str) -> None:
    with pytest.raises(NotAPlaceOfRules):
        publish(rulebook=BOOK, organization=getattr(cast, place), in_force_date=TODAY, by=EVERYTHING, now=NOW)


@pytest.mark.parametrize("file", [{"rules": [{}]}, {"programme": {"timezone": "x"}}, {"programme": 3}, [], "{"])
def test_what_is_no_rulebook_is_not_published(cast: Cast, file: Any) -> None:
    with pytest.raises(RulebookRefused):
        publish(rulebook=file, organization=cast.beiyuan, in_force_date=TODAY, by=EVERYTHING, now=NOW)

    assert not RulebookVersion.objects.exists()


def test_published_rulebooks_can_neither_be_changed_nor_deleted(cast: Cast) -> None:
    version = published(cast)

    with pytest.raises(Error), transaction.atomic():
        RulebookVersion.objects.filter(pk=version.pk).update(in_force_date=TODAY)
    with pytest.raises(Error), transaction.atomic():
        RulebookVersion.objects.filter(pk=version.pk).delete()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.slug)
def test_every_template_can_be_published(cast: Cast, template: Any) -> None:
    version = publish(
        rulebook=template.rulebook, organization=cast.beiyuan, in_force_date=TODAY, by=EVERYTHING, now=NOW
    )

    assert rulebook_version_on(cast.beiyuan, TODAY) == version
