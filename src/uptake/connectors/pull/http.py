"""Asks systems over HTTP: signs in, keeps to what answers say, and tells refusals apart. Reads only JSON.

401 leads to one new sign-in; 403 is final; 429 and 503 are obeyed; broken and missing answers are asked again later.
Redirects are not followed, so that a secret goes only where it was meant to go.
"""

from __future__ import annotations

import base64
import hmac
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import orjson

from uptake.basics.redaction import redact
from uptake.connectors.pull.declaration import Declaration, Request
from uptake.connectors.pull.protocol import Access, Forbidden, SignInRefused, SlowDown, Unfit, Unreachable
from uptake.connectors.pull.template import compiled

logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold whole addresses, keys among them

LARGEST_ANSWER = 64 << 20
SECONDS = 20.0
HOLE = re.compile(r"\{(\w+)\}")
RENEWABLE = ("login", "client_credentials")


class Http:
    """One system over HTTP, as declared."""

    def __init__(self, declaration: Declaration, access: Access, *, seconds: float = SECONDS) -> None:
        self.declaration, self.access = declaration, access
        self.base = access.settings.get("address", "").rstrip("/")
        _proper(self.base)
        self.sign_in = chosen(declaration.sign_in, access)
        self.client = httpx.Client(timeout=seconds, follow_redirects=False, trust_env=False)
        self.session: dict[str, str] = {}
        """The headers that say who we are, once signed in."""
        self.parameter = ""
        """The same, where it stands in the address: name=value."""
        self._calls = 0

    def calls(self) -> int:
        done, self._calls = self._calls, 0
        return done

    def close(self) -> None:
        self.client.close()

    def ask(self, request: Request, values: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer. Raises Problem."""
        if not self.session and not self.parameter and self._renewable():
            self._sign_in()
        try:
            return self._ask(request, values or {})
        except SignInRefused:
            if not self._renewable():
                raise
        self._sign_in()
        return self._ask(request, values or {})

    def _renewable(self) -> bool:
        return self.sign_in.get("kind") in RENEWABLE

    def _ask(self, request: Request, values: Mapping[str, str]) -> Any:
        address = self.address(request, values)
        return self.send(
            request.method,
            f"{address}{'&' if '?' in address else '?'}{self.parameter}" if self.parameter else address,
            headers={**self._credentials(), **{name: self._filled(v, values) for name, v in request.headers.items()}},
            body=None if request.body is None else self._filled(request.body, values),
        )

    def address(self, request: Request, values: Mapping[str, str]) -> str:
        """The whole address. Spaces become %20: several servers refuse the plus sign that is otherwise usual."""
        path = _fill(request.address, {name: quote(one, safe="") for name, one in self._values(values).items()})
        query = "&".join(
            f"{quote(name, safe='$')}={quote(_fill(text, self._values(values)), safe='')}"
            for name, text in request.query.items()
            if not self._unset(text)
        )
        whole = path if path.startswith(("http://", "https://")) else f"{self.base}{path}"
        if urlsplit(whole)[:2] != urlsplit(self.base)[:2]:
            raise Unfit(f"{whole} is not at {self.base}", code="address")
        return f"{whole}{'&' if '?' in whole else '?'}{query}" if query else whole

    def send(self, method: str, address: str, *, headers: Mapping[str, str], body: Any = None, form: Any = None) -> Any:
        """Sends one request and reads its answer. Raises Problem."""
        self._calls += 1
        content = None if body is None else orjson.dumps(body)
        sent = {"Accept": "application/json", **headers}
        if content is not None:
            sent["Content-Type"] = "application/json"
        try:
            with self.client.stream(method, address, headers=sent, content=content, data=form) as answer:
                whole = bytearray()
                for piece in answer.iter_bytes():
                    whole += piece
                    if len(whole) > LARGEST_ANSWER:
                        raise Unfit("", code="too_large")
        except httpx.InvalidURL as failure:
            raise Unfit(redact(str(failure))[:200], code="address") from failure
        except httpx.HTTPError as failure:
            raise Unreachable(redact(f"{type(failure).__name__}: {failure}")[:200]) from failure
        return self._read(answer, bytes(whole))

    def _read(self, answer: httpx.Response, whole: bytes) -> Any:
        detail = f"{answer.status_code} {redact(whole[:200].decode(errors='replace'))}".strip()
        try:
            said = orjson.loads(whole) if whole else None
            broken = not whole
        except orjson.JSONDecodeError:
            said, broken = None, True
        self._look_for_refusal(said, detail, answer)
        match answer.status_code:
            case 401:
                raise SignInRefused(detail)
            case 403:
                raise Forbidden(detail)
            case 429:
                raise SlowDown(detail, retry_after=_retry_after(answer))
            case 404 | 410:
                raise Unfit(detail, code="not_found")
            case status if status >= 500 or status == 408:
                after = _retry_after(answer)
                raise Unreachable(detail) if after is None else SlowDown(detail, retry_after=after)
            case status if status >= 300:
                raise Unfit(detail, code="redirected" if status < 400 else "refused")
        if broken:
            raise Unreachable(detail, code="broken_answer")
        return said

    def _look_for_refusal(self, said: Any, detail: str, answer: httpx.Response) -> None:
        errors = self.declaration.errors
        if not errors or not isinstance(said, dict | list):
            return
        code = compiled(errors["path"]).search(said)
        if code is None or code in errors.get("fine", []):
            return
        if code in errors.get("slow", []):
            raise SlowDown(detail, retry_after=_retry_after(answer))
        if code in errors.get("signed_out", []):
            raise SignInRefused(detail)
        if answer.status_code < 400:
            raise Unfit(detail, code="refused")

    def _credentials(self) -> dict[str, str]:
        sign_in = self.sign_in
        match sign_in.get("kind", ""):
            case "basic":
                return self._basic(sign_in)
            case "bearer":
                return {"Authorization": "Bearer " + self._filled(sign_in["token"], {})}
            case "header":
                return {str(sign_in["name"]): self._filled(sign_in["value"], {})}
            case _:
                return dict(self.session)

    def _sign_in(self) -> None:
        sign_in = self.sign_in
        self.session, self.parameter = {}, ""
        try:
            if sign_in["kind"] == "client_credentials":
                form = {
                    "grant_type": "client_credentials",
                    **{name: self._filled(str(text), {}) for name, text in (sign_in.get("form") or {}).items()},
                }
                address = self._filled(sign_in["address"], {})
                headers = self._basic(sign_in) if "user" in sign_in else {}
                said = self.send(
                    "POST", f"{self.base}{address}" if address[:1] == "/" else address, headers=headers, form=form
                )
                path, name, value = "access_token", "Authorization", "Bearer {token}"
            else:
                request = Request(
                    address=sign_in["address"],
                    method=sign_in.get("method", "POST"),
                    body=sign_in.get("body"),
                    query=sign_in.get("query") or {},
                )
                signed = self._signed(sign_in.get("sign") or {}, datetime.now(UTC))
                address = self.address(request, signed)
                said = self.send(request.method, address, headers={}, body=self._filled(request.body, signed))
                path, name = sign_in["token"], sign_in.get("header", "Authorization")
                value = sign_in.get("value", "Bearer {token}")
        except (Forbidden, Unfit) as refusal:
            raise SignInRefused(refusal.detail) from refusal
        token = compiled(path).search(said)
        if not token:
            raise SignInRefused("")
        if sign_in.get("parameter"):
            self.parameter = f"{sign_in['parameter']}={quote(str(token), safe='')}"
        else:
            self.session = {name: _fill(value, {"token": str(token)})}

    def _signed(self, sign: Mapping[str, Any], now: datetime) -> dict[str, str]:
        """What a request for a token holds where it is signed: {now_ms}, and {signature} of a text under a secret
        (HMAC-SHA-256, base64)."""
        if not sign:
            return {}
        moment = {"now_ms": str(int(now.timestamp() * 1000))}
        over = _fill(str(sign["over"]), self._values(moment))
        proof = hmac.digest(self._filled(sign["secret"], {}).encode(), over.encode(), "sha256")
        return {**moment, "signature": base64.b64encode(proof).decode()}

    def filled(self, text: str) -> str:
        """A text with settings in its holes; empty where it is the hole of an optional one that was not given."""
        return "" if self._unset(text) else str(self._filled(text, {}))

    def _basic(self, sign_in: Mapping[str, Any]) -> dict[str, str]:
        user, password = self._filled(sign_in["user"], {}), self._filled(sign_in["password"], {})
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    def _unset(self, text: str) -> bool:
        """Whether a text is the hole of an optional setting that was not given: its parameter is left out."""
        hole = HOLE.fullmatch(text)
        return hole is not None and any(
            one.optional and one.name == hole[1] and one.name not in self._values({})
            for one in self.declaration.settings
        )

    def _values(self, values: Mapping[str, str]) -> dict[str, str]:
        return {**self.access.settings, **self.access.secrets, **values}

    def _filled(self, body: Any, values: Mapping[str, str]) -> Any:
        if isinstance(body, dict):
            return {name: self._filled(one, values) for name, one in body.items()}
        if isinstance(body, list):
            return [self._filled(one, values) for one in body]
        if not isinstance(body, str):
            return body
        if body in ("{limit}", "{same}", "{number}", "{page}"):
            return int(values[body[1:-1]]) if body[1:-1] in values else body
        return _fill(body, self._values(values))


def chosen(sign_in: Mapping[str, Any], access: Access) -> Mapping[str, Any]:
    """How to sign in. Of `{choose: […]}` the first whose setting `needs` was given; one without it fits always."""
    given = {**access.settings, **access.secrets}
    for one in sign_in.get("choose") or []:
        if not one.get("needs") or given.get(one["needs"]):
            return dict(one)
    return {} if "choose" in sign_in else sign_in


def _fill(text: str, values: Mapping[str, str]) -> str:
    return HOLE.sub(lambda hole: str(values.get(hole[1], hole[0])), text)


def _proper(address: str) -> None:
    """Refuses what is no address of a server, and the machine's own network of services (169.254, fe80)."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unfit(address[:100], code="address")
    try:
        local = ip_address(parts.hostname).is_link_local
    except ValueError:
        return
    if local:
        raise Unfit(address[:100], code="address")


def _retry_after(answer: httpx.Response) -> float | None:
    said = answer.headers.get("Retry-After", "").strip()
    if not said:
        return None
    try:
        return float(said)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(said)
        sent = parsedate_to_datetime(answer.headers["Date"]) if "Date" in answer.headers else datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    return max(0.0, (until - sent).total_seconds())
