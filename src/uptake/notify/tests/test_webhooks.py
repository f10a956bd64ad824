"""Webhooks hear of their own place, in order, signed, at least once, and are left alone when they ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from tests.cast import NOW, Cast
from uptake.basics.sealing import InvalidToken, unseal
from uptake.directory.models import AuditEntry, Organization
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.notify.announce import News, announce
from uptake.notify.deliver import deliver, forget_deliveries
from uptake.notify.models import About, Delivery, Fate, Stop, Webhook
from uptake.notify.post import NotAnAddress, post
from uptake.notify.signature import headers_of, new_secret
from uptake.notify.subscribe import (
    NotEncrypted,
    NothingChosen,
    make_webhook,
    pause_webhook,
    proper,
    remove_webhook,
    renew_secret,
    resume_webhook,
    send_again,
    test_webhook,
)
from uptake.notify.tests.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db
HERE = Path(__file__).resolve().parents[4]
try_out = test_webhook
del test_webhook  # it is no test


@dataclass
class Desk:
    """A webhook of Beiyuan, its receiver, and a clock that stands until it is put on."""

    hook: Webhook
    receiver: Receiver
    cast: Cast
    now: datetime = NOW

    def tell(self, *keys: str, place: Organization | None = None, about: About = About.AWARDS) -> None:
        place = place or self.cast.beiyuan
        person = self.cast.mo if place == self.cast.qinghe else self.cast.lin
        announce(
            [
                News(about=about, kind="points.awarded", organization_id=place.pk, key=key, at=self.now,
                     person_id=person.pk, data={"points": 5, "key": key})
                for key in keys
            ],
            now=self.now,
        )  # fmt: skip

    def run(self, after: timedelta = timedelta(0), **more: Any) -> int:
        self.now += after
        return deliver(clock=lambda: self.now, **more)

    def came(self) -> list[str]:
        return [body["data"].get("key", "") for body in self.receiver.bodies]

    def fates(self) -> list[str]:
        return list(self.hook.deliveries.order_by("pk").values_list("fate", flat=True))


@pytest.fixture
def desk(cast: Cast) -> Iterator[Desk]:
    with receiving() as receiver:
        hook, receiver.secret = make_webhook(
            organization=cast.beiyuan, name="HR", address=receiver.address, about=["awards", "levels"],
            plain_http=True, by=EVERYTHING, now=NOW,
        )  # fmt: skip
        yield Desk(hook, receiver, cast)
        assert not receiver.wrong


def test_what_is_told_arrives_once_in_order_and_signed(desk: Desk) -> None:
    desk.tell("a", "b")
    desk.tell("b", "c")

    assert (desk.run(), desk.run()) == (3, 0)
    assert desk.came() == ["a", "b", "c"]
    assert desk.receiver.bodies[0] == {
        "type": "points.awarded",
        "timestamp": NOW.isoformat(),
        "data": {
            "organization": "beiyuan",
            "person": {"id": desk.cast.lin.pk, "staff_number": "B001"},
            "points": 5,
            "key": "a",
        },
    }
    assert len(set(desk.receiver.numbers)) == 3


def test_nothing_of_another_company_and_nothing_unasked_is_told(desk: Desk) -> None:
    with receiving() as receiver:
        _park, receiver.secret = make_webhook(
            organization=desk.cast.park, name="Park", address=receiver.address, about=["awards", "redemptions"],
            plain_http=True, by=EVERYTHING, now=NOW,
        )  # fmt: skip
        desk.tell("foreign", place=desk.cast.qinghe)
        desk.tell("own")
        desk.tell("of the park", place=desk.cast.park)
        desk.tell("unasked", about=About.REDEMPTIONS)
        desk.run()

        assert desk.came() == ["own"]
        assert sorted(body["data"]["key"] for body in receiver.bodies) == ["foreign", "of the park", "own", "unasked"]
    whose = Delivery.objects.filter(webhook=desk.hook).values_list("company__slug", flat=True)
    assert set(whose) == {"beiyuan"}


def test_what_is_taken_back_with_its_transaction_is_never_told(desk: Desk) -> None:
    with transaction.atomic():
        desk.tell("a")
        transaction.set_rollback(True)

    assert desk.run() == 0
    assert desk.came() == []


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        ([(500, {})], [5]),
        ([(500, {}), (503, {}), (502, {})], [5, 10, 20]),
        ([(429, {"Retry-After": "90"})], [90]),
        ([(302, {"Location": "http://127.0.0.1:1/"})], [5]),
        ([(408, {}), (400, {})], [5, 10]),
    ],
    ids=["500", "again and again", "asked to wait", "redirect", "also refused"],
)
def test_what_was_not_taken_is_sent_again_after_growing_pauses(
    desk: Desk, answers: list[tuple[int, dict[str, str]]], pauses: list[int]
) -> None:
    desk.tell("a")
    desk.receiver.answers = list(answers)

    desk.run()
    for pause in pauses:
        assert desk.run(timedelta(seconds=pause - 1)) == 0
        assert desk.fates() == ["waiting"]
        desk.run(timedelta(seconds=1))
    assert desk.fates() == ["delivered"]
    assert desk.came() == ["a"] * (len(answers) + 1)
    assert len(set(desk.receiver.numbers)) == 1


def test_others_wait_behind_a_receiver_that_cannot_but_not_behind_what_it_refuses(desk: Desk) -> None:
    desk.tell("a", "b")
    desk.receiver.answers = [(500, {})]
    desk.run()
    assert desk.came() == ["a"]
    desk.receiver.answers = [(422, {})]
    desk.run(timedelta(seconds=5))
    assert desk.came() == ["a", "a", "b"]
    desk.run(timedelta(seconds=10))

    assert desk.came() == ["a", "a", "b", "a"]
    assert desk.fates() == ["delivered"] * 2


def test_one_that_hangs_and_one_that_is_not_there_are_tried_again(desk: Desk) -> None:
    desk.tell("a")
    desk.receiver.sleeps = 0.5
    desk.run(post=partial(post, seconds=0.1))
    assert Delivery.objects.get().answer.startswith("ReadTimeout")
    Webhook.objects.update(address="http://127.0.0.1:1/hook")
    desk.run(timedelta(seconds=5))
    assert Delivery.objects.get().answer.startswith("ConnectError")
    Webhook.objects.update(address=desk.receiver.address)
    desk.receiver.sleeps = 0
    desk.run(timedelta(seconds=10))

    assert desk.came() == ["a", "a"]
    assert desk.fates() == ["delivered"]


def test_after_three_days_it_is_given_up_and_can_be_sent_again(desk: Desk) -> None:
    desk.tell("a", "b")
    down = partial(post, seconds=1)
    Webhook.objects.update(address="http://127.0.0.1:1/hook")
    tries = 0
    while Fate.WAITING in desk.fates():
        desk.run(timedelta(hours=1), post=down)
        tries += 1
        assert tries < 80

    assert desk.fates() == ["dead", "dead"]
    assert 70 <= tries <= 74
    dead = desk.hook.deliveries.order_by("pk")[0]
    assert (dead.status, dead.answer[:12]) == (None, "ConnectError")
    Webhook.objects.update(address=desk.receiver.address)
    assert send_again(webhook=desk.hook, by=EVERYTHING, now=desk.now) == 2
    assert desk.run() == 2
    assert send_again(webhook=desk.hook, delivery_id=dead.pk, by=EVERYTHING, now=desk.now) == 1
    desk.run()
    assert desk.came() == ["a", "b", "a"]
    assert desk.receiver.numbers[2] == desk.receiver.numbers[0] == dead.number


def test_one_that_says_it_is_gone_is_left_alone_until_somebody_lets_it_go_on(desk: Desk) -> None:
    desk.tell("a", "b")
    desk.receiver.answers = [(410, {})]
    desk.run()
    desk.tell("c")
    desk.run(timedelta(days=9))

    assert desk.came() == ["a"]
    assert Webhook.objects.get().why_stopped == Stop.GONE
    assert desk.fates() == ["dead", "waiting", "waiting"]
    resume_webhook(webhook=desk.hook, by=EVERYTHING, now=desk.now)
    desk.receiver.answers = [(500, {})]  # and those that waited have three days again
    desk.run()
    desk.run(timedelta(seconds=5))
    assert desk.came() == ["a", "b", "b", "c"]


def test_paused_nothing_is_sent_and_nothing_lost(desk: Desk) -> None:
    pause_webhook(webhook=desk.hook, by=EVERYTHING, now=NOW)
    desk.tell("a")
    assert desk.run(timedelta(days=1)) == 0
    resume_webhook(webhook=desk.hook, by=EVERYTHING, now=desk.now)

    assert desk.run() == 1
    assert desk.came() == ["a"]
    assert list(AuditEntry.objects.order_by("pk").values_list("deed", flat=True))[-3:] == [
        "webhook.made",
        "webhook.paused",
        "webhook.resumed",
    ]


def test_a_runner_killed_after_sending_leaves_it_to_be_sent_again_under_the_same_number(desk: Desk) -> None:
    """As kill -9 between the answer and its writing: what was claimed stays claimed, what waits waits."""
    desk.tell("a", "b")

    def killed(address: str, **sent: Any) -> Any:
        post(address, **sent)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.run(post=killed)
    assert desk.run() == 0, "another runner leaves alone what is claimed"
    desk.run(timedelta(minutes=3))

    assert desk.came() == ["a", "a", "b"]
    assert desk.receiver.numbers[0] == desk.receiver.numbers[1]


def test_a_test_goes_to_this_webhook_alone(desk: Desk) -> None:
    try_out(webhook=desk.hook, by=EVERYTHING, now=NOW)
    desk.run()

    assert [body["type"] for body in desk.receiver.bodies] == ["webhook.tested"]


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a.example/",
        "https://",
        "https://user:word@a.example/",
        "http://169.254.169.254/latest",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://0.0.0.0/",
        "https://a.example/\nHost: b",
        "https://a.example:port/",
    ],
)
@pytest.mark.once
def test_addresses_that_are_none_or_lead_to_the_machines_own_services_are_refused(address: str) -> None:
    with pytest.raises(NotAnAddress):
        proper(address, plain_http=True)


@pytest.mark.once
def test_a_name_that_leads_to_the_machines_own_services_is_not_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("169.254.169.254", 80))])

    answer = post("https://harmless.example/", body="{}", headers={})
    assert (answer.status, answer.text) == (None, "169.254.169.254 is not sent to")


def test_who_may_not_manage_data_makes_and_moves_nothing(cast: Cast, desk: Desk) -> None:
    said: dict[str, Any] = {"organization": cast.beiyuan, "name": "x", "about": ["awards"], "now": NOW}
    for person in (cast.lin, cast.hua, cast.mo, cast.wei):
        viewer = cast.viewer(person)
        with pytest.raises(NotAllowed):
            make_webhook(address="https://a.example/", by=viewer, **said)
        for deed in (pause_webhook, resume_webhook, try_out, send_again):
            with pytest.raises(NotAllowed):
                deed(webhook=desk.hook, by=viewer, now=NOW)
        assert not Webhook.objects.visible_to(viewer).exists()
    with pytest.raises(NotEncrypted):
        make_webhook(address="http://a.example/", by=EVERYTHING, **said)
    with pytest.raises(NothingChosen):
        make_webhook(address="https://a.example/", by=EVERYTHING, **{**said, "about": ["everything"]})
    assert Webhook.objects.visible_to(cast.viewer(cast.ren)).get() == desk.hook


def test_the_secret_is_kept_sealed(desk: Desk, settings: Any) -> None:
    kept = bytes(desk.hook.secret)

    assert desk.receiver.secret.encode() not in kept
    with pytest.raises(InvalidToken):
        unseal(kept, secret="another", purpose="notify webhooks")
    settings.SECRET_KEY = "another installation"
    desk.tell("a")
    desk.run()
    assert desk.came() == []
    assert Delivery.objects.get().fate == Fate.WAITING


def test_what_was_delivered_a_month_ago_goes_and_what_was_given_up_stays_longer(desk: Desk) -> None:
    desk.tell("a", "b", "c")
    desk.receiver.answers = [(204, {}), (410, {})]
    desk.run()

    assert forget_deliveries(now=NOW + timedelta(days=31)) == 1
    assert desk.fates() == ["dead", "waiting"]
    assert forget_deliveries(now=NOW + timedelta(days=91)) == 1


@pytest.mark.once
def test_the_example_of_the_guide_knows_what_is_ours() -> None:
    guide = (HERE / "docs" / "how-to" / "receive-webhooks.md").read_text(encoding="utf-8")
    example: dict[str, Any] = {}
    exec(guide.split("```python\n")[1].split("```")[0], example)
    is_ours, secret, body = example["is_ours"], new_secret(), '{"type":"点"}'
    headers = headers_of(secrets=[secret], number="msg_1", at=NOW, body=body)

    def asked(now: float = NOW.timestamp(), text: str = body, key: str = secret, **more: str) -> bool:
        ours: bool = is_ours(key, {**headers, **{f"webhook-{name}": value for name, value in more.items()}},
                             text.encode(), now)  # fmt: skip
        return ours

    assert asked()
    assert asked(signature="v1,other " + headers["webhook-signature"])
    assert not asked(text=body + " ")
    assert not asked(id="msg_2")
    assert not asked(key=new_secret())
    assert not asked(now=NOW.timestamp() + 301)


@pytest.mark.once
def test_a_signature_is_the_one_of_the_standards_own_example() -> None:
    """The vector of the reference libraries (standard-webhooks, libraries/python/tests)."""
    headers = headers_of(
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], number="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC), body='{"test": 2432232314}',
    )  # fmt: skip

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_for_a_day_both_secrets_sign_and_then_the_new_one_alone(desk: Desk) -> None:
    old = desk.receiver.secret
    new = renew_secret(webhook=desk.hook, by=EVERYTHING, now=desk.now)
    assert new != old

    desk.tell("by both")
    desk.run()
    desk.receiver.secret = new
    desk.tell("by both again")
    desk.run(timedelta(hours=23))
    assert desk.receiver.wrong == []

    desk.tell("by the new one")
    desk.run(timedelta(hours=2))
    assert desk.receiver.wrong == []
    assert desk.receiver.signatures[-1].count("v1,") == 1
    with pytest.raises(NotAllowed):
        renew_secret(webhook=desk.hook, by=desk.cast.viewer(desk.cast.mo), now=desk.now)


def test_a_removed_webhook_leaves_only_its_line_in_the_audit_log(desk: Desk) -> None:
    desk.tell("a", "b")
    with pytest.raises(NotAllowed):
        remove_webhook(webhook=desk.hook, by=desk.cast.viewer(desk.cast.mo), now=NOW)

    remove_webhook(webhook=desk.hook, by=EVERYTHING, now=NOW)

    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()
    assert AuditEntry.objects.get(deed="webhook.removed").details["deliveries"] == 2
    assert desk.run() == 0
