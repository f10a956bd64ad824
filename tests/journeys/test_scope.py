"""Nobody sees over the wall between companies: on no page, in no export, by no stream, message, API or list of rows.

The walk opens every address there is. A new page joins by itself; if its address takes an id, the walk asks for one
line in `walker.FILL`. A new model joins with a row on each side in `world.py` and a `visible_to`, or is named below
with the reason why it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from tests.cast import TODAY, build_cast
from tests.journeys.walker import routes, walk
from tests.journeys.world import ONE_SIDED, World, build_world, put_both_aside
from uptake.directory.models import Identity, Kind, Membership, Organization, Person, User
from uptake.directory.scope import EVERYTHING, Viewer
from uptake.directory.tokens import make_token
from uptake.events.happening import Happening
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.web.api.urls import api

WITHOUT_SCOPE: Mapping[str, str] = {
    "events.EventType": "the catalogue of names is everybody's; it holds no rows of a company",
    "events.Correction": "read only by readers of the record, which see everything",
    "events.Bookmark": "how far a reader of the record is; no rows of a company",
    "directory.ClockChange": "read as the clock of a place, or on the page of a place that the viewer manages",
    "connectors.RememberedMapping": "read by the import of the place itself, after its scope was checked",
    "people_sources.SaidPlace": "read with a source of people that the viewer may see",
    "people_sources.SaidPerson": "read with a source of people that the viewer may see",
    "people_sources.PeopleRun": "read with a source of people that the viewer may see",
    "connectors.PullStream": "read with a system that the viewer may see",
    "connectors.KnownRecord": "read only by the sweep of its system; numbers of records",
    "sign_on.UsedProof": "read only at the next sign-in; digests, for minutes",
    "directory.Erasure": "shown nowhere: the audit log tells of it",
    "programme.MeritChange": "read only by the keeper of boards",
    "programme.ReversalMark": "read only by those who consider events; numbers made of what events are about",
    "programme.MarkedName": "as programme.ReversalMark",
    "programme.KeptFold": "read only by those who consider events; a cache of what they worked out",
    "merits.Band": "counts of people on a board, read with lines that the viewer may see",
    "merits.Nameless": "read beside lines of a board that the viewer may see",
    "gaming.Search": "the date up to which a company was searched",
    "jobs.JobRun": "how the jobs went; on a page for those who run the platform",
    "drafting.Save": "read with a draft that the viewer may see",
    "drafting.Run": "as drafting.Save",
    "drafting.ExploitSearch": "as drafting.Save",
    "retroactive.RetroactiveLine": "read with a run that the viewer may see",
    "governance.Elector": "read with a proposal that the viewer may see",
    "governance.Vote": "as governance.Elector",
    "governance.Comment": "as governance.Elector",
    "governance.Ballot": "nobody reads single ballots; they are counted",
    "rewards.Picture": "read by its reward, which the viewer may see",
    "rewards.Attachment": "read by its redemption, which the viewer may see",
    "rewards.Code": "only counted, and opened for the owner of its redemption",
    "notify.Follower": "how far a reader is; of no company",
    "ledger.Account": "the ledger knows no people; pages ask it for accounts of people they have checked",
    "ledger.Lot": "as ledger.Account",
    "ledger.Entry": "as ledger.Account",
    "ledger.Transfer": "as ledger.Account",
    "ledger.ChainHead": "as ledger.Account",
    "ledger.Hold": "as ledger.Account",
    "ledger.Deadline": "as ledger.Account",
    "ledger.Resolution": "as ledger.Account",
    "ledger.Refund": "as ledger.Account",
}
"""Models without `visible_to`, and why that is right."""
SEEN_BY_ALL_SIDES = {
    "Organization": "one sees one's park by name",
    "CalendarDay": "the park's holidays are everybody's",
}
KNOWN_OPERATIONS = {
    ("post", "/api/v1/events"),
    ("post", "/api/v1/ask"),
    ("post", "/api/v1/seats"),
    ("get", "/api/v1/rewards"),
    ("get", "/api/v1/redemptions"),
    ("get", "/api/v1/merits"),
    ("get", "/api/v1/leave-requests"),
    ("post", "/api/v1/widget/tokens"),
    ("get", "/api/v1/widget/me"),
}
"""Operations of the API whose answers a test below looks at."""


@pytest.fixture
def world(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Both sides of the wall, committed, as readers of the record on PostgreSQL see nothing before.

    The live stream says at once what it would say in time.
    """
    monkeypatch.setattr("uptake.web.live.views.stream", _at_once)
    return put_both_aside(build_world(build_cast(), tmp_path))


