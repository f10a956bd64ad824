"""Serves scripts to pages of other sites."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from uptake.web.collector.script import Script, the_script

KEPT_SECONDS = 86_400
STALE_SECONDS = 30 * 86_400


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """The collector."""
    return served(request, the_script())


def served(request: HttpRequest, found: Script) -> HttpResponse:
    """A script: kept for a day, then asked for again by its hash; a stale one serves while that is done."""
    packs = "gzip" in request.headers.get("Accept-Encoding", "")
    etag = f'"{found.hash}{"-gzip" if packs else ""}"'
    response = HttpResponse(found.packed if packs else found.plain, content_type="text/javascript; charset=utf-8")
    if packs:
        response["Content-Encoding"] = "gzip"
    answer = get_conditional_response(request, etag=etag, response=response)
    assert isinstance(answer, HttpResponse), "a response is given in, so one comes out"
    answer["ETag"] = etag
    answer["Cache-Control"] = f"public, max-age={KEPT_SECONDS}, stale-while-revalidate={STALE_SECONDS}"
    answer["Vary"] = "Accept-Encoding"
    # Pages of any site may load it; it holds nothing of anybody.
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
