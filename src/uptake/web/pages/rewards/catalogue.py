"""What a company offers: one form for a new reward and for each that there is, and the list of codes of a pool."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.scope import Deed
from uptake.programme.rewards.files import LARGEST_PICTURE, File
from uptake.programme.rewards.import_coupons import codes_of, import_coupons
from uptake.programme.rewards.models import KINDS_WITH_CODES, Reward, RewardKind, Standing, Wait
from uptake.programme.rewards.offer import Offer, offer
from uptake.programme.rewards.refusals import Refusal, Unusable
from uptake.programme.rewards.terms import terms_of
from uptake.web.pages.rewards.desk import company_for, frame
from uptake.web.pages.rewards.views import back_to
from uptake.web.pages.rewards.words import ICONS, in_words
from uptake.web.viewing import needs, viewer_for

LARGEST_LIST: Final = 2_000_000
KEEP_DAYS: Final = 3
TEXTS: Final = ("name_en", "name_zh", "text_en", "text_zh", "level")
LONGEST: Final = {"name_en": 120, "name_zh": 120, "text_en": 2000, "text_zh": 2000, "level": 100}


@needs(Deed.MANAGE_RULES)
def home(request: HttpRequest) -> HttpResponseBase:
    """All rewards of a company, with what is left of them."""
    viewer = viewer_for(request)
    company, companies = company_for(request)
    rows = Reward.objects.visible_to(viewer).filter(company=company)
    waits = Wait.objects.in_line().filter(reward=OuterRef("pk")).order_by().values("reward")
    rows = rows.annotate(
        waiting=Count("redemptions", filter=Q(redemptions__state__in=("requested", "approved"))),
        in_line=Coalesce(Subquery(waits.annotate(n=Count("pk")).values("n")), 0),
    )
    today = terms_of(company, timezone.now()).today
    language = get_language() or "en"
    listed = [
        {
            "row": row,
            "name": row.name_in(language),
            "icon": ICONS.get(row.kind, "gift"),
            "offered": row.is_on_offer(today),
        }
        for row in rows.order_by("hidden", "price", "pk").select_related("picture")
    ]
    return render(request, "rewards/catalogue.html", {**frame(company, companies, viewer, "catalogue"), "rows": listed})


@needs(Deed.MANAGE_RULES)
def edit(request: HttpRequest, reward_id: int | None = None) -> HttpResponseBase:
    """One reward; POST puts it on offer or changes it."""
    viewer = viewer_for(request)
    row: Reward | None = None
    if reward_id is None:
        company, companies = company_for(request)
    else:
        mine = Reward.objects.filter(viewer.within("company__path", Deed.MANAGE_RULES))
        row = get_object_or_404(mine.select_related("company", "picture"), pk=reward_id)
        company, companies = row.company, []
    wrong: Refusal | None = None
    if request.method == "POST":
        try:
            made = offer(
                company=company,
                offer=_offer(request),
                by=viewer,
                now=timezone.now(),
                reward=row,
                picture=_picture(request),
                drop_picture="drop_picture" in request.POST,
            )
        except Refusal as refused:
            wrong = refused
        else:
            messages.success(request, _("%(name)s was saved.") % {"name": made.name_in(get_language() or "en")})
            if made.with_codes and not made.stock:
                return redirect("rewards:codes", reward_id=made.pk)
            return redirect(back_to("catalogue", company))
    context = {
        **frame(company, companies, viewer, "catalogue"),
        "row": row,
        "name": row.name_in(get_language() or "en") if row else "",
        "given": request.POST if wrong else _given(row),
        "kinds": RewardKind.choices,
        "levels": _levels(company, row),
        "pictured": row is not None and hasattr(row, "picture"),
        "wrong": in_words(wrong) if wrong else "",
        "wrong_field": wrong.field if isinstance(wrong, Unusable) else "",
        "with_pool": row is not None and row.with_codes,
        "line": _line(row) if row is not None else [],
    }
    return render(request, "rewards/edit.html", context, status=422 if wrong else 200)


def _line(row: Reward) -> list[tuple[int, Wait, str]]:
    """(place, who waits, since or until when) of those for whom one is kept, and of those who wait."""
    rows = list(Wait.objects.in_line().filter(reward=row).select_related("person").order_by("standing", "pk"))
    waiting = [one for one in rows if one.standing == Standing.WAITING]
    return [(0, one, "kept") for one in rows if one.standing == Standing.KEPT] + [
        (number, one, "") for number, one in enumerate(waiting, 1)
    ]


def _levels(company: Organization, row: Reward | None) -> list[str]:
    names = [one.name for one in terms_of(company, timezone.now()).rulebook.levels]
    return names + ([row.level] if row and row.level and row.level not in names else [])


def _given(row: Reward | None) -> dict[str, Any]:
    """The fields of the form as they stand."""
    if row is None:
        return {"kind": RewardKind.GOODS.value, "keep_days": KEEP_DAYS}
    told = {
        name: getattr(row, name) for name in (*TEXTS, "kind", "price", "stock", "per_person", "leave_days", "keep_days")
    }
    told |= {
        name: "yes" if getattr(row, name) else "" for name in ("needs_approval", "with_codes", "hidden", "has_line")
    }
    told |= {name: value.isoformat() if (value := getattr(row, name)) else "" for name in ("from_date", "until_date")}
    return {name: "" if value is None else value for name, value in told.items()}


def _offer(request: HttpRequest) -> Offer:
    """What the form says. Raises Unusable for what is no number or no date."""
    texts = {name: request.POST.get(name, "").strip()[: LONGEST[name]] for name in TEXTS}
    kind = request.POST.get("kind", "")
    return Offer(
        kind=kind,
        **texts,
        price=_whole(request, "price") or 0,
        stock=_whole(request, "stock"),
        per_person=_whole(request, "per_person"),
        from_date=_date(request, "from_date"),
        until_date=_date(request, "until_date"),
        needs_approval="needs_approval" in request.POST,
        with_codes="with_codes" in request.POST and kind in KINDS_WITH_CODES,
        leave_days=_days(request) if kind == RewardKind.LEAVE else None,
        hidden="hidden" in request.POST,
        has_line="has_line" in request.POST,
        keep_days=KEEP_DAYS if (days := _whole(request, "keep_days")) is None else days,
    )


def _whole(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "").strip().replace(",", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Unusable(name, _("This is a whole number, 0 or more"))
    return int(text)


def _date(request: HttpRequest, name: str) -> date | None:
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise Unusable(name, _("This is a date, such as 2026-05-14"))
    return found


def _days(request: HttpRequest) -> Decimal:
    try:
        found = Decimal(request.POST.get("leave_days", "").strip())
    except InvalidOperation:
        found = Decimal(0)
    if not (Decimal(0) < found < Decimal(366)) or found * 2 % 1:
        raise Unusable("leave_days", _("Days of leave are halves and wholes, such as 0.5"))
    return found


def _picture(request: HttpRequest) -> File | None:
    upload = request.FILES.get("picture")
    if not isinstance(upload, UploadedFile):
        return None
    if (upload.size or 0) > LARGEST_PICTURE:
        raise Unusable("picture", _("The picture is larger than 1 MB"))
    return File(upload.name or "", upload.read())


@needs(Deed.MANAGE_RULES)
def codes(request: HttpRequest, reward_id: int) -> HttpResponseBase:
    """The pool of a reward: how many codes are free, and the form for more. The codes themselves are shown nowhere."""
    viewer = viewer_for(request)
    mine = Reward.objects.filter(viewer.within("company__path", Deed.MANAGE_RULES), with_codes=True)
    row = get_object_or_404(mine.select_related("company"), pk=reward_id)
    wrong = ""
    if request.method == "POST":
        try:
            done = import_coupons(reward=row, codes=codes_of(_list(request)), by=viewer, now=timezone.now())
        except Refusal as refused:
            wrong = in_words(refused)
        else:
            said = _("%(added)s codes added, %(known)s known before.") % {"added": done.added, "known": done.known}
            messages.success(request, said)
            return redirect("rewards:codes", reward_id=row.pk)
    counts = row.codes.aggregate(
        all=Count("pk"),
        free=Count("pk", filter=Q(redemption__isnull=True)),
        shown=Count("pk", filter=Q(shown_at__isnull=False)),
        void=Count("pk", filter=Q(void_at__isnull=False)),
    )
    context = {
        **frame(row.company, [], viewer, "catalogue"),
        "row": row,
        "name": row.name_in(get_language() or "en"),
        "counts": counts,
        "given": counts["all"] - counts["free"],
        "wrong": wrong,
        "typed": request.POST.get("codes", "") if wrong else "",
    }
    return render(request, "rewards/codes.html", context, status=422 if wrong else 200)


def _list(request: HttpRequest) -> str:
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile):
        if (upload.size or 0) > LARGEST_LIST:
            raise Unusable("codes", _("The list is larger than 2 MB"))
        content: bytes = upload.read()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
        raise Unusable("codes", _("The list of codes cannot be read"))
    return request.POST.get("codes", "")[:LARGEST_LIST]
