"""Signing in with OpenID Connect: who comes in as whom, and what proves nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import NOW, PASSWORD, Cast
from uptake.directory.models import AuditEntry, Membership, Organization, Person, Role, RoleAssignment, User
from uptake.directory.scope import EVERYTHING
from uptake.directory.sign_on.models import Protocol, SignOn, SignOnLink
from uptake.directory.sign_on.set_up import Setup, pause, set_up
from uptake.web.pages.sign_on.tests.issuer import CLIENT, SECRET, Issuer, issuer

pytestmark = pytest.mark.django_db


@pytest.fixture
def there() -> Iterator[Issuer]:
    with issuer() as held:
        yield held


def way(place: Organization, there: Issuer, **more: Any) -> SignOn:
    """A way in by the issuer for the people of a place."""
    setup = {
        "name_en": "Beiyuan account",
        "name_zh": "北源账号",
        "address": there.address,
        "client": CLIENT,
        "secret": SECRET,
        "email_claim": "email",
        "plain": True,
        **more,
    }
    return set_up(protocol=Protocol.OIDC, organization=place, setup=Setup(**setup), by=EVERYTHING, now=NOW)


def go(client: Client, sign_on: SignOn, there: Issuer, *, next_page: str = "", test: bool = False) -> Any:
    """A browser's whole way: our link, the other system's page, back; the last answer."""
    asked = {key: value for key, value in (("next", next_page), ("test", "1" if test else "")) if value}
    away = client.get(f"/account/with/{sign_on.slug}/", asked)
    assert away.status_code == 302, away.content
    return client.get(there.sign_in(away["Location"]).removeprefix("http://testserver"))


def inside(client: Client) -> int | None:
    """The person who is signed in."""
    user = client.session.get("_auth_user_id")
    return User.objects.get(pk=user).person_id if user else None


def test_who_has_a_verified_email_of_the_place_comes_in_as_that_person_and_goes_where_they_wanted(
    cast: Cast, there: Issuer
) -> None:
    sign_on, client = way(cast.beiyuan, there), Client()

    answer = go(client, sign_on, there, next_page="/points/")

    assert (answer.status_code, answer["Location"]) == (302, "/points/")
    assert inside(client) == cast.lin.pk
    link = SignOnLink.objects.get()
    assert (link.subject, link.user.person) == ("lin-1", cast.lin)
    assert AuditEntry.objects.filter(deed="sign_on.linked", organization=cast.beiyuan).count() == 1

    there.said |= {"email": "renamed@elsewhere.example", "email_verified": False}
    again = Client()
    go(again, sign_on, there, next_page="//evil.example/")
    assert inside(again) == cast.lin.pk, "the account is known by its number from the first time on"
    assert SignOnLink.objects.count() == 1


def test_who_has_no_login_is_given_one_without_a_password(cast: Cast, there: Issuer) -> None:
    new = Person.objects.create(name="Tan Bo", email="tan@beiyuan.example", staff_number="B077", created_at=NOW)
    Membership.objects.create(person=new, organization=cast.finance, from_date=NOW.date())
    there.said = {"sub": "tan", "number": "B077"}
    client = Client()

    go(client, way(cast.beiyuan, there, email_claim="", number_claim="number"), there)

    assert inside(client) == new.pk
    assert not User.objects.get(person=new).has_usable_password()


def test_unknown_people_are_added_where_the_place_says_so(cast: Cast, there: Issuer) -> None:
    there.said = {"sub": "new", "email": "neu@beiyuan.example", "email_verified": True, "name": "Neu Mann"}
    sign_on, client = way(cast.beiyuan, there, makes_people=True, domains=["beiyuan.example"]), Client()

    go(client, sign_on, there)
    go(Client(), sign_on, there)

    made = Person.objects.get(email="neu@beiyuan.example")
    assert inside(client) == made.pk
    assert made.memberships.get().organization == cast.beiyuan


def _leave(cast: Cast) -> None:
    Membership.objects.filter(person=cast.lin).update(until_date=timezone.localdate())


def _close(cast: Cast) -> None:
    User.objects.filter(person=cast.lin).update(is_active=False)


def _erase(cast: Cast) -> None:
    Person.objects.filter(pk=cast.lin.pk).update(erased_at=NOW)


def _double(cast: Cast) -> None:
    other = Person.objects.create(name="Lin Two", email="LIN@beiyuan.example", created_at=NOW)
    Membership.objects.create(person=other, organization=cast.finance, from_date=NOW.date())


def _run_the_platform(cast: Cast) -> None:
    RoleAssignment.objects.create(
        person=cast.lin, role=Role.ADMINISTRATOR, organization=cast.park, from_date=NOW.date(), given_at=NOW
    )


def _work_elsewhere_too(cast: Cast) -> None:
    soon = timezone.localdate() + timedelta(days=30)
    Membership.objects.create(person=cast.lin, organization=cast.qinghe, from_date=soon)


def _other_account_first(cast: Cast) -> None:
    user = User.objects.get(person=cast.lin)
    SignOnLink.objects.create(sign_on=SignOn.objects.get(), subject="older", user=user, made_at=NOW, last_at=NOW)


def _pause(cast: Cast) -> None:
    pause(sign_on=SignOn.objects.get(), paused=True, by=EVERYTHING, now=NOW)


@pytest.mark.parametrize(
    ("said", "before", "words"),
    [
        ({"email_verified": False}, None, "has not verified"),
        ({"email_verified": "true"}, None, "has not verified"),
        ({"email": "mo@qinghe.example"}, None, "Nobody of this place"),
        ({"email": "lin@other.example"}, None, "not of a domain"),
        ({"email": "who@beiyuan.example"}, None, "Nobody of this place"),
        ({"number": "B002"}, None, "Several people fit"),
        ({}, _leave, "do not belong"),
        ({}, _close, "login is closed"),
        ({}, _erase, "Nobody of this place"),
        ({}, _double, "Several people fit"),
        ({}, _run_the_platform, "no say"),
        ({}, _work_elsewhere_too, "no say"),
        ({}, _other_account_first, "another account"),
    ],
)
def test_who_is_refused_reads_why(
    cast: Cast, there: Issuer, said: dict[str, Any], before: Callable[[Cast], None] | None, words: str
) -> None:
    sign_on = way(cast.beiyuan, there, number_claim="number", domains=["beiyuan.example", "qinghe.example"])
    there.said |= said
    if before is not None:
        before(cast)
    client = Client()

    answer = go(client, sign_on, there)

    assert answer.status_code == 403
    assert words in answer.content.decode()
    assert inside(client) is None
    assert not SignOnLink.objects.filter(subject="lin-1").exists()


def test_a_known_account_does_not_come_in_once_its_person_has_left_or_it_is_paused(cast: Cast, there: Issuer) -> None:
    sign_on = way(cast.beiyuan, there)
    go(Client(), sign_on, there)
    for change in (_leave, _close, _pause):
        change(cast)
        client = Client()
        away = client.get(f"/account/with/{sign_on.slug}/")
        if away.status_code == 302:
            client.get(there.sign_in(away["Location"]))
        assert inside(client) is None, change.__name__


@pytest.mark.parametrize(
    "wrong",
    [
        {"twist": {"iss": "https://other.example"}},
        {"twist": {"aud": "another-client"}},
        {"twist": {"aud": []}},
        {"twist": {"aud": [CLIENT, "another-client"]}},
        {"twist": {"aud": [CLIENT, "another-client"], "azp": "another-client"}},
        {"twist": {"exp": 1_000_000_000}},
        {"twist": {"exp": None}},
        {"twist": {"exp": "tomorrow"}},
        {"twist": {"iat": 9_000_000_000, "exp": 9_000_000_300}},
        {"twist": {"nonce": "of-another-sign-in"}},
        {"twist": {"nonce": None}},
        {"twist": {"sub": None}},
        {"alg": "none"},
        {"alg": "HS256"},
        {"key": "other"},
        {"beside": {"sub": "somebody-else"}},
        {"calls_itself": "https://other.example"},
    ],
    ids=str,
)
def test_what_proves_nothing_lets_nobody_in(cast: Cast, there: Issuer, wrong: dict[str, Any]) -> None:
    sign_on, client = way(cast.beiyuan, there), Client()
    away = client.get(f"/account/with/{sign_on.slug}/")
    for name, value in wrong.items():
        setattr(there, name, value)

    answer = client.get(there.sign_in(away["Location"]))

    assert answer.status_code == 401
    assert "could not show us" in answer.content.decode()
    assert inside(client) is None
    assert not SignOnLink.objects.exists()


def test_an_answer_counts_once_in_the_browser_that_asked_for_it_and_from_the_system_it_was_asked_of(
    cast: Cast, there: Issuer
) -> None:
    with issuer() as second:
        ours, theirs = way(cast.beiyuan, there), way(cast.qinghe, second)
        client = Client()
        away = client.get(f"/account/with/{ours.slug}/")
        back = there.sign_in(away["Location"])
        other = client.get(f"/account/with/{theirs.slug}/")
        code = parse_qs(urlsplit(back).query)["code"][0]
        mixed = back.replace(ours.slug, theirs.slug)
        cases = {
            "another browser": Client().get(back),
            "another state": client.get(
                f"/account/with/{ours.slug}/callback/?code={code}&state={secrets.token_hex(8)}"
            ),
            "no state": client.get(f"/account/with/{ours.slug}/callback/?code={code}"),
            "another system's way back": client.get(mixed),
            "another system's name": client.get(f"{back}&iss={second.address}"),
            "no code": client.get(second.sign_in(other["Location"]).replace("code=", "kode=")),
        }
        assert {name: answer.status_code for name, answer in cases.items()} == dict.fromkeys(cases, 401)
        assert inside(client) is None

        first = client.get(back)
        assert (first.status_code, inside(client)) == (302, cast.lin.pk)
        assert client.get(back).status_code == 401, "the same address again"


def test_a_code_used_before_lets_nobody_in(cast: Cast, there: Issuer) -> None:
    sign_on, client = way(cast.beiyuan, there), Client()
    back = there.sign_in(client.get(f"/account/with/{sign_on.slug}/")["Location"])
    there.codes.clear()

    assert client.get(back).status_code == 401
    assert inside(client) is None


def test_what_the_issuer_says_of_itself_sends_us_nowhere_we_do_not_go(cast: Cast, there: Issuer) -> None:
    sign_on, client = way(cast.beiyuan, there), Client()
    there.more = {"token_endpoint": "http://169.254.169.254/latest"}

    answer = go(client, sign_on, there)

    assert (answer.status_code, inside(client)) == (401, None)
    ren = cast.sign_in(cast.ren)
    go(ren, sign_on, there, test=True)
    assert "NotAnAddress" in ren.get(f"/people/sign-on/{sign_on.pk}").content.decode()


def test_who_goes_back_reads_so(cast: Cast, there: Issuer) -> None:
    sign_on, client = way(cast.beiyuan, there), Client()
    away = client.get(f"/account/with/{sign_on.slug}/")["Location"]
    state = parse_qs(urlsplit(away).query)["state"][0]

    answer = client.get(f"/account/with/{sign_on.slug}/callback/?error=access_denied&state={state}")

    assert "without signing in" in answer.content.decode()


def test_a_test_tells_what_came_to_the_one_who_tests_and_signs_nobody_in(cast: Cast, there: Issuer) -> None:
    sign_on, ren = way(cast.beiyuan, there), cast.sign_in(cast.ren)

    answer = go(ren, sign_on, there, test=True)

    page = ren.get(answer["Location"].partition("#")[0]).content.decode()
    assert "would come in as Lin Fang" in page
    assert "lin@beiyuan.example" in page
    assert inside(ren) == cast.ren.pk
    assert not SignOnLink.objects.exists()
    sign_on.refresh_from_db()
    assert sign_on.tried_at is not None
    assert "lin@beiyuan.example" not in cast.sign_in(cast.an).get(f"/people/sign-on/{sign_on.pk}").content.decode()
    there.alg = "HS256"
    go(ren, sign_on, there, test=True)
    assert "HS256" in ren.get(f"/people/sign-on/{sign_on.pk}").content.decode()


def test_where_it_is_the_only_way_a_right_password_is_refused_but_not_for_who_runs_the_platform(
    cast: Cast, there: Issuer
) -> None:
    sign_on, ren = way(cast.beiyuan, there), cast.sign_in(cast.ren)
    steer = f"/people/sign-on/{sign_on.pk}/steer"
    ren.post(steer, {"do": "demand"})
    sign_on.refresh_from_db()
    assert not sign_on.only_way, "not before a test"
    go(ren, sign_on, there, test=True)
    ren.post(steer, {"do": "demand"})

    def by_password(name: str) -> int | None:
        client = Client()
        client.post("/account/login/", {"login": name, "password": PASSWORD})
        return inside(client)

    assert by_password("lin") is None
    assert by_password("mo") == cast.mo.pk
    RoleAssignment.objects.create(
        person=cast.ke, role=Role.ADMINISTRATOR, organization=cast.park, from_date=NOW.date(), given_at=NOW
    )
    assert by_password("ke") == cast.ke.pk
    client = Client()
    go(client, sign_on, there)
    assert inside(client) == cast.lin.pk
    ren.post(steer, {"do": "pause"})
    assert by_password("lin") == cast.lin.pk, "while it is paused"
