"""The inbox: one's own messages, unread until read, each leading to what it is about; what one chose is kept."""

from __future__ import annotations

from datetime import time

import pytest
from django.test import Client

from tests.cast import NOW, Cast
from uptake.directory.models import Person
from uptake.notify.inbox import unread_of
from uptake.notify.models import Bounce, Message, Pace, Rhythm, Topic, Way
from uptake.notify.tell import Telling, tell
from uptake.notify.topics import topic_of
from uptake.notify.wishes import wanted_by

pytestmark = pytest.mark.django_db


def hear(person: Person, key: str, kind: str, **content: object) -> Message:
    tell([Telling(person_id=person.pk, key=key, kind=kind, content=content)], now=NOW)
    return Message.objects.get(person=person, key=key)


@pytest.fixture
def lin(cast: Cast) -> Client:
    return cast.sign_in(cast.lin)


def test_one_sees_ones_own_messages_and_how_many_are_unread(cast: Cast, lin: Client) -> None:
    hear(cast.lin, "a", "community.answered", title="Which bin?", href="/community/5/")
    hear(cast.lin, "b", "points_earned", points=5)
    hear(cast.mo, "c", "community.answered", title="Which dye?")

    page = lin.get("/messages/").content.decode()
    assert "Which bin?" in page
    assert "Which dye?" not in page
    assert 'data-unread="1"' in page
    assert page.count('action="/messages/') == 2, "one message, and all of them at once"


def test_opening_one_reads_it_and_leads_to_what_it_is_about(cast: Cast, lin: Client) -> None:
    mine = hear(cast.lin, "a", "community.answered", title="Which bin?", href="/community/5/")
    foreign = hear(cast.mo, "a", "community.answered", title="Which dye?")

    assert lin.get(f"/messages/{mine.pk}/open").status_code == 405
    assert lin.post(f"/messages/{mine.pk}/open")["Location"] == "/community/5/"
    assert lin.post(f"/messages/{foreign.pk}/open").status_code == 404
    assert list(Message.objects.filter(read_at__isnull=True)) == [foreign]


def test_a_message_leads_nowhere_else(cast: Cast, lin: Client) -> None:
    bad = hear(cast.lin, "a", "community.answered", title="x", href="https://elsewhere.example/")

    assert lin.post(f"/messages/{bad.pk}/open")["Location"] == "/messages/"


def test_all_are_read_up_to_what_the_page_knew(cast: Cast, lin: Client) -> None:
    first = hear(cast.lin, "a", "badge.given", name_en="Storekeeper")
    hear(cast.lin, "b", "badge.given", name_en="Quick counter")

    lin.post("/messages/read", {"up_to": str(first.pk), "show": "unread"})
    lin.post("/messages/read", {"up_to": "nonsense"})

    assert unread_of(cast.lin.pk) == 1
    shown = lin.get("/messages/?show=unread").content.decode()
    assert "Quick counter" in shown
    assert "Storekeeper" not in shown


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("points_earned", Topic.POINTS),
        ("points.retroactive", Topic.POINTS),
        ("points.recognised", Topic.RECOGNITION),
        ("level_reached", Topic.MERITS),
        ("redemption.approved", Topic.REWARDS),
        ("appeal.decided", Topic.RULES),
        ("training.moved", Topic.TRAININGS),
        ("something.new", Topic.POINTS),
    ],
)
def test_messages_are_filtered_by_what_they_are_about(cast: Cast, lin: Client, kind: str, topic: Topic) -> None:
    hear(cast.lin, "a", kind, title="Just this", points=0)

    assert topic_of(kind) == topic
    for one in Topic:
        found = lin.get(f"/messages/?about={one.value}").content.decode()
        assert ("/open" in found) == (one == topic and kind != "points_earned")


def test_what_is_not_wanted_on_the_page_is_neither_counted_nor_said(cast: Cast, lin: Client) -> None:
    wanted = [f"{topic}/page" for topic in Topic if topic != Topic.COMMUNITY]
    head = lin.get("/live/since").json()["messages"][-1]["id"]
    lin.post("/account/messages/", dict.fromkeys(wanted, "on"))
    hear(cast.lin, "a", "community.answered", title="Which bin?")
    hear(cast.lin, "b", "badge.given", name_en="Storekeeper")

    assert Topic.COMMUNITY not in wanted_by(cast.lin.pk, Way.PAGE)
    assert unread_of(cast.lin.pk) == 1
    assert "Which bin?" in lin.get("/messages/").content.decode()
    if head:
        said = [one["kind"] for one in lin.get(f"/live/since?after={head}").json()["messages"]]
        assert said in ([], ["message", "notice"]), "PostgreSQL shows nothing of a transaction that is still open"


def test_one_chooses_hours_and_a_pace(cast: Cast, lin: Client) -> None:
    told = {"do": "when", "pace": "daily", "quiet_from": "21:30", "quiet_until": "07:00", "zone": "Europe/Berlin"}
    assert lin.post("/account/messages/", told).status_code == 302
    kept = Rhythm.objects.get(person=cast.lin)
    assert (kept.pace, kept.quiet_from, kept.quiet_until, kept.zone) == (
        Pace.DAILY,
        time(21, 30),
        time(7),
        "Europe/Berlin",
    )

    half = lin.post("/account/messages/", told | {"quiet_until": ""})
    assert "Quiet hours have a beginning and an end" in half.content.decode()
    assert 'value="21:30"' in half.content.decode()


def test_who_manages_people_sees_that_mails_come_back(cast: Cast) -> None:
    Bounce.objects.create(person=cast.lin, address=cast.lin.email, why="550 no such user", at=NOW)

    page = f"/people/{cast.lin.pk}/"
    assert "550 no such user" in cast.sign_in(cast.hua).get(page).content.decode()
    assert "550 no such user" not in cast.sign_in(cast.wei).get(page).content.decode()
    assert cast.sign_in(cast.mo).post(f"{page}mail-again").status_code == 404
    assert cast.sign_in(cast.hua).post(f"{page}mail-again").status_code == 302
    assert not Bounce.objects.exists()
