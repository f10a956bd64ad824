"""The demo's ERP: a form to post, which sends an event to the intake as any server would, and the widget in its page.

It stands for software of somebody else: it knows who works with it, has the two keys of a host's server, and uses
nothing of Uptake but what a host could. Outside of a demo there is no such page.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import orjson
from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from uptake.web.api.intake import Asked, answer
from uptake.web.api.refusal import Refused
from uptake.web.widget.views import token_by

FILE: Final = "demo-host.json"
LINES: Final = (
    ("MX-4410", "Bearing housing, cast", "轴承座，铸件", 120, "L2605-118", "A1-03-2"),
    ("MX-4412", "Bearing housing, machined", "轴承座，机加工", 80, "L2605-119", "A1-03-3"),
    ("FS-0077", "Hex bolt M8×40, box of 200", "六角螺栓 M8×40，200 只装", 24, "—", "B2-11-1"),
    ("OR-2203", "O-ring 42×3, NBR", "O 形圈 42×3，丁腈", 600, "L2605-121", "B2-14-4"),
)


def host_told() -> Mapping[str, str] | None:
    """What the demo's ERP knows: its keys, and who is signed in; None where this is no demo or it was not made yet."""
    if not settings.DEMO:
        return None
    try:
        told: dict[str, str] = json.loads((settings.DATA / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return told


def _host() -> Mapping[str, str]:
    told = host_told()
    if told is None:
        raise Http404("no demo")
    return told


@require_GET
@never_cache
def home(request: HttpRequest) -> HttpResponseBase:
    """A goods receipt to post."""
    lines = [(nth * 10, *line) for nth, line in enumerate(LINES, start=1)]
    context = {"host": _host(), "number": _number(), "lines": lines, "now": timezone.now()}
    return render(request, "demo_host/home.html", context)


@require_GET
@never_cache
def token(_request: HttpRequest) -> HttpResponseBase:
    """What the host's server passes on to its page, for whoever is signed in there."""
    host = _host()
    try:
        return JsonResponse(token_by(host["widget"], {"person": host["person"]}, now=timezone.now()))
    except Refused as refusal:
        return JsonResponse({"error": refusal.error}, status=refusal.status)


@require_POST
def post_receipt(request: HttpRequest) -> HttpResponseBase:
    """Posts the receipt: the ERP tells Uptake, and gives the number of the next one."""
    host = _host()
    event = {
        "event": "goods_receipt.posted",
        "key": f"demo-host/{secrets.token_hex(8)}",
        "at": timezone.now().isoformat(),
        "person": host["person"],
        "object": request.POST.get("number", "")[:40],
        "facts": {"minutes": 41, "lines": len(LINES)},
    }
    headers = {"authorization": f"Bearer {host['events']}", "content-type": "application/json"}
    given = async_to_sync(answer)(Asked("POST", headers, _whole(orjson.dumps(event))))
    told: dict[str, Any] = orjson.loads(given.body)
    fate = told["fates"][0]["fate"] if given.status == 200 else told.get("error", "")
    return JsonResponse({"fate": fate, "next": _number()}, status=given.status)


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _number() -> str:
    return f"GR-{timezone.localdate():%m%d}-{secrets.randbelow(10_000):04}"
