"""A source of people is added, looked at before it does anything, switched on, and confirmed where many would leave."""

from __future__ import annotations

import pytest

from tests.cast import NOW, Cast
from uptake.connectors.people.models import PeopleSource, SaidPerson, Sort
from uptake.connectors.people.snapshot import Department, Snapshot, Somebody
from uptake.connectors.people.take_over import take_over
from uptake.connectors.pull.protocol import SignInRefused
from uptake.directory.models import Membership, Person

HOME = "/people/sources/"
SAID = Snapshot(
    (Department("d", "Assembly"),),
    tuple(Somebody(f"u{n}", f"Worker {n}", f"w{n}@beiyuan.example", "", "", "d") for n in range(5)),
)


@pytest.fixture
def source(cast: Cast) -> PeopleSource:
    return PeopleSource.objects.create(company=cast.beiyuan, sort=Sort.LDAP, name="Works LDAP", created_at=NOW)


def told(monkeypatch: pytest.MonkeyPatch, said: Snapshot | Exception) -> None:
    def ask(source: PeopleSource) -> Snapshot:
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr("uptake.web.pages.people_sources.views.ask", ask)


def test_a_source_of_scim_shows_its_key_once(cast: Cast) -> None:
    browser = cast.sign_in(cast.ren)

    page = browser.post(f"{HOME}new/scim/", {"name": "Okta", "company": "beiyuan"}).content.decode()

    source = PeopleSource.objects.get()
    assert "ups_" in page
    assert "ups_" not in browser.get(f"{HOME}{source.pk}/").content.decode()
    assert "ups_" in browser.post(f"{HOME}{source.pk}/do", {"do": "key"}).content.decode()


def test_a_secret_is_never_shown_again_and_does_not_follow_to_another_address(cast: Cast) -> None:
    browser = cast.sign_in(cast.ren)
    typed = {"name": "LDAP", "company": "beiyuan", "set-address": "ldaps://a.example", "set-base": "dc=a"}
    browser.post(f"{HOME}new/ldap/", {**typed, "set-user": "cn=x", "set-password": "swordfish-77"})
    source = PeopleSource.objects.get()
    kept = bytes(source.secrets)

    pages = [browser.get(f"{HOME}{source.pk}/{end}").content.decode() for end in ("", "change/")]
    browser.post(f"{HOME}{source.pk}/change/", {**typed, "set-user": "cn=x"})
    assert bytes(PeopleSource.objects.get().secrets) != b""
    browser.post(f"{HOME}{source.pk}/change/", {**typed, "set-user": "cn=x", "set-address": "ldaps://evil.example"})

    assert not any("swordfish-77" in page for page in pages)
    assert b"swordfish-77" not in kept
    assert bytes(PeopleSource.objects.get().secrets) == b""


def test_the_preview_shows_what_would_happen_and_changes_nothing(
    cast: Cast, source: PeopleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, SAID)
    before = Person.objects.count()

    page = cast.sign_in(cast.hua).post(f"{HOME}{source.pk}/do", {"do": "preview"}).content.decode()

    assert "Worker 4" in page
    assert "Assembly" in page
    assert Person.objects.count() == before


def test_a_preview_that_fails_says_why(cast: Cast, source: PeopleSource, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, SignInRefused("49 invalidCredentials"))

    page = cast.sign_in(cast.hua).post(f"{HOME}{source.pk}/do", {"do": "preview"}).content.decode()

    assert "The system refuses the user name, password or key." in page


def test_many_who_would_leave_are_named_and_confirmed(
    cast: Cast, source: PeopleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over(source=source, said=SAID, now=NOW)
    fewer = Snapshot(SAID.departments, SAID.people[:2])
    assert take_over(source=source, said=fewer, now=NOW).outcome == "held"
    told(monkeypatch, fewer)
    browser = cast.sign_in(cast.hua)

    page = browser.post(f"{HOME}{source.pk}/do", {"do": "preview"}).content.decode()
    assert "Let 3 people leave" in page
    browser.post(f"{HOME}{source.pk}/do", {"do": "confirm", "key": ["u2", "u3", "u4"]})

    source.refresh_from_db()
    assert take_over(source=source, said=fewer, now=NOW).outcome == "done"
    assert SaidPerson.objects.filter(belongs=True).count() == 2
    assert Membership.objects.filter(organization__name="Assembly", until_date__isnull=True).count() == 2


MAY: list[tuple[str, str, dict[str, str], int]] = [
    ("hua", "do", {"do": "pause"}, 302),
    ("hua", "do", {"do": "resume"}, 302),
    ("hua", "change/", {"name": "x"}, 403),
    ("ren", "change/", {"name": "x"}, 422),
    ("mo", "do", {"do": "pause"}, 404),
    ("mo", "", {}, 404),
    ("lin", "", {}, 403),
    ("wei", "", {}, 403),
]


@pytest.mark.parametrize(("who", "end", "said", "status"), MAY)
def test_who_manages_people_steers_it_and_who_manages_data_sets_it_up(
    cast: Cast, source: PeopleSource, who: str, end: str, said: dict[str, str], status: int
) -> None:
    browser = cast.sign_in(cast.people()[who])
    address = f"{HOME}{source.pk}/{end}"

    answer = browser.post(address, said) if said else browser.get(address)

    assert answer.status_code == status


def test_a_manager_cannot_add_a_source(cast: Cast) -> None:
    answer = cast.sign_in(cast.hua).post(f"{HOME}new/scim/", {"name": "Okta", "company": "beiyuan"})

    assert answer.status_code == 403
    assert not PeopleSource.objects.exists()
