"""Takes what a connected system tells by itself, and answers after the commit."""

from __future__ import annotations

import logging
import math
import threading
import time

from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from uptake.connectors.models import Pull
from uptake.connectors.pull.declaration import BadDeclaration
from uptake.connectors.pull.protocol import Problem
from uptake.connectors.pull.take_webhook import heard, take_webhook
from uptake.connectors.pull.webhook import NotProven, NotReadable
from uptake.events.record import ConnectionPaused
from uptake.web.api.bucket import Buckets
from uptake.web.api.limits import HOOKS_AT_ONCE, HOOKS_PER_SECOND, MAX_BODY, RETRY_SECONDS

log = logging.getLogger(__name__)
_buckets = Buckets(HOOKS_PER_SECOND, HOOKS_AT_ONCE)
_counting = threading.Lock()


@csrf_exempt
def take(request: HttpRequest, slug: str) -> JsonResponse:
    """200 once it is stored, also where it was known. A connection that is not there answers like a wrong proof."""
    if request.method != "POST":
        return _refused(405, "method_not_allowed", Allow="POST")
    body = request.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        return _refused(413, "too_large")
    try:
        pull = Pull.objects.select_related("connection__organization").filter(connection__slug=slug).first()
        if pull is None:
            raise NotProven
        headers = {name.lower(): text for name, text in request.headers.items()}
        query = {name: str(text) for name, text in request.GET.items()}
        now = timezone.now()
        declaration = heard(pull=pull, query=query, headers=headers, body=body, now=now)
        # after the proof: nobody else can use up what the system may tell
        if wait := _wait(pull.pk):
            return _refused(429, "too_fast", Retry_After=str(math.ceil(wait)))
        made = take_webhook(pull=pull, declaration=declaration, body=body, now=now)
    except NotProven:
        return _refused(401, "not_proven")
    except NotReadable:
        return _refused(400, "not_readable")
    except ConnectionPaused:
        return _refused(403, "connection_paused")
    except (OperationalError, InterfaceError):
        return _refused(503, "database_busy", Retry_After=str(RETRY_SECONDS))
    except (BadDeclaration, Problem):
        log.warning("What %s told was not taken: its declaration or its secrets must be put right", slug)
        return _refused(503, "not_ready")
    return JsonResponse({"new": made})


def _wait(key: int) -> float:
    with _counting:
        return _buckets.take(key, 1, time.monotonic())


def _refused(status: int, error: str, **headers: str) -> JsonResponse:
    answer = JsonResponse({"error": error}, status=status)
    for name, text in headers.items():
        answer[name.replace("_", "-")] = text
    answer["Cache-Control"] = "no-store"
    return answer
