"""The desk: badges defined and given by hand, challenges planned, prizes of boards, privileges of levels."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.models import Kind, Organization, Person
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.events.models import EventType
from uptake.events.own_names import OWN_NAMES
from uptake.ledger.accounts import budget
from uptake.ledger.balances import balances_of
from uptake.programme.beyond_a_date import rulebook_now
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.merits.define_badge import BadgeTerms, define_badge, retire_badge
from uptake.programme.merits.give_badge import give_by_hand, take_back_by_hand
from uptake.programme.merits.keep_boards import BoardClock
from uptake.programme.merits.models import (
    ICONS,
    Badge,
    BadgeKind,
    BoardPrize,
    Challenge,
    GivenBadge,
    PaidBoard,
    Privilege,
)
from uptake.programme.merits.name_privilege import end_privilege, name_privilege
from uptake.programme.merits.offer_prizes import offer_prizes, stop_prizes
from uptake.programme.merits.plan_challenge import ChallengeTerms, plan_challenge
from uptake.programme.merits.refusals import Refusal, Unusable
from uptake.web.catalogue import labels_of
from uptake.web.pages.merits.reading import challenges_of, rules_of, told_badge
from uptake.web.pages.merits.words import PERIODS, in_words, language
from uptake.web.pages.rewards.desk import company_for
from uptake.web.viewing import NotYours, needs, viewer_for

DEEDS: Final = (Deed.MANAGE_PEOPLE, Deed.MANAGE_RULES)
PAID_SHOWN: Final = 12
GIVEN_SHOWN: Final = 20


@needs(*DEEDS)
def badges(request: HttpRequest) -> HttpResponseBase:
    """The badges of a company, with how many have them; POST defines or retires one, or gives one by hand."""
    company, companies = company_for(request, *DEEDS)
    refused = _done(request, company, "desk", {"define": _define, "retire": _retire, "give": _give})
    if isinstance(refused, HttpResponseBase):
        return refused
    viewer = viewer_for(request)
    rows = list(Badge.objects.visible_to(viewer).filter(company=company).order_by("-pk"))
    held = GivenBadge.objects.held().filter(badge__in=rows).values_list("badge").annotate(Count("pk")).order_by()
    holders = dict(held)
    labels = labels_of([row.event_name for row in rows if row.event_name])
    by_hand = GivenBadge.objects.visible_to(viewer).held().filter(badge__company=company, badge__kind=BadgeKind.HAND)
    context = {
        **_frame(company, companies, "desk"),
        **_kept(request, refused),
        "rows": [(told_badge(row, labels), holders.get(row.pk, 0)) for row in rows],
        "by_hand": [
            (one, one.badge.name_in(language()))
            for one in by_hand.select_related("badge", "person").order_by("-given_at")[:GIVEN_SHOWN]
        ],
        "hands": [told_badge(row, labels) for row in rows if row.kind == BadgeKind.HAND and row.retired_at is None],
        "kinds": BadgeKind.choices,
        "icons": ICONS,
        "events": _events(),
        "levels": _levels(company),
        "periods": _periods(company),
        "people": _people(company, viewer),
    }
    return render(request, "merits/badges.html", context, status=422 if refused else 200)


@require_POST
@needs(*DEEDS)
def take_back(request: HttpRequest, given_id: int) -> HttpResponseBase:
    """A badge that was given by hand is taken back."""
    viewer = viewer_for(request)
    row = get_object_or_404(GivenBadge.objects.visible_to(viewer).select_related("badge__company"), pk=given_id)
    try:
        take_back_by_hand(given_id=row.pk, by=viewer, now=timezone.now())
    except NotAllowed:
        raise NotYours(DEEDS[0]) from None
    except Refusal as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, _("Taken back."))
    return redirect(_address("desk", row.badge.company))


@needs(*DEEDS)
def challenges(request: HttpRequest) -> HttpResponseBase:
    """The challenges of a company in every state; POST plans one."""
    company, companies = company_for(request, *DEEDS)
    refused = _done(request, company, "challenges", {"plan": _plan})
    if isinstance(refused, HttpResponseBase):
        return refused
    viewer = viewer_for(request)
    now = timezone.now()
    today = settings_at(company).date_of(now)
    rows = Challenge.objects.visible_to(viewer).filter(company=company).annotate(joined=Count("participants"))
    listed = list(rows.order_by("-from_date", "-pk"))
    context = {
        **_frame(company, companies, "challenges"),
        **_kept(request, refused),
        "lines": challenges_of(listed, viewer, company, today=today, now=now),
        "events": _events(),
        "rules": sorted(rules_of(company, now).items(), key=lambda one: one[1]),
        "places": _places(company),
        "budgets": _budgets(company),
        "today": today,
        "key": uuid.uuid4().hex,
    }
    return render(request, "merits/challenges.html", context, status=422 if refused else 200)


@needs(*DEEDS)
def prizes(request: HttpRequest) -> HttpResponseBase:
    """Prizes of the company's boards and privileges of its levels; POST offers, stops, names or ends one."""
    company, companies = company_for(request, *DEEDS)
    deeds = {"offer": _offer, "stop": _stop, "name": _name, "end": _end}
    refused = _done(request, company, "prizes", deeds)
    if isinstance(refused, HttpResponseBase):
        return refused
    viewer = viewer_for(request)
    offered = BoardPrize.objects.visible_to(viewer).filter(company=company, ended_at__isnull=True)
    paid = PaidBoard.objects.visible_to(viewer).filter(prize__company=company).select_related("prize")
    named = Privilege.objects.visible_to(viewer).filter(company=company, ended_at__isnull=True).order_by("pk")
    context = {
        **_frame(company, companies, "prizes"),
        **_kept(request, refused),
        "offered": [
            (row, PERIODS.get(row.period, row.period), " · ".join(str(points) for points in row.places))
            for row in offered.select_related("budget").order_by("pk")
        ],
        "paid": [
            (row, PERIODS.get(row.prize.period, row.prize.period), row.places.count())
            for row in paid.order_by("-paid_at", "-pk")[:PAID_SHOWN]
        ],
        "privileges": [(row, row.name_in(language()), row.text_in(language())) for row in named],
        "levels": _levels(company),
        "periods": _periods(company),
        "budgets": _budgets(company),
    }
    return render(request, "merits/prizes.html", context, status=422 if refused else 200)


