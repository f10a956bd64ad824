"""Signing in with SAML: who comes in as whom, and what proves nothing. Assertions are signed here, by xmlsec."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.cast import NOW, Cast
from uptake.directory.models import Organization, User
from uptake.directory.scope import EVERYTHING
from uptake.directory.sign_on.models import Protocol, SignOn, SignOnLink
from uptake.directory.sign_on.set_up import Setup, set_up
from uptake.web.pages.sign_on import saml

if saml.missing():
    pytest.skip(f"SAML is not installed: {saml.missing()}", allow_module_level=True)

from uptake.web.pages.sign_on.tests.identity_provider import (  # after the skip, as it needs the extra too
    KEYS,
    SSO,
    A,
    asked,
    assertion,
    coded,
    etree,
    metadata,
    response,
    sign,
)

pytestmark = pytest.mark.django_db
Question = dict[str, str]


def way(place: Organization, *, key: str = "own", entity: str = "https://idp.example", **more: Any) -> SignOn:
    """A way in by the system of the tests for the people of a place."""
    settings = {"certificates": KEYS[key][1], **more.pop("settings", {})}
    told = {"name_en": "Own", "name_zh": "自有", "address": SSO, "client": entity, "email_claim": "mail", **more}
    setup = Setup(**told, settings=settings)
    return set_up(protocol=Protocol.SAML, organization=place, setup=setup, by=EVERYTHING, now=NOW)


def ask(client: Client, sign_on: SignOn, **more: str) -> Question:
    away = client.get(f"/account/with/{sign_on.slug}/", more)
    assert away.status_code == 302, away.content
    assert away["Location"].startswith(f"{SSO}?SAMLRequest=")
    return asked(away["Location"])


def answer(client: Client, sign_on: SignOn, raw: str, *, relay: str = "") -> Any:
    """What the browser does with a response: posted without cookies, then on with them; the last answer."""
    posted = Client(enforce_csrf_checks=True).post(
        f"/account/with/{sign_on.slug}/consume/", {"SAMLResponse": raw, "RelayState": relay}
    )
    assert posted.status_code == 303
    return client.get(posted["Location"])


def good(question: Question, **wrong: Any) -> str:
    return coded(response(question, sign(assertion(question, **wrong))))


def inside(client: Client) -> int | None:
    user = client.session.get("_auth_user_id")
    return User.objects.get(pk=user).person_id if user else None


def test_who_is_proved_comes_in_and_goes_where_they_wanted_and_is_known_by_their_name_there(cast: Cast) -> None:
    sign_on, client = way(cast.beiyuan), Client()

    told = answer(client, sign_on, good(ask(client, sign_on, next="/points/")))

    assert (told.status_code, told["Location"], inside(client)) == (302, "/points/", cast.lin.pk)
    assert SignOnLink.objects.get().subject == "lin-1"
    again = Client()
    question = ask(again, sign_on, next="//evil.example/")
    both = sign(response(question, sign(assertion(question, said={"mail": "new@elsewhere.example"}))))
    assert answer(again, sign_on, coded(both))["Location"] == "/"
    assert inside(again) == cast.lin.pk, "known by the NameID; the response may be signed too"


def _sign_response_only(question: Question) -> str:
    return coded(sign(response(question, assertion(question))))


def _tampered(question: Question) -> str:
    return coded(response(question, _changed(sign(assertion(question, said={"mail": "hua@beiyuan.example"})))))


def _changed(node: Any) -> Any:
    node.find(f".//{{{A}}}AttributeValue").text = "lin@beiyuan.example"
    return node


def _wrapped(question: Question, *, place: str) -> str:
    """A signed assertion of Hua is carried along, and one of Lin that nobody signed stands where it is read."""
    true = sign(assertion(question, said={"mail": "hua@beiyuan.example"}, name="hua-1"))
    false = assertion(question)
    if place == "before":
        return coded(response(question, false, true))
    if place == "after":
        return coded(response(question, true, false))
    if place == "same id":
        false.set("ID", true.get("ID"))
        return coded(response(question, false, true))
    signature = true.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    true.remove(signature)
    if place == "inside the signature":
        false.set("ID", true.get("ID"))
        holder = etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object")
        holder.append(true)
    elif place == "in an extension":
        root = response(question, false)
        extensions = etree.Element("{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
        extensions.append(true)
        root.insert(1, extensions)
        false.insert(1, signature)
        return coded(root)
    false.insert(1, signature)
    return coded(response(question, false))


def _doctype(question: Question) -> str:
    root = response(question, sign(assertion(question)))
    text = b'<!DOCTYPE x [<!ENTITY e "lin">]>' + etree.tostring(root)
    return base64.b64encode(text).decode()


def _not_success(question: Question) -> str:
    root = response(question, sign(assertion(question)))
    code = root.find(".//{urn:oasis:names:tc:SAML:2.0:protocol}StatusCode")
    code.set("Value", "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed")
    return coded(root)


WRONG: dict[str, Callable[[Question], str]] = {
    "unsigned": lambda q: coded(response(q, assertion(q))),
    "only the response is signed": _sign_response_only,
    "another key": lambda q: coded(response(q, sign(assertion(q), key="other"))),
    "sha-1": lambda q: coded(response(q, sign(assertion(q), sha1=True))),
    "changed after it was signed": _tampered,
    "wrapped before": lambda q: _wrapped(q, place="before"),
    "wrapped after": lambda q: _wrapped(q, place="after"),
    "wrapped with the same id": lambda q: _wrapped(q, place="same id"),
    "wrapped inside the signature": lambda q: _wrapped(q, place="inside the signature"),
    "wrapped in an extension": lambda q: _wrapped(q, place="in an extension"),
    "wrapped, its signature moved": lambda q: _wrapped(q, place="moved"),
    "expired": lambda q: good(q, shift=-3600),
    "not yet": lambda q: good(q, shift=3600),
    "says not until when": lambda q: good(q, confirm={"NotOnOrAfter": None}),
    "another audience": lambda q: good(q, audience="https://other.example"),
    "no audience": lambda q: good(q, audience=""),
    "another recipient": lambda q: good(q, confirm={"Recipient": "https://other.example/consume/"}),
    "a recipient that begins alike": lambda q: good(q, confirm={"Recipient": q["acs"] + "x"}),
    "no recipient": lambda q: good(q, confirm={"Recipient": None}),
    "another destination": lambda q: coded(response(q, sign(assertion(q)), Destination="https://other.example")),
    "not a bearer's": lambda q: good(q, method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
    "another issuer": lambda q: good(q, issuer="https://other.example"),
    "another question": lambda q: good({**q, "id": "_of-somebody-else"}),
    "another question inside": lambda q: good(q, confirm={"InResponseTo": "_of-somebody-else"}),
    "no question": lambda q: coded(response(q, sign(assertion(q, confirm={"InResponseTo": None})), InResponseTo=None)),
    "a question around, none inside": lambda q: good(q, confirm={"InResponseTo": None}),
    "a name for once": lambda q: good(q, format=saml.TRANSIENT),
    "nobody": lambda q: good(q, name=""),
    "a document type": _doctype,
    "no success": _not_success,
    "no XML": lambda _q: "bm8geG1s",
    "nothing": lambda _q: "",
    "no base64": lambda _q: "%%%",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_proves_nothing_lets_nobody_in(cast: Cast, wrong: str) -> None:
    sign_on, client = way(cast.beiyuan), Client()

    told = answer(client, sign_on, WRONG[wrong](ask(client, sign_on)))

    assert told.status_code == 401, wrong
    assert "could not show us" in told.content.decode()
    assert inside(client) is None
    assert not SignOnLink.objects.exists()


def _comment(question: Question, *, place: str, within: str, said: dict[str, str], name: str) -> str:
    """A signed assertion with a comment put behind `within` afterwards: canonical XML has none, so the seal holds."""
    root = response(question, sign(assertion(question, said=said, name=name)))
    node = root.find(f".//{{{A}}}{place}")
    whole, comment = node.text, etree.Comment("x")
    node.text, comment.tail = within, whole.removeprefix(within)
    node.append(comment)
    return coded(root)


@pytest.mark.parametrize("claim", ["mail", "NameID"])
def test_a_comment_in_a_name_does_not_shorten_it(cast: Cast, claim: str) -> None:
    """Who may call themselves `lin@beiyuan.example.evil.example` there must not be read as Lin (CVE-2017-11427)."""
    sign_on, client, long = way(cast.beiyuan, email_claim=claim), Client(), "lin@beiyuan.example.evil.example"
    question = ask(client, sign_on)
    place, said, name = ("AttributeValue", {"mail": long}, "x") if claim == "mail" else ("NameID", {"mail": "x"}, long)

    told = answer(client, sign_on, _comment(question, place=place, within="lin@beiyuan.example", said=said, name=name))

    assert told.status_code == 403, "the seal holds, and the whole name counts"
    assert "Nobody of this place" in told.content.decode()
    assert inside(client) is None


def test_a_response_counts_once_in_the_browser_that_asked(cast: Cast) -> None:
    sign_on, client = way(cast.beiyuan), Client()
    raw = good(ask(client, sign_on))
    thief = Client()
    ask(thief, sign_on)
    assert answer(thief, sign_on, raw).status_code == 401
    posted = Client().post(f"/account/with/{sign_on.slug}/consume/", {"SAMLResponse": raw})
    assert client.get(posted["Location"]).status_code == 302
    assert inside(client) == cast.lin.pk
    other = Client()
    assert other.get(posted["Location"]).status_code == 401, "the same address again"
    assert answer(client, sign_on, raw).status_code == 401, "the same response again"
    assert answer(other, sign_on, raw).status_code == 401


def test_another_companys_system_speaks_of_its_own_people_only(cast: Cast) -> None:
    """The same browser asked both; the other company's system answers in the name of ours, and ours of its people."""
    ours, client = way(cast.beiyuan), Client()
    theirs = way(cast.qinghe, key="other", entity="https://other.example")
    same = way(cast.qinghe)
    question = ask(client, ours)
    forged = coded(response(question, sign(assertion(question), key="other")))
    assert answer(client, ours, forged).status_code == 401
    assert answer(client, theirs, good(question)).status_code == 401
    assert answer(client, same, good(question)).status_code == 401, "the same system, asked for another way in"
    at_theirs = ask(client, theirs)
    about_lin = coded(response(at_theirs, sign(assertion(at_theirs, issuer="https://other.example"), key="other")))
    root = etree.fromstring(base64.b64decode(about_lin))
    root.find(f"{{{A}}}Issuer").text = "https://other.example"
    told = answer(client, theirs, coded(root))
    assert told.status_code == 403
    assert "Nobody of this place" in told.content.decode()
    assert inside(client) is None


