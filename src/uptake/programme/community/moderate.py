"""Report what should not stand; those who manage the rules hide it with a reason, or keep it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.notify.tell import Telling, tell
from uptake.programme.community.models import Outcome, Post, Reply, Report
from uptake.programme.community.refusals import TextWrong
from uptake.programme.community.write import belongs

LONGEST_WHY: Final = 500


@transaction.atomic
def report(*, about: Post | Reply, why: str, by: Viewer, now: datetime) -> Report:
    """Ask that somebody looks at it. A second report of the same person changes nothing while the first is open.

    Raises NotAllowed, TextWrong.
    """
    post = _post_of(about)
    if by.person_id is None or not belongs(by, post.company):
        raise NotAllowed
    why = why.strip()
    if not why or len(why) > LONGEST_WHY:
        raise TextWrong
    target = {"post": about} if isinstance(about, Post) else {"reply": about}
    _lock(about)
    known = Report.objects.filter(person_id=by.person_id, outcome=Outcome.OPEN, **target).first()
    return known or Report.objects.create(company=post.company, person_id=by.person_id, why=why, at=now, **target)


@transaction.atomic
def hide(*, about: Post | Reply, why: str, by: Viewer, now: datetime) -> None:
    """Take it out of sight; its mark and the reason stay, its author is told, open reports are answered.

    Hiding again changes nothing. Raises NotAllowed, TextWrong.
    """
    post = _may_decide(about, by)
    why = why.strip()
    if not why or len(why) > LONGEST_WHY:
        raise TextWrong
    about = _lock(about)
    if about.hidden_at is None:
        about.hidden_at, about.hidden_by_id, about.hidden_why = now, by.user_id, why
        about.save(update_fields=["hidden_at", "hidden_by", "hidden_why"])
        content = {"title": post.title, "why": why, "href": f"/community/{post.pk}/"}
        key = f"community.hidden/{_name(about)}/{now.isoformat()}"
        tell([Telling(person_id=about.person_id, key=key, kind="community.hidden", content=content)], now=now)
        _note("post.hidden", about, post, by, now)
    _decide(about, Outcome.HIDDEN, by, now)


@transaction.atomic
def keep(*, about: Post | Reply, by: Viewer, now: datetime) -> None:
    """Let it stand, or stand again; open reports are answered. Raises NotAllowed."""
    post = _may_decide(about, by)
    about = _lock(about)
    if about.hidden_at is not None:
        about.hidden_at, about.hidden_by, about.hidden_why = None, None, ""
        about.save(update_fields=["hidden_at", "hidden_by", "hidden_why"])
    _note("post.kept", about, post, by, now)
    _decide(about, Outcome.KEPT, by, now)


def _may_decide(about: Post | Reply, by: Viewer) -> Post:
    """The post it belongs to. Nobody decides on what they wrote themselves."""
    post = _post_of(about)
    if not by.may(Deed.MANAGE_RULES, post.company) or (by.person_id is not None and by.person_id == about.person_id):
        raise NotAllowed
    return post


def _post_of(about: Post | Reply) -> Post:
    return about if isinstance(about, Post) else about.post


def _lock(about: Post | Reply) -> Post | Reply:
    if isinstance(about, Post):
        return Post.objects.select_for_update(no_key=True).get(pk=about.pk)
    return Reply.objects.select_for_update(no_key=True).get(pk=about.pk)


def _name(about: Post | Reply) -> str:
    return f"{'post' if isinstance(about, Post) else 'reply'}/{about.pk}"


def _decide(about: Post | Reply, outcome: Outcome, by: Viewer, now: datetime) -> None:
    target = Q(post_id=about.pk) if isinstance(about, Post) else Q(reply_id=about.pk)
    rows = Report.objects.filter(target, outcome=Outcome.OPEN)
    rows.update(outcome=outcome, decided_at=now, decided_by_id=by.user_id)


def _note(deed: str, about: Post | Reply, post: Post, by: Viewer, now: datetime) -> None:
    details = {"post": post.pk, "person": about.person_id}
    note(deed=deed, actor=by, organization=post.company, subject=_name(about), details=details, now=now)
