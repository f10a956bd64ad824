"""A declared system: how to sign in, what streams it has, how they are asked for, and what their records mean. Pure.

A declaration is data: presets are YAML files of the package, and each connection keeps its own copy, so a new table,
form or entity needs no code. What is read here is checked whole, so that a mistake is said when it is typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import jmespath
import yaml
from jmespath.exceptions import JMESPathError

from uptake.connectors.pull.template import Template

KINDS = ("user", "side_effect", "system")
PROOFS = ("sha1", "hmac_sha256", "token")
MOST_STREAMS = 50
FOR_FIGURES = "sql"
"""The engine that may be declared without a stream: business series ask it for figures."""
MOST_BYTES = 200_000


class BadDeclaration(ValueError):
    """The declaration cannot be read: `where` names the place, the text says what is wrong."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where, self.what = where, what


@dataclass(frozen=True)
class Setting:
    """What a person gives when connecting."""

    name: str
    secret: bool = False
    label: Mapping[str, str] = field(default_factory=dict)
    example: str = ""
    default: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Request:
    """What is asked over HTTP. Texts may hold {since}, {id}, {same}, {page}, {limit} and the names of settings."""

    address: str = ""
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True)
class Order:
    """The fields by which records are ordered: JMESPath of the time and the id (columns, for SQL)."""

    time: str = ""
    id: str = "id"
    form: str = "iso"
    """How the time is written when asked for: see `instants.written`."""
    zone: str = ""
    """Of times that name none; empty: the connection's."""
    first_id: str = ""
    """The id before all others: empty for texts, 0 for numbers."""
    numeric: bool = False


@dataclass(frozen=True)
class Telling:
    """What a record says happened: texts with {{JMESPath}} in them. `when` is a JMESPath; empty: always."""

    event: Template
    key: Template
    at: Template | None = None
    when: str = ""
    person: Template | None = None
    person_name: Template | None = None
    person_email: Template | None = None
    staff_number: Template | None = None
    object: Template | None = None
    company: Template | None = None
    kind: Template | None = None
    """user, side_effect or system; none: user."""
    facts: Mapping[str, Template] = field(default_factory=dict)


@dataclass(frozen=True)
class Sweep:
    """How the ids that exist now are asked for, to find out what is gone."""

    request: Request = Request()
    query: str = ""
    records: str = "@"
    id: str = "id"
    event: str = ""
    """What is told of each that is gone, such as issue.vanished."""
    object: str = "{{id}}"
    key: str = ""
    """Its key, where the system also tells by itself what went: {{id}} and the settings under `_`."""


@dataclass(frozen=True)
class Stream:
    """One sequence of records of a system."""

    name: str
    order: Order
    tellings: tuple[Telling, ...]
    request: Request = Request()
    records: str = "@"
    """Where the records stand in the answer."""
    count: str = ""
    """Where the answer says how many match altogether."""
    more: str = ""
    """Where the answer says whether there are more."""
    query: str = ""
    """For SQL: a SELECT."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What only one kind of system knows: the model and the fields of Tryton, the pattern of file names."""
    page: int = 100
    overlap_seconds: int = 300
    wide_hours: int = 48
    whole: bool = False
    """Without times: read from the beginning every night, where one cannot ask what was changed."""
    sweep: Sweep | None = None


@dataclass(frozen=True)
class Check:
    """How to find out who we are: an address and the JMESPath of the name in its answer."""

    request: Request = Request()
    who: str = ""
    each_run: bool = True


@dataclass(frozen=True)
class Webhook:
    """How the system tells by itself: what proves that it is the system, and which stream reads what it says."""

    kind: str
    """sha1, hmac_sha256 (both in hex), or token: the header is the secret itself."""
    header: str
    """Where the proof stands."""
    secret: str
    """The name of the setting that holds the secret; where none was given, nothing is taken."""
    over: str = "{body}"
    """What is signed: {body} as it came, {secret}, and the parameters of the address."""
    time: str = ""
    """The parameter that says when it was sent, in seconds or milliseconds since 1970."""
    window_seconds: int = 300
    """How far that may be from now."""
    records: str = "@"
    """The record, or the list of them, in what was said."""
    streams: Mapping[str, str] = field(default_factory=dict)
    """Which stream reads a record: its name, and the JMESPath that must hold of the record; the first that fits."""
    gone: str = ""
    """Holds of a record that is there no more, so that no sweep tells of it again."""


@dataclass(frozen=True)
class Declaration:
    """A system as declared."""

    engine: str
    streams: tuple[Stream, ...]
    settings: tuple[Setting, ...] = ()
    sign_in: Mapping[str, Any] = field(default_factory=dict)
    check: Check | None = None
    errors: Mapping[str, Any] = field(default_factory=dict)
    """Refusals that stand inside answers: `path` of a code, and which codes mean `slow`, `signed_out` or are `fine`;
    any other is a refusal a person must look at."""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Tables of words for {{word('table', field)}}."""
    per_second: float = 5.0
    burst: float = 50.0
    every_seconds: int = 60
    zone: str = ""
    """Of times that name none, where the system has one by itself; empty: the connection's."""
    title: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    webhook: Webhook | None = None

    def stream(self, name: str) -> Stream:
        """The stream of this name; KeyError."""
        return next(one for one in self.streams if one.name == name)


