"""Says a delivery in a group chat: Apprise writes what each platform's robot takes, our own `post` carries it.

So nothing is redirected, nothing goes to the machine's own services, and what a robot refuses in an answer of 200
counts as refused: most of them say so only in the body.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import orjson
from django.conf import settings

from uptake.basics.redaction import redact
from uptake.basics.sealing import unseal
from uptake.notify.models import Chat, Delivery, Webhook
from uptake.notify.post import Answer, NotAnAddress

PURPOSE: Final = "notify chats"
MODULES: Final = {
    Chat.DINGTALK: "dingtalk",
    Chat.FEISHU: "feishu",
    Chat.WECOM: "wecombot",
    Chat.SLACK: "slack",
    Chat.TEAMS: "workflows",
}
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{8,200}")
TEAMS_HOSTS: Final = (".logic.azure.com", ".api.powerplatform.com")
TOO_MUCH: Final = frozenset({130101, 45009, 9499, 11232})
"""How robots say in the body that they were told too much at once."""

Post = Callable[..., Answer]
_carried = threading.local()


def robot_of(chat: Chat, address: str, secret: str = "") -> str:
    """The robot's address as Apprise writes it, of the address that the platform shows. Raises NotAnAddress."""
    address, secret = address.strip(), secret.strip()
    try:
        parts = urlsplit(address)
        asked = parse_qs(parts.query)
    except ValueError as failure:
        raise NotAnAddress(chat.label) from failure
    host, path = parts.hostname or "", parts.path.rstrip("/")
    if parts.scheme != "https" or parts.username or len(address) > 1000 or (secret and chat != Chat.DINGTALK):
        raise NotAnAddress(chat.label)
    if secret and not TOKEN.fullmatch(secret):
        raise NotAnAddress(chat.label)
    token = ""
    if chat == Chat.DINGTALK and (host, path) == ("oapi.dingtalk.com", "/robot/send"):
        token = "".join(asked.get("access_token", [])[:1])
        robot = f"dingtalk://{secret}@{token}/" if secret else f"dingtalk://{token}/"
    elif chat == Chat.FEISHU and host == "open.feishu.cn" and path.startswith("/open-apis/bot/v2/hook/"):
        token = path.rpartition("/")[2]
        robot = f"feishu://{token}/"
    elif chat == Chat.WECOM and (host, path) == ("qyapi.weixin.qq.com", "/cgi-bin/webhook/send"):
        token = "".join(asked.get("key", [])[:1])
        robot = f"wecombot://{token}/"
    elif chat == Chat.SLACK and host == "hooks.slack.com" and re.fullmatch(r"/services(/[A-Za-z0-9]{8,40}){3}", path):
        token, robot = path.replace("/", ""), f"https://{host}{path}"
    elif chat == Chat.TEAMS and host.endswith(TEAMS_HOSTS) and asked.get("sig"):
        token, robot = "workflow", address
    if not TOKEN.fullmatch(token) or _robot(robot) is None:
        raise NotAnAddress(chat.label)
    return robot


def say(hook: Webhook, row: Delivery, post: Post) -> Answer:
    """Says the words of one delivery; what came back. Raises InvalidToken where the address cannot be opened."""
    address = unseal(hook.secret, secret=settings.SECRET_KEY, purpose=PURPOSE)
    told = orjson.loads(row.body)
    link = f"{settings.URL.geturl().rstrip('/')}{told['href']}" if told.get("href") else ""
    text = "\n".join(part for part in (f"Uptake 活用 · {told['title']}", told.get("text", ""), link) if part)
    robot = _robot(address)
    if robot is None:
        return Answer(None, "the address is no robot's any more: make the channel anew")
    _carried.post, _carried.answer = post, Answer(None, "nothing was sent")
    try:
        robot.notify(body=text)
        answer: Answer = _carried.answer
    finally:
        _carried.post = _carried.answer = None
    return answer


def _robot(address: str) -> Any:
    """Apprise's object for this address; None where it knows none."""
    _wired()
    apprise = importlib.import_module("apprise")
    return apprise.Apprise.instantiate(address, suppress_exceptions=True)


@cache
def _wired() -> None:
    """Gives the plugins our wire where they expect `requests`."""
    for name in MODULES.values():
        importlib.import_module(f"apprise.plugins.{name}").requests = WIRE  # type: ignore[attr-defined]


class Reply:
    """What a plugin reads of an answer."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status or 503
        self.text = answer.text
        self.content = answer.text.encode()

    def json(self) -> Any:
        return orjson.loads(self.content)


class Wire:
    """The part of `requests` that the plugins of these platforms use."""

    class RequestException(Exception):
        """Raised by nothing here: what fails is an answer without a status."""

    class codes:
        ok = 200
        accepted = 202
        no_content = 204

    def request(self, _method: str, url: str, **more: Any) -> Reply:
        return self.post(url, **more)

    def post(self, url: str, *, data: str | bytes, params: Mapping[str, str] | None = None, **_not_asked: Any) -> Reply:
        """Carries it by the rules of `post.py`; `params` are encoded once, though some come encoded already."""
        if params:
            url += ("&" if "?" in url else "?") + urlencode({name: unquote(one) for name, one in params.items()})
        body = data.decode() if isinstance(data, bytes) else data
        answer = _judged(_carried.post(url, body=body, headers={}))
        _carried.answer = Answer(answer.status, redact(answer.text), answer.after)
        return Reply(answer)


def _judged(answer: Answer) -> Answer:
    """As answered, but for a refusal that hides in the body of an answer of 200."""
    if answer.status != 200:
        return answer
    try:
        told = orjson.loads(answer.text)
    except ValueError:
        return answer
    if not isinstance(told, dict):
        return answer
    code = next((told[name] for name in ("errcode", "code", "StatusCode") if told.get(name)), 0)
    if not code:
        return answer
    return Answer(429 if code in TOO_MUCH else 400, answer.text, answer.after)


WIRE: Final = Wire()
