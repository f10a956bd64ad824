"""Mails over a real mail server: each reader's answer is their own, and what is lost on the way is sent again."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import LazySettings
from django.test import Client

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry, Person
from uptake.directory.scope import NotAllowed
from uptake.notify.choose import NoSuchZone, choose_rhythm, choose_ways, stop_mails
from uptake.notify.mail_messages import mail_messages
from uptake.notify.models import Bounce, Mail, Pace, Rhythm, Topic, Way, Wish
from uptake.notify.rhythm import Habit, due
from uptake.notify.send_mails import CLAIM, FIRST_PAUSE, MOST_TRIES, send_mails
from uptake.notify.take_bounce import NoReport, take_bounce, try_address_again
from uptake.notify.tell import Telling, tell
from uptake.notify.unsubscribe import NotOurs, read_token
from uptake.notify.write_mail import Letter, write_mail

pytestmark = pytest.mark.django_db


@dataclass
class Post:
    """A mail server that takes everything, but for the answers it was told to give."""

    says: dict[str, list[str]] = field(default_factory=dict)
    """By reader: answers to RCPT, used up one by one. "hang up": to the letter itself, without a word."""
    taken: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: Any) -> str:
        waiting = self.says.get(address)
        if waiting and waiting[0] != "hang up":
            return waiting.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if waiting := self.says.get(envelope.rcpt_tos[0]):
            waiting.pop(0)
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "421 bye"
        assert isinstance(envelope.content, bytes)
        self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    def readers(self) -> list[str]:
        return [one["To"] for one in self.taken]


@pytest.fixture
def post(settings: LazySettings) -> Iterator[Post]:
    served = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(served, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 5
    yield served
    server.stop()


def write(*people: Person, topic: Topic = Topic.ANNOUNCEMENTS, key: str = "a", now: datetime = NOW) -> None:
    write_mail(
        [
            Letter(person_id=one.pk, key=key, topic=topic, subject=f"Stocktaking {key}", text="On the 30th.")
            for one in people
        ],
        now=now,
    )


def plain(mail: EmailMessage) -> str:
    """The part of a mail without tags."""
    body = mail.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


def state(person: Person) -> tuple[bool, bool, int]:
    """(sent, waiting, attempts) of the person's only mail."""
    found = Mail.objects.get(person=person)
    return found.sent_at is not None, found.next_at is not None, found.tries


