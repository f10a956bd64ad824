"""Signing in by Canaille, an identity provider that others wrote: its own server, pages, consent, keys and tokens.

It says of no address that it was verified (as Entra ID does not), so people are known by their staff number.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.cast import NOW, Cast
from tests.identity_provider import Account, Application, Canaille, RefusedThere, canaille
from uptake.directory.models import Membership, Person, User
from uptake.directory.scope import EVERYTHING
from uptake.directory.sign_on.models import Protocol, SignOn, SignOnLink
from uptake.directory.sign_on.set_up import Setup, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.once]
BACK = "http://testserver/account/with/{}/callback/"
ACCOUNTS = [
    Account("lin", "lin@beiyuan.example", "B001", "Lin Fang"),
    Account("neu", "neu@beiyuan.example", "B900", "Neu Mann"),
    Account("double", "lin@beiyuan.example", "B901", "Lin Again"),
    Account("foreign", "guest@elsewhere.example", "B902", "A Guest"),
    Account("mo", "mo@beiyuan.example", "Q001", "Of Qinghe"),
]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaille]:
    applications = [
        Application("uptake", BACK.format("canaille")),
        Application("asked", BACK.format("asked")),
        Application("nobodys", BACK.format("nobodys"), audience=False),
    ]
    with canaille(tmp_path_factory.mktemp("canaille"), ACCOUNTS, applications) as held:
        yield held


def way(cast: Cast, there: Canaille, *, client: str = "uptake", slug: str = "canaille", **more: Any) -> SignOn:
    setup = {
        "name_en": "Canaille",
        "name_zh": "Canaille",
        "address": there.address,
        "client": client,
        "secret": "canaille-secret",
        "email_claim": "email",
        "number_claim": "preferred_username",
        "plain": True,
        **more,
    }
    made = set_up(protocol=Protocol.OIDC, organization=cast.beiyuan, setup=Setup(**setup), by=EVERYTHING, now=NOW)
    # The redirect address is told to the other system beforehand, which is there before this test is.
    SignOn.objects.filter(pk=made.pk).update(slug=slug)
    made.refresh_from_db()
    return made


def go(browser: Client, sign_on: SignOn, there: Canaille, login: str, **more: str) -> Any:
    away = browser.get(f"/account/with/{sign_on.slug}/")
    assert away.status_code == 302, away.content
    back = there.sign_in(away["Location"], login, **more)
    assert back.startswith(BACK.format(sign_on.slug))
    # Two tokens of one account within a second are the same to it, and it refuses the second one.
    time.sleep(1.05)
    return browser.get(back.removeprefix("http://testserver"))


def inside(browser: Client) -> Person | None:
    user = browser.session.get("_auth_user_id")
    return User.objects.get(pk=user).person if user else None


def test_who_is_known_comes_in_as_that_person_and_stays_the_same_account(cast: Cast, there: Canaille) -> None:
    sign_on = way(cast, there)

    for _time in range(2):
        browser = Client()
        assert go(browser, sign_on, there, "lin").status_code == 302
        assert inside(browser) == cast.lin

    link = SignOnLink.objects.get()
    assert (link.subject, link.user.person) == ("lin", cast.lin)


def test_who_is_new_is_added_by_the_staff_number_and_only_so(cast: Cast, there: Canaille) -> None:
    before = set(Person.objects.values_list("pk", flat=True))
    sign_on, browser = way(cast, there, makes_people=True, domains=["beiyuan.example"]), Client()

    assert go(browser, sign_on, there, "neu").status_code == 302
    again = Client()
    go(again, sign_on, there, "neu")

    made = Person.objects.exclude(pk__in=before).get()
    assert inside(browser) == inside(again) == made
    assert (made.name, made.staff_number, made.email) == ("Neu Mann", "B900", ""), "nobody vouched for the address"
    assert Membership.objects.get(person=made).organization == cast.beiyuan
    assert not User.objects.get(person=made).has_usable_password()


@pytest.mark.parametrize(
    ("login", "adds", "words"),
    [
        ("neu", False, "Nobody of this place"),
        ("double", True, "Several people fit"),
        ("foreign", True, "not of a domain"),
        ("mo", False, "Nobody of this place"),
    ],
)
def test_who_is_not_of_the_place_is_refused_and_nobody_is_made(
    cast: Cast, there: Canaille, login: str, adds: bool, words: str
) -> None:
    people = Person.objects.count()
    sign_on, browser = way(cast, there, makes_people=adds, domains=["beiyuan.example"]), Client()

    answer = go(browser, sign_on, there, login)

    assert answer.status_code == 403
    assert words in answer.content.decode()
    assert inside(browser) is None
    assert (Person.objects.count(), SignOnLink.objects.count()) == (people, 0)


def test_who_says_no_there_and_who_has_a_wrong_password_there_are_not_signed_in(cast: Cast, there: Canaille) -> None:
    sign_on, browser = way(cast, there, client="asked", slug="asked"), Client()

    assert go(browser, sign_on, there, "lin", consent="deny").status_code == 401
    with pytest.raises(RefusedThere):
        go(browser, sign_on, there, "lin", password="not theirs")

    assert inside(browser) is None
    assert not SignOnLink.objects.exists()


def test_a_token_that_names_no_audience_is_not_believed(cast: Cast, there: Canaille) -> None:
    """Which it gives to an application that was made without one."""
    sign_on, browser = way(cast, there, client="nobodys", slug="nobodys"), Client()

    answer = go(browser, sign_on, there, "lin")

    assert answer.status_code == 401
    assert inside(browser) is None
    assert not SignOnLink.objects.exists()
