"""An address that only takes a form leads back to its page, where a browser asks for it alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.cast import Cast
from uptake.web.deeds import page_of

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/rewards/desk/budgets/?at=beiyuan", "/rewards/desk/liability/?at=beiyuan"),
        ("/rewards/desk/leave.csv?at=beiyuan", "/rewards/desk/leave/?at=beiyuan"),
        ("/jobs/sweep/run", "/jobs/"),
        ("/rewards/mine/1/cancel/", "/rewards/mine/1/"),
    ],
)
def test_a_form_leads_back_to_its_page(cast: Cast, address: str, page: str) -> None:
    client = cast.sign_in(cast.an)
    answer = client.get(address, headers=HTML)

    assert (answer.status_code, answer["Location"]) == (302, page)
    assert client.get(address).status_code == 405, "programs are told plainly"
    assert client.get(address, headers={**HTML, "HX-Request": "true"}).status_code == 405


def test_it_is_said_once(cast: Cast) -> None:
    client = cast.sign_in(cast.an)
    client.get("/rewards/desk/budgets/", headers=HTML)
    page = client.get("/rewards/desk/budgets/", headers=HTML, follow=True)

    assert page.content.decode().count("only takes a form") == 1


def test_every_form_has_a_page_above_it_that_shows_itself(cast: Cast) -> None:
    """No address of a deed leads to a page that is not there, or round in a circle."""
    client: Client = cast.sign_in(cast.an)
    checked = 0
    for path in _addresses(get_resolver()):
        answer = client.get(path, headers=HTML)
        if answer.status_code != 302 or answer.wsgi_request.resolver_match is None:
            continue
        if "only takes a form" not in str([str(one) for one in _waiting(answer)]):
            continue
        assert answer["Location"].partition("?")[0] == page_of(path, answer.wsgi_request.resolver_match)
        end = client.get(answer["Location"], headers=HTML, follow=True)
        assert end.status_code in (200, 403, 404), path
        checked += 1
    assert checked > 50


def _waiting(answer: Any) -> Any:
    return getattr(answer.wsgi_request, "_messages", ())


def _addresses(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    for one in resolver.url_patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _addresses(one, path)
        elif isinstance(one, URLPattern) and not path.startswith("/api/"):
            yield re.sub(r"<(?:(\w+):)?\w+>", lambda part: "1" if part[1] == "int" else "x", path)
