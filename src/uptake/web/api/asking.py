"""Answers questions over HTTP: who asks, whether they may, one after the other, and not for longer than a while.

The engine works in a thread of its own, so that a question that takes too long holds up nobody else.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja.utils import check_csrf

from uptake.activity import ActivityLog, ask
from uptake.activity.question import QuestionRefused
from uptake.directory.models import User
from uptake.directory.scope import Deed, Viewer, viewer_of
from uptake.directory.tokens import opened_by
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.told import told
from uptake.web.api.bucket import Buckets
from uptake.web.api.intake import JSON
from uptake.web.api.limits import (
    MAX_QUESTION,
    QUESTION_SECONDS,
    QUESTIONS_AT_ONCE,
    QUESTIONS_PER_SECOND,
    QUESTIONS_TOGETHER,
    QUESTIONS_WAITING,
)
from uptake.web.api.refusal import Refused


def answer_question(request: HttpRequest) -> HttpResponse:
    """The answer to the question in the body, within the scope of whoever asks. Every refusal is an answer too."""
    try:
        who = _who(request)
        _not_too_often(who)
        given = _question(request)
        content = told(activity_log(), who, {"timezone": settings.TIME_ZONE, **given}, asking=limited(who))
    except QuestionRefused as refused:
        more = {"key": refused.key, "expected": refused.expected, "got": refused.got}
        return _refusal(Refused(422, "question_refused", str(refused), more))
    except Refused as refusal:
        return _refusal(refusal)
    return _response(200, orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY))


def limited(who: Viewer) -> Callable[[ActivityLog, Mapping[str, Any]], dict[str, Any]]:
    """Asks the engine for a person: one question at a time, and no longer than `QUESTION_SECONDS` each."""
    person = who.user_id or 0

    def asking(log: ActivityLog, question: Mapping[str, Any]) -> dict[str, Any]:
        if not TURNS.take(person, QUESTION_SECONDS):
            raise _later(429, "one_at_a_time", "Others of your questions are still being answered.", 1)
        try:
            future = ENGINE.submit(ask, log, question)
        except BaseException:
            TURNS.give_back(person)
            raise
        # The turn is over when the engine is: whoever asked too much does not ask more beside it.
        future.add_done_callback(lambda _future: TURNS.give_back(person))
        try:
            return future.result(timeout=QUESTION_SECONDS)
        except TimeoutError:
            future.cancel()
            detail = (
                f"The answer takes longer than {QUESTION_SECONDS:g} seconds. Ask for a shorter time or fewer places."
            )
            raise _later(503, "too_long", detail, math.ceil(QUESTION_SECONDS)) from None

    return asking


@dataclass
class Turns:
    """One question of a person at a time; a few may wait for their turn."""

    most_waiting: int
    _busy: set[int] = field(default_factory=set)
    _waiting: dict[int, int] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, person: int, seconds: float) -> bool:
        """Whether the turn came within so many seconds; at once False where too many wait already."""
        with self._changed:
            before = self._waiting.get(person, 0)
            if person in self._busy and before >= self.most_waiting:
                return False
            self._waiting[person] = before + 1
            try:
                if not self._changed.wait_for(lambda: person not in self._busy, seconds):
                    return False
                self._busy.add(person)
                return True
            finally:
                self._waiting[person] -= 1
                if not self._waiting[person]:
                    del self._waiting[person]

    def give_back(self, person: int) -> None:
        """The turn is over."""
        with self._changed:
            self._busy.discard(person)
            self._changed.notify_all()


TURNS = Turns(QUESTIONS_WAITING)
ENGINE = ThreadPoolExecutor(max_workers=QUESTIONS_TOGETHER, thread_name_prefix="question")
_buckets = Buckets(QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE)
_counting = threading.Lock()


def _who(request: HttpRequest) -> Viewer:
    """Whoever asks: by an access token, else by the session, whose CSRF token must come along."""
    sent = request.headers.get("Authorization", "")
    user: Any
    if sent:
        scheme, _space, secret = sent.partition(" ")
        user = opened_by(secret=secret.strip(), now=datetime.now(UTC)) if scheme.lower() == "bearer" else None
        if user is None:
            raise _nobody("This token is not valid: it does not exist, was revoked or has ended.")
    else:
        user = request.user
        if not isinstance(user, User):
            raise _nobody("Send an access token: Authorization: Bearer upt_….")
        if check_csrf(request) is not None:
            raise Refused(403, "csrf", "A page that asks sends its CSRF token as X-CSRFToken.")
    viewer = viewer_of(user, today=timezone.localdate())
    if not viewer.may(Deed.SEE_TOTALS):
        raise Refused(403, "nothing_to_see", "You have no role that sees figures of a place.")
    return viewer


def _not_too_often(who: Viewer) -> None:
    with _counting:
        wait = _buckets.take(who.user_id or 0, 1, time.monotonic())
    if wait:
        detail = f"More than {QUESTIONS_PER_SECOND:g} questions a second."
        raise _later(429, "too_fast", detail, math.ceil(wait))


def _question(request: HttpRequest) -> Mapping[str, Any]:
    kind, _semicolon, rest = request.headers.get("Content-Type", "").partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in {"", "utf-8", "utf8"}:
        raise Refused(415, "unsupported_type", "Content-Type must be application/json, in UTF-8.")
    length = request.headers.get("Content-Length", "")
    body = b"" if length.isdigit() and int(length) > MAX_QUESTION else request.read(MAX_QUESTION + 1)
    if len(body) > MAX_QUESTION or (length.isdigit() and int(length) > MAX_QUESTION):
        raise Refused(413, "body_too_large", f"The body passes {MAX_QUESTION} bytes.", {"limit": MAX_QUESTION})
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "malformed_json", f"The body is not JSON: {error}.") from None
    if not isinstance(given, dict):
        raise QuestionRefused("question", "an object")
    return given


def _nobody(detail: str) -> Refused:
    return Refused(401, "no_token", detail, {}, {"WWW-Authenticate": 'Bearer realm="questions"'})


def _later(status: int, error: str, detail: str, seconds: int) -> Refused:
    return Refused(status, error, detail, {"retry_after_seconds": seconds}, {"Retry-After": str(seconds)})


def _refusal(refusal: Refused) -> HttpResponse:
    body = orjson.dumps({"error": refusal.error, "detail": refusal.detail, **refusal.more})
    return _response(refusal.status, body, refusal.headers)


def _response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> HttpResponse:
    response = HttpResponse(body, status=status)
    for name, value in {**JSON, **(headers or {})}.items():
        response[name] = value
    return response
