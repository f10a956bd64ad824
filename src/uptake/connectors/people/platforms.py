"""Departments and people from 企业微信, 钉钉, 飞书 and 简道云, as their public documentation describes the answers.

Which department of several counts: the main one where the platform says so, else the first named. The root department
is the company itself. Phone numbers, addresses and pictures are not read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from uptake.connectors.people.caller import Caller, Signed, texts
from uptake.connectors.people.snapshot import Department, Snapshot, Somebody
from uptake.connectors.pull.protocol import SignInRefused, Unfit

Sleep = Callable[[float], None]
ROOT = "1"
ADDRESSES: Mapping[str, str] = {
    "wecom": "https://qyapi.weixin.qq.com",
    "dingtalk": "https://oapi.dingtalk.com",
    "feishu": "https://open.feishu.cn",
    "jiandaoyun": "https://api.jiandaoyun.com",
}
MOST_PAGES = 5000


def wecom(settings: Mapping[str, str], secrets: Mapping[str, str], *, sleep: Sleep = time.sleep) -> Snapshot:
    """企业微信: `corp_id` and the secret of an app that may read the address book. Raises Problem."""
    caller = Caller(
        settings.get("address") or ADDRESSES["wecom"],
        path="errcode",
        slow=[45009, 45033, -1],
        signed_out=[40014, 41001, 42001, 40001, 40013, 40091],
        forbidden=[48002, 60011, 60003, 60111],
        not_trusted=[60020],
        sleep=sleep,
    )

    def sign_in() -> str:
        query = {"corpid": settings.get("corp_id", ""), "corpsecret": secrets.get("secret", "")}
        return _token(caller.ask("GET", "/cgi-bin/gettoken", query=query), "access_token")

    def call(token: str, path: str, **query: Any) -> dict[str, Any]:
        return caller.ask("GET", path, query={"access_token": token, **query})

    try:
        signed = Signed(sign_in, call)
        departments = _list(signed.ask("/cgi-bin/department/list"), "department")
        users: dict[str, Somebody] = {}
        for one in departments:
            said = signed.ask("/cgi-bin/user/list", department_id=one.get("id"))
            for user in _list(said, "userlist"):
                main = texts(user.get("main_department")) or texts(next(iter(user.get("department") or []), ""))
                users[texts(user.get("userid"))] = Somebody(
                    key=texts(user.get("userid")),
                    name=texts(user.get("name")),
                    email=texts(user.get("email")) or texts(user.get("biz_mail")),
                    staff_number=_extra(user, settings.get("staff_number", "")),
                    work=texts(user.get("position")),
                    place_key=_below_root(main),
                    manager_key=texts(next(iter(user.get("direct_leader") or []), "")),
                    # 1 active, 2 disabled, 4 not yet activated, 5 left
                    active=user.get("status") not in (2, 5) and user.get("enable", 1) != 0,
                )
        return Snapshot(_departments(departments, "id", "parentid"), tuple(users.values()))
    finally:
        caller.close()


def _extra(user: Mapping[str, Any], name: str) -> str:
    """A field of the company's own, by its name; the staff number stands in one, if anywhere."""
    if not name:
        return ""
    if name in ("alias", "userid"):
        return texts(user.get(name))
    for one in (user.get("extattr") or {}).get("attrs") or []:
        if isinstance(one, dict) and one.get("name") == name:
            return texts(one.get("value")) or texts((one.get("text") or {}).get("value"))
    return ""


