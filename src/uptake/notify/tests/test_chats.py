"""Group robots say what concerns everybody, as each platform takes it; nothing of anybody; again where it failed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.notify.announce import News, announce
from uptake.notify.deliver import deliver
from uptake.notify.models import About, Chat, Delivery, Fate, Webhook
from uptake.notify.post import Answer, NotAnAddress, post
from uptake.notify.subscribe import NothingChosen, make_channel, renew_secret, test_webhook

pytestmark = pytest.mark.django_db
try_out = test_webhook
del test_webhook  # it is no test
KEY = "5f0c2b9a-1234-4cde-9f00-aabbccddeeff"
SECRET = "SEC0123456789abcdef0123456789abcdef"
ADDRESSES = {
    Chat.DINGTALK: f"https://oapi.dingtalk.com/robot/send?access_token={KEY.replace('-', '')}",
    Chat.FEISHU: f"https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}",
    Chat.WECOM: f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
    Chat.SLACK: "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    Chat.TEAMS: f"https://prod-12.westeurope.logic.azure.com:443/workflows/{KEY.replace('-', '')}"
    "/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=" + "x" * 43,
}
TAKEN = {
    Chat.DINGTALK: (200, b'{"errcode":0,"errmsg":"ok"}'),
    Chat.FEISHU: (200, b'{"code":0,"data":{},"msg":"success"}'),
    Chat.WECOM: (200, b'{"errcode":0,"errmsg":"ok"}'),
    Chat.SLACK: (200, b"ok"),
    Chat.TEAMS: (202, b""),
}


@dataclass
class Robot:
    """Every platform's robot on one port, as strict as their pages say; it gives `answers` first."""

    port: int = 0
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    said: list[tuple[Chat, str]] = field(default_factory=list)

    def take(self, host: str, path: str, body: bytes) -> tuple[int, bytes]:
        chat = next(one for one, address in ADDRESSES.items() if urlsplit(address).hostname == host)
        parts, told = urlsplit(path), json.loads(body)
        asked = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        assert parts.path.rstrip("/") == urlsplit(ADDRESSES[chat]).path
        if self.answers:
            return self.answers.pop(0)
        match chat:
            case Chat.DINGTALK:
                signed = hmac.digest(SECRET.encode(), f"{asked['timestamp']}\n{SECRET}".encode(), hashlib.sha256)
                if asked["access_token"] != KEY.replace("-", "") or asked["sign"] != base64.b64encode(signed).decode():
                    return 200, b'{"errcode":310000,"errmsg":"sign not match"}'
                text = told[told["msgtype"]].get("content") or told[told["msgtype"]]["text"]
            case Chat.FEISHU:
                assert told["msg_type"] == "text"
                text = told["content"]["text"]
            case Chat.WECOM:
                assert (asked, told["msgtype"]) == ({"key": KEY}, "text")
                text = told["text"]["content"]
            case Chat.SLACK:
                text = json.dumps(told, ensure_ascii=False)
            case Chat.TEAMS:
                assert (asked["sig"], told["type"]) == ("x" * 43, "message")
                text = json.dumps(told["attachments"], ensure_ascii=False)
        self.said.append((chat, text))
        return TAKEN[chat]

    def post(self, address: str, **more: Any) -> Answer:
        """Our own `post`, with the platform's host led to this machine."""
        parts = urlsplit(address)
        assert parts.scheme == "https"
        there = f"http://127.0.0.1:{self.port}{parts.path}?{parts.query}"
        return post(there, **{**more, "headers": {**more["headers"], "x-host": parts.hostname or ""}})


