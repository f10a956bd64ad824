"""企业微信, 钉钉, 飞书 and 简道云 as strict stubs, written from their public documentation; never seen for real.

Each knows a company of two departments (one within the other) and six people. A token ends after a few calls, one call
comes too often; both are refused as the platform does it: by a code in an answer of 200 (飞书 and 简道云: 400).
Whatever the documentation does not name is refused: an address, a parameter, a page of another size.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PEOPLE = [
    # id, name, e-mail, staff number, department, left
    ("zhang", "张伟", "zhang@beiyuan.example", "B201", 2, False),
    ("li", "李娜", "", "B202", 3, False),
    ("wang", "王强", "wang@beiyuan.example", "", 3, False),
    ("zhao", "赵敏", "zhao@beiyuan.example", "B204", 1, False),
    ("lin", "Lin Fang", "lin@beiyuan.example", "B001", 2, False),
    ("gone", "钱多", "gone@beiyuan.example", "B206", 2, True),
]
PARENTS = {2: 1, 3: 2}
NAMES = {2: "制造部", 3: "一线"}
PAGE = 2
TOKEN_CALLS = 3


class Platform:
    """One stub. `answer` gives status and JSON for a request."""

    secret = "good-secret"

    def __init__(self) -> None:
        self.tokens: dict[str, int] = {}
        self.asked: list[str] = []
        self.slowed = False
        self.sign_ins = 0

    def token(self) -> str:
        self.sign_ins += 1
        token = f"token-{self.sign_ins}"
        self.tokens[token] = TOKEN_CALLS
        return token

    def refusal(self, token: str, *, unknown: Any, slow: Any) -> Any:
        """The refusal of a call, or None: once too often, then while the token lives."""
        if token not in self.tokens:
            return unknown
        if not self.slowed:
            self.slowed = True
            return slow
        self.tokens[token] -= 1
        if self.tokens[token] <= 0:
            del self.tokens[token]
        return None

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, headers: Any) -> tuple[int, Any]:
        raise NotImplementedError


class WeCom(Platform):
    def answer(self, method: str, path: str, query: dict[str, str], body: Any, headers: Any) -> tuple[int, Any]:
        if method != "GET":
            return 405, {}
        if path == "/cgi-bin/gettoken" and set(query) == {"corpid", "corpsecret"}:
            if query["corpsecret"] != self.secret:
                return 200, {"errcode": 40001, "errmsg": "invalid credential"}
            return 200, {"errcode": 0, "errmsg": "ok", "access_token": self.token(), "expires_in": 7200}
        refusal = self.refusal(
            query.pop("access_token", ""),
            unknown=(200, {"errcode": 42001, "errmsg": "access_token expired"}),
            slow=(200, {"errcode": 45009, "errmsg": "reach max api daily quota limit"}),
        )
        if refusal:
            return refusal  # type: ignore[no-any-return]
        if path == "/cgi-bin/department/list" and not query:
            rows = [{"id": 1, "name": "北源", "parentid": 0, "order": 1}]
            rows += [{"id": key, "name": NAMES[key], "parentid": PARENTS[key], "order": 1} for key in NAMES]
            return 200, {"errcode": 0, "errmsg": "ok", "department": rows}
        if path == "/cgi-bin/user/list" and set(query) == {"department_id"}:
            users = [
                {
                    "userid": key, "name": name, "department": [at], "main_department": at, "mobile": "1",
                    "email": "", "biz_mail": mail, "status": 5 if left else 1, "enable": 1, "direct_leader": ["zhao"],
                    "extattr": {"attrs": [{"type": 0, "name": "工号", "text": {"value": number}}]},
                }
                for key, name, mail, number, at, left in PEOPLE
                if str(at) == query["department_id"]
            ]  # fmt: skip
            return 200, {"errcode": 0, "errmsg": "ok", "userlist": users}
        return 404, {}


class DingTalk(Platform):
    def answer(self, method: str, path: str, query: dict[str, str], body: Any, headers: Any) -> tuple[int, Any]:
        if method == "GET" and path == "/gettoken" and set(query) == {"appkey", "appsecret"}:
            if query["appsecret"] != self.secret:
                return 200, {"errcode": 40089, "errmsg": "不合法的corpid或corpsecret"}
            return 200, {"errcode": 0, "errmsg": "ok", "access_token": self.token(), "expires_in": 7200}
        refusal = self.refusal(
            query.pop("access_token", ""),
            unknown=(200, {"errcode": 40014, "errmsg": "不合法的access_token"}),
            slow=(200, {"errcode": 88, "sub_code": "90018", "errmsg": "ding talk error"}),
        )
        if refusal or method != "POST":
            return refusal or (405, {})
        if path == "/topapi/v2/department/listsub" and set(body) == {"dept_id"}:
            rows = [
                {"dept_id": key, "name": NAMES[key], "parent_id": parent}
                for key, parent in PARENTS.items()
                if parent == body["dept_id"]
            ]
            return 200, {"errcode": 0, "errmsg": "ok", "result": rows, "request_id": "r"}
        if path == "/topapi/v2/user/list" and set(body) == {"dept_id", "cursor", "size"} and body["size"] <= 100:
            users = [
                {
                    "userid": key, "unionid": f"u-{key}", "name": name, "email": mail, "job_number": number,
                    "mobile": "1", "dept_id_list": [at], "active": True, "title": "",
                }
                for key, name, mail, number, at, left in PEOPLE
                if at == body["dept_id"] and not left
            ]  # fmt: skip
            begin = body["cursor"]
            page: dict[str, Any] = {"list": users[begin : begin + 1], "has_more": begin + 1 < len(users)}
            if page["has_more"]:
                page["next_cursor"] = begin + 1
            return 200, {"errcode": 0, "errmsg": "ok", "result": page, "request_id": "r"}
        return 404, {}


class Feishu(Platform):
    def answer(self, method: str, path: str, query: dict[str, str], body: Any, headers: Any) -> tuple[int, Any]:
        if method == "POST" and path == "/open-apis/auth/v3/tenant_access_token/internal":
            if set(body) != {"app_id", "app_secret"} or body["app_secret"] != self.secret:
                return 200, {"code": 10014, "msg": "app secret invalid"}
            return 200, {"code": 0, "msg": "ok", "tenant_access_token": self.token(), "expire": 7200}
        refusal = self.refusal(
            headers.get("Authorization", "").removeprefix("Bearer "),
            unknown=(400, {"code": 99991663, "msg": "Invalid access token for authorization."}),
            slow=(400, {"code": 99991400, "msg": "request trigger frequency limit"}),
        )
        if refusal or method != "GET":
            return refusal or (405, {})
        if not 1 <= int(query.get("page_size", 10)) <= 50 or query.get("department_id_type") != "open_department_id":
            return 400, {"code": 40001, "msg": "param error"}
        ids = {0: "0", 1: "0", 2: "od-2", 3: "od-3"}
        if path == "/open-apis/contact/v3/departments/0/children" and query.get("fetch_child") == "true":
            rows: list[dict[str, Any]] = [
                {
                    "name": NAMES[key], "department_id": f"d{key}", "open_department_id": ids[key],
                    "parent_department_id": ids[PARENTS[key]], "status": {"is_deleted": False},
                }
                for key in NAMES
            ]  # fmt: skip
        elif path == "/open-apis/contact/v3/users/find_by_department":
            rows = [
                {
                    "open_id": key, "union_id": key, "name": name, "email": mail, "employee_no": number, "mobile": "1",
                    "department_ids": [ids[at]], "leader_user_id": "zhao",
                    "status": {"is_frozen": False, "is_resigned": left, "is_activated": not left, "is_exited": False},
                }
                for key, name, mail, number, at, left in PEOPLE
                if ids[at] == query["department_id"]
            ]  # fmt: skip
        else:
            return 404, {}
        begin = int(query.get("page_token", "0") or 0)
        data: dict[str, Any] = {"has_more": begin + PAGE < len(rows), "items": rows[begin : begin + PAGE]}
        if not data["items"]:
            del data["items"]
        if data["has_more"]:
            data["page_token"] = str(begin + PAGE)
        return 200, {"code": 0, "msg": "success", "data": data}


class Jiandaoyun(Platform):
    def answer(self, method: str, path: str, query: dict[str, str], body: Any, headers: Any) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {self.secret}":
            return 400, {"code": 8301, "msg": "API Key 无效"}
        if not self.slowed:
            self.slowed = True
            return 400, {"code": 8303, "msg": "超出请求频率限制"}
        if method != "POST" or body != {"dept_no": 1, "has_child": True}:
            return 400, {"code": 17018, "msg": "参数不合法"}
        if path == "/api/v5/corp/department/list":
            rows = [{"dept_no": key, "name": NAMES[key], "parent_no": PARENTS[key], "type": 0} for key in NAMES]
            return 200, {"departments": [{"dept_no": 1, "name": "北源", "parent_no": 0, "type": 0}, *rows]}
        if path == "/api/v5/corp/department/user/list":
            users = [
                {"username": number or key, "name": name, "departments": [at], "status": -1 if left else 1, "type": 0}
                for key, name, _mail, number, at, left in PEOPLE
            ]
            return 200, {"users": users}
        return 404, {}


@contextmanager
def served(platform: Platform) -> Iterator[str]:
    """The address of a stub that runs."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            platform.asked.append(parts.path)
            body = json.loads(sent) if sent else {}
            status, said = platform.answer(self.command, parts.path, dict(parse_qsl(parts.query)), body, self.headers)
            answer = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _serve

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
