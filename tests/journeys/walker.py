"""Opens every address of the URLconf as everybody of the cast, and tells what got through the wall."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import urlencode

from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.journeys.world import ONE_SIDED, World
from uptake.web.pages.explore.kinds.list import KINDS

FILL: Mapping[str, str | tuple[str, ...]] = {
    "sign_on:protocol": ("oidc",),
    "sign_on:sign_on_id": "sign_on",
    "sign_on:link_id": "sign_on_link",
    "sign_on_with:way": ("no-such-way",),
    "people:person_id": "person",
    "people:slug": "department_slug",
    "people:membership_id": "membership",
    "people:assignment_id": "assignment",
    "people:leave_id": "leave",
    "identities:identity_id": "identity",
    "calendar:slug": "slug",
    "calendar:day": ("2026-05-01",),
    "audit:kind": ("xlsx", "csv"),
    "points:person_id": "person",
    "activity:person_id": "person",
    "activity:slug": "slug",
    "activity:kind": ("xlsx", "csv"),
    "activation:format": ("xlsx", "csv"),
    "seats:seat_id": "seat",
    "explore:kind": tuple(kind.name for kind in KINDS),
    "explore:format": ("xlsx", "csv"),
    "segments:segment_id": "segment",
    "segments:kind": ("xlsx", "csv"),
    "views:view_id": "view",
    "account:token_id": "token",
    "account:token": ("no-such-token",),
    "inbox:message_id": "message",
    "wording:slug": "worded_place",
    "wording:kind": ("redemption.approved",),
    "events:event_id": "event",
    "events:kind": ("xlsx", "csv"),
    "data:run_id": "run",
    "data:preset": ("tryton",),
    "data:slug": "connection_slug",
    "data:connection_id": "connection",
    "data:key_id": "key",
    "data:widget_key_id": "widget_key",
    "data:webhook_id": "webhook",
    "data:probe_id": "probe",
    "people_sources:source_id": "people_source",
    "people_sources:sort": ("scim", "ldap"),
    "scim:name": ("User",),
    "scim:key": ("no-such-key",),
    "scim:rest": ("Me",),
    "hooks:slug": "connection_slug",
    "data:delivery_id": "delivery",
    "data:event_id": "quarantined",
    "data:batch_id": "batch",
    "rewards:reward_id": "reward",
    "rewards:redemption_id": "redemption",
    "rewards:grant_id": "special",
    "rewards:kind": ("xlsx", "csv"),
    "merits:challenge_id": "challenge",
    "merits:given_id": "given_badge",
    "building:draft_id": "draft",
    "building:index": ("0",),
    "building:key": ("groups", "examples", "file"),
    "building:kind": ("json", "yaml"),
    "building:report_id": "report",
    "retroactive:run_id": "retroactive_run",
    "gaming:finding_id": "finding",
    "impact:intervention_id": "intervention",
    "impact:key": ("login",),
    "impact:outage_id": "outage",
    "impact:series_id": "business_series",
    "impact:version_id": "business_figures",
    "impact:link_id": "share_link",
    "impact:report_id": "monthly_report",
    "impact:secret": ("no-such-secret",),
    "community:post_id": "post",
    "announcements:announcement_id": "announcement",
    "trainings:training_id": "training",
    "feedback:feedback_id": "feedback",
    "committee:proposal_id": "proposal",
    "appeals:appeal_id": "appeal",
    "transparency:year": ("2026",),
    "transparency:month": ("05",),
    "jobs:name": ("no-such-job",),
    "jobs:company_id": "standing_still",
    ":uidb36": ("1",),
    ":key": ("no-such-key",),
}
"""What a parameter of an address stands for: a kind of id in `Side.ids`, or words that belong to no company.