@contextmanager
def listening() -> Iterator[Robot]:
    robot = Robot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, said = robot.take(self.headers["x-host"], self.path, body)
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_args: object) -> None:
            """Nothing is written."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    robot.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield robot
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def robot() -> Iterator[Robot]:
    with listening() as found:
        yield found


def make(place: Organization, chat: Chat, *, language: str = "zh-hans") -> Webhook:
    return make_channel(
        organization=place, name="Group", chat=chat, address=ADDRESSES[chat],
        secret=SECRET if chat == Chat.DINGTALK else "", about=["alerts", "announcements"], language=language,
        by=EVERYTHING, now=NOW,
    )  # fmt: skip


def happen(place: Organization, about: About = About.ALERTS, key: str = "k", **more: Any) -> None:
    told = {"kind": "connection.needs_attention", "data": {"connection": "erp", "title": "ERP & 金蝶 #1"}, **more}
    announce([News(about=about, organization_id=place.pk, key=key, at=NOW, **told)], now=NOW)


@pytest.mark.parametrize("chat", list(Chat))
def test_each_platform_hears_it_in_the_groups_language(cast: Cast, robot: Robot, chat: Chat) -> None:
    hook = make(cast.beiyuan, chat)
    try_out(webhook=hook, by=EVERYTHING, now=NOW)
    happen(cast.beiyuan)
    happen(cast.qinghe, key="foreign")

    assert deliver(clock=lambda: NOW, post=robot.post) == 2
    assert [one for one, _text in robot.said] == [chat, chat]
    words = robot.said[1][1]
    assert "金蝶" in words
    assert "/data/connections/erp" in words
    assert "Qinghe" not in words
    assert set(hook.deliveries.values_list("fate", flat=True)) == {Fate.DELIVERED}


@pytest.mark.parametrize(
    ("answer", "status", "holds_up"),
    [
        ((200, b'{"errcode":310000,"errmsg":"keywords not in content"}'), 400, False),
        ((200, b'{"errcode":130101,"errmsg":"send too fast"}'), 429, True),
        ((302, b""), 302, False),
        ((503, b""), 503, True),
    ],
)
def test_what_a_robot_refuses_is_seen_and_said_again_later(
    cast: Cast, robot: Robot, answer: tuple[int, bytes], status: int, holds_up: bool
) -> None:
    hook = make(cast.beiyuan, Chat.DINGTALK)
    robot.answers = [answer]
    happen(cast.beiyuan, key="a")
    happen(cast.beiyuan, key="b")

    assert deliver(clock=lambda: NOW, post=robot.post) == (0 if holds_up else 1)
    first = hook.deliveries.order_by("pk")[0]
    assert (first.status, first.fate) == (status, Fate.WAITING)
    deliver(clock=lambda: NOW + timedelta(minutes=5), post=robot.post)
    assert set(hook.deliveries.values_list("fate", flat=True)) == {Fate.DELIVERED}


def test_a_group_hears_nothing_of_anybody(cast: Cast) -> None:
    with pytest.raises(NothingChosen):
        make_channel(
            organization=cast.beiyuan, name="x", chat=Chat.WECOM, address=ADDRESSES[Chat.WECOM],
            about=["awards", "levels"], language="en", by=EVERYTHING, now=NOW,
        )  # fmt: skip
    make(cast.beiyuan, Chat.WECOM)
    happen(cast.beiyuan, About.AWARDS, kind="points.awarded", person_id=cast.lin.pk, data={"points": 5})

    assert not Delivery.objects.exists()


def test_the_address_is_sealed_and_only_who_manages_data_may_keep_one(cast: Cast) -> None:
    hook = make(cast.beiyuan, Chat.DINGTALK)
    assert hook.address == ""
    assert KEY.replace("-", "").encode() not in bytes(hook.secret)
    assert not Webhook.objects.visible_to(cast.viewer(cast.mo)).exists()
    deed = partial(make_channel, organization=cast.beiyuan, name="x", chat=Chat.WECOM, address=ADDRESSES[Chat.WECOM])
    with pytest.raises(NotAllowed):
        deed(about=["alerts"], language="en", by=cast.viewer(cast.lin), now=NOW)
    with pytest.raises(NotAllowed):
        renew_secret(webhook=hook, by=EVERYTHING, now=NOW)


@pytest.mark.parametrize(
    ("chat", "address", "secret"),
    [
        (Chat.DINGTALK, ADDRESSES[Chat.WECOM], ""),
        (Chat.DINGTALK, ADDRESSES[Chat.DINGTALK].replace("https", "http"), ""),
        (Chat.DINGTALK, ADDRESSES[Chat.DINGTALK], "two words"),
        (Chat.FEISHU, ADDRESSES[Chat.FEISHU], SECRET),
        (Chat.FEISHU, "https://open.feishu.cn.evil.example/open-apis/bot/v2/hook/" + KEY, ""),
        (Chat.WECOM, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=../x", ""),
        (Chat.SLACK, "https://hooks.slack.com/services/T1", ""),
        (Chat.TEAMS, "https://169.254.169.254/workflows/abc/triggers/manual/paths/invoke?sig=x", ""),
        (Chat.TEAMS, "json://127.0.0.1/", ""),
        (Chat.SLACK, "https://[", ""),
    ],
)
def test_what_is_no_robots_address_is_refused(cast: Cast, chat: Chat, address: str, secret: str) -> None:
    with pytest.raises(NotAnAddress):
        make_channel(
            organization=cast.beiyuan, name="x", chat=chat, address=address, secret=secret, about=["alerts"],
            language="en", by=EVERYTHING, now=NOW,
        )  # fmt: skip
    assert not Webhook.objects.exists()
