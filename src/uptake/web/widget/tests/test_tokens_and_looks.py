"""A token shows one person's points at one company, in pages its key allows, until it ends; it shows nothing else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.connectors.models import IntakeProblem
from uptake.directory.models import Membership
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import pause
from uptake.events.widget_keys import revoke_widget_key
from uptake.notify.follow import Bookmark
from uptake.web.api import problems
from uptake.web.api.bucket import Buckets
from uptake.web.live.hub import Hub, Listener, Told
from uptake.web.live.record import WIDGET, DatabaseRecord
from uptake.web.live.stream import stream
from uptake.web.live.tests.test_streaming import Scripted
from uptake.web.widget import access, views
from uptake.web.widget.tests.world import SITE, Erp, erp_of, look
from uptake.web.widget.token import FORM, Claim, sign

pytestmark = pytest.mark.django_db(transaction=True)
OWN_SITE = "http://testserver"


@pytest.fixture
def erp(cast: Cast) -> Erp:
    access.forget()
    problems.write_down()
    return erp_of(cast, timezone.now())


def test_the_page_sees_points_level_and_entries_of_its_person(erp: Erp) -> None:
    erp.order("SO-1")
    erp.order("SO-2", "ke-at-beiyuan")
    answer = look(erp.token(), lang="en")

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert answer["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"]
    assert not answer.cookies
    told = answer.json()
    assert (told["points"], told["today"]) == (10, 10)
    assert told["level"]["name"] == "Apprentice"
    assert [(one["points"], one["new"]) for one in told["entries"]] == [(10, False)]
    assert "SO-1" in told["entries"][0]["sub"]
    assert told["entries"][0]["href"].endswith(f"/points/#award-{told['last']}")
    assert "SO-2" not in answer.content.decode()


def test_what_came_since_is_marked_and_on_opening_rank_and_next_step_are_told(erp: Erp) -> None:
    erp.order("SO-1")
    token = erp.token()
    last = look(token).json()["last"]
    erp.order("SO-2")

    told = look(token, after=last, more=1).json()

    assert [(one["new"], "SO-2" in one["sub"]) for one in told["entries"]] == [(True, True), (False, False)]
    assert told["next"]["points"] == 10
    assert "rank" in told


@pytest.mark.parametrize("origin", ["https://evil.example", "http://erp.example", f"{SITE}:444", "null", ""])
def test_a_page_of_another_origin_is_refused_and_may_not_read_why(erp: Erp, origin: str) -> None:
    token = erp.token()
    for address in ("me", "stream"):
        answer = look(token, origin=origin, address=address)
        assert answer.status_code == 403
        assert answer.json()["error"] == "wrong_origin"
        assert "Access-Control-Allow-Origin" not in answer
    asked = Client().options("/api/v1/widget/me", headers={"origin": origin} if origin else {})
    assert asked.status_code == 403


def test_a_page_of_our_own_origin_says_where_it_is(erp: Erp) -> None:
    """A browser names no origin when a page reads from its own."""
    erp.key.allowed_origins = [OWN_SITE]
    erp.key.save()
    token, client = erp.token(), Client()

    def asked(referer: str) -> int:
        headers = {"authorization": f"Bearer {token}", "referer": referer}
        status: int = client.get("/api/v1/widget/me", headers=headers).status_code
        return status

    assert asked(f"{OWN_SITE}/demo/erp/") == 200
    assert asked("https://erp.example/orders") == 403


def test_the_question_before_is_answered_for_allowed_pages_only(erp: Erp) -> None:
    for address in ("me", "stream"):
        answer = Client().options(f"/api/v1/widget/{address}", headers={"origin": SITE})
        assert answer.status_code == 204
        assert answer["Access-Control-Allow-Origin"] == SITE
        assert answer["Access-Control-Allow-Headers"] == "Authorization"


def test_a_token_that_ended_was_changed_or_whose_key_is_gone_opens_nothing(erp: Erp, cast: Cast) -> None:
    good = erp.token()
    ended = sign(Claim(erp.key.pk, cast.lin.pk, cast.beiyuan.pk, timezone.now() - timedelta(seconds=1)))
    other = sign(Claim(erp.key.pk, cast.mo.pk, cast.qinghe.pk, timezone.now() + timedelta(minutes=5)))
    mixed = FORM + other.removeprefix(FORM).split(":")[0] + ":" + good.rpartition(":")[2]
    for wrong in (ended, mixed, good[:-2] + "xx", "", "uwt_", erp.secret):
        for address in ("me", "stream"):
            answer = look(wrong, address=address)
            assert answer.status_code == 401, wrong
            assert answer["Access-Control-Allow-Origin"] == SITE
    assert look(good).status_code == 200
    revoke_widget_key(key=erp.key, by=EVERYTHING, now=timezone.now())
    assert look(good).status_code == 401
    assert erp.ask_token("lin-at-beiyuan").status_code == 401


def test_a_paused_connection_shows_nothing(erp: Erp) -> None:
    token = erp.token()
    pause(connection=erp.connection, by=EVERYTHING, now=timezone.now())
    assert look(token).status_code == 401


def test_nobody_of_another_company_is_told_of(erp: Erp, cast: Cast) -> None:
    """The identity is in the same source; still Mo is nobody to a key of Beiyuan."""
    foreign, nobody = erp.ask_token("mo-at-qinghe"), erp.ask_token("nobody-at-all")
    assert (foreign.status_code, foreign.content) == (404, nobody.content)
    assert erp.ask_token("lin-at-beiyuan", company="qinghe").content == nobody.content
    assert erp.ask_token("lin-at-beiyuan", company="beiyuan").status_code == 200
    assert erp.ask_token("lin-at-beiyuan", source="other-erp").status_code == 403


def test_who_moved_to_another_company_is_not_shown_any_more(erp: Erp, cast: Cast) -> None:
    erp.order("SO-1")
    token = erp.token()
    Membership.objects.filter(person=cast.lin).update(organization=cast.qinghe)
    answer = look(token)
    assert (answer.status_code, answer.json()["error"]) == (403, "not_here")
    assert erp.ask_token("lin-at-beiyuan").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"person": 7}, 400), ({"person": "lin-at-beiyuan", "seconds": 901}, 400),
        ({"person": "lin-at-beiyuan", "seconds": 5}, 400), ({"person": "lin-at-beiyuan", "points": 5}, 400),
        ({"person": "lin-at-beiyuan", "seconds": 60}, 200), ([], 400), ("x" * 10_001, 413),
    ],
)  # fmt: skip
def test_what_a_server_asks_is_looked_at(erp: Erp, body: Any, status: int) -> None:
    answer = Client().post(
        "/api/v1/widget/tokens", body, content_type="application/json",
        headers={"authorization": f"Bearer {erp.secret}"},
    )  # fmt: skip
    assert answer.status_code == status


def test_a_web_page_gets_no_token_even_with_the_key(erp: Erp) -> None:
    assert erp.ask_token("lin-at-beiyuan", headers={"origin": SITE}).status_code == 403
    assert erp.ask_token("lin-at-beiyuan", secret="upk_0123456789ab_" + "x" * 43).status_code == 401


def test_what_was_refused_is_counted_on_the_page_of_the_keys_with_masked_samples(erp: Erp, cast: Cast) -> None:
    token = erp.token()
    for _time in range(2):
        look(token, origin="https://evil.example")
    erp.ask_token("mo-at-qinghe", seconds=300)
    erp.ask_token("")
    look("uwt_nobodys")
    problems.write_down()

    told = {one.code: one for one in IntakeProblem.objects.filter(widget_key=erp.key)}
    counts = {code: one.count for code, one in told.items()}
    assert counts == {"wrong_origin": 2, "nobody": 1, "not_a_question": 1}
    assert told["wrong_origin"].detail == "This key does not allow pages of https://evil.example."
    assert told["nobody"].sample == {"person": "mo…", "seconds": "#"}
    page = cast.sign_in(cast.ren).get(f"/data/connections/{erp.key.connection.slug}/widget").content.decode()
    assert "https://evil.example" in page
    assert "Unknown people" in page
    assert "mo-at-qinghe" not in page


def test_a_page_that_asks_too_fast_waits(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    token = erp.token()
    monkeypatch.setattr(access, "_looks", Buckets(0.1, 2.0))
    assert [look(token).status_code for _ in range(3)] == [200, 200, 429]


def test_the_stream_is_one_and_says_nothing_of_anybody(erp: Erp) -> None:
    answer = look(erp.token(), address="stream")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert views._something(Told(Bookmark(0, 1), 1, "points_earned", {"points": 5})) == ("changed", {})


def test_the_stream_ends_with_its_token(erp: Erp) -> None:
    async def story() -> list[bytes]:
        listener = Listener(1, f"{WIDGET}1")
        body = stream(
            Hub(Scripted, tick_seconds=0.01), listener, missed=list[Told], head=Bookmark(), words=views._something
        )
        return [part async for part in views._until_it_ends(body, listener, 0.05)]

    parts = asyncio.run(story())
    assert parts[-1].startswith(b"event: bye")


def test_the_stream_of_a_revoked_key_is_closed_like_that_of_an_ended_session(erp: Erp) -> None:
    mine = f"{WIDGET}{erp.key.pk}"
    assert DatabaseRecord().live_sessions([mine, "no-session"]) == {mine}
    revoke_widget_key(key=erp.key, by=EVERYTHING, now=timezone.now())
    assert DatabaseRecord().live_sessions([mine]) == set()
