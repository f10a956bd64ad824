"""Signing in with the password of a directory: who comes in, and what lets nobody in, at slapd and at a stub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.cast import NOW, PASSWORD, Cast
from tests.slapd import ADMIN, BASE
from tests.slapd import PASSWORD as SERVICE
from tests.slapd import slapd as private_slapd
from uptake.directory.models import Membership, Organization, User
from uptake.directory.scope import EVERYTHING
from uptake.directory.sign_on.models import Protocol, SignOn, SignOnLink
from uptake.directory.sign_on.set_up import Setup, keep_trial, set_up
from uptake.web.pages.sign_on.ldap import NotAsked, NotProved, account_of
from uptake.web.pages.sign_on.tests.directory import Directory, directory

pytestmark = pytest.mark.django_db
ACCOUNTS = {"lin": "lin@beiyuan.example", "star*": "s@beiyuan.example"}
FILTER = "(|(uid={name})(description={name}))"


def _entries() -> str:
    people = []
    for name, mail in ACCOUNTS.items():
        people.append(
            f"dn: uid={name},{BASE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\nmail: {mail}\n"
            f"description: twin-{name[0] == 'l' or name == 'star*'}\nuserPassword: {name}-password\n"
        )
    return "\n".join(people)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """(port, own certificate) of a slapd that encrypts as `localhost`."""
    folder = tmp_path_factory.mktemp("slapd")
    with private_slapd(folder, _entries(), host="localhost") as found:
        yield found, (folder / "cert.pem").read_text()


@pytest.fixture
def stub() -> Iterator[Directory]:
    with directory() as held:
        yield held


def way(place: Organization, address: str, **more: Any) -> SignOn:
    """A way in by a directory for the people of a place."""
    told = {
        "name_en": "Beiyuan directory",
        "name_zh": "北源目录",
        "address": address,
        "client": "cn=uptake",
        "secret": "service",
        "email_claim": "mail",
        "plain": True,
        "settings": {"base": "dc=x"},
        **more,
    }
    return set_up(protocol=Protocol.LDAP, organization=place, setup=Setup(**told), by=EVERYTHING, now=NOW)


def type_in(client: Client, sign_on: SignOn, name: str, password: str, **more: str) -> Any:
    return client.post(f"/account/with/{sign_on.slug}/", {"name": name, "password": password, **more})


def inside(client: Client) -> int | None:
    user = client.session.get("_auth_user_id")
    return User.objects.get(pk=user).person_id if user else None


def test_who_has_the_password_comes_in_and_goes_where_they_wanted(cast: Cast, stub: Directory) -> None:
    sign_on, client = way(cast.beiyuan, stub.address), Client()
    address = f"/account/with/{sign_on.slug}/?next=/points/"
    assert 'autocomplete="current-password"' in client.get(address).content.decode()

    answer = client.post(address, {"name": "lin", "password": "lin-password"})

    assert (answer.status_code, answer["Location"], inside(client)) == (302, "/points/", cast.lin.pk)
    assert stub.binds == [("cn=uptake", "service"), ("uid=lin", "lin-password")]
    link = SignOnLink.objects.get()
    assert (link.subject, link.user.person) == ("11111111-2222-3333-4444-555555555555", cast.lin)
    away = Client().post(
        f"/account/with/{sign_on.slug}/?next=//evil.example/", {"name": "lin", "password": "lin-password"}
    )
    assert away["Location"] == "/"


def _two(stub: Directory) -> None:
    stub.answers *= 2


def _none(stub: Directory) -> None:
    stub.answers = []


def _disabled(stub: Directory) -> None:
    stub.answers[0][1]["userAccountControl"] = [b"514"]


def _locked(stub: Directory) -> None:
    stub.answers[0][1]["pwdAccountLockedTime"] = [b"000001010000Z"]


def _as_it_is(_stub: Directory) -> None:
    return


@pytest.mark.parametrize(
    ("twist", "name", "password"),
    [
        (_as_it_is, "lin", "wrong"),
        (_as_it_is, "lin", "service"),
        (_as_it_is, "l\0in", "lin-password"),
        (_two, "lin", "lin-password"),
        (_none, "lin", "lin-password"),
        (_disabled, "lin", "lin-password"),
        (_locked, "lin", "lin-password"),
    ],
)
def test_who_is_not_there_and_whose_password_is_wrong_read_the_same(
    cast: Cast, stub: Directory, twist: Any, name: str, password: str
) -> None:
    twist(stub)
    sign_on, client = way(cast.beiyuan, stub.address), Client()

    answer = type_in(client, sign_on, name, password)

    page = answer.content.decode()
    assert inside(client) is None
    assert not SignOnLink.objects.exists()
    if "\0" not in name:
        assert answer.status_code == 401
        assert "The user name or the password is wrong." in page
        assert len(stub.binds) == 2, "a bind is tried in any case: the time does not tell who is there"


def test_no_password_is_never_asked_about(cast: Cast, stub: Directory) -> None:
    """The stub binds everybody who gives none, as servers may."""
    for more in ({}, {"client": "", "secret": "", "settings": {"user_dn": "uid={name}"}}):
        sign_on, client = way(cast.beiyuan, stub.address, **more), Client()
        assert type_in(client, sign_on, "lin", "").status_code == 200
        assert inside(client) is None
        with pytest.raises(NotProved):
            account_of(sign_on, secret="service", name="lin", password="")
    with pytest.raises(NotAsked):
        account_of(way(cast.beiyuan, stub.address), secret="", name="lin", password="lin-password")
    assert stub.binds == []


def test_a_password_is_sent_nowhere_else_and_not_without_encryption(cast: Cast, stub: Directory) -> None:
    with directory() as other:
        other.anybody = True
        stub.refers = other.address + "/uid=lin"
        for more in ({}, {"client": "", "secret": "", "settings": {"user_dn": "uid={name}"}}):
            client = Client()
            type_in(client, way(cast.beiyuan, stub.address, **more), "lin", "lin-password")
            assert inside(client) is None
        assert other.binds == [], "not where the server sends us"
    stub.refers, stub.binds = "", []
    encrypted = way(cast.beiyuan, stub.address, plain=False)
    assert type_in(Client(), encrypted, "lin", "lin-password").status_code == 401
    assert stub.binds == [], "StartTLS was refused"


def test_an_account_without_an_id_that_stays_and_one_of_nobody_here_stay_out(cast: Cast, stub: Directory) -> None:
    sign_on, client = way(cast.beiyuan, stub.address), Client()
    stub.answers[0][1]["mail"] = [b"mo@qinghe.example"]
    assert "Nobody of this place" in type_in(client, sign_on, "lin", "lin-password").content.decode()
    del stub.answers[0][1]["entryUUID"]
    assert type_in(client, sign_on, "lin", "lin-password").status_code == 401
    assert inside(client) is None


def test_too_many_tries_lock_the_name_of_this_directory_and_a_right_one_elsewhere_frees_nothing(
    cast: Cast, stub: Directory
) -> None:
    ours, theirs = way(cast.beiyuan, stub.address), way(cast.qinghe, stub.address)
    told = [type_in(Client(), ours, "Lin", "wrong", login=f"name-{n}").status_code for n in range(5)]
    assert told[:4] == [401] * 4
    assert told[4] == 429
    assert type_in(Client(), theirs, "lin", "lin-password").status_code == 403, "another directory is not locked"
    locked = Client()
    assert type_in(locked, ours, "lin", "lin-password", login="other").status_code == 429
    assert inside(locked) is None
    by_password = Client()
    by_password.post("/account/login/", {"login": "lin", "password": PASSWORD})
    assert inside(by_password) == cast.lin.pk, "a password of our own is counted apart"


def test_where_it_is_the_only_way_it_lets_in_and_a_password_does_not(cast: Cast, stub: Directory) -> None:
    sign_on = way(cast.beiyuan, stub.address)
    keep_trial(sign_on=sign_on, by=EVERYTHING, now=NOW)
    SignOn.objects.update(only_way=True)
    client, other = Client(), Client()
    type_in(client, sign_on, "lin", "lin-password")
    other.post("/account/login/", {"login": "lin", "password": PASSWORD})
    assert (inside(client), inside(other)) == (cast.lin.pk, None)
    Membership.objects.filter(person=cast.lin).update(until_date=NOW.date())
    gone = Client()
    assert "do not belong" in type_in(gone, sign_on, "lin", "lin-password").content.decode()


def test_a_test_tells_what_came_or_what_was_wrong_to_the_one_who_tests(cast: Cast, stub: Directory) -> None:
    sign_on, ren = way(cast.beiyuan, stub.address), cast.sign_in(cast.ren)
    begin, page = f"/account/with/{sign_on.slug}/?test=1", f"/people/sign-on/{sign_on.pk}"

    ren.post(begin, {"name": "lin", "password": "wrong"})
    assert "LDAPInvalidCredentialsResult" in ren.get(page).content.decode()
    ren.post(begin, {"name": "lin", "password": "lin-password"})

    told = ren.get(page).content.decode()
    assert "would come in as Lin Fang" in told
    assert "lin@beiyuan.example" in told
    assert "lin-password" not in told
    assert inside(ren) == cast.ren.pk
    assert not SignOnLink.objects.exists()
    sign_on.refresh_from_db()
    assert sign_on.tried_at is not None


def test_it_is_set_up_on_its_page_and_its_secret_is_not_shown_again(cast: Cast) -> None:
    ren = cast.sign_in(cast.ren)
    told = {
        "organization": cast.beiyuan.pk,
        "name_en": "Directory",
        "name_zh": "目录",
        "address": "ldaps://ldap.beiyuan.example",
        "client": "cn=uptake",
        "secret": "very-secret",
        "base": "dc=x",
        "email_claim": "mail",
        "listed": "on",
    }
    wrong = ren.post("/people/sign-on/new/ldap", {**told, "filter": "(uid=lin)"}).content.decode()
    assert "holds {name}" in wrong
    assert ren.post("/people/sign-on/new/ldap", told).status_code == 302
    made = SignOn.objects.get()
    page = ren.get(f"/people/sign-on/{made.pk}/change").content.decode()
    assert 'value="dc=x"' in page
    assert "very-secret" not in page
    ren.post(f"/people/sign-on/{made.pk}/change", {**told, "secret": "", "base": "dc=y"})
    made.refresh_from_db()
    assert (made.settings, bool(bytes(made.secret))) == ({"base": "dc=y"}, True)
    assert "Directory" in Client().get("/account/login/").content.decode()


@pytest.mark.once
def test_at_slapd_over_starttls_people_are_found_by_what_they_type_and_by_nothing_else(
    cast: Cast, port: tuple[int, str]
) -> None:
    number, certificate = port
    told = {"client": ADMIN, "secret": SERVICE, "plain": False}
    good = {"base": BASE, "filter": FILTER, "ca": certificate}
    template = {"user_dn": f"uid={{name}},{BASE}", "ca": certificate}
    by_search = way(cast.beiyuan, f"ldap://localhost:{number}", settings=good, **told)
    by_template = way(cast.beiyuan, f"ldap://localhost:{number}", settings=template, **told)

    for sign_on in (by_search, by_template):
        subject, said = account_of(sign_on, secret=SERVICE, name=" LIN ", password="lin-password")
        assert (len(subject), said["mail"]) == (36, ["lin@beiyuan.example"])
        assert account_of(sign_on, secret=SERVICE, name="star*", password="star*-password")[1]["cn"] == ["star*"]
        for name in (
            "l*",
            "*",
            "lin)(uid=*",
            "nobody",
            "lin,dc=x",
            "star",
            "twin-True",
            f"lin,{BASE}",
            "#lin",
            "\\6cin",
        ):
            with pytest.raises(NotProved):
                account_of(sign_on, secret=SERVICE, name=name, password="lin-password")
        with pytest.raises(NotProved):
            account_of(sign_on, secret=SERVICE, name="lin", password="lin-passwor")


@pytest.mark.once
def test_at_slapd_a_server_that_does_not_prove_itself_is_shown_no_password(cast: Cast, port: tuple[int, str]) -> None:
    number, certificate = port
    told = {"client": ADMIN, "secret": SERVICE, "plain": False}
    cases = {
        "nobody signed its certificate": (f"ldap://localhost:{number}", {"base": BASE}),
        "its certificate is of another name": (f"ldap://127.0.0.1:{number}", {"base": BASE, "ca": certificate}),
        "it does not speak TLS there": (f"ldaps://localhost:{number}", {"base": BASE, "ca": certificate}),
        "the machine's own services": ("ldap://169.254.169.254", {"base": BASE}),
    }
    for name, (address, settings) in cases.items():
        sign_on = way(cast.beiyuan, address, settings=settings, **told)
        with pytest.raises(NotAsked):
            account_of(sign_on, secret=SERVICE, name="lin", password="lin-password")
        assert name
    wrong_service = way(cast.beiyuan, f"ldap://localhost:{number}", settings={"base": BASE, "ca": certificate}, **told)
    with pytest.raises(NotAsked):
        account_of(wrong_service, secret="wrong", name="lin", password="lin-password")
