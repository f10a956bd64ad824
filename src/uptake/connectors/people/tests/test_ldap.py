"""LDAP is read whole from a real slapd: pages, units, locked accounts; and what entries of Active Directory mean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slapd import ADMIN, BASE, PASSWORD
from tests.slapd import slapd as private_slapd
from uptake.connectors.people import ldap
from uptake.connectors.pull.protocol import NeedsAttention, Problem, SignInRefused, Unfit, Unreachable

pytestmark = pytest.mark.once


def _entries() -> str:
    lines = []
    for name, above in (("Works", ""), ("Line 1", "ou=Works,"), ("people", "")):
        lines.append(f"dn: ou={name},{above}{BASE}\nobjectClass: organizationalUnit\nou: {name}\n")
    people = [("lin", "ou=Line 1,ou=Works"), ("hua", "ou=Works"), *((f"p{n}", "ou=Works") for n in range(60))]
    for name, unit in people:
        lines.append(
            f"dn: uid={name},{unit},{BASE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
            f"displayName: Person {name}\nmail: {name}@beiyuan.example\nemployeeNumber: N-{name}\ntelephoneNumber: 1\n"
            f"manager: uid=hua,ou=Works,{BASE}\n"
        )
    return "\n".join(lines)


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a private slapd with 62 people."""
    with private_slapd(tmp_path_factory.mktemp("slapd"), _entries()) as port:
        yield f"ldap://127.0.0.1:{port}"


def settings(address: str, **more: str) -> dict[str, str]:
    return {"address": address, "base": BASE, "user": ADMIN, "unencrypted": "yes", **more}


def test_everybody_comes_over_pages_with_the_units_they_are_in(slapd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldap, "PAGE", 25)

    said = ldap.ldap(settings(slapd), {"password": PASSWORD})

    places = {one.name: one for one in said.departments}
    assert places["Line 1"].parent_key == places["Works"].key
    assert len(said.people) == 62
    people = {one.name: one for one in said.people}
    lin, hua = people["Person lin"], people["Person hua"]
    assert (lin.email, lin.staff_number, lin.place_key) == ("lin@beiyuan.example", "N-lin", places["Line 1"].key)
    assert lin.manager_key == hua.key
    assert len(lin.key) == 36


REFUSED: list[tuple[dict[str, str], str, type[Problem], str]] = [
    ({}, "wrong", SignInRefused, "sign_in_refused"),
    ({}, "", SignInRefused, "sign_in_refused"),  # an empty password would be anonymous, and succeed
    ({"base": "dc=nowhere"}, PASSWORD, Unfit, "not_found"),
    ({"unencrypted": ""}, PASSWORD, NeedsAttention, "no_tls"),
    ({"address": "http://127.0.0.1"}, PASSWORD, Unfit, "address"),
    ({"address": "ldap://127.0.0.1:9"}, PASSWORD, Unreachable, "unreachable"),
]


@pytest.mark.parametrize(("more", "password", "kind", "code"), REFUSED)
def test_refusals_are_told_apart(
    slapd: str, more: dict[str, str], password: str, kind: type[Problem], code: str
) -> None:
    with pytest.raises(kind) as caught:
        ldap.ldap({**settings(slapd), **more}, {"password": password})

    assert caught.value.code == code


OFF = [
    ({"userAccountControl": [b"514"]}, False),
    ({"userAccountControl": [b"512"]}, True),
    ({"pwdAccountLockedTime": [b"000001010000Z"]}, False),
    ({"nsAccountLock": [b"TRUE"]}, False),
    ({}, True),
]


@pytest.mark.parametrize(("more", "active"), OFF)
def test_entries_of_active_directory(more: dict[str, list[bytes]], active: bool) -> None:
    entry = {
        "dn": f"CN=Bo Li,CN=Users,{BASE}", "objectGUID": [bytes(range(16))], "cn": [b"Bo Li"],
        "department": ["装配".encode()], "employeeID": [b"B7"], "mail": [b"bo@beiyuan.example"], **more,
    }  # fmt: skip

    said = ldap.read(BASE, [], [entry])

    assert [one.name for one in said.departments] == ["装配"]
    (bo,) = said.people
    assert (bo.name, bo.staff_number, bo.active) == ("Bo Li", "B7", active)
    assert bo.place_key == said.departments[0].key
    assert bo.key == bytes(range(16)).hex()
