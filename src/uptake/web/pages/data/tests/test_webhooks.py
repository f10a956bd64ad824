"""Who manages data makes a webhook, sees its secret once, what was delivered and given up; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.notify.announce import News, announce
from uptake.notify.deliver import deliver
from uptake.notify.models import About, Delivery, Webhook
from uptake.notify.subscribe import make_webhook
from uptake.notify.tests.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made
        assert not made.wrong


def signed_in(cast: Cast) -> Client:
    return cast.sign_in(cast.ren, Client(headers={"accept-language": "en"}))


def test_a_webhook_is_made_and_its_secret_shown_once(cast: Cast) -> None:
    client = signed_in(cast)
    typed = {"name": "Payroll", "organization": cast.beiyuan.pk, "address": "http://pay.example/", "about": "awards"}

    page = client.post(reverse("data:webhooks"), typed).text
    assert "not encrypted" in page
    page = client.post(reverse("data:webhooks"), {**typed, "address": "https://169.254.1.1/"}).text
    assert "no address that anything is sent to" in page
    assert not Webhook.objects.exists()
    page = client.post(reverse("data:webhooks"), {**typed, "plain_http": "on"}).text
    hook = Webhook.objects.get()
    assert "whsec_" in page
    assert hook.about == ["awards"]
    assert "whsec_" not in client.get(reverse("data:webhook", args=[hook.pk])).text
    assert "Payroll" in client.get(reverse("data:webhooks")).text


def test_what_was_given_up_is_seen_with_its_bytes_and_answer_and_sent_again(cast: Cast, receiver: Receiver) -> None:
    hook, receiver.secret = make_webhook(
        organization=cast.beiyuan, name="Payroll", address=receiver.address, about=["awards"], plain_http=True,
        by=EVERYTHING, now=NOW,
    )  # fmt: skip
    said = News(
        about=About.AWARDS, kind="points.awarded", organization_id=cast.beiyuan.pk, key="k", at=NOW,
        person_id=cast.lin.pk, data={"title": "Order <SO-4711>"},
    )  # fmt: skip
    announce([said], now=NOW)
    receiver.answers = [(410, {})]
    deliver(clock=lambda: NOW)
    client, told = signed_in(cast), Delivery.objects.get()
    steer = reverse("data:webhook_steer", args=[hook.pk])

    assert "Gone (410)" in client.get(reverse("data:webhook", args=[hook.pk])).text
    assert "points.awarded" in client.get(reverse("data:webhook", args=[hook.pk]), {"fate": "dead"}).text
    page = client.get(reverse("data:delivery", args=[hook.pk, told.pk])).text
    assert "Order &lt;SO-4711&gt;" in page
    assert "410 said so" in page
    client.post(steer, {"do": "resume"})
    client.post(reverse("data:delivery_again", args=[hook.pk, told.pk]))
    client.post(steer, {"do": "test"})
    later = Delivery.objects.latest("pk").next_at
    assert later is not None
    deliver(clock=lambda: later + timedelta(seconds=1))
    assert [body["type"] for body in receiver.bodies] == ["points.awarded", "points.awarded", "webhook.tested"]
    client.post(steer, {"do": "pause"})
    assert "Paused" in client.get(reverse("data:webhook", args=[hook.pk])).text


@pytest.mark.parametrize("who", ["lin", "hua", "wei", "mo"])
def test_nobody_else_opens_it(cast: Cast, who: str) -> None:
    client = cast.sign_in(cast.people()[who])

    assert client.get(reverse("data:webhooks")).status_code == 403
    assert client.post(reverse("data:webhooks"), {"name": "x"}).status_code == 403


def test_a_secret_is_made_anew_and_a_webhook_removed_on_its_page(cast: Cast, receiver: Receiver) -> None:
    client = signed_in(cast)
    hook, secret = make_webhook(
        organization=cast.beiyuan, name="Payroll", address=receiver.address, about=["awards"], plain_http=True,
        by=EVERYTHING, now=NOW,
    )  # fmt: skip
    steer = reverse("data:webhook_steer", args=[hook.pk])

    page = client.post(steer, {"do": "renew"}).text
    assert "whsec_" in page
    assert secret not in page
    assert "signs beside it until" in page
    assert cast.sign_in(cast.mo).post(steer, {"do": "remove"}).status_code in (403, 404)
    assert "Payroll is removed" in client.post(steer, {"do": "remove"}, follow=True).text
    assert not Webhook.objects.exists()


def test_a_group_is_connected_and_its_address_never_shown(cast: Cast) -> None:
    client = signed_in(cast)
    key = "5f0c2b9a-1234-4cde-9f00-aabbccddeeff"
    typed = {"name": "Everybody", "organization": cast.park.pk, "chat": "wecom", "about": "alerts", "language": "en"}

    page = client.post(reverse("data:chats"), {**typed, "address": "https://example.com/"}).text
    assert "not the address of such a robot" in page
    address = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={key}"
    page = client.post(reverse("data:chats"), {**typed, "address": address}, follow=True).text
    assert "Everybody" in page
    assert key not in page + client.get(reverse("data:chats")).text
    hook = Webhook.objects.get(name=typed["name"])
    assert "Active: 0% (0 of 8 people)" in client.get(reverse("data:webhook", args=[hook.pk])).text
    client.post(reverse("data:webhook_steer", args=[hook.pk]), {"do": "week_on"})
    client.post(reverse("data:webhook_steer", args=[hook.pk]), {"do": "week_now"})
    hook.refresh_from_db()
    assert About.WEEK in hook.about
    assert hook.deliveries.filter(kind="week.told").count() == 1
    Webhook.objects.update(organization=cast.qinghe)
    assert "Fewer than five people belong" in client.get(reverse("data:webhook", args=[hook.pk])).text
    assert "New secret" not in page
    assert "Everybody" not in client.get(reverse("data:webhooks")).text