def test_each_reader_gets_their_own_with_a_way_to_stop_more(cast: Cast, post: Post) -> None:
    user = cast.login(cast.hua)
    user.language = "zh-hans"
    user.save(update_fields=["language"])
    write(cast.lin, cast.hua)

    assert send_mails(now=NOW) == 2
    assert send_mails(now=NOW) == 0
    to_lin, to_hua = post.taken
    assert (to_lin["To"], to_lin["Subject"], to_lin["Auto-Submitted"]) == (
        cast.lin.email,
        "Stocktaking a",
        "auto-generated",
    )
    assert to_lin["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = to_lin["List-Unsubscribe"].strip(" <>")
    assert read_token(stop.rpartition("/")[2]) == (cast.lin.pk, Topic.ANNOUNCEMENTS)
    assert stop in plain(to_lin)
    assert "On the 30th." in plain(to_lin)
    tagged = to_lin.get_body(("html",))
    assert isinstance(tagged, EmailMessage)
    assert "<p>On the 30th.</p>" in tagged.get_content()
    assert f'<a href="{stop}">' in tagged.get_content()
    assert to_lin["Message-ID"] != to_hua["Message-ID"]


def test_a_refusal_of_one_reader_holds_up_nobody_else(cast: Cast, post: Post) -> None:
    post.says = {
        cast.hua.email: ["452 4.2.2 mailbox full"],
        cast.ke.email: ["550 5.1.1 no such user"],
        cast.wei.email: ["550 5.7.1 not from you"],
    }
    write(cast.hua, cast.ke, cast.wei, cast.lin)

    assert send_mails(now=NOW) == 3
    assert post.readers() == [cast.lin.email]
    assert [state(one) for one in (cast.hua, cast.ke, cast.wei)] == [
        (False, True, 1),
        (False, False, 1),
        (False, False, 1),
    ]
    assert [(one.person, one.why) for one in Bounce.objects.all()] == [(cast.ke, "550 5.1.1 no such user")]
    assert send_mails(now=NOW + FIRST_PAUSE) == 1
    assert post.readers() == [cast.lin.email, cast.hua.email]


def test_an_address_that_does_not_exist_is_left_alone_until_it_changes(cast: Cast, post: Post) -> None:
    post.says = {cast.lin.email: ["550 5.1.1 no such user"]}
    write(cast.lin)
    send_mails(now=NOW)
    write(cast.lin, key="b")
    assert send_mails(now=NOW) == 1
    assert (post.readers(), Mail.objects.get(key="b").why_not) == ([], "mails to this address come back")

    Person.objects.filter(pk=cast.lin.pk).update(email="fang@beiyuan.example")
    write(cast.lin, key="c")
    send_mails(now=NOW)
    assert post.readers() == ["fang@beiyuan.example"]


def test_what_is_never_taken_is_given_up(cast: Cast, post: Post) -> None:
    post.says = {cast.lin.email: ["451 4.3.0 try later"] * MOST_TRIES}
    write(cast.lin)
    now = NOW
    for _try in range(MOST_TRIES):
        now += timedelta(days=1)
        send_mails(now=now)

    assert state(cast.lin) == (False, False, MOST_TRIES)
    assert not Bounce.objects.exists()


def test_a_line_lost_half_way_costs_one_attempt_of_one_mail(cast: Cast, post: Post) -> None:
    post.says = {cast.hua.email: ["hang up"]}
    write(cast.lin, cast.hua, cast.ke)

    assert send_mails(now=NOW) == 2
    assert post.readers() == [cast.lin.email, cast.ke.email]
    assert state(cast.hua) == (False, True, 1)
    assert send_mails(now=NOW + FIRST_PAUSE) == 1


def test_a_server_that_is_away_costs_no_attempt(cast: Cast, post: Post, settings: LazySettings) -> None:
    there = settings.EMAIL_PORT
    settings.EMAIL_PORT = 1
    write(cast.lin, cast.hua)

    assert send_mails(now=NOW) == 0
    assert [state(one) for one in (cast.lin, cast.hua)] == [(False, True, 0)] * 2
    settings.EMAIL_PORT = there
    assert send_mails(now=NOW + FIRST_PAUSE) == 2


def test_a_runner_killed_between_sending_and_noting_sends_once_more_under_the_same_name(
    cast: Cast, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(cast.lin)

    def killed(*_args: object) -> int:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("uptake.notify.send_mails._write", killed)
        with pytest.raises(SystemExit):
            send_mails(now=NOW)
    assert send_mails(now=NOW + CLAIM / 2) == 0
    assert send_mails(now=NOW + CLAIM) == 1

    first, again = post.taken
    assert first["Message-ID"] == again["Message-ID"]


MORNING = datetime(2026, 5, 13, 1, 0, tzinfo=UTC)
"""09:00 in Linjiang, a Wednesday."""
NIGHT = (time(22), time(7))


@pytest.mark.once
@pytest.mark.parametrize(
    ("topic", "pace", "quiet", "at", "expected"),
    [
        (Topic.COMMUNITY, Pace.AT_ONCE, None, MORNING, MORNING),
        (Topic.COMMUNITY, Pace.AT_ONCE, NIGHT, MORNING, MORNING),
        (Topic.COMMUNITY, Pace.AT_ONCE, NIGHT, MORNING + timedelta(hours=13), datetime(2026, 5, 13, 23, tzinfo=UTC)),
        (Topic.COMMUNITY, Pace.AT_ONCE, NIGHT, MORNING - timedelta(hours=3), datetime(2026, 5, 12, 23, tzinfo=UTC)),
        (Topic.COMMUNITY, Pace.AT_ONCE, (time(9), time(12)), MORNING, datetime(2026, 5, 13, 4, tzinfo=UTC)),
        (Topic.COMMUNITY, Pace.AT_ONCE, (time(9), time(9)), MORNING, MORNING),
        (Topic.CONNECTIONS, Pace.WEEKLY, (time(0), time(23)), MORNING, MORNING),
        (Topic.COMMUNITY, Pace.DAILY, None, MORNING, datetime(2026, 5, 14, 0, tzinfo=UTC)),
        (Topic.COMMUNITY, Pace.DAILY, None, MORNING - timedelta(hours=2), datetime(2026, 5, 13, 0, tzinfo=UTC)),
        (Topic.COMMUNITY, Pace.DAILY, (time(7), time(10)), MORNING, datetime(2026, 5, 14, 2, tzinfo=UTC)),
        (Topic.COMMUNITY, Pace.WEEKLY, None, MORNING, datetime(2026, 5, 18, 0, tzinfo=UTC)),
    ],
)
def test_a_mail_waits_for_the_hour_its_reader_chose(
    topic: Topic, pace: Pace, quiet: tuple[time, time] | None, at: datetime, expected: datetime
) -> None:
    found, together = due(topic, Habit(pace=pace, zone="Asia/Shanghai", quiet=quiet), at)

    assert found == expected
    assert together == (pace != Pace.AT_ONCE and topic != Topic.CONNECTIONS)


def test_all_of_a_day_comes_in_one_mail_and_what_cannot_wait_by_itself(cast: Cast, post: Post) -> None:
    choose_rhythm(person_id=cast.lin.pk, pace=Pace.DAILY, quiet=None, zone="Asia/Shanghai", now=NOW)
    write(cast.lin, key="a")
    write(cast.lin, key="b", topic=Topic.FEEDBACK)
    write(cast.lin, key="urgent", topic=Topic.TRAININGS)
    write(cast.hua)

    assert send_mails(now=NOW) == 2
    assert send_mails(now=NOW + timedelta(days=1)) == 2
    assert [one["Subject"] for one in post.taken] == ["Stocktaking urgent", "Stocktaking a", "2 messages from Uptake"]
    together = post.taken[2]
    assert "Stocktaking a" in plain(together)
    assert "Stocktaking b" in plain(together)
    assert read_token(together["List-Unsubscribe"].strip(" <>").rpartition("/")[2]) == (cast.lin.pk, None)


def test_what_waits_follows_a_change_of_mind(cast: Cast) -> None:
    choose_rhythm(person_id=cast.lin.pk, pace=Pace.WEEKLY, quiet=None, now=NOW)
    write(cast.lin, key="a")
    write(cast.lin, key="b", topic=Topic.FEEDBACK)

    choose_rhythm(person_id=cast.lin.pk, pace=Pace.AT_ONCE, quiet=NIGHT, now=NOW)
    choose_ways(person_id=cast.lin.pk, wanted={Way.MAIL: [Topic.FEEDBACK]}, now=NOW - timedelta(hours=1))

    assert Mail.objects.get(key="a").next_at is None
    assert (Mail.objects.get(key="b").next_at, Mail.objects.get(key="b").together) == (NOW, False)
    with pytest.raises(NoSuchZone):
        choose_rhythm(person_id=cast.lin.pk, pace=Pace.DAILY, quiet=None, zone="Mars/Olympus", now=NOW)
    assert Rhythm.objects.get().pace == Pace.AT_ONCE


def told(person: Person, key: str, kind: str = "community.answered") -> Telling:
    return Telling(
        person_id=person.pk, key=key, kind=kind, content={"title": f"Question {key}", "href": "/community/5/"}
    )


@pytest.mark.django_db(transaction=True)
def test_messages_become_mails_for_those_who_asked_and_once(cast: Cast) -> None:
    choose_ways(person_id=cast.lin.pk, wanted={Way.MAIL: [Topic.COMMUNITY, Topic.ANNOUNCEMENTS]}, now=NOW)
    tell([told(cast.lin, "before")], now=NOW)
    assert mail_messages(now=NOW) == 0
    tell([told(cast.lin, "a"), told(cast.hua, "a"), told(cast.lin, "b", "badge.given")], now=NOW)
    tell([told(cast.lin, "c", "announcement.published")], now=NOW)

    assert [mail_messages(now=NOW) for _turn in range(2)] == [1, 0]
    made = Mail.objects.get()
    assert (made.person, made.subject, made.topic) == (cast.lin, "Your question has an answer", "community")
    assert "Question a" in made.text
    assert "/community/5/" in made.text


def test_one_click_stops_mails_of_one_kind_without_signing_in(cast: Cast, post: Post) -> None:
    write(cast.lin)
    write(cast.lin, key="b", topic=Topic.FEEDBACK, now=NOW + timedelta(hours=1))
    send_mails(now=NOW)
    address = urlsplit(post.taken[0]["List-Unsubscribe"].strip(" <>")).path
    stranger = Client(enforce_csrf_checks=True)

    asked = stranger.get(address)
    assert asked.status_code == 200
    assert not Wish.objects.exists()
    assert b"Announcements" in asked.content
    assert cast.lin.name.encode() not in asked.content
    answer = stranger.post(address, {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert [(one.person, one.topic, one.wanted) for one in Wish.objects.all()] == [(cast.lin, "announcements", False)]
    write(cast.lin, key="c")
    assert set(Mail.objects.filter(next_at__isnull=False).values_list("key", flat=True)) == {"b"}
    assert stranger.post(address[:-1] + ("A" if address[-1] != "A" else "B")).status_code == 404


def test_stopping_all_stops_what_was_asked_for_too(cast: Cast) -> None:
    choose_ways(person_id=cast.lin.pk, wanted={Way.MAIL: list(Topic)}, now=NOW)

    stop_mails(person_id=cast.lin.pk, topic=None, now=NOW)
    write(cast.lin, key="x", topic=Topic.COMMUNITY)
    write(cast.lin, key="y", topic=Topic.CONNECTIONS)

    assert not Mail.objects.exists()


def report(sent: EmailMessage, *, to: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: uptake@localhost\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {sent['Message-ID']}\r\nTo: {to}\r\n\r\n--b--\r\n"
    ).encode()


def test_a_mail_that_came_back_marks_its_address(cast: Cast, post: Post) -> None:
    write(cast.lin, cast.mo)
    send_mails(now=NOW)
    to_lin, _to_mo = post.taken

    assert take_bounce(report(to_lin, to=cast.lin.email, action="delayed", status="4.4.1"), now=NOW) == 0
    assert take_bounce(report(to_lin, to=cast.lin.email, status="5.2.2"), now=NOW) == 0
    assert [take_bounce(report(to_lin, to=cast.lin.email), now=NOW) for _twice in range(2)] == [1, 1]
    marked = Bounce.objects.get()
    assert (marked.person, marked.why) == (cast.lin, "smtp; 550 5.1.1 unknown")
    assert not Bounce.objects.visible_to(cast.viewer(cast.mo)).exists()

    with pytest.raises(NotAllowed):
        try_address_again(bounce=marked, by=cast.viewer(cast.mo), now=NOW)
    try_address_again(bounce=marked, by=cast.viewer(cast.hua, TODAY), now=NOW)
    assert not Bounce.objects.exists()
    assert AuditEntry.objects.get(deed="mail.tried_again").organization == cast.purchasing


@pytest.mark.parametrize("forged", ["another reader", "another name", "no report"])
def test_a_forged_report_marks_nobody(cast: Cast, post: Post, forged: str) -> None:
    write(cast.lin, cast.mo)
    send_mails(now=NOW)
    raw = report(post.taken[0], to=cast.mo.email if forged == "another reader" else cast.lin.email)
    if forged == "another name":
        raw = raw.replace(b"<uptake.", b"<uptake.1")
    if forged == "no report":
        raw = raw.replace(b"multipart/report", b"multipart/mixed")

    with pytest.raises(NoReport):
        take_bounce(raw, now=NOW)
    assert not Bounce.objects.exists()


def test_a_token_nobody_made_is_refused() -> None:
    with pytest.raises(NotOurs):
        read_token("WzEsIiJd:1wMx:forged")