def test_unasked_people_are_let_in_once_where_that_was_chosen(cast: Cast) -> None:
    sign_on, client = way(cast.beiyuan, settings={"unasked": "yes"}), Client()
    question = ask(Client(), sign_on)
    unasked = response(question, sign(assertion(question, confirm={"InResponseTo": None})), InResponseTo=None)

    told = answer(client, sign_on, coded(unasked), relay="/points/")

    assert (told["Location"], inside(client)) == ("/points/", cast.lin.pk)
    again = Client()
    assert answer(again, sign_on, coded(copy.deepcopy(unasked))).status_code == 401
    assert answer(again, sign_on, good(question)).status_code == 401, "an answer to another browser's question"
    assert inside(again) is None


def test_a_test_tells_what_came_or_what_was_wrong_to_the_one_who_tests(cast: Cast) -> None:
    sign_on, ren = way(cast.beiyuan), cast.sign_in(cast.ren)
    page = f"/people/sign-on/{sign_on.pk}"

    answer(ren, sign_on, good(ask(ren, sign_on, test="1"), audience="https://other.example"))
    assert "is not a valid audience" in ren.get(page).content.decode()
    answer(ren, sign_on, good(ask(ren, sign_on, test="1")))

    told = ren.get(page).content.decode()
    assert "would come in as Lin Fang" in told
    assert inside(ren) == cast.ren.pk
    sign_on.refresh_from_db()
    assert sign_on.tried_at is not None
    assert not SignOnLink.objects.exists()


