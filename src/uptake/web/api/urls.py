"""The addresses of the API, described at openapi.json."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema

from uptake import __version__
from uptake.web.api.asking import answer_question
from uptake.web.api.collect import answer_page
from uptake.web.api.intake import Answer, Asked, answer
from uptake.web.api.merits import answer_merits
from uptake.web.api.rewards import answer_leave, answer_redemptions, answer_rewards
from uptake.web.api.schema import (
    AnswerOut,
    EventIn,
    EventsIn,
    LeaveRequestsOut,
    MeritsOut,
    QuestionIn,
    QuestionRefusalOut,
    RedemptionsOut,
    RefusalOut,
    ReportOut,
    RewardsOut,
    SeatIn,
    SeatReportOut,
    SeatsIn,
    WidgetOut,
    WidgetTokenIn,
    WidgetTokenOut,
)
from uptake.web.api.seats import answer_seats
from uptake.web.widget.views import give_token, listen, look

CHUNK = 65536


class DescribedApi(NinjaAPI):
    """Says in its description how a key is sent: ninja leaves out schemes that are no authentication of its own."""

    def get_openapi_schema(self, **named: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**named)
        schema["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer"},
            "widget_key": {"type": "http", "scheme": "bearer"},
            "widget_token": {"type": "http", "scheme": "bearer"},
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        }
        return schema


api = DescribedApi(
    title="Uptake",
    version=__version__,
    description="Events in, answers out. Keys for events are made on the page of a connection and sent as"
    " `Authorization: Bearer upk_…`; access tokens for questions are made on one's account page (`upt_…`).",
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
)
REFUSALS = {
    400: "The body is not JSON, not gzip, or holds something that is no event (`index` says which).",
    401: "No valid key.",
    403: "The key does not allow this page's origin, or its connection is paused.",
    405: "Not POST; Allow names what is taken.",
    409: "One event was sent by itself, and its key is held by other content. The body is a report.",
    413: "Over 5,000,000 bytes, 20,000,000 unpacked, or 5,000 events (`limit` says which).",
    415: "Not application/json, or an encoding other than gzip.",
    422: "One event was sent by itself and cannot be stored. The body is a report.",
    429: "The key sends too fast; Retry-After says when to come again.",
    500: "Nothing was stored; the server's log says why.",
    503: "More events wait than can be written now, or the database is busy; Retry-After says when to come again.",
}


ASK_REFUSALS = {
    400: "The body is not JSON.",
    401: "No valid access token, and nobody is signed in.",
    403: "A page did not send its CSRF token, or whoever asks sees figures of no place.",
    413: "Over 1,000,000 bytes (`limit` says so).",
    415: "Not application/json.",
    422: "The question is not understood: `key`, `expected` and `got` say where and why.",
    429: "Over 2 questions a second after the first 20, or over 5 at once; Retry-After says when to come again.",
    503: "The answer takes longer than 30 seconds; ask for less.",
}


SEAT_REFUSALS = {
    400: "The body is not JSON, or holds something that is no seat (`index` says which).",
    401: "No valid key.",
    403: "A key of web pages, a page that asks, or a connection that is paused.",
    413: "Over 5,000,000 bytes or 5,000 seats (`limit` says which).",
    415: "Not application/json.",
    429: "The key sends too fast; Retry-After says when to come again.",
    503: "The database is busy; Retry-After says when to come again.",
}


def _schema(of: type[Schema]) -> dict[str, Any]:
    # ninja writes no body for a view that reads its own, so the shapes are given here, without references.
    schema = of.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema


def _response(status: int, sentence: str) -> dict[str, Any]:
    """What is said of a refusal beside its shape."""
    if status not in {429, 503}:
        return {"description": sentence}
    wait = {"description": "Seconds to wait before sending again.", "schema": {"type": "integer", "minimum": 1}}
    return {"description": sentence, "headers": {"Retry-After": wait}}


_EVENT = {**_schema(EventIn), "additionalProperties": False}
_EVENTS = {**_schema(EventsIn), "properties": {"events": {"type": "array", "maxItems": 5000, "items": _EVENT}}}


@api.post(
    "/events",
    summary="Record events",
    operation_id="record_events",
    response={
        200: ReportOut,
        **{status: ReportOut if status in {409, 422} else RefusalOut for status in REFUSALS},
    },
    openapi_extra={
        "security": [{"key": []}],
        "requestBody": {
            "required": True,
            "description": 'One event, a list, or {"events": […]}; may be sent with Content-Encoding: gzip.',
            "content": {
                "application/json": {
                    "schema": {"oneOf": [_EVENT, {"type": "array", "maxItems": 5000, "items": _EVENT}, _EVENTS]}
                }
            },
        },
        # By number, as ninja keeps them: by text each status would be written twice, and its shape be lost.
        "responses": {status: _response(status, sentence) for status, sentence in REFUSALS.items()},
    },
)
async def record_events(request: HttpRequest) -> HttpResponse:
    """Answers after the commit, with the fate of each event in the order sent."""
    return await _pass_on(request)


@api.post(
    "/ask",
    summary="Ask a question",
    operation_id="ask_question",
    response={200: AnswerOut, **{code: QuestionRefusalOut if code == 422 else RefusalOut for code in ASK_REFUSALS}},
    openapi_extra={
        "security": [{"token": []}, {"session": []}],
        "requestBody": {
            "required": True,
            "description": "One question, in the language of `uptake ask`; other keys are those of its analysis.",
            "content": {"application/json": {"schema": _schema(QuestionIn)}},
        },
        "responses": {status: _response(status, sentence) for status, sentence in ASK_REFUSALS.items()},
    },
)
def ask_question(request: HttpRequest) -> HttpResponse:
    """Answers within the scope of whoever asks: an access token in `Authorization: Bearer upt_…`, or the session."""
    return answer_question(request)


_SEAT = {**_schema(SeatIn), "additionalProperties": False}
_SEATS = {**_schema(SeatsIn), "properties": {"seats": {"type": "array", "maxItems": 5000, "items": _SEAT}}}


@api.post(
    "/seats",
    summary="Issue seats",
    operation_id="issue_seats",
    response={200: SeatReportOut, **dict.fromkeys(SEAT_REFUSALS, RefusalOut)},
    openapi_extra={
        "security": [{"key": []}],
        "requestBody": {
            "required": True,
            "description": 'One seat, a list, or {"seats": […]}. The same again changes nothing.',
            "content": {
                "application/json": {
                    "schema": {"oneOf": [_SEAT, {"type": "array", "maxItems": 5000, "items": _SEAT}, _SEATS]}
                }
            },
        },
        "responses": {status: _response(status, sentence) for status, sentence in SEAT_REFUSALS.items()},
    },
)
def issue_seats(request: HttpRequest) -> HttpResponse:
    """Says who was given which product, and since when; answers with the fate of each seat in the order sent."""
    return answer_seats(request)


REWARD_REFUSALS = {
    401: "No valid access token.",
    429: "The token asks too fast; Retry-After says when to come again.",
}
LEAVE_REFUSALS = {
    400: "`since` is no instant with an offset.",
    403: "No company of this slug whose reward desk the person of the token keeps.",
    **REWARD_REFUSALS,
}


def _by_token(refusals: dict[int, str], *parameters: tuple[str, bool, str]) -> dict[str, Any]:
    """How an operation that is read with an access token is described."""
    return {
        "security": [{"token": []}],
        "parameters": [
            {"name": name, "in": "query", "required": needed, "description": said, "schema": {"type": "string"}}
            for name, needed, said in parameters
        ],
        "responses": {status: _response(status, sentence) for status, sentence in refusals.items()},
    }


@api.get(
    "/rewards",
    summary="Rewards on offer",
    operation_id="list_rewards",
    response={200: RewardsOut, **dict.fromkeys(REWARD_REFUSALS, RefusalOut)},
    openapi_extra=_by_token(REWARD_REFUSALS),
)
def list_rewards(request: HttpRequest) -> HttpResponse:
    """What the person of the token can redeem points for, what is missing, and why not."""
    return answer_rewards(request)


@api.get(
    "/redemptions",
    summary="Own redemptions",
    operation_id="list_redemptions",
    response={200: RedemptionsOut, **dict.fromkeys(REWARD_REFUSALS, RefusalOut)},
    openapi_extra=_by_token(REWARD_REFUSALS),
)
def list_redemptions(request: HttpRequest) -> HttpResponse:
    """What the person of the token asked for, and where it stands; codes are shown on the page only."""
    return answer_redemptions(request)


@api.get(
    "/merits",
    summary="Own level, privileges and badges",
    operation_id="read_merits",
    response={200: MeritsOut, **dict.fromkeys(REWARD_REFUSALS, RefusalOut)},
    openapi_extra=_by_token(REWARD_REFUSALS),
)
def read_merits(request: HttpRequest) -> HttpResponse:
    """What the person of the token holds: the level, what it allows and until when, and badges."""
    return answer_merits(request)


@api.get(
    "/leave-requests",
    summary="Extra leave for HR",
    operation_id="list_leave_requests",
    response={200: LeaveRequestsOut, **dict.fromkeys(LEAVE_REFUSALS, RefusalOut)},
    openapi_extra=_by_token(
        LEAVE_REFUSALS,
        ("company", True, "Slug of the company."),
        ("since", False, "Only what was asked for or decided from this instant on."),
    ),
)
def list_leave_requests(request: HttpRequest) -> HttpResponse:
    """Days of leave that people of a company redeemed. What is told counts as told to HR."""
    return answer_leave(request)


TOKEN_REFUSALS = {
    400: "Not a JSON object with `person`, or `seconds` out of bounds.",
    401: "No valid widget key.",
    403: "A web page asks, or `source` is not the connection of the key.",
    404: "Nobody of the connection's place is known by this id, or not yet.",
    413: "Over 10,000 bytes.",
    429: "The key asks too fast; Retry-After says when to come again.",
}
LOOK_REFUSALS = {
    401: "No valid token: it has ended, its key was revoked, or it was never given out.",
    403: "The page is of an origin that the key does not allow, or the person belongs to the company no more.",
    429: "The person's pages ask too fast; Retry-After says when to come again.",
}


@api.post(
    "/widget/tokens",
    summary="Give a token for the widget",
    operation_id="give_widget_token",
    response={200: WidgetTokenOut, **dict.fromkeys(TOKEN_REFUSALS, RefusalOut)},
    openapi_extra={
        "security": [{"widget_key": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _schema(WidgetTokenIn)}}},
        "responses": {status: _response(status, sentence) for status, sentence in TOKEN_REFUSALS.items()},
    },
)
def give_widget_token(request: HttpRequest) -> HttpResponse:
    """By the server that knows who is signed in (`Authorization: Bearer upw_…`): shows one person's points in its
    pages for at most fifteen minutes."""
    return give_token(request)


@api.get(
    "/widget/me",
    summary="What the widget shows",
    operation_id="read_widget",
    response={200: WidgetOut, **dict.fromkeys(LOOK_REFUSALS, RefusalOut)},
    openapi_extra={
        **_by_token(
            LOOK_REFUSALS,
            ("lang", False, "en or zh; left out: the browser's."),
            ("after", False, "Number of the last entry known: later ones are marked new."),
            ("more", False, "1: also the place on the board and the next best step."),
        ),
        "security": [{"widget_token": []}],
    },
)
def read_widget(request: HttpRequest) -> HttpResponse:
    """Points, level and the newest entries of the person of the token, for pages that its key allows."""
    return look(request)


@api.api_operation(["OPTIONS"], "/widget/me", include_in_schema=False)
def may_a_page_look(request: HttpRequest) -> HttpResponse:
    """A browser's question before it looks."""
    return look(request)


@api.api_operation(["OPTIONS"], "/events", include_in_schema=False)
async def may_a_page_send(request: HttpRequest) -> HttpResponse:
    """A browser's question before it sends."""
    return await _pass_on(request)


@api.api_operation(["POST", "OPTIONS"], "/collect", include_in_schema=False)
async def collect_from_a_page(request: HttpRequest) -> HttpResponse:
    """What our own script in web pages sends."""
    return await _pass_on(request, answer_page)


async def _pass_on(request: HttpRequest, taking: Callable[[Asked], Awaitable[Answer]] = answer) -> HttpResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    query, client = request.META.get("QUERY_STRING", ""), request.META.get("REMOTE_ADDR", "")
    given = await taking(Asked(request.method or "", headers, _chunks(request), query, client))
    response = HttpResponse(given.body, status=given.status)
    for name, value in given.headers.items():
        if name.lower() != "connection":
            response[name] = value
    return response


async def _chunks(request: HttpRequest) -> AsyncIterator[bytes]:
    while chunk := request.read(CHUNK):
        yield chunk


urlpatterns = [path("widget/stream", listen, name="widget-stream"), path("", api.urls)]
