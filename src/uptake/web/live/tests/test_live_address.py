"""`/live` over the real record: who may listen, from where, to what."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import resolve

from tests.cast import NOW, Cast
from uptake.notify.follow import Bookmark
from uptake.notify.notices import NOTICES, notice_of
from uptake.notify.tell import Telling, tell
from uptake.web.live.hub import Told
from uptake.web.live.record import DatabaseRecord, missed_by
from uptake.web.live.views import HUB
from uptake.web.live.words import said

pytestmark = pytest.mark.django_db(transaction=True)

EARNED: dict[str, Any] = {
    "points": 10,
    "count": 1,
    "awards": [
        {
            "award": 7,
            "points": 10,
            "title": "Receipt on time",
            "labels": {"en": "Goods receipt", "zh": "收货"},
            "object": "GR-1",
        }
    ],
}


def tell_points(cast: Cast, who: str, key: str, points: int = 10) -> None:
    person = cast.people()[who]
    tell([Telling(person_id=person.pk, key=key, kind="points_earned", content=EARNED | {"points": points})], now=NOW)


def test_nobody_listens_without_signing_in(client: Client) -> None:
    assert client.get("/live").status_code == 204
    assert client.get("/live/since").status_code == 401


def test_the_stream_is_a_stream_and_is_never_kept(cast: Cast) -> None:
    response = cast.sign_in(cast.lin).get("/live")

    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-store"
    assert len(HUB) == 0, "a stream that is not read does not listen"


def test_an_open_stream_keeps_no_connection_to_the_database(cast: Cast) -> None:
    client = cast.sign_in(cast.lin)

    client.get("/live")

    assert connection.connection is None


def test_the_record_resumes_after_the_bookmark_for_this_person_only(cast: Cast) -> None:
    tell_points(cast, "lin", "a", 1)
    record = DatabaseRecord()
    mark = record.head()
    tell_points(cast, "lin", "b", 2)
    tell_points(cast, "mo", "c", 3)

    assert [one.content["points"] for one in missed_by(cast.lin.pk, mark)] == [2]
    assert [(one.person_id, one.content["points"]) for one in record.look(mark, False).messages] == [
        (cast.lin.pk, 2),
        (cast.mo.pk, 3),
    ]


def test_by_asking_one_hears_the_same(cast: Cast) -> None:
    client = cast.sign_in(cast.lin)
    begun = client.get("/live/since").json()["messages"]
    tell_points(cast, "lin", "a", 4)
    tell_points(cast, "mo", "b", 5)

    heard = client.get("/live/since", {"after": begun[0]["id"]}).json()["messages"]

    assert [(one["kind"], one["data"]["points"]) for one in heard] == [("award", 4)]
    assert client.get("/live/since", {"after": heard[0]["id"]}).json()["messages"] == []


@pytest.mark.parametrize("nonsense", ["x", "1-2-3", "-1-0", "9" * 50 + "-1", "0-١"])
def test_a_bookmark_that_is_none_starts_anew(cast: Cast, nonsense: str) -> None:
    client = cast.sign_in(cast.lin)

    assert client.get("/live/since", {"after": nonsense}).json()["messages"][0]["kind"] == "hello"
    assert client.get("/live", headers={"Last-Event-ID": nonsense}).status_code == 200


def test_the_page_knows_from_where_to_listen(cast: Cast) -> None:
    tell_points(cast, "lin", "a")

    page = cast.sign_in(cast.lin).get("/account/").content.decode()

    assert f'data-live-after="{DatabaseRecord().head()}"' in page


@pytest.mark.parametrize(
    ("who", "at", "companies"),
    [
        ("ren", "", {"linjiang", "beiyuan", "qinghe"}),
        ("ren", "qinghe", {"qinghe"}),
        ("wei", "", {"beiyuan"}),
        ("wei", "qinghe", set()),
        ("mo", "beiyuan", set()),
        ("lin", "beiyuan", set()),
        ("shu", "beiyuan", {"beiyuan"}),
    ],
)
def test_events_are_counted_only_where_one_may_see_them(cast: Cast, who: str, at: str, companies: set[str]) -> None:
    from django.test import RequestFactory

    from uptake.directory.models import Organization
    from uptake.web.live.views import _companies

    viewer = cast.viewer(cast.people()[who])

    counted = _companies(RequestFactory().get("/live", {"at": at}), viewer)

    assert set(Organization.objects.filter(pk__in=counted).values_list("slug", flat=True)) == companies


def test_a_message_is_said_in_the_language_of_the_reader() -> None:
    one = Told(Bookmark(0, 1), 1, "points_earned", EARNED)

    assert said(one, "en") == (
        "award",
        {"points": 10, "title": "Goods receipt", "sub": "GR-1 · Receipt on time", "href": "/points/#award-7"},
    )
    assert said(one, "zh-hans")[1]["title"] == "收货"


@pytest.mark.parametrize(
    ("kind", "content", "english", "chinese"),
    [
        (
            "redemption.fulfilled",
            {"redemption": 3, "name_en": "Mug", "name_zh": "保温杯", "price": 180},
            {"title": "Your reward is ready", "sub": "Mug", "href": "/rewards/mine/3/", "tone": "good"},
            "保温杯",
        ),
        (
            "appeal.decided",
            {"appeal": 4, "state": "upheld", "given": 8},
            {"title": "Your appeal was answered", "sub": "", "href": "/appeals/4/", "tone": "good"},
            "",
        ),
        (
            "level_fallen",
            {"level": "Steady", "was": "Master"},
            {"title": "Your level changed with the season", "sub": "Steady", "href": "/points/", "tone": "warn"},
            "Steady",
        ),
        (
            "gaming.held",
            {"finding": 4, "points": 20},
            {
                "title": "Some of your points are on hold while people look at them",
                "sub": "", "href": "/points/", "tone": "warn",
            },
            "",
        ),
        (
            "points.retroactive",
            {"run": 2, "points": 9, "title": "The rule came late", "appeal_until": ""},
            {
                "title": "Points were given to you afterwards",
                "sub": "The rule came late", "href": "/points/", "tone": "good",
            },
            "The rule came late",
        ),
        (
            "points.retroactive_taking",
            {"run": 2, "points": 9, "title": "Counted twice", "appeal_until": ""},
            {
                "title": "Points given too much will be taken back; you may appeal",
                "sub": "Counted twice", "href": "/points/", "tone": "warn",
            },
            "Counted twice",
        ),
        (
            "debt.written_off",
            {"points": 3, "date": "2026-05-01"},
            {"title": "A small debt of yours was written off", "sub": "", "href": "/points/", "tone": "good"},
            "",
        ),
    ],
)  # fmt: skip
def test_what_is_not_about_points_has_a_sentence_and_a_place(
    kind: str, content: dict[str, object], english: dict[str, object], chinese: str
) -> None:
    one = Told(Bookmark(0, 1), 1, kind, content)

    assert said(one, "en") == ("notice", english)
    name, told = said(one, "zh-hans")
    assert (name, told["sub"], told["href"]) == ("notice", chinese, english["href"])
    assert told["title"] != english["title"]


@pytest.mark.parametrize("kind", NOTICES)
def test_what_has_a_sentence_is_never_told_as_points_earned(kind: str) -> None:
    for language in ("en", "zh-hans"):
        name, told = said(Told(Bookmark(0, 1), 1, kind, {"points": 20, "title": "x"}), language)
        assert (name, "points" in told) == ("notice", False)


def test_every_notice_leads_to_a_page() -> None:
    for kind in NOTICES:
        notice = notice_of(kind, {"redemption": 1, "proposal": 1, "appeal": 1, "href": "/community/1/"})
        assert notice is not None
        assert resolve(str(notice["href"]))


def test_a_session_that_ended_no_longer_lives(cast: Cast) -> None:
    client = cast.sign_in(cast.lin)
    key = client.session.session_key
    assert key is not None
    assert DatabaseRecord().live_sessions([key, "unknown"]) == {key}

    client.post("/account/logout/")

    assert DatabaseRecord().live_sessions([key]) == set()