def _at_once(hub: Any, listener: Any, *, missed: Callable[[], Any] | None, words: Any, **_: Any) -> Iterator[bytes]:
    """The stream without waiting: the messages it would send, and the companies whose events it would count."""
    yield from (str(words(told)).encode() for told in (missed() if missed else ()))
    for company in Organization.objects.filter(pk__in=listener.companies):
        yield company.name.encode()


def test_no_page_export_or_stream_shows_the_other_company(world: World) -> None:
    found = walk(world)

    assert not found, "\n".join(found)


def leak(request: HttpRequest, person_id: int) -> HttpResponse:
    """What a careless view would do."""
    return HttpResponse(Person.objects.get(pk=person_id).name if person_id < 10**6 else "", status=200)


def tell_by_status(request: HttpRequest, person_id: int) -> HttpResponse:
    """A view that shows nothing, but tells whether somebody exists."""
    return HttpResponse(status=403 if Person.objects.filter(pk=person_id).exists() else 404)


def leak_a_list(request: HttpRequest) -> HttpResponse:
    """A list that forgot `visible_to`."""
    return HttpResponse("\n".join(Person.objects.values_list("name", flat=True)))


people_patterns = (
    [
        path("careless/<int:person_id>/", leak, name="careless"),
        path("telling/<int:person_id>/", tell_by_status, name="telling"),
        path("list/", leak_a_list, name="list"),
        path("new/<int:thing_id>/", leak, name="new"),
    ],
    "people",
)
urlpatterns = [path("", include("uptake.config.urls")), path("leaks/", include(people_patterns))]
handler404 = "uptake.web.errors.not_found"