def dingtalk(settings: Mapping[str, str], secrets: Mapping[str, str], *, sleep: Sleep = time.sleep) -> Snapshot:
    """钉钉: `app_key` and the secret of an internal app that may read the address book. Raises Problem."""
    caller = Caller(
        settings.get("address") or ADDRESSES["dingtalk"],
        path="errcode",
        slow=[88, 90018, 90002, -1],
        signed_out=[40014, 42001, 40001, 40089, 33012],
        forbidden=[60011, 50002, 60121],
        not_trusted=[60020],
        sleep=sleep,
    )

    def sign_in() -> str:
        query = {"appkey": settings.get("app_key", ""), "appsecret": secrets.get("secret", "")}
        return _token(caller.ask("GET", "/gettoken", query=query), "access_token")

    def call(token: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return caller.ask("POST", path, query={"access_token": token}, body=dict(body))

    try:
        signed = Signed(sign_in, call)
        departments: list[dict[str, Any]] = []
        waiting, seen = [1], {1}
        while waiting:
            said = signed.ask("/topapi/v2/department/listsub", {"dept_id": waiting.pop(0)})
            for one in _list(said, "result"):
                if isinstance(one.get("dept_id"), int) and one["dept_id"] not in seen:
                    seen.add(one["dept_id"])
                    departments.append(one)
                    waiting.append(one["dept_id"])
        users: dict[str, Somebody] = {}
        for key in [1, *(one["dept_id"] for one in departments)]:
            cursor = 0
            for _page in range(MOST_PAGES):
                said = signed.ask("/topapi/v2/user/list", {"dept_id": key, "cursor": cursor, "size": 100})
                page = said.get("result") or {}
                for user in _list(page, "list"):
                    first = texts(next(iter(user.get("dept_id_list") or []), ""))
                    users.setdefault(
                        texts(user.get("userid")),
                        Somebody(
                            key=texts(user.get("userid")),
                            name=texts(user.get("name")),
                            email=texts(user.get("org_email")) or texts(user.get("email")),
                            staff_number=texts(user.get("job_number")),
                            work=texts(user.get("title")),
                            place_key=_below_root(first),
                        ),
                    )
                if not page.get("has_more"):
                    break
                if not isinstance(page.get("next_cursor"), int) or page["next_cursor"] == cursor:
                    raise Unfit("user/list", code="stuck")
                cursor = page["next_cursor"]
        return Snapshot(_departments(departments, "dept_id", "parent_id"), tuple(users.values()))
    finally:
        caller.close()


def feishu(settings: Mapping[str, str], secrets: Mapping[str, str], *, sleep: Sleep = time.sleep) -> Snapshot:
    """飞书: `app_id` and the secret of an app of the company that may read the address book. Raises Problem."""
    caller = Caller(
        settings.get("address") or ADDRESSES["feishu"],
        path="code",
        slow=[99991400, 11232],
        signed_out=[99991663, 99991664, 99991661, 10003, 10014, 10015],
        forbidden=[99991672, 40004, 41050],
        not_trusted=[99991401],
        sleep=sleep,
    )

    def sign_in() -> str:
        body = {"app_id": settings.get("app_id", ""), "app_secret": secrets.get("secret", "")}
        path = "/open-apis/auth/v3/tenant_access_token/internal"
        return _token(caller.ask("POST", path, body=body), "tenant_access_token")

    def call(token: str, path: str, **query: Any) -> dict[str, Any]:
        return caller.ask("GET", path, query=query, headers={"Authorization": f"Bearer {token}"})

    def pages(path: str, **query: Any) -> Iterator[dict[str, Any]]:
        token = ""
        for _page in range(MOST_PAGES):
            more = {"page_token": token} if token else {}
            data = signed.ask(path, **query, **more, page_size=50).get("data") or {}
            yield from _list(data, "items", missing_is_none=True)
            last, token = token, texts(data.get("page_token"))
            if not data.get("has_more"):
                return
            if not token or token == last:
                raise Unfit(path, code="stuck")

    try:
        signed = Signed(sign_in, call)
        ids = {"department_id_type": "open_department_id", "user_id_type": "open_id"}
        found = pages("/open-apis/contact/v3/departments/0/children", fetch_child="true", **ids)
        departments = [one for one in found if not (one.get("status") or {}).get("is_deleted")]
        users: dict[str, Somebody] = {}
        for key in ["0", *(texts(one.get("open_department_id")) for one in departments)]:
            for user in pages("/open-apis/contact/v3/users/find_by_department", department_id=key, **ids):
                status = user.get("status") or {}
                first = texts(next(iter(user.get("department_ids") or []), ""))
                users.setdefault(
                    texts(user.get("open_id")),
                    Somebody(
                        key=texts(user.get("open_id")),
                        name=texts(user.get("name")),
                        email=texts(user.get("enterprise_email")) or texts(user.get("email")),
                        staff_number=texts(user.get("employee_no")),
                        work=texts(user.get("job_title")),
                        place_key=_below_root(first),
                        manager_key=texts(user.get("leader_user_id")),
                        active=not any(status.get(name) for name in ("is_frozen", "is_resigned", "is_exited")),
                    ),
                )
        return Snapshot(_departments(departments, "open_department_id", "parent_department_id"), tuple(users.values()))
    finally:
        caller.close()


def jiandaoyun(settings: Mapping[str, str], secrets: Mapping[str, str], *, sleep: Sleep = time.sleep) -> Snapshot:
    """简道云: its address book by an API key. It tells no e-mail. Raises Problem."""
    caller = Caller(
        settings.get("address") or ADDRESSES["jiandaoyun"],
        path="code",
        slow=[8303, 8304],
        signed_out=[8301, 8302],
        per_second=5.0,
        sleep=sleep,
    )
    headers = {"Authorization": f"Bearer {secrets.get('key', '')}"}

    def call(path: str) -> dict[str, Any]:
        return caller.ask("POST", f"/api/v5/corp/{path}", body={"dept_no": 1, "has_child": True}, headers=headers)

    try:
        departments = _list(call("department/list"), "departments")
        users = []
        for user in _list(call("department/user/list"), "users"):
            name = texts(user.get("username"))
            first = texts(next(iter(user.get("departments") or []), ""))
            users.append(
                Somebody(
                    key=name,
                    name=texts(user.get("name")),
                    staff_number=name if settings.get("user_name_is_staff_number") == "yes" else "",
                    place_key=_below_root(first),
                    active=user.get("status", 1) >= 0 if isinstance(user.get("status", 1), int) else True,
                )
            )
        return Snapshot(_departments(departments, "dept_no", "parent_no"), tuple(users))
    finally:
        caller.close()


def _token(said: Mapping[str, Any], name: str) -> str:
    token = texts(said.get(name))
    if not token:
        raise SignInRefused("")
    return token


def _list(said: Mapping[str, Any], name: str, *, missing_is_none: bool = False) -> list[dict[str, Any]]:
    found = said.get(name)
    if found is None and missing_is_none:
        return []
    if not isinstance(found, list):
        raise Unfit(name, code="records_missing")
    return [one for one in found if isinstance(one, dict)]


def _below_root(key: str) -> str:
    """The key of a department; empty for the root, which is the company itself."""
    return "" if key in ("", ROOT, "0") else key


def _departments(said: list[dict[str, Any]], key: str, parent: str) -> tuple[Department, ...]:
    return tuple(
        Department(texts(one.get(key)), texts(one.get("name")), _below_root(texts(one.get(parent))))
        for one in said
        if texts(one.get(key)) not in ("", ROOT, "0")
    )
