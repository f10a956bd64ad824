"""An identity provider keeps the people of its company by SCIM 2.0, and of no other."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client

from tests.cast import NOW, Cast
from uptake.connectors.people.change_source import add_source, confirm, new_key, pause
from uptake.connectors.people.keep_scim import let_leave
from uptake.connectors.people.models import PeopleSource, SaidPerson, Sort
from uptake.connectors.people.scim import ENTERPRISE, PATCH, USER
from uptake.directory.models import Membership, Organization, Person
from uptake.directory.scope import EVERYTHING

BO = {
    "schemas": [USER, ENTERPRISE],
    "userName": "bo@beiyuan.example",
    "externalId": "00u1",
    "name": {"familyName": "Li", "givenName": "Bo"},
    "emails": [{"value": "bo@beiyuan.example", "type": "work", "primary": True}],
    "phoneNumbers": [{"value": "+86 139 0000 0000"}],
    "password": "never kept",
    "active": True,
    ENTERPRISE: {"employeeNumber": "B100", "department": "Assembly"},
}


class Provider:
    """An identity provider with a key."""

    def __init__(self, company: Organization, **settings: str) -> None:
        self.source, self.key = add_source(
            company=company, sort=Sort.SCIM, name="Okta", settings=settings, secrets={}, by=EVERYTHING, now=NOW
        )
        self.client = Client()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        answer = self.raw(method, path, body, **headers)
        return answer.status_code, orjson.loads(answer.content) if answer.content else None

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            f"/scim/v2/{path}",
            b"" if body is None else orjson.dumps(body),
            content_type="application/scim+json",
            headers={"Authorization": f"Bearer {self.key}", **headers},
        )

    def patch(self, key: str, *operations: dict[str, Any], at: str = "Users") -> tuple[int, Any]:
        return self.ask("PATCH", f"{at}/{key}", {"schemas": [PATCH], "Operations": list(operations)})


@pytest.fixture
def okta(cast: Cast) -> Provider:
    return Provider(cast.beiyuan)


def test_a_user_is_a_person_who_belongs_to_the_company(cast: Cast, okta: Provider) -> None:
    status, made = okta.ask("POST", "Users", BO)

    assert status == 201
    assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    assert "password" not in made
    assert "phoneNumbers" not in made
    person = Person.objects.get(email="bo@beiyuan.example")
    assert (person.name, person.staff_number) == ("Bo Li", "B100")
    assert Membership.objects.get(person=person).organization.name == "Assembly"
    assert "never kept" not in str(list(SaidPerson.objects.values()))


def test_who_is_known_by_e_mail_is_found_and_not_made_again(cast: Cast, okta: Provider) -> None:
    before = Person.objects.count()

    okta.ask("POST", "Users", {"userName": "lin@beiyuan.example", "displayName": "Lin Fang"})

    assert Person.objects.count() == before
    assert SaidPerson.objects.get().person_id == cast.lin.pk


ENTRA_OFF = {"op": "Replace", "path": "active", "value": "False"}
OKTA_OFF = {"op": "replace", "value": {"active": False}}


@pytest.mark.parametrize("off", [ENTRA_OFF, OKTA_OFF, "DELETE"], ids=["entra", "okta", "delete"])
def test_who_is_switched_off_leaves_and_stays_known(cast: Cast, okta: Provider, off: Any) -> None:
    key = okta.ask("POST", "Users", {"userName": "lin@beiyuan.example", "displayName": "Lin Fang"})[1]["id"]

    status = okta.ask("DELETE", f"Users/{key}")[0] if off == "DELETE" else okta.patch(key, off)[0]

    assert status == (204 if off == "DELETE" else 200)
    assert not Membership.objects.filter(person=cast.lin, until_date__isnull=True).exists()
    assert not cast.login(cast.lin).is_active
    assert Person.objects.filter(pk=cast.lin.pk).exists()
    again = {"userName": "lin@beiyuan.example", "displayName": "Lin Fang", "active": True}
    status, back = okta.ask("POST", "Users", again) if off == "DELETE" else okta.ask("PUT", f"Users/{key}", again)
    assert status in (200, 201)
    assert Membership.objects.filter(person=cast.lin, until_date__isnull=True).exists()
    assert cast.login(cast.lin).is_active
    assert back["active"] is True


QUIRKS: list[tuple[dict[str, Any], str, Any]] = [
    (
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": "new@beiyuan.example"},
        "email",
        "new@beiyuan.example",
    ),
    ({"op": "replace", "value": {"name.familyName": "Lí", "displayName": "Bo Lí"}}, "name", "Bo Lí"),
    ({"op": "replace", "value": {f"{ENTERPRISE}:employeeNumber": "B7"}}, "staff_number", "B7"),
    ({"op": "Replace", "path": f"{ENTERPRISE}:manager", "value": "abc"}, "manager_key", "abc"),
    ({"op": "add", "path": f"{ENTERPRISE}:manager.value", "value": "abc"}, "manager_key", "abc"),
    ({"op": "replace", "path": ENTERPRISE, "value": {"employeeNumber": "B8"}}, "staff_number", "B8"),
    ({"op": "replace", "path": "TITLE", "value": "fitter"}, "work", "fitter"),
    ({"op": "add", "path": "roles", "value": [{"value": "x"}]}, "work", ""),
]


@pytest.mark.parametrize(("operation", "column", "value"), QUIRKS)
def test_patches_as_entra_and_okta_send_them(
    cast: Cast, okta: Provider, operation: dict[str, Any], column: str, value: Any
) -> None:
    key = okta.ask("POST", "Users", BO)[1]["id"]

    status, _said = okta.patch(key, operation)

    assert status == 200
    assert getattr(SaidPerson.objects.get(key=key), column) == value


REFUSALS: list[tuple[str, str, Any, int, str]] = [
    ("POST", "Users", {"displayName": "x"}, 400, "invalidValue"),
    ("POST", "Users", {"userName": "BO@beiyuan.example"}, 409, "uniqueness"),
    ("POST", "Users", {"userName": "y", "active": "maybe"}, 400, "invalidValue"),
    ("POST", "Users", {"userName": "y", "emails": "x" * 2000}, 400, "invalidValue"),
    ("POST", "Users", [], 400, "invalidSyntax"),
    ("GET", "Users?filter=userName%20eq", None, 400, "invalidFilter"),
    ("GET", "Users?filter=%28%28userName%20eq%20%22x%22", None, 400, "invalidFilter"),
    ("GET", "Users?filter=userName%20like%20%22x%22", None, 400, "invalidFilter"),
    ("GET", "Users?count=many", None, 400, "invalidValue"),
    ("GET", "Users/unknown", None, 404, ""),
    ("GET", "Rooms", None, 404, ""),
    ("GET", "Me", None, 501, ""),
    ("POST", "Schemas", {}, 405, ""),
    ("POST", "Groups", {"displayName": "G", "members": [{"value": "nobody"}]}, 400, "invalidValue"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "kind"), REFUSALS)
def test_refusals_are_told_as_the_standard_says(
    cast: Cast, okta: Provider, method: str, path: str, body: Any, status: int, kind: str
) -> None:
    okta.ask("POST", "Users", BO)

    answer = okta.raw(method, path, body)

    said = orjson.loads(answer.content)
    assert (answer.status_code, said["status"], said.get("scimType", "")) == (status, str(status), kind)
    assert answer["Content-Type"] == "application/scim+json"


FOUND = [
    ('userName eq "BO@BEIYUAN.example"', 1),
    ('userName eq "nobody"', 0),
    ('externalId eq "00u1" and active eq true', 1),
    ('externalId eq "00U1"', 0),
    ('emails[type eq "work" and value co "bo@"]', 1),
    ('emails[type eq "home"].value eq "bo@beiyuan.example"', 0),
    ('not (userName sw "bo") or title pr', 0),
    (f'{ENTERPRISE}:employeeNumber eq "B100"', 1),
    ('meta.lastModified gt "2020-01-01T00:00:00Z"', 1),
]


@pytest.mark.parametrize(("text", "count"), FOUND)
def test_filters_find_what_they_say(cast: Cast, okta: Provider, text: str, count: int) -> None:
    okta.ask("POST", "Users", BO)

    answer = okta.client.get("/scim/v2/Users", {"filter": text}, headers={"Authorization": f"Bearer {okta.key}"})

    assert orjson.loads(answer.content)["totalResults"] == count


def test_lists_come_in_pages_and_with_the_attributes_asked_for(cast: Cast, okta: Provider) -> None:
    for number in range(5):
        okta.ask("POST", "Users", {"userName": f"u{number}", "displayName": f"User {number}"})

    _status, page = okta.ask("GET", "Users?startIndex=3&count=2&attributes=userName")

    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 3, 2)
    assert [set(one) for one in page["Resources"]] == [{"schemas", "id", "userName"}] * 2
    assert [one["userName"] for one in page["Resources"]] == ["u2", "u3"]


def test_a_version_that_is_old_changes_nothing(cast: Cast, okta: Provider) -> None:
    made = okta.ask("POST", "Users", BO)[1]
    address, tag = f"Users/{made['id']}", made["meta"]["version"]

    assert okta.raw("GET", address, **{"If-None-Match": tag}).status_code == 304
    assert okta.ask("PUT", address, {**BO, "title": "fitter"}, **{"If-Match": tag})[0] == 200
    assert okta.ask("PUT", address, {**BO, "title": "turner"}, **{"If-Match": tag})[0] == 412
    assert SaidPerson.objects.get().work == "fitter"


def test_groups_are_departments_where_the_source_says_so(cast: Cast) -> None:
    entra = Provider(cast.beiyuan, groups_are_departments="yes")
    key = entra.ask("POST", "Users", {"userName": "lin@beiyuan.example", "displayName": "Lin Fang"})[1]["id"]

    group = entra.ask("POST", "Groups", {"displayName": "Assembly", "members": [{"value": key}]})[1]

    assert [one["value"] for one in group["members"]] == [key]
    places = Membership.objects.filter(person=cast.lin, until_date__isnull=True)
    assert places.get().organization.name == "Assembly"
    gone = entra.patch(group["id"], {"op": "Remove", "path": "members", "value": [{"value": key}]}, at="Groups")
    assert "members" not in gone[1]


def test_many_who_are_switched_off_wait_for_a_person(cast: Cast, okta: Provider) -> None:
    keys = [
        okta.ask("POST", "Users", {"userName": f"u{n}@beiyuan.example", "displayName": f"U {n}"})[1]["id"]
        for n in range(5)
    ]

    for key in keys[:4]:
        assert okta.patch(key, OKTA_OFF)[0] == 200

    assert SaidPerson.objects.filter(belongs=True).count() == 4  # the first left; then it was more than a fifth
    source = PeopleSource.objects.get()
    assert source.attention is not None
    assert source.attention["code"] == "too_many_leave"
    waiting = SaidPerson.objects.filter(active=False, belongs=True).values_list("key", flat=True)
    confirm(source=source, keys=list(waiting), by=EVERYTHING, now=NOW)
    let_leave(source=source, now=NOW)
    assert SaidPerson.objects.filter(belongs=True).count() == 1


def test_a_key_opens_its_own_company_and_nothing_after_it_was_replaced_or_paused(cast: Cast, okta: Provider) -> None:
    other = Provider(cast.qinghe)
    key = okta.ask("POST", "Users", BO)[1]["id"]

    assert other.ask("GET", f"Users/{key}")[0] == 404
    assert other.ask("DELETE", f"Users/{key}")[0] == 404
    assert other.ask("GET", "Users")[1]["totalResults"] == 0
    assert not Membership.objects.filter(person__email="bo@beiyuan.example", organization__company=cast.qinghe).exists()
    for wrong in ("", "ups_000000000000_" + "x" * 43, other.key[:-1] + "_"):
        answer = okta.client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401
    old, okta.key = okta.key, new_key(source=okta.source, by=EVERYTHING, now=NOW)
    assert okta.client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {old}"}).status_code == 401
    assert okta.ask("GET", "Users")[0] == 200
    pause(source=okta.source, by=EVERYTHING, now=NOW)
    assert okta.ask("GET", "Users")[0] == 401


@pytest.mark.once
def test_the_validator_of_others_finds_nothing_wrong(cast: Cast, okta: Provider) -> None:
    scim2_client = pytest.importorskip("scim2_client.engines.wsgi", reason="scim2-tester is not installed")
    scim2_tester = pytest.importorskip("scim2_tester")
    client = scim2_client.WSGISCIMClient(
        get_wsgi_application(),
        base_url="http://testserver/scim/v2",
        headers={"Authorization": f"Bearer {okta.key}"},
    )

    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # as Django's own test client does
    try:
        results = scim2_tester.check_server(client, include_tags={"discovery", "crud"}, resource_types=["User"])
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)

    wrong = [one for one in results if one.status not in (scim2_tester.Status.SUCCESS, scim2_tester.Status.SKIPPED)]
    assert not wrong, "\n".join(f"{one.title}: {one.reason}" for one in wrong)
    assert len(results) > 20
