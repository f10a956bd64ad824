"""The description of the API is OpenAPI that generators can read, and names every status the intake answers with."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from uptake.web.api import body, intake
from uptake.web.api.urls import REFUSALS

SHAPES = {
    "record_events": dict.fromkeys(("200", "409", "422"), "ReportOut"),
    "ask_question": {"200": "AnswerOut", "422": "QuestionRefusalOut"},
    "issue_seats": {"200": "SeatReportOut"},
    "list_rewards": {"200": "RewardsOut"},
    "list_redemptions": {"200": "RedemptionsOut"},
    "read_merits": {"200": "MeritsOut"},
    "list_leave_requests": {"200": "LeaveRequestsOut"},
    "give_widget_token": {"200": "WidgetTokenOut"},
    "read_widget": {"200": "WidgetOut"},
}
READ = ("list_rewards", "list_redemptions", "read_merits", "list_leave_requests", "read_widget")
"""Operations that are asked by their address alone."""
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"written twice: {sorted(names)}"
    return dict(pairs)


@pytest.fixture
def described(db: None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Client().get("/api/v1/openapi.json").content, object_pairs_hook=unique)
    return found


def operations(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path, item in described["paths"].items():
        assert path.startswith("/api/v1/")
        assert set(item) <= METHODS
        yield from item.values()


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inside in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(inside)


def test_it_is_openapi_and_everything_it_refers_to_stands_in_it(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    assert described["info"]["title"] and described["info"]["version"]  # noqa: PT018  one fact: what it is
    for node in nodes(described):
        if isinstance(node.get("$ref"), str):
            at: Any = described
            for step in node["$ref"].removeprefix("#/").split("/"):
                at = at[step]
            assert isinstance(at, dict)
        if isinstance(node.get("properties"), dict) and isinstance(node.get("required"), list):
            assert set(node["required"]) <= set(node["properties"])
    schemes = described["components"]["securitySchemes"]
    assert all(scheme in schemes for one in operations(described) for need in one["security"] for scheme in need)
    assert schemes["key"] == {"type": "http", "scheme": "bearer"}


def test_every_answer_has_its_words_and_its_shape(described: dict[str, Any]) -> None:
    names = [one["operationId"] for one in operations(described)]
    assert len(set(names)) == len(names) > 0
    for one in operations(described):
        if one["operationId"] not in READ:
            assert one["requestBody"]["content"]["application/json"]["schema"]
        for status, response in one["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert response["description"]
            shape = response["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
            assert shape == SHAPES[one["operationId"]].get(status, "RefusalOut")
            assert ("Retry-After" in response.get("headers", {})) is (status in {"429", "503"})


def test_every_status_the_intake_refuses_with_is_named() -> None:
    sources = [inspect.getsource(room) for room in (intake, body)]
    refused = {int(status) for source in sources for status in re.findall(r"Refused\(\s*(\d+)", source)}

    assert refused | {409, 422} == set(REFUSALS)