def test_the_walk_finds_leaks_that_are_there(world: World, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    leaks = "\n".join(walk(world, __name__, under="leaks/"))

    assert "mo at people:careless (/leaks/careless/<person_id>/), a foreign id: shows “Lin Fang”" in leaks
    assert "wei at people:careless (/leaks/careless/<person_id>/), a foreign id: shows “Mo Yun”" in leaks
    assert "mo at people:telling (/leaks/telling/<person_id>/): 403 for a foreign id, 404 for one nothing has" in leaks
    assert "hua at people:list (/leaks/list/): shows “Mo Yun”" in leaks
    assert "nobody signed in at people:list (/leaks/list/): shows “Lin Fang”" in leaks
    assert "people:new (/leaks/new/<thing_id>/): say in FILL what people:thing_id stands for" in leaks


def test_the_walk_goes_into_every_include(world: World) -> None:
    names = {route.name for route in routes()}

    assert {"people:person", "calendar:home", "audit:export", "account_login", "home:home"} <= names


def test_no_operation_of_the_api_is_unknown_here() -> None:
    schema = api.get_openapi_schema(path_prefix="/api/v1")
    operations = {(method, address) for address, methods in schema["paths"].items() for method in methods}

    assert operations == KNOWN_OPERATIONS, "look at what a new operation answers about the other company, then add it"


def test_a_sender_learns_nothing_about_the_other_company(world: World) -> None:
    """What the intake passes on is the fate that `record` gives."""
    connection = Connection.objects.get(slug="beiyuan-erp")

    def fate(company: str) -> tuple[str, str]:
        happening = Happening(event="x.done", key=company, at=timezone.now() - timedelta(hours=1), company=company)
        (one,) = record([happening], connection=connection, now=timezone.now())
        return one.fate, one.reason.replace(company, "…")

    assert fate("qinghe") == fate("nowhere")
    assert fate("qinghe")[0] == "rejected"


def test_a_question_of_the_other_company_is_refused_like_one_of_nobodys(world: World) -> None:
    """The API passes questions through the door of the pages; a token sees what its owner sees."""
    own, foreign = world.sides_of("wei")
    viewer = world.cast.viewer(world.cast.wei, timezone.localdate())
    _token, secret = make_token(by=viewer, days=1, now=timezone.now())
    question = {"analysis": "pv_uv", "event_sel": {"event": None}, "by": "event"}

    def ask(**more: Any) -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        given: dict[str, Any] = {"content_type": "application/json", "headers": headers}
        return Client().post("/api/v1/ask", {**question, **more}, **given)

    assert ask(scope=[own.company.pk]).status_code == 200
    refused, nowhere = (ask(scope=[pk]) for pk in (foreign.company.pk, 987_654_321))
    assert (refused.status_code, refused.content) == (422, nowhere.content)
    assert not any(mark in ask().content.decode() for mark in foreign.marks)


def test_a_sender_of_seats_learns_nothing_about_the_other_company(world: World) -> None:
    def fate(**seat: str) -> bytes:
        answer = Client().post(
            "/api/v1/seats", seat, content_type="application/json",
            headers={"authorization": f"Bearer {world.beiyuan.secret}"},
        )  # fmt: skip
        assert answer.status_code == 200
        content: bytes = answer.content
        return content

    own = {"product": "beiyuan-tool"}
    assert fate(**own, person="x", company="qinghe") == fate(**own, person="x", company="nowhere")
    assert fate(product="qinghe-tool", person="x") == fate(product="no-tool", person="x")
    assert fate(**own, email="mo@qinghe.example") == fate(**own, email="nobody@qinghe.example")
    assert b'"new":1' in fate(**own, email="hua@beiyuan.example")


def test_a_token_reads_its_own_companys_rewards_only(world: World) -> None:
    for who in ("mo", "lin", "ke", "wei"):
        person = world.cast.people()[who]
        viewer = world.cast.viewer(person, timezone.localdate())
        _token, secret = make_token(by=viewer, days=1, now=timezone.now())
        foreign = world.qinghe if who != "mo" else world.beiyuan
        for address in ("rewards", "redemptions", "merits", f"leave-requests?company={foreign.company.slug}"):
            answer = Client().get(f"/api/v1/{address}", headers={"authorization": f"Bearer {secret}"})
            assert answer.status_code == (403 if "leave" in address else 200)
            assert not any(mark in answer.content.decode() for mark in foreign.marks)


def test_the_widget_shows_its_own_companys_person_only(world: World) -> None:
    """A key of a company gives no token for people of the other, as for people who do not exist."""
    own, foreign = world.beiyuan, world.qinghe
    called = Identity.objects.filter(source=f"{own.company.slug}-erp", person__isnull=False).order_by("pk")[0]

    def token(person: str) -> Any:
        headers = {"authorization": f"Bearer {own.widget_secret}"}
        address = "/api/v1/widget/tokens"
        return Client().post(address, {"person": person}, content_type="application/json", headers=headers)

    theirs = Identity.objects.filter(source=f"{foreign.company.slug}-erp", person__isnull=False).order_by("pk")[0]
    assert token(theirs.external_id).content == token("nobody-at-all").content
    headers = {"authorization": f"Bearer {token(called.external_id).json()['token']}"}
    answer = Client().get(
        "/api/v1/widget/me?more=1", headers={**headers, "origin": f"https://{own.company.slug}.example"}
    )
    assert answer.status_code == 200
    assert not any(mark in answer.content.decode() for mark in foreign.marks)
    refused = Client().get(
        "/api/v1/widget/me", headers={**headers, "origin": f"https://{foreign.company.slug}.example"}
    )
    assert refused.status_code == 403


def _models() -> list[type[models.Model]]:
    return [
        model for config in apps.get_app_configs() if config.name.startswith("uptake.") for model in config.get_models()
    ]


def test_every_model_has_a_scope_or_a_reason() -> None:
    without = {model._meta.label for model in _models() if not hasattr(model._default_manager, "visible_to")}

    assert without == set(WITHOUT_SCOPE) & {model._meta.label for model in _models()}
    assert without <= set(WITHOUT_SCOPE)


def test_no_row_of_the_other_company_is_visible(world: World) -> None:
    wrong = []
    viewers = {who: world.cast.viewer(world.cast.people()[who], TODAY) for who in ONE_SIDED}
    for model in (one for one in _models() if hasattr(one._default_manager, "visible_to")):
        visible_to: Callable[[Viewer], models.QuerySet[Any]] = model._default_manager.visible_to  # type: ignore[attr-defined]
        both = {company for row in visible_to(EVERYTHING) for company in _companies_of(row)}
        if not {world.cast.beiyuan.pk, world.cast.qinghe.pk} <= both:
            wrong.append(f"world.py needs a {model.__name__} of each company")
        for who, viewer in viewers.items():
            _own, foreign = world.sides_of(who)
            leaked = [row for row in visible_to(viewer) if foreign.company.pk in _companies_of(row)]
            if leaked:
                wrong.append(f"{who} sees {leaked}")

    assert not wrong, "\n".join(wrong)


def _companies_of(row: models.Model, depth: int = 4) -> set[int]:
    """The companies a row belongs to, by what it refers to (but not who wrote it)."""
    if isinstance(row, Organization):
        return {row.company_id} - {None} if row.company_id and row.kind != Kind.PARK else set()
    if isinstance(row, Person):
        held = Membership.objects.filter(person=row).values_list("organization__company_id", flat=True)
        return {company for company in held if company}
    if isinstance(row, User):
        return _companies_of(row.person) if row.person else set()
    if depth == 0:
        return set()
    found: set[int] = set()
    for one in row._meta.concrete_fields:
        if isinstance(one, models.ForeignKey) and one.name not in (
            "by",
            "given_by",
            "created_by",
            "actor",
            "published_by",
        ):
            target = getattr(row, one.name)
            if target is not None:
                found |= _companies_of(target, depth - 1)
    return found
