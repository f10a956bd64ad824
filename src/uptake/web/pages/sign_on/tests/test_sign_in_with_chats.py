"""Signing in with 企业微信, 钉钉 and 飞书, at a stub: by the id that a source of people named, and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.cast import NOW, Cast
from uptake.connectors.people.models import PeopleSource
from uptake.directory.models import Identity, Organization, Person, User
from uptake.directory.sign_on.models import SignOn, SignOnLink
from uptake.web.pages.sign_on.tests.platforms import APP, SECRET, Platform, platform

pytestmark = pytest.mark.django_db
SORTS = ["wecom", "dingtalk", "feishu"]


@pytest.fixture
def there() -> Iterator[Platform]:
    with platform() as held:
        yield held


def source(company: Organization, sort: str, **people: Person) -> PeopleSource:
    made = PeopleSource.objects.create(company=company, sort=sort, name="Chats", created_at=NOW)
    for key, person in people.items():
        Identity.objects.create(
            source=made.label, external_id=key, company=company, person=person, first_seen_at=NOW, resolved_at=NOW
        )
    return made


def way(cast: Cast, sort: str, there: Platform, held: PeopleSource) -> SignOn:
    """Set up on its page by Ren."""
    told = {
        "organization": cast.beiyuan.pk,
        "name_en": "Chats",
        "name_zh": "聊天",
        "source": held.label,
        "client": APP,
        "secret": SECRET,
        "agent": "1000002",
        "address": there.address,
        "plain": "on",
        "listed": "on",
    }
    answer = cast.sign_in(cast.ren).post(f"/people/sign-on/new/{sort}", told)
    assert answer.status_code == 302, answer.content.decode()
    return SignOn.objects.latest("pk")


def go(client: Client, sign_on: SignOn, there: Platform, **asked: str) -> Any:
    away = client.get(f"/account/with/{sign_on.slug}/", asked)
    assert away.status_code == 302, away.content
    return client.get(there.sign_in(away["Location"]).removeprefix("http://testserver"))


def inside(client: Client) -> int | None:
    user = client.session.get("_auth_user_id")
    return User.objects.get(pk=user).person_id if user else None


@pytest.mark.parametrize("sort", SORTS)
def test_who_a_source_named_comes_in_and_nobody_else(cast: Cast, there: Platform, sort: str) -> None:
    sign_on = way(cast, sort, there, source(cast.beiyuan, sort, lin=cast.lin, mo=cast.mo))
    client = Client()

    told = go(client, sign_on, there, next="/points/")

    assert (told.status_code, told["Location"], inside(client)) == (302, "/points/", cast.lin.pk)
    assert SignOnLink.objects.count() == 1
    for who, status in (("mo", 403), ("nobody", 403)):
        there.who, other = who, Client()
        assert (go(other, sign_on, there).status_code, inside(other)) == (status, None), who
    there.who, there.outside, other = "lin", True, Client()
    assert go(other, sign_on, there).status_code in (401, 403), "a guest of another tenant"
    assert inside(other) is None


@pytest.mark.parametrize("sort", SORTS)
def test_a_code_counts_once_in_the_browser_that_asked_and_a_wrong_secret_is_told_to_the_one_who_tests(
    cast: Cast, there: Platform, sort: str
) -> None:
    sign_on = way(cast, sort, there, source(cast.beiyuan, sort, lin=cast.lin))
    client, ren = Client(), cast.sign_in(cast.ren)
    back = there.sign_in(client.get(f"/account/with/{sign_on.slug}/")["Location"])
    assert Client().get(back).status_code == 401
    there.codes.clear()
    assert client.get(back).status_code == 401
    assert inside(client) is None

    page = f"/people/sign-on/{sign_on.pk}"
    go(ren, sign_on, there, test="1")
    assert "would come in as Lin Fang" in ren.get(page).content.decode()
    told = {"name_en": "Chats", "name_zh": "聊天", "source": sign_on.source, "client": APP, "secret": "wrong"}
    ren.post(f"{page}/change", {**told, "agent": "1000002", "address": there.address, "plain": "on"})
    go(ren, SignOn.objects.get(), there, test="1")
    assert "It did not come through" in ren.get(page).content.decode()


def test_a_source_of_another_company_is_no_choice_for_a_place(cast: Cast, there: Platform) -> None:
    theirs = source(cast.qinghe, "feishu", lin=cast.lin)
    told = {"organization": cast.beiyuan.pk, "name_en": "C", "name_zh": "聊", "source": theirs.label, "client": APP}
    page = cast.sign_in(cast.ren).post(
        "/people/sign-on/new/feishu", {**told, "secret": SECRET, "address": there.address, "plain": "on"}
    )
    assert "of another place" in page.content.decode()
    assert not SignOn.objects.exists()