def test_it_is_set_up_by_metadata_and_tells_ours(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ren = cast.sign_in(cast.ren)
    told = {"organization": cast.beiyuan.pk, "name_en": "Own", "name_zh": "自有", "email_claim": "NameID"}
    two = f"<x xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>{metadata()}{metadata(entity='https://b.example')}</x>"
    plain = metadata(sso="http://idp.example/sso")
    no_link = metadata().replace("HTTP-Redirect", "HTTP-POST")
    for wrong in ("no metadata", "<a/>", two, no_link, metadata().replace("MII", "XXX", 1), "<!DOCTYPE a><a/>", ""):
        assert ren.post("/people/sign-on/new/saml", {**told, "metadata": wrong}).status_code == 200
    assert "is not encrypted" in ren.post("/people/sign-on/new/saml", {**told, "metadata": plain}).content.decode()
    assert not SignOn.objects.exists()

    assert ren.post("/people/sign-on/new/saml", {**told, "metadata": metadata()}).status_code == 302

    made = SignOn.objects.get()
    assert (made.client, made.address) == ("https://idp.example", SSO)
    page = ren.get(f"/people/sign-on/{made.pk}").content.decode()
    assert f"http://testserver/account/with/{made.slug}/consume/" in page
    assert saml.certificates(made)[0]["digest"] in page
    ours = etree.fromstring(Client().get(f"/account/with/{made.slug}/metadata/").content)
    assert ours.get("entityID") == f"http://testserver/account/with/{made.slug}/metadata/"
    ren.post(f"/people/sign-on/{made.pk}/change", {**told, "name_en": "Renamed"})
    made.refresh_from_db()
    assert (made.name_en, made.client) == ("Renamed", "https://idp.example")

    monkeypatch.setattr(saml.reading(), "MISSING", "ImportError: no xmlsec")
    assert (
        "not installed here" in ren.post("/people/sign-on/new/saml", {**told, "metadata": metadata()}).content.decode()
    )
    assert Client().get(f"/account/with/{made.slug}/").status_code == 401
    assert Client().get("/account/login/").status_code == 200