Do = Callable[[HttpRequest, Organization, Viewer], str]


def _done(
    request: HttpRequest, company: Organization, page: str, deeds: Mapping[str, Do]
) -> HttpResponseBase | Refusal | None:
    """Does what was posted: the way back to the page, or why it was not done."""
    if request.method != "POST":
        return None
    deed = deeds.get(request.POST.get("do", ""))
    if deed is None:
        raise Http404("no such deed")
    try:
        said = deed(request, company, viewer_for(request))
    except NotAllowed:
        raise NotYours(DEEDS[0]) from None
    except Refusal as refused:
        return refused
    messages.success(request, said)
    return redirect(_address(page, company))


def _define(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    told = request.POST
    texts = {name: told.get(name, "").strip() for name in ("name_en", "name_zh", "text_en", "text_zh")}
    kind = told.get("kind", "")
    terms = BadgeTerms(
        kind=kind,
        icon=told.get("icon", "trophy"),
        event_name=told.get("event_name", "") if kind in (BadgeKind.DEED, BadgeKind.STREAK) else "",
        count=1 if kind in (BadgeKind.LEVEL, BadgeKind.HAND) else _whole(told.get("count", ""), "count"),
        level=told.get("level", "") if kind == BadgeKind.LEVEL else "",
        period=told.get("period", "") if kind == BadgeKind.RANK else "",
        **texts,
    )
    define_badge(company=company, terms=terms, by=viewer, now=timezone.now())
    return _("The badge is defined. Whoever fulfils its condition gets it within a minute.")


def _retire(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    retire_badge(badge_id=_number(request, "badge"), by=viewer, now=timezone.now())
    return _("The badge is given no more. Whoever has it keeps it.")


def _give(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    person = dict(_people(company, viewer)).get(_number(request, "person"))
    if person is None:
        raise Unusable("person", "choose")
    who = Person.objects.get(pk=_number(request, "person"))
    reason = request.POST.get("reason", "")
    give_by_hand(badge_id=_number(request, "badge"), person=who, reason=reason, by=viewer, now=timezone.now())
    return _("The badge was given to %(name)s.") % {"name": person}


def _plan(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    told = request.POST
    place = next((one for one in _places(company) if one.slug == told.get("place", "")), None)
    if place is None:
        raise Unusable("place", "choose")
    what, _slash, name = told.get("what", "").partition("/")
    budgets = {one.slug: one for one, _left in _budgets(company)}
    pool = _whole(told.get("pool") or "0", "pool")
    terms = ChallengeTerms(
        **{name: told.get(name, "").strip() for name in ("name_en", "name_zh", "text_en", "text_zh")},
        teams=told.get("teams") == "yes",
        event_name=name if what == "event" else "",
        rule=name if what == "rule" else "",
        goal=_whole(told.get("goal", ""), "goal"),
        from_date=_date(told.get("from", ""), "from_date"),
        until_date=_date(told.get("until", ""), "until_date"),
        prize=_whole(told.get("prize") or "0", "prize"),
        pool=pool,
        budget=budgets.get(told.get("budget", "")) if pool else None,
    )
    key = f"page/{told.get('key', '')[:100] or uuid.uuid4().hex}"
    plan_challenge(place=place, terms=terms, key=key, by=viewer, now=timezone.now())
    return _("The challenge is planned. Open it so that people can join.")


def _offer(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    told = request.POST
    parts = told.get("places", "").replace("，", ",").replace("、", ",").replace(" ", ",").split(",")
    points = [_whole(part, "places") for part in parts if part]
    place = {one.slug: one for one, _left in _budgets(company)}.get(told.get("budget", ""))
    if place is None:
        raise Unusable("budget", "choose")
    period = told.get("period", "")
    offer_prizes(company=company, period=period, places=points, budget=place, by=viewer, now=timezone.now())
    return _("The prizes are on offer. They are paid when the board has closed.")


def _stop(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    stop_prizes(prize_id=_number(request, "prize"), by=viewer, now=timezone.now())
    return _("Boards that are still open get none of these prizes.")


def _name(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    told = request.POST
    days = told.get("days", "").strip()
    name_privilege(
        company=company,
        code=told.get("code", "").strip(),
        level=told.get("level", ""),
        days=_whole(days, "days") if days else None,
        name_en=told.get("name_en", "").strip(),
        name_zh=told.get("name_zh", "").strip(),
        text_en=told.get("text_en", "").strip(),
        text_zh=told.get("text_zh", "").strip(),
        by=viewer,
        now=timezone.now(),
    )
    return _("The privilege is named.")


def _end(request: HttpRequest, company: Organization, viewer: Viewer) -> str:
    end_privilege(privilege_id=_number(request, "privilege"), by=viewer, now=timezone.now())
    return _("Nobody holds the privilege any more.")


def _frame(company: Organization, companies: list[Organization], here: str) -> dict[str, Any]:
    tabs = [("desk", _("Badges")), ("challenges", _("Challenges")), ("prizes", _("Prizes & privileges"))]
    return {
        "company": company,
        "companies": companies,
        "here": here,
        "tabs": [(name, words, _address(name, company)) for name, words in tabs],
    }


def _kept(request: HttpRequest, refused: Refusal | None) -> dict[str, Any]:
    """What was written stays written where it was refused."""
    field = refused.field if isinstance(refused, Unusable) else ""
    return {"given": request.POST, "wrong": in_words(refused) if refused else "", "wrong_field": field}


def _address(page: str, company: Organization) -> str:
    return f"{reverse(f'merits:{page}')}?at={company.slug}"


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _whole(text: str, field: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Unusable(field, "whole_number")
    return int(text)


def _date(text: str, field: str) -> date:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise Unusable(field, "not_a_span")
    return found


def _events() -> list[tuple[str, str]]:
    """What can be counted: the catalogue, without what badges and challenges themselves record."""
    left_out = {name for name, one in OWN_NAMES.items() if one.category == "merits"}
    chinese = language().startswith("zh")
    rows = EventType.objects.exclude(name__in=left_out).values_list("name", "label_en", "label_zh")
    found = [(name, (native if chinese else english) or english or native or name) for name, english, native in rows]
    return sorted(found, key=lambda one: one[1])


def _levels(company: Organization) -> list[str]:
    rules = rulebook_now(RulebooksInForce([company.pk]), company.pk, timezone.now())
    return [level.name for level in rules.rulebook.levels] if rules else []


def _periods(company: Organization) -> list[tuple[str, Any]]:
    seasons = bool(BoardClock(company).seasons)
    return [(key, words) for key, words in PERIODS.items() if key != "season" or seasons]


def _places(company: Organization) -> list[Organization]:
    kinds = (Kind.COMPANY, Kind.DEPARTMENT)
    return list(Organization.objects.open().filter(company=company, kind__in=kinds).order_by("path"))


def _budgets(company: Organization) -> list[tuple[Organization, int]]:
    places = _places(company)
    left = balances_of(book=company.pk, codes=[budget(place.pk) for place in places])
    return [(place, left[budget(place.pk)]) for place in places]


def _people(company: Organization, viewer: Viewer) -> list[tuple[int, str]]:
    """Those who belong to the company today, but oneself."""
    rows = Person.objects.belonging(company, timezone.localdate()).filter(erased_at__isnull=True)
    rows = rows.exclude(pk=viewer.person_id or 0).order_by("name", "pk")
    return [(row.pk, f"{row.name} · {row.staff_number}" if row.staff_number else row.name) for row in rows]
