"""Setting up a way in: who may, what is refused, what a change takes back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.directory.sign_on.models import Protocol, SignOn, SignOnLink
from uptake.directory.sign_on.proper import Improper, NotAnAddress, NotEncrypted
from uptake.directory.sign_on.set_up import (
    DomainsNeeded,
    NoClaim,
    NoPeopleHere,
    NotADomain,
    NotTried,
    Setup,
    change,
    demand,
    keep_trial,
    secret_of,
    set_up,
)

pytestmark = pytest.mark.django_db


def setup(**more: Any) -> Setup:
    told = {"name_en": "Own", "name_zh": "自有", "address": "https://id.example", "client": "c", "secret": "s3cret"}
    return Setup(**{**told, "email_claim": "email", **more})


def made(cast: Cast, **more: Any) -> SignOn:
    return set_up(protocol=Protocol.OIDC, organization=cast.beiyuan, setup=setup(**more), by=EVERYTHING, now=NOW)


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"address": "http://id.example"}, NotEncrypted),
        ({"address": "ftp://id.example"}, NotAnAddress),
        ({"address": "https://user@id.example"}, NotAnAddress),
        ({"address": "https://id.example?x=1"}, NotAnAddress),
        ({"address": ""}, NotAnAddress),
        ({"domains": ["no domain"]}, NotADomain),
        ({"email_claim": ""}, NoClaim),
        ({"makes_people": True}, DomainsNeeded),
    ],
)
def test_what_could_not_work_is_refused(cast: Cast, more: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        made(cast, **more)
    assert not SignOn.objects.exists()


LDAP = {
    "address": "ldaps://ldap.example",
    "client": "cn=uptake,dc=x",
    "settings": {"base": "dc=x"},
}


@pytest.mark.parametrize(
    ("protocol", "more", "refusal"),
    [
        (Protocol.LDAP, {"address": "https://ldap.example"}, NotAnAddress),
        (Protocol.LDAP, {"address": "ldap://ldap.example/dc=x"}, NotAnAddress),
        (Protocol.LDAP, {"client": ""}, Improper),
        (Protocol.LDAP, {"secret": ""}, Improper),
        (Protocol.LDAP, {"settings": {}}, Improper),
        (Protocol.LDAP, {"settings": {"base": "dc=x", "filter": "(uid=lin)"}}, Improper),
        (Protocol.LDAP, {"settings": {"base": "dc=x", "filter": "uid={name}"}}, Improper),
        (Protocol.LDAP, {"settings": {"user_dn": "uid=lin,dc=x"}}, Improper),
        (Protocol.LDAP, {"settings": {"base": "dc=x", "ca": "no certificate"}}, Improper),
        (Protocol.SAML, {"address": "https://idp.example/sso", "settings": {}}, Improper),
        (Protocol.WECOM, {"address": "https://qy.example", "settings": {"agent": "x"}}, Improper),
        (Protocol.FEISHU, {"address": "https://fs.example", "secret": "", "settings": {}}, Improper),
    ],
)
def test_what_another_protocol_needs_is_asked_for(
    cast: Cast, protocol: Protocol, more: dict[str, Any], refusal: type[Exception]
) -> None:
    told = setup(**{**LDAP, **more})
    with pytest.raises(refusal):
        set_up(protocol=protocol, organization=cast.beiyuan, setup=told, by=EVERYTHING, now=NOW)


def test_at_a_park_nobody_is_added(cast: Cast) -> None:
    told = setup(makes_people=True, domains=["park.example"])
    with pytest.raises(NoPeopleHere):
        set_up(protocol=Protocol.OIDC, organization=cast.park, setup=told, by=EVERYTHING, now=NOW)


@pytest.mark.parametrize(
    ("who", "administrators", "may"),
    [("ren", False, True), ("an", True, True), ("ren", True, False), ("hua", False, False), ("wei", False, False)],
)
def test_operators_set_it_up_and_only_administrators_for_administrators(
    cast: Cast, who: str, administrators: bool, may: bool
) -> None:
    by, told = cast.viewer(cast.people()[who], TODAY), setup(for_administrators=administrators)
    if may:
        set_up(protocol=Protocol.OIDC, organization=cast.beiyuan, setup=told, by=by, now=NOW)
    else:
        with pytest.raises(NotAllowed):
            set_up(protocol=Protocol.OIDC, organization=cast.beiyuan, setup=told, by=by, now=NOW)
    if may and administrators:
        ren = cast.viewer(cast.ren, TODAY)
        with pytest.raises(NotAllowed):
            change(sign_on=SignOn.objects.get(), setup=setup(), by=ren, now=NOW)


def test_another_address_forgets_who_came_in_and_needs_a_new_test_and_the_secret_is_sealed(cast: Cast) -> None:
    way = made(cast)
    assert b"s3cret" not in bytes(way.secret)
    assert secret_of(way) == "s3cret"
    with pytest.raises(NotTried):
        demand(sign_on=way, only_way=True, by=EVERYTHING, now=NOW)
    keep_trial(sign_on=way, by=EVERYTHING, now=NOW)
    demand(sign_on=way, only_way=True, by=EVERYTHING, now=NOW)
    SignOnLink.objects.create(sign_on=way, subject="1", user=cast.login(cast.lin), made_at=NOW, last_at=NOW)

    renamed = change(sign_on=way, setup=setup(name_en="Other", secret=""), by=EVERYTHING, now=NOW)
    assert (renamed.only_way, renamed.links.count(), secret_of(renamed)) == (True, 1, "s3cret")
    moved = change(sign_on=way, setup=setup(address="https://new.example", secret=""), by=EVERYTHING, now=NOW)
    assert (moved.only_way, moved.tried_at, moved.links.count()) == (False, None, 0)