def read_yaml(text: str) -> tuple[Declaration, dict[str, Any]]:
    """The declaration in a YAML text, and the plain data it was made of. Raises BadDeclaration."""
    if len(text.encode()) > MOST_BYTES:
        raise BadDeclaration("declaration", "too long")
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as failure:
        raise BadDeclaration("YAML", " ".join(str(failure).split())[:300]) from failure
    if not isinstance(data, dict):
        raise BadDeclaration("declaration", "must be a mapping with engine and streams")
    return declaration_of(data), data


def declaration_of(data: Mapping[str, Any]) -> Declaration:
    """The declaration in plain data. Raises BadDeclaration."""
    _known(data, Declaration, "declaration")
    streams = data.get("streams") or []
    least = 0 if data.get("engine") == FOR_FIGURES else 1
    if not isinstance(streams, list) or not least <= len(streams) <= MOST_STREAMS:
        raise BadDeclaration("streams", f"needs a list of {least} to {MOST_STREAMS}")
    read = tuple(_stream(one, f"streams[{number}]") for number, one in enumerate(streams))
    if len({one.name for one in read}) < len(read):
        raise BadDeclaration("streams", "two have the same name")
    check = data.get("check")
    return Declaration(
        engine=_text(data, "engine", "declaration", needed=True),
        streams=read,
        settings=tuple(_setting(one, f"settings[{n}]") for n, one in enumerate(data.get("settings") or [])),
        sign_in=_mapping(data, "sign_in"),
        check=_check(check) if check is not None else None,
        errors=_errors(_mapping(data, "errors")),
        words=_mapping(data, "words"),
        per_second=_number(data, "per_second", "declaration", 5.0, 0.01, 1000),
        burst=_number(data, "burst", "declaration", 50.0, 1, 10_000),
        every_seconds=int(_number(data, "every_seconds", "declaration", 60, 1, 86_400)),
        zone=_text(data, "zone", "declaration"),
        title=_mapping(data, "title"),
        about=_mapping(data, "about"),
        webhook=_webhook(data["webhook"], {one.name for one in read}) if data.get("webhook") else None,
    )


def _stream(data: Any, where: str) -> Stream:
    _known(data, Stream, where)
    name = _text(data, "name", where, needed=True)
    where = f"{where} {name}"
    order = data.get("order") or {}
    _known(order, Order, f"{where} order")
    tellings = data.get("tellings") or []
    if not isinstance(tellings, list) or not tellings:
        raise BadDeclaration(f"{where} tellings", "needs at least one")
    return Stream(
        name=name,
        order=Order(
            time=_path(order, "time", f"{where} order"),
            id=_path(order, "id", f"{where} order") or "id",
            form=_text(order, "form", where) or "iso",
            zone=_text(order, "zone", where),
            first_id=_text(order, "first_id", where) or ("0" if order.get("numeric") else ""),
            numeric=bool(order.get("numeric")),
        ),
        tellings=tuple(_telling(one, f"{where} tellings[{n}]") for n, one in enumerate(tellings)),
        request=_request(data.get("request") or {}, f"{where} request"),
        records=_path(data, "records", where) or "@",
        count=_path(data, "count", where),
        more=_path(data, "more", where),
        query=_text(data, "query", where),
        options=_mapping(data, "options"),
        page=int(_number(data, "page", where, 100, 1, 10_000)),
        overlap_seconds=int(_number(data, "overlap_seconds", where, 300, 0, 7 * 86_400)),
        wide_hours=int(_number(data, "wide_hours", where, 48, 0, 31 * 24)),
        whole=bool(data.get("whole")),
        sweep=_sweep(data["sweep"], f"{where} sweep") if data.get("sweep") else None,
    )


def _telling(data: Any, where: str) -> Telling:
    _known(data, Telling, where)

    def template(name: str) -> Template | None:
        return _template(data[name], f"{where} {name}") if data.get(name) not in (None, "") else None

    event, key = template("event"), template("key")
    if event is None or key is None:
        raise BadDeclaration(where, "needs event and key")
    kind = template("kind")
    if kind is not None and kind.plain is not None and kind.plain not in KINDS:
        raise BadDeclaration(f"{where} kind", f"one of {', '.join(KINDS)}")
    return Telling(
        event=event,
        key=key,
        at=template("at"),
        when=_path(data, "when", where),
        person=template("person"),
        person_name=template("person_name"),
        person_email=template("person_email"),
        staff_number=template("staff_number"),
        object=template("object"),
        company=template("company"),
        kind=kind,
        facts={str(name): _template(text, f"{where} facts {name}") for name, text in (data.get("facts") or {}).items()},
    )


