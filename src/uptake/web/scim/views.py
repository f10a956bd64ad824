"""Answers SCIM 2.0 for the source a bearer token opens; every answer is application/scim+json, refusals too."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from uptake.connectors.people.change_source import opened_by
from uptake.connectors.people.keep_scim import drop_group, drop_user, groups_of, keep_group, keep_user
from uptake.connectors.people.models import PeopleSource, SaidPerson, SaidPlace
from uptake.connectors.people.scim import (
    ENTERPRISE,
    ERROR,
    GROUP,
    LIST,
    SCHEMAS,
    USER,
    Refused,
    cleaned,
    filter_of,
    patched,
)

log = logging.getLogger(__name__)
MAX_BODY = 1 << 20
MOST = 200
USUAL = 100
ROOT = "/scim/v2"
Answer = Callable[..., HttpResponse]
Row = SaidPerson | SaidPlace


def scim(*methods: str) -> Callable[[Answer], Answer]:
    """A view of SCIM: for these methods, with the source of the token, refusals in SCIM's own form."""

    def around(view: Answer) -> Answer:
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: str, **more: str) -> HttpResponse:
            try:
                source = _source(request)
                if request.method not in methods:
                    raise Refused(405, f"{request.method} is not possible here.")
                return view(request, source, *args, **more)
            except Refused as refusal:
                return _refused(refusal)
            except (OperationalError, InterfaceError):
                answer = _refused(Refused(503, "The database is busy."))
                answer["Retry-After"] = "5"
                return answer

        return answer

    return around


def _source(request: HttpRequest) -> PeopleSource:
    kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
    source = opened_by(secret=secret.strip(), now=timezone.now()) if kind.lower() == "bearer" else None
    if source is None:
        raise Refused(401, "The bearer token opens nothing.")
    return source


@scim("GET")
def service_provider_config(request: HttpRequest, source: PeopleSource) -> HttpResponse:
    """What this server can do."""
    _no_filter(request)
    no = {"supported": False}
    return _json(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": {"supported": True},
            "bulk": {**no, "maxOperations": 0, "maxPayloadSize": 0},
            "filter": {"supported": True, "maxResults": MOST},
            "changePassword": no,
            "sort": no,
            "etag": {"supported": True},
            "authenticationSchemes": [
                {
                    "type": "oauthbearertoken",
                    "name": "Bearer token",
                    "description": "The key of the source of people",
                    "primary": True,
                }
            ],
            "meta": {
                "resourceType": "ServiceProviderConfig",
                "location": request.build_absolute_uri(f"{ROOT}/ServiceProviderConfig"),
            },
        }
    )


@scim("GET")
def resource_types(request: HttpRequest, source: PeopleSource, name: str = "") -> HttpResponse:
    """Users and groups."""
    _no_filter(request)
    found = [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": kind,
            "name": kind,
            "endpoint": f"/{kind}s",
            "description": kind,
            "schema": schema,
            **({"schemaExtensions": [{"schema": ENTERPRISE, "required": False}]} if schema == USER else {}),
            "meta": {
                "resourceType": "ResourceType",
                "location": request.build_absolute_uri(f"{ROOT}/ResourceTypes/{kind}"),
            },
        }
        for kind, schema in (("User", USER), ("Group", GROUP))
    ]
    return _described(found, name)


@scim("GET")
def schemas(request: HttpRequest, source: PeopleSource, name: str = "") -> HttpResponse:
    """The attributes of users and groups that are kept."""
    _no_filter(request)
    found = [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": schema,
            "name": title,
            "description": title,
            "attributes": [one.described() for one in attributes],
            "meta": {
                "resourceType": "Schema",
                "location": request.build_absolute_uri(f"{ROOT}/Schemas/{schema}"),
            },
        }
        for schema, (title, attributes) in SCHEMAS.items()
    ]
    return _described(found, name)


@scim("GET", "POST")
def users(request: HttpRequest, source: PeopleSource, search: str = "") -> HttpResponse:
    """The users of the source, or a new one; asked for in a body, too."""
    if request.method == "POST" and not search:
        row = keep_user(source=source, said=cleaned(_body(request), USER), now=timezone.now())
        return _one(request, row, 201)
    rows = SaidPerson.objects.filter(source=source, user_name__isnull=False).order_by("pk")
    return _listed(request, rows, lambda equals: _by_name(rows, equals))


