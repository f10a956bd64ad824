"""Questions over HTTP: by token or session, within one's scope, refused with the key's name, one after the other."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.activity import ask
from uptake.directory.scope import EVERYTHING
from uptake.directory.tokens import make_token, revoke_token
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.tests.world import happen
from uptake.insight.metrics.told import told
from uptake.web.api import asking
from uptake.web.api.asking import Turns
from uptake.web.api.bucket import Buckets
from uptake.web.api.limits import MAX_QUESTION
from uptake.web.api.urls import ASK_REFUSALS

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = date(2026, 5, 13)
PATH = "/api/v1/ask"
QUESTION: dict[str, Any] = {"analysis": "pv_uv", "from": "2026-05-01", "to": "2026-05-12", "event_sel": {}}


@pytest.fixture(autouse=True)
def own(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA = tmp_path
    monkeypatch.setattr(asking, "_buckets", Buckets(2.0, 20.0))


@pytest.fixture
def lively(cast: Cast) -> Cast:
    days = [TODAY - timedelta(days=number) for number in (1, 2)]
    happen(cast, [(who, "order.created", day) for who in ("lin", "hua", "ke", "mo") for day in days], TODAY)
    return cast


def token_of(cast: Cast, who: str) -> str:
    viewer = cast.viewer(cast.people()[who], timezone.localdate())
    return make_token(by=viewer, days=1, now=timezone.now())[1]


def post(secret: str, question: Any = QUESTION, **headers: str) -> Any:
    given: dict[str, Any] = {
        "content_type": "application/json",
        "headers": {"Authorization": f"Bearer {secret}", **headers},
    }
    body = question if isinstance(question, str | bytes) else json.dumps(question)
    return Client(enforce_csrf_checks=True).post(PATH, body, **given)


def test_a_token_is_answered_like_the_command_line_within_the_scope(lively: Cast) -> None:
    everything = told(activity_log(), EVERYTHING, {"timezone": "Asia/Shanghai", **QUESTION})

    assert post(token_of(lively, "ren")).json() == everything
    assert everything["total_pv"] == 8
    assert post(token_of(lively, "wei")).json()["total_pv"] == 6
    hidden = post(token_of(lively, "hua")).json()
    assert (hidden["total_uv"], hidden["total_pv"]) == (None, None)


def test_a_page_asks_by_its_session_with_its_csrf_token(lively: Cast) -> None:
    browser = lively.sign_in(lively.wei, Client(enforce_csrf_checks=True))
    page = browser.get("/account/tokens/")
    sent: dict[str, Any] = {"content_type": "application/json"}

    assert browser.post(PATH, json.dumps(QUESTION), **sent).json()["error"] == "csrf"
    csrf = {"X-CSRFToken": str(page.context["csrf_token"])}
    assert browser.post(PATH, json.dumps(QUESTION), headers=csrf, **sent).json()["total_pv"] == 6


@pytest.mark.parametrize("secret", ["", "upt_x", "upt_0123456789ab_" + "y" * 43])
def test_nobody_is_told_nothing(lively: Cast, secret: str) -> None:
    answer = post(secret)

    assert (answer.status_code, answer.json()["error"]) == (401, "no_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert Client().post(PATH, "{}", content_type="application/json").status_code == 401


def test_a_token_that_was_revoked_or_whose_owner_has_no_role_opens_nothing(lively: Cast) -> None:
    viewer = lively.viewer(lively.wei, timezone.localdate())
    token, secret = make_token(by=viewer, days=1, now=timezone.now())
    revoke_token(token=token, by=viewer, now=timezone.now())

    assert post(secret).status_code == 401
    assert post(token_of(lively, "lin")).json()["error"] == "nothing_to_see"


def test_an_invalid_token_is_not_helped_by_the_session(lively: Cast) -> None:
    browser = lively.sign_in(lively.wei)

    answer = browser.post(PATH, "{}", content_type="application/json", headers={"Authorization": "Bearer upt_x"})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ({**QUESTION, "colour": "blue"}, "colour"),
        ({**QUESTION, "analysis": "magic"}, "analysis"),
        ({**QUESTION, "scope": [10**6]}, "scope"),
        ({**QUESTION, "from": "soon"}, "from"),
        ([QUESTION], "question"),
    ],
)
def test_a_question_that_is_not_understood_is_told_what_was_expected(lively: Cast, question: Any, key: str) -> None:
    answer = post(token_of(lively, "ren"), question)

    told_back = answer.json()
    assert (answer.status_code, told_back["error"], told_back["key"]) == (422, "question_refused", key)
    assert told_back["expected"]
    assert told_back["detail"].startswith(f"{key}: expected")


def test_who_sees_totals_cannot_ask_for_people(lively: Cast) -> None:
    cohort = {"analysis": "cohort", "criteria": [{"kind": "performed", "event": "order.created"}]}

    assert post(token_of(lively, "hua"), cohort).json()["key"] == "analysis"
    found = post(token_of(lively, "wei"), cohort).json()["people"]
    assert sorted(map(int, found)) == sorted([lively.lin.pk, lively.hua.pk, lively.ke.pk])


def test_what_is_not_taken_at_all(lively: Cast) -> None:
    secret = token_of(lively, "ren")

    assert post(secret, "{").status_code == 400
    assert post(secret, b"\xff").status_code == 400
    assert post(secret, "[" * 100_000).status_code == 400
    assert post(secret, " " * (MAX_QUESTION + 1)).json()["limit"] == MAX_QUESTION
    given: dict[str, Any] = {"content_type": "text/plain", "headers": {"Authorization": f"Bearer {secret}"}}
    assert Client().post(PATH, "{}", **given).status_code == 415
    assert Client().get(PATH).status_code == 405


def test_who_asks_too_fast_is_told_when_to_come_again(lively: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_buckets", Buckets(0.01, 2.0))
    ren, wei = token_of(lively, "ren"), token_of(lively, "wei")

    assert [post(ren).status_code for _ in range(3)] == [200, 200, 429]
    assert int(post(ren).headers["Retry-After"]) > 50
    assert post(wei).status_code == 200


def test_an_answer_that_takes_too_long_is_given_up_and_holds_up_nobody_else(
    lively: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def slow(log: Any, question: Any) -> dict[str, Any]:
        if question["analysis"] == "pv_uv":
            done.wait(20)
        return ask(log, question)

    monkeypatch.setattr(asking, "ask", slow)
    # Long enough for a thread to begin on a busy machine: what has not begun is cancelled, and then nothing is running.
    monkeypatch.setattr(asking, "QUESTION_SECONDS", 1)
    ren, wei = token_of(lively, "ren"), token_of(lively, "wei")
    try:
        late = post(ren)
        assert (late.status_code, late.json()["error"]) == (503, "too_long")
        assert post(ren, {**QUESTION, "analysis": "active_users"}).json()["error"] == "one_at_a_time"
        monkeypatch.setattr(asking, "QUESTION_SECONDS", 20)
        assert post(wei, {**QUESTION, "analysis": "active_users"}).status_code == 200
    finally:
        done.set()
    assert post(ren, {**QUESTION, "analysis": "active_users"}).status_code == 200


def test_turns_come_one_after_the_other_and_few_wait() -> None:
    turns = Turns(most_waiting=1)
    assert turns.take(1, 0)
    assert turns.take(2, 0), "another person has turns of their own"
    assert not turns.take(1, 0), "the time is over before the turn came"

    got: list[bool] = []
    waiting = threading.Thread(target=lambda: got.append(turns.take(1, 20)))
    waiting.start()
    while not turns._waiting:
        time.sleep(0.001)
    assert not turns.take(1, 20), "too many wait already"
    turns.give_back(1)
    waiting.join()
    assert got == [True]


def test_every_refusal_is_described() -> None:
    source = Path(asking.__file__).read_text(encoding="utf-8")
    told_of = {code for code in range(400, 600) if f"Refused({code}," in source or f"_later({code}," in source}

    assert told_of == set(ASK_REFUSALS)


@pytest.fixture(autouse=True)
def nobody_waits() -> Iterator[None]:
    yield
    assert not asking.TURNS._waiting