def _sweep(data: Any, where: str) -> Sweep:
    _known(data, Sweep, where)
    _template(data.get("object") or "{{id}}", f"{where} object")
    return Sweep(
        request=_request(data.get("request") or {}, f"{where} request"),
        query=_text(data, "query", where),
        records=_path(data, "records", where) or "@",
        id=_path(data, "id", where) or "id",
        event=_text(data, "event", where, needed=True),
        object=_text(data, "object", where) or "{{id}}",
        key=_template(_text(data, "key", where), f"{where} key").text,
    )


def _webhook(data: Any, streams: set[str]) -> Webhook:
    where = "webhook"
    _known(data, Webhook, where)
    kind = _text(data, "kind", where, needed=True)
    if kind not in PROOFS:
        raise BadDeclaration(f"{where} kind", f"one of {', '.join(PROOFS)}")
    over = _text(data, "over", where) or "{body}"
    if "{body}" not in over or (kind == "sha1" and "{secret}" not in over):
        raise BadDeclaration(f"{where} over", "needs {body}" + (" and {secret}" if kind == "sha1" else ""))
    chosen = _mapping(data, "streams")
    if not chosen or not set(chosen) <= streams:
        raise BadDeclaration(f"{where} streams", f"needs some of {', '.join(sorted(streams))}")
    return Webhook(
        kind=kind,
        header=_text(data, "header", where, needed=True),
        secret=_text(data, "secret", where, needed=True),
        over=over,
        time=_text(data, "time", where),
        window_seconds=int(_number(data, "window_seconds", where, 300, 1, 86_400)),
        records=_path(data, "records", where) or "@",
        streams={str(name): _path(chosen, name, f"{where} streams") for name in chosen},
        gone=_path(data, "gone", where),
    )


def _errors(data: Mapping[str, Any]) -> Mapping[str, Any]:
    if data:
        _path(data, "path", "errors")
        for name in ("slow", "signed_out", "fine"):
            if not isinstance(data.get(name, []), list):
                raise BadDeclaration(f"errors {name}", "must be a list")
    return data


def _check(data: Any) -> Check:
    _known(data, Check, "check")
    request = _request(data.get("request") or {}, "check request")
    return Check(request=request, who=_path(data, "who", "check"), each_run=bool(data.get("each_run", True)))


def _request(data: Any, where: str) -> Request:
    _known(data, Request, where)
    method = (_text(data, "method", where) or "GET").upper()
    if method not in ("GET", "POST"):
        raise BadDeclaration(f"{where} method", "GET or POST: nothing is written")
    return Request(
        address=_text(data, "address", where),
        method=method,
        query={str(name): str(text) for name, text in (data.get("query") or {}).items()},
        headers={str(name): str(text) for name, text in (data.get("headers") or {}).items()},
        body=data.get("body"),
    )


def _setting(data: Any, where: str) -> Setting:
    _known(data, Setting, where)
    return Setting(
        name=_text(data, "name", where, needed=True),
        secret=bool(data.get("secret")),
        label=_mapping(data, "label"),
        example=_text(data, "example", where),
        default=_text(data, "default", where),
        optional=bool(data.get("optional")),
    )


def _known(data: Any, kind: type, where: str) -> None:
    if not isinstance(data, dict):
        raise BadDeclaration(where, "must be a mapping")
    names = {one.name for one in fields(kind)}
    unknown = [str(name) for name in data if name not in names]
    if unknown:
        raise BadDeclaration(where, f"unknown: {', '.join(sorted(unknown))}")


def _text(data: Mapping[str, Any], name: str, where: str, *, needed: bool = False) -> str:
    value = data.get(name)
    if value is None or value == "":
        if needed:
            raise BadDeclaration(where, f"needs {name}")
        return ""
    if isinstance(value, dict | list):
        raise BadDeclaration(f"{where} {name}", "must be a text")
    return str(value)


def _mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name) or {}
    if not isinstance(value, dict):
        raise BadDeclaration(name, "must be a mapping")
    return value


def _number(data: Mapping[str, Any], name: str, where: str, default: float, least: float, most: float) -> float:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadDeclaration(f"{where} {name}", f"a number from {least:g} to {most:g}")
    return float(value)


def _path(data: Mapping[str, Any], name: str, where: str) -> str:
    text = _text(data, name, where)
    if text:
        try:
            jmespath.compile(text)
        except JMESPathError as failure:
            raise BadDeclaration(f"{where} {name}", " ".join(str(failure).split())[:200]) from failure
    return text


def _template(text: Any, where: str) -> Template:
    if isinstance(text, dict | list):
        raise BadDeclaration(where, "must be a text")
    try:
        return Template(str(text))
    except JMESPathError as failure:
        raise BadDeclaration(where, " ".join(str(failure).split())[:200]) from failure