@scim("GET", "PUT", "PATCH", "DELETE")
def user(request: HttpRequest, source: PeopleSource, key: str) -> HttpResponse:
    """One user: `active: false` and DELETE let the person leave; nobody is ever deleted."""
    row = SaidPerson.objects.filter(source=source, key=key, user_name__isnull=False).first()
    if row is None:
        raise Refused(404, "There is no such user.")
    now, match = timezone.now(), request.headers.get("If-Match", "")
    if request.method == "DELETE":
        drop_user(source=source, row=row, now=now, match=match)
        return HttpResponse(status=204)
    if request.method != "GET":
        body = _body(request)
        said = patched(row.extra, body, USER) if request.method == "PATCH" else cleaned(body, USER)
        row = keep_user(source=source, said=said, now=now, row=row, match=match or f'W/"{row.version}"')
    return _one(request, row)


@scim("GET", "POST")
def groups(request: HttpRequest, source: PeopleSource, search: str = "") -> HttpResponse:
    """The groups of the source, or a new one; asked for in a body, too."""
    if request.method == "POST" and not search:
        return _one(request, keep_group(source=source, said=cleaned(_body(request), GROUP), now=timezone.now()), 201)
    return _listed(request, groups_of(source), lambda equals: None)


@scim("GET", "PUT", "PATCH", "DELETE")
def group(request: HttpRequest, source: PeopleSource, key: str) -> HttpResponse:
    """One group."""
    row = SaidPlace.objects.filter(source=source, key=f"group/{key}").first()
    if row is None:
        raise Refused(404, "There is no such group.")
    now, match = timezone.now(), request.headers.get("If-Match", "")
    if request.method == "DELETE":
        drop_group(source=source, row=row, now=now, match=match)
        return HttpResponse(status=204)
    if request.method != "GET":
        body = _body(request)
        said = patched(row.extra, body, GROUP) if request.method == "PATCH" else cleaned(body, GROUP)
        row = keep_group(source=source, said=said, now=now, row=row, match=match or f'W/"{row.version}"')
    return _one(request, row)


@scim("POST")
def search(request: HttpRequest, source: PeopleSource) -> HttpResponse:
    """Users and groups together, asked for in a body."""
    users = SaidPerson.objects.filter(source=source, user_name__isnull=False).order_by("pk")
    return _listed(request, [*users, *groups_of(source)], lambda equals: None)


@scim("GET", "POST", "PUT", "PATCH", "DELETE")
def nothing(request: HttpRequest, source: PeopleSource, rest: str) -> HttpResponse:
    """What this server does not have."""
    missing = rest.rstrip("/")
    if missing in ("Me", "Bulk"):
        raise Refused(501, f"{missing} is not supported.")
    raise Refused(404, "There is nothing at this address.")