A page with a parameter that is not here fails the test: add the line, and if needed the id in `world.py`.
"""
ASKED = ("person", "identity", "connection", "batch", "event", "run", "key", "membership", "segment")
"""Query parameters in which an address might take an id."""
NAMED = ("company", "place", "organization", "department", "team", "source")
"""Query parameters in which an address might take a slug."""


@dataclass(frozen=True)
class Route:
    """One pattern of the URLconf: its address with `<param>` in it, and the names of the parameters."""

    name: str
    namespace: str
    address: str
    params: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} (/{self.address})"

    def unknown(self) -> list[str]:
        return [f"{self.namespace}:{one}" for one in self.params if f"{self.namespace}:{one}" not in FILL]

    def of_a_company(self) -> bool:
        """Whether its address names a row of a company."""
        return any(isinstance(FILL[f"{self.namespace}:{one}"], str) for one in self.params)

    def addresses(self, ids: Mapping[str, Any]) -> Iterator[str]:
        """The addresses made of these ids (one for each of several words)."""
        choices = []
        for param in self.params:
            kind = FILL[f"{self.namespace}:{param}"]
            named = ids[kind] if isinstance(kind, str) else kind
            choices.append(list(named) if isinstance(named, tuple) else [str(named)])
        for values in product(*choices):
            found = self.address
            for param, value in zip(self.params, values, strict=True):
                found = found.replace(f"<{param}>", value)
            yield f"/{found}"


def routes(urlconf: str | None = None) -> list[Route]:
    """Every pattern of the URLconf, the included ones too."""
    return list(_routes(get_resolver(urlconf).url_patterns, "", ""))


def _routes(patterns: Sequence[URLPattern | URLResolver], prefix: str, namespace: str) -> Iterator[Route]:
    for one in patterns:
        address = prefix + _address(one)
        if isinstance(one, URLResolver):
            yield from _routes(one.url_patterns, address, one.namespace or namespace)
        else:
            params = tuple(re.findall(r"<([^<>]+)>", address))
            name = f"{namespace}:{one.name}" if namespace else str(one.name)
            yield Route(name, namespace, address, params)


def _address(one: URLPattern | URLResolver) -> str:
    """The pattern as an address, with `<param>` for what is asked."""
    text = str(one.pattern)
    if hasattr(one.pattern, "_route"):
        return re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", r"<\1>", text)
    text = re.sub(r"\(\?P<([^<>]+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", text)
    return text.lstrip("^").rstrip("$").removesuffix("\\Z").replace("\\", "")


def walk(world: World, urlconf: str | None = None, *, under: str = "") -> list[str]:
    """What is wrong, one sentence each; empty if the wall holds and every address was reached by somebody.

    `under` keeps to the addresses that begin with it.
    """
    found = []
    known = []
    for route in (one for one in routes(urlconf) if one.address.startswith(under)):
        missing = route.unknown()
        if missing:
            found.append(f"{route}: say in FILL what {', '.join(missing)} stands for")
        else:
            known.append(route)
    for who in ONE_SIDED:
        client = _browser(world, who)
        found += [f"{who} at {told}" for route in known for told in _look(world, who, client, route)]
    nobody = Client(raise_request_exception=False)
    found += [f"nobody signed in at {told}" for route in known for told in _look_as_nobody(world, nobody, route)]
    found += _look_as_all_seeing(world, known, whole=not under)
    return found


def _browser(world: World, who: str) -> Client:
    return world.cast.sign_in(world.cast.people()[who], Client(raise_request_exception=False))


def _look(world: World, who: str, client: Client, route: Route) -> Iterator[str]:
    """As one who sees one side: own addresses, the foreign ones, and own ones asked about foreign things."""
    own, foreign = world.sides_of(who)
    strange = urlencode({name: foreign.ids[name] for name in ASKED} | dict.fromkeys(NAMED, foreign.ids["slug"]))
    for address in route.addresses(own.ids):
        for query in ("", f"?at={foreign.ids['slug']}", f"?{strange}"):
            answer = client.get(address + query)
            yield from _leaks(answer, foreign.marks, f"{route}{query}")
            if not query and answer.status_code in (403, 404, 405):
                break  # whatever is asked of a page that does not open
    if not route.of_a_company():
        return
    for address, nowhere in zip(route.addresses(foreign.ids), route.addresses(world.nowhere), strict=True):
        for method in (client.get, client.post):
            answer, blank = method(address), method(nowhere)
            yield from _leaks(answer, foreign.marks, f"{route}, a foreign id")
            if answer.status_code != blank.status_code:
                yield f"{route}: {answer.status_code} for a foreign id, {blank.status_code} for one nothing has"
            elif answer.status_code not in (401, 403, 404, 405):
                yield f"{route}: {answer.status_code} for a foreign id, where 404 is due"


def _look_as_nobody(world: World, client: Client, route: Route) -> Iterator[str]:
    marks = (*world.beiyuan.marks, *world.qinghe.marks)
    for side in (world.beiyuan, world.qinghe):
        for address in route.addresses(side.ids):
            yield from _leaks(client.get(address), marks, str(route))


def _look_as_all_seeing(world: World, known: Sequence[Route], *, whole: bool) -> Iterator[str]:
    """The operator and the administrator reach everything and see both sides; else the walk would prove nothing."""
    seen = dict.fromkeys((*world.beiyuan.marks, *world.qinghe.marks), 0)
    clients = [_browser(world, who) for who in ("ren", "an", "lin")]

    def reaches(client: Client, route: Route) -> bool:
        reached = False
        for side in (world.beiyuan, world.qinghe):
            for address in route.addresses(side.ids):
                answer = client.get(address)
                reached |= answer.status_code in (200, 204, 302, 405)
                text = text_of(answer)
                for mark in seen:
                    seen[mark] += mark in text
        return reached

    left = []
    for route in known:
        one = next((number for number, client in enumerate(clients) if reaches(client, route)), len(clients))
        left += [(client, route) for client in clients[one + 1 :]]
        if one == len(clients) and route.of_a_company():
            yield f"{route}: nobody gets there; does FILL say the right thing?"
    for client, route in left if whole else ():
        if all(seen.values()):
            break
        reaches(client, route)  # what the first one to get there was not shown, another may be
    if whole:
        unseen = [mark for mark, times in seen.items() if not times]
        yield from (f"no page shows {mark} to anybody: the walk proves nothing about it" for mark in unseen)


def _leaks(answer: HttpResponseBase, marks: Sequence[str], where: str) -> Iterator[str]:
    if answer.status_code >= 500:
        yield f"{where}: answers {answer.status_code}"
    text = text_of(answer)
    for mark in marks:
        if mark in text:
            at = text.index(mark)
            yield f"{where}: shows “{mark}” in …{' '.join(text[max(0, at - 60) : at + 60].split())}…"


def text_of(answer: Any) -> str:
    """All a reader can find in an answer: headers, body, and what is inside a workbook."""
    body: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    heads = " ".join(f"{name}: {value}" for name, value in answer.items())
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b" ".join(book.read(name) for name in book.namelist())
    return f"{heads} {body.decode(errors='replace')}"
