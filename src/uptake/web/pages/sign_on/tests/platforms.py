"""企业微信, 钉钉 and 飞书 as one strict stub of their sign-in, from their public documentation; never seen for real."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

APP, SECRET = "app-1", "app-secret"
PAGES = {
    "/wwlogin/sso/login": ({"login_type", "appid", "agentid", "redirect_uri", "state"}, "code"),
    "/oauth2/auth": ({"client_id", "redirect_uri", "response_type", "scope", "state", "prompt"}, "authCode"),
    "/open-apis/authen/v1/index": ({"app_id", "redirect_uri", "response_type", "scope", "state"}, "code"),
}


class Platform:
    """`who` is the account of whoever signs in there; `outside`: not of the company."""

    def __init__(self, address: str) -> None:
        self.address, self.who, self.outside = address, "lin", False
        self.codes: set[str] = set()

    def sign_in(self, address: str) -> str:
        """What its page does with a browser sent to `address`: the address it is sent back to."""
        parts = urlsplit(address)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        wanted, name = PAGES[parts.path]
        assert set(asked) == wanted, asked
        assert APP in asked.values()
        code = secrets.token_urlsafe(8)
        self.codes.add(code)
        return f"{asked['redirect_uri']}?{urlencode({name: code, 'state': asked['state']})}"

    def answer(self, path: str, query: dict[str, str], body: dict[str, Any], head: Any) -> dict[str, Any] | None:
        """What an address answers; None: there is no such thing."""
        match path:
            case "/cgi-bin/gettoken":
                right = query == {"corpid": APP, "corpsecret": SECRET}
                return {"errcode": 0, "access_token": "ours"} if right else {"errcode": 40001}
            case "/cgi-bin/auth/getuserinfo":
                if query.get("access_token") != "ours" or not self._used(query.get("code")):
                    return {"errcode": 40029}
                return {"errcode": 0, "openid": "o-1"} if self.outside else {"errcode": 0, "userid": self.who}
            case "/v1.0/oauth2/userAccessToken":
                own = body.get("clientId") == APP and body.get("clientSecret") == SECRET
                if not own or body.get("grantType") != "authorization_code" or not self._used(body.get("code")):
                    return None
                return {"accessToken": "theirs", "refreshToken": "r", "expireIn": 7200}
            case "/v1.0/contact/users/me":
                right = head.get("x-acs-dingtalk-access-token") == "theirs"
                return {"nick": self.who, "unionId": f"union-{self.who}"} if right else None
            case "/v1.0/oauth2/accessToken":
                right = body == {"appKey": APP, "appSecret": SECRET}
                return {"accessToken": "ours", "expireIn": 7200} if right else None
            case "/topapi/user/getbyunionid":
                if query.get("access_token") != "ours" or body != {"unionid": f"union-{self.who}"}:
                    return {"errcode": 40014}
                kind = {"contact_type": 1 if self.outside else 0, "userid": self.who}
                return {"errcode": 0, "result": kind}
            case "/open-apis/auth/v3/app_access_token/internal/":
                right = body == {"app_id": APP, "app_secret": SECRET}
                return {"code": 0, "app_access_token": "ours"} if right else {"code": 10014}
            case "/open-apis/authen/v1/access_token":
                if body.get("app_access_token") != "ours" or not self._used(body.get("code")):
                    return {"code": 20007}
                return {"code": 0, "data": {"access_token": "theirs", "expires_in": 7140}}
            case "/open-apis/authen/v1/user_info":
                right = head.get("Authorization") == "Bearer theirs"
                who = {"name": self.who, "open_id": "ou-outside" if self.outside else self.who}
                return {"code": 0, "data": who} if right else {"code": 20005}
        return None

    def _used(self, code: Any) -> bool:
        known = code in self.codes
        self.codes.discard(code)
        return known


@contextmanager
def platform() -> Iterator[Platform]:
    """One that answers until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            self._answer(json.loads(raw) if raw.startswith("{") else dict(parse_qsl(raw)))

        def _answer(self, body: dict[str, Any]) -> None:
            parts = urlsplit(self.path)
            told = held.answer(parts.path, dict(parse_qsl(parts.query)), body, self.headers)
            raw = json.dumps(told or {}).encode()
            self.send_response(400 if told is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_about: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held = Platform(f"http://localhost:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