def _body(request: HttpRequest) -> Any:
    body = request.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise Refused(413, "The body is too large.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, "The body is no JSON.", "invalidSyntax") from None


def _resource(request: HttpRequest, row: Row) -> dict[str, Any]:
    is_user = isinstance(row, SaidPerson)
    schema, kind = (USER, "User") if is_user else (GROUP, "Group")
    key = row.key.removeprefix("group/")
    said = dict(row.extra)
    if not is_user:
        said["members"] = [
            {**one, "$ref": request.build_absolute_uri(f"{ROOT}/Users/{one['value']}")}
            for one in said.get("members", [])
        ]
        if not said["members"]:
            del said["members"]
    return {
        "schemas": [schema, *(one for one in (ENTERPRISE,) if one in said)],
        "id": key,
        **said,
        "meta": {
            "resourceType": kind,
            "created": row.created_at.isoformat(),
            "lastModified": row.changed_at.isoformat(),
            "location": request.build_absolute_uri(f"{ROOT}/{kind}s/{key}"),
            "version": _version(row),
        },
    }


def _version(row: Row) -> str:
    return f'W/"{row.version}"'


def _one(request: HttpRequest, row: Row, status: int = 200) -> HttpResponse:
    resource = _resource(request, row)
    if request.method == "GET" and _version(row) in request.headers.get("If-None-Match", ""):
        answer = HttpResponse(status=304)
    else:
        answer = _json(_chosen(resource, request.GET.dict()), status)
        answer["Location"] = resource["meta"]["location"]
    answer["ETag"] = _version(row)
    return answer


def _listed(
    request: HttpRequest, rows: Iterable[Row], quick: Callable[[Mapping[str, Any]], Iterable[Row] | None]
) -> HttpResponse:
    asked = _asked(request)
    start, count = max(1, _number(asked, "startIndex", 1)), min(MOST, max(0, _number(asked, "count", USUAL)))
    if text := asked.get("filter", ""):
        wanted = filter_of(text)
        fewer = quick(wanted.equals)
        found = [one for one in (rows if fewer is None else fewer) if wanted.test(_resource(request, one))]
    else:
        found = list(rows)
    shown = [_chosen(_resource(request, one), asked) for one in found[start - 1 : start - 1 + count]]
    return _list(shown, total=len(found), start=start)


def _by_name(rows: Any, equals: Mapping[str, Any]) -> Iterable[Row] | None:
    name = equals.get("username")
    found: Iterable[Row] | None = rows.filter(user_name=name.lower()) if isinstance(name, str) else None
    return found


def _chosen(resource: dict[str, Any], asked: Mapping[str, str]) -> dict[str, Any]:
    """With `attributes` only these (and id and schemas), with `excludedAttributes` all but these."""
    only, but = (_names(asked.get(name, "")) for name in ("attributes", "excludedAttributes"))
    if only and but:
        raise Refused(400, "attributes and excludedAttributes exclude each other.", "invalidValue")
    if not only and not but:
        return resource
    kept: dict[str, Any] = {}
    for name, value in resource.items():
        full = name.lower()
        subs = {one[len(full) + 1 :] for one in only or but if one.startswith((f"{full}.", f"{full}:"))}
        if name in ("id", "schemas") or full in only:
            kept[name] = value
        elif only and subs:
            kept[name] = _part(value, subs, keep=True)
        elif but and full not in but:
            kept[name] = _part(value, subs, keep=False) if subs else value
    return kept


def _part(value: Any, subs: set[str], *, keep: bool) -> Any:
    if isinstance(value, list):
        return [_part(one, subs, keep=keep) for one in value]
    if isinstance(value, Mapping):
        return {name: inner for name, inner in value.items() if (name.lower() in subs) == keep}
    return value


def _names(text: str) -> set[str]:
    names = {one.strip().lower() for one in text.split(",") if one.strip()}
    return {one.removeprefix(f"{schema.lower()}:") for one in names for schema in [_own_schema(one)]}


def _own_schema(name: str) -> str:
    return next((one for one in (USER, GROUP) if name.startswith(f"{one.lower()}:")), "")


def _asked(request: HttpRequest) -> dict[str, str]:
    """The parameters of a list, from the address or from the body of a search (RFC 7644, section 3.4.3)."""
    if request.method != "POST":
        return {name: str(text) for name, text in request.GET.items()}
    body = _body(request)
    if not isinstance(body, Mapping):
        raise Refused(400, "The body is no JSON object.", "invalidSyntax")
    return {
        str(name): ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in body.items()
        if value is not None
    }


def _number(asked: Mapping[str, str], name: str, usual: int) -> int:
    text = asked.get(name, "")
    try:
        return int(text) if text else usual
    except ValueError:
        raise Refused(400, f"{name} is no number.", "invalidValue") from None


def _described(found: list[dict[str, Any]], name: str) -> HttpResponse:
    if not name:
        return _list(found, total=len(found), start=1)
    one = next((one for one in found if one["id"].lower() == name.lower()), None)
    if one is None:
        raise Refused(404, "There is no such thing.")
    return _json(one)


def _no_filter(request: HttpRequest) -> None:
    if "filter" in request.GET:
        raise Refused(403, "This cannot be filtered.")  # RFC 7644, section 4


def _list(resources: list[dict[str, Any]], *, total: int, start: int) -> HttpResponse:
    return _json(
        {
            "schemas": [LIST],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(resources),
            "Resources": resources,
        }
    )


def _json(said: Mapping[str, Any], status: int = 200) -> HttpResponse:
    answer = HttpResponse(orjson.dumps(said), status=status, content_type="application/scim+json")
    answer["Cache-Control"] = "no-store"
    return answer


def _refused(refusal: Refused) -> HttpResponse:
    said = {"schemas": [ERROR], "status": str(refusal.status), "detail": refusal.detail}
    if refusal.kind:
        said["scimType"] = refusal.kind
    answer = _json(said, refusal.status)
    if refusal.status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer
