"""Signing in by SAML: to the other system, the response that the browser posts, and back in the browser that asked."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from uptake.directory.sign_on.claims import read_claims
from uptake.directory.sign_on.models import Protocol, SignOn
from uptake.directory.sign_on.use_once import UsedBefore, use_once
from uptake.web.pages.sign_on import saml
from uptake.web.pages.sign_on.answers import TRIAL, failed
from uptake.web.pages.sign_on.come_in import come_in, safe_page

ASKED = "sign_on_saml"
"""Where the session keeps the questions that this browser took along: {id: {way, next, trial, at}}."""
SECONDS, MOST = 900, 8
"""How long an answer may take, and how many are waited for."""
KEPT = 120
"""Seconds between the response and the browser's next request."""
SALT = "sign-on by SAML"


def ours(request: HttpRequest, sign_on: SignOn) -> saml.Ours:
    """What we are called at this address: the entity id is where our metadata stand."""
    return saml.Ours(
        request.build_absolute_uri(reverse("sign_on_with:metadata", args=[sign_on.slug])),
        request.build_absolute_uri(reverse("sign_on_with:consume", args=[sign_on.slug])),
    )


def to_system(request: HttpRequest, sign_on: SignOn) -> HttpResponse:
    """To the other system; the question is kept in the session."""
    if saml.missing():
        return failed(request, sign_on, f"the extra uptake[saml] is not installed here ({saml.missing()})")
    asked, address = saml.reading().question(sign_on, ours(request, sign_on))
    now = time.time()
    held = {key: one for key, one in _questions(request).items() if one.get("at", 0) > now - SECONDS}
    newest = sorted(held.items(), key=lambda row: float(row[1]["at"]))[-MOST + 1 :]
    mine = {
        "way": sign_on.pk,
        "next": safe_page(request, request.GET.get("next", "")),
        "trial": getattr(request, TRIAL, None),
        "at": now,
    }
    request.session[ASKED] = {**dict(newest), asked: mine}
    return HttpResponseRedirect(address)


@never_cache
@require_GET
def metadata(request: HttpRequest, way: str) -> HttpResponse:
    """Our metadata, for the other system."""
    sign_on = _way(way)
    if saml.missing():
        raise Http404("SAML is not installed")
    return HttpResponse(saml.reading().describe(ours(request, sign_on)), content_type="application/samlmetadata+xml")


@never_cache
@csrf_exempt
@require_POST
def consume(request: HttpRequest, way: str) -> HttpResponse:
    """The response, posted from the other system's page: so without our cookies, and nobody is known here yet.

    What it proves waits under a name that nobody can guess, for the browser to ask for it with its cookies.
    """
    sign_on = _way(way)
    address = reverse("sign_on_with:finish", args=[sign_on.slug])
    try:
        if saml.missing():
            raise saml.BadProof(f"the extra uptake[saml] is not installed here ({saml.missing()})")
        proof = saml.reading().read_response(
            request.POST.get("SAMLResponse", ""), sign_on=sign_on, ours=ours(request, sign_on)
        )
    except saml.BadProof as failure:
        wrong = signing.dumps([sign_on.pk, str(failure)[:300]], salt=SALT, compress=True)
        return _on(f"{address}?{urlencode({'wrong': wrong})}")
    key = secrets.token_urlsafe(24)
    relay = safe_page(request, request.POST.get("RelayState", ""))
    told = (proof.id, proof.subject, proof.said, proof.asked, proof.until, relay)
    cache.set(_place(sign_on, key), told, KEPT)
    return _on(f"{address}?{urlencode({'proof': key})}")


@never_cache
@require_GET
def finish(request: HttpRequest, way: str) -> HttpResponse:
    """In, where this browser asked the question that the response answers."""
    sign_on = _way(way)
    if wrong := request.GET.get("wrong"):
        setattr(request, TRIAL, _open_trial(request, sign_on))
        return failed(request, sign_on, _wrong(sign_on, wrong))
    place = _place(sign_on, request.GET.get("proof", ""))
    told = cache.get(place)
    cache.delete(place)
    if told is None:
        return failed(request, sign_on, "no response, or it waited too long")
    proof, relay = saml.Proof(*told[:5]), told[5]
    held = _questions(request)
    mine = held.pop(proof.asked, None) if proof.asked else None
    request.session[ASKED] = held
    if mine is not None and (mine.get("way") != sign_on.pk or mine.get("at", 0) < time.time() - SECONDS):
        mine = None
    if mine is None:
        if proof.asked or sign_on.settings.get("unasked") != "yes":
            setattr(request, TRIAL, _open_trial(request, sign_on))
            return failed(request, sign_on, "this browser did not ask for it (InResponseTo)")
        mine = {"next": relay, "trial": None}
    setattr(request, TRIAL, mine.get("trial"))
    now = timezone.now()
    try:
        use_once(sign_on=sign_on, proof=proof.id, until=proof.until, now=now)
    except UsedBefore:
        return failed(request, sign_on, "it was used before")
    claims = read_claims(
        {**proof.said, "name": _name(proof.said)},
        subject=proof.subject,
        email_claim=sign_on.email_claim,
        number_claim=sign_on.number_claim,
        domains=sign_on.domains,
        # What is signed is the word of the company's own system; SAML has no other word for "verified".
        email_verified=True,
    )
    shown = {key: ", ".join(values) for key, values in proof.said.items()}
    return come_in(request, sign_on, claims, shown, trial=mine.get("trial"), next_page=str(mine.get("next") or ""))


def _way(slug: str) -> SignOn:
    return get_object_or_404(SignOn.objects.select_related("organization"), slug=slug, protocol=Protocol.SAML)


def _on(address: str) -> HttpResponse:
    answer = HttpResponseRedirect(address)
    answer.status_code = 303
    return answer


def _questions(request: HttpRequest) -> dict[str, Any]:
    held = request.session.get(ASKED)
    return dict(held) if isinstance(held, dict) else {}


def _open_trial(request: HttpRequest, sign_on: SignOn) -> Any:
    """The newest test of this way that this browser has begun, for what went wrong names no question for sure."""
    mine = [one for one in _questions(request).values() if one.get("way") == sign_on.pk]
    return max(mine, key=lambda one: float(one["at"]))["trial"] if mine else None


def _wrong(sign_on: SignOn, signed: str) -> str:
    try:
        way, told = signing.loads(signed, salt=SALT, max_age=KEPT)
    except signing.BadSignature:
        return "nothing that we said"
    return str(told) if way == sign_on.pk else "of another way in"


def _place(sign_on: SignOn, key: str) -> str:
    return f"saml:{sign_on.pk}:{key[:64]}"


def _name(said: Mapping[str, Any]) -> str:
    for key in ("displayName", "urn:oid:2.16.840.1.113730.3.1.241", "cn", "name"):
        if found := said.get(key):
            return str(found[0])
    return ""
