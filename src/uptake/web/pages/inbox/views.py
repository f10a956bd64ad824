"""One's own messages, newest first: filtered, marked as read, and each leading to what it is about."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from uptake.notify.inbox import inbox_of
from uptake.notify.mark_read import mark_one_read, mark_read
from uptake.notify.models import Message, Topic
from uptake.notify.notices import line_of
from uptake.notify.own_words import own_of
from uptake.notify.topics import topic_of
from uptake.notify.wordings import Own, line_in
from uptake.web.viewing import login_required, user_of, viewer_for

ON_A_PAGE = 30


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """All messages, or the unread ones (`?show=unread`), of every topic or of one (`?about=`)."""
    person = user_of(request).person_id or 0
    unread = request.GET.get("show") == "unread"
    asked = request.GET.get("about", "")
    about = Topic(asked) if asked in Topic.values else None
    page = Paginator(inbox_of(person, topic=about, unread=unread), ON_A_PAGE).get_page(request.GET.get("page"))
    own = own_of(person, viewer_for(request).today)
    newest = inbox_of(person).order_by("-pk").values_list("pk", flat=True).first()
    context = {
        "page": page,
        "rows": [_row(one, own) for one in page.object_list],
        "unread": unread,
        "about": about.value if about else "",
        "topics": Topic.choices,
        "newest": newest or 0,
        "waiting": inbox_of(person, unread=True).exists(),
        "filtered": unread or about is not None,
        "ways": [("", _("All")), ("unread", _("Unread"))],
    }
    return render(request, "inbox/home.html", context)


@login_required
@require_POST
def open_one(request: HttpRequest, message_id: int) -> HttpResponseBase:
    """Marks a message as read and goes to what it is about; `do=mark` stays."""
    row = get_object_or_404(Message.objects.visible_to(viewer_for(request)), pk=message_id)
    mark_one_read(person_id=row.person_id, message_id=row.pk, now=timezone.now())
    href = str(line_of(row.kind, row.content)["href"])
    inside = url_has_allowed_host_and_scheme(href, allowed_hosts=None)
    if href and inside and request.POST.get("do") != "mark":
        return redirect(href)
    return _back(request)


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponseBase:
    """Marks everything up to the newest that the page knew (`up_to`): what came since stays unread."""
    said = request.POST.get("up_to", "")
    up_to = int(said) if said.isascii() and said.isdigit() and len(said) < 19 else 0
    count = mark_read(person_id=user_of(request).person_id or 0, up_to=up_to, now=timezone.now())
    if count:
        told = ngettext("%(n)s message is marked as read.", "%(n)s messages are marked as read.", count)
        messages.success(request, told % {"n": count})
    return _back(request)


def _back(request: HttpRequest) -> HttpResponseBase:
    kept = {name: request.POST[name] for name in ("show", "about", "page") if request.POST.get(name)}
    return redirect(f"{reverse('inbox:home')}?{urlencode(kept)}" if kept else reverse("inbox:home"))


def _row(one: Message, own: Own) -> dict[str, Any]:
    return {"row": one, "topic": topic_of(one.kind).label, **line_in(one.kind, one.content, own)}
