"""Write posts and replies, change them while they are fresh, accept an answer, react."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from uptake.directory.models import Organization, Person
from uptake.directory.place import settings_at
from uptake.directory.viewer import NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.notify.tell import Telling, tell
from uptake.programme.community.models import Post, PostKind, Reaction, ReactionKind, Reply
from uptake.programme.community.refusals import Conflict, NotAccepted, TextWrong, TooLate, TooManyToday

LONGEST_TITLE: Final = 120
LONGEST_POST: Final = 4000
LONGEST_REPLY: Final = 2000
POSTS_A_DAY: Final = 20
REPLIES_A_DAY: Final = 50
TO_CHANGE: Final = timedelta(minutes=15)
"""How long one may change what one wrote."""
NAMES: Final = {PostKind.POST: "post.written", PostKind.QUESTION: "question.asked", PostKind.TIP: "tip.shared"}


def belongs(viewer: Viewer, company: Organization) -> bool:
    """Whether the viewer is one of the company's people today."""
    return viewer.person_id is not None and any(path.startswith(company.path) for path in viewer.places)


@transaction.atomic
def write_post(
    *, company: Organization, kind: PostKind, title: str, text: str, key: str, by: Viewer, now: datetime
) -> Post:
    """Say something to the company. Once per key.

    Raises NotAllowed, TextWrong, Conflict, TooManyToday.
    """
    person = _one_of(company, by)
    title, text = _said(title, LONGEST_TITLE), _said(text, LONGEST_POST)
    known = Post.objects.filter(person_id=person, key=key).first()
    if known is not None:
        if (known.company_id, known.kind, known.title, known.text) != (company.pk, kind, title, text):
            raise Conflict
        return known
    since = _start_of_today(company, now)
    if Post.objects.filter(person_id=person, company=company, written_at__gte=since).count() >= POSTS_A_DAY:
        raise TooManyToday
    made = Post.objects.create(
        company=company, person_id=person, kind=kind, key=key, title=title, text=text, written_at=now
    )
    about = f"post/{made.pk}"
    record_own([OwnDeed(company.pk, person, NAMES[kind], about, now, about, {"kind": str(kind)}
                        if kind == PostKind.POST else {})], now=now)  # fmt: skip
    return made


@transaction.atomic
def write_reply(*, post: Post, text: str, key: str, by: Viewer, now: datetime) -> Reply:
    """Comment on a post or tip, answer a question. Once per key.

    Raises NotAllowed (also where the post is hidden), TextWrong, Conflict, TooManyToday.
    """
    person = _one_of(post.company, by)
    post = _locked(post)
    text = _said(text, LONGEST_REPLY)
    known = Reply.objects.filter(person_id=person, key=key).first()
    if known is not None:
        if (known.post_id, known.text) != (post.pk, text):
            raise Conflict
        return known
    if post.hidden_at is not None:
        raise NotAllowed
    since = _start_of_today(post.company, now)
    if (
        Reply.objects.filter(person_id=person, post__company=post.company, written_at__gte=since).count()
        >= REPLIES_A_DAY
    ):
        raise TooManyToday
    made = Reply.objects.create(post=post, person_id=person, key=key, text=text, written_at=now)
    answers = post.kind == PostKind.QUESTION
    # An answer to one's own question is a comment: nobody is paid for talking to themselves.
    name = "answer.written" if answers and person != post.person_id else "comment.written"
    record_own([OwnDeed(post.company_id, person, name, f"reply/{made.pk}", now, f"post/{post.pk}")], now=now)
    if person != post.person_id:
        kind = "community.answered" if answers else "community.commented"
        _tell(post.person_id, kind, f"reply/{made.pk}", post, now, who=by.name)
    return made


@transaction.atomic
def edit_post(*, post: Post, title: str, text: str, by: Viewer, now: datetime) -> Post:
    """Change one's own post within 15 minutes, unless it was hidden. Raises NotAllowed, TextWrong, TooLate."""
    post = _locked(post)
    _own_and_fresh(post, by, now)
    post.title, post.text, post.edited_at = _said(title, LONGEST_TITLE), _said(text, LONGEST_POST), now
    post.save(update_fields=["title", "text", "edited_at"])
    return post


@transaction.atomic
def edit_reply(*, reply: Reply, text: str, by: Viewer, now: datetime) -> Reply:
    """Change one's own reply within 15 minutes, unless it was hidden or accepted.

    Raises NotAllowed, TextWrong, TooLate.
    """
    post = _locked(reply.post)
    reply = Reply.objects.get(pk=reply.pk)
    _own_and_fresh(reply, by, now)
    if post.accepted_id == reply.pk:
        raise TooLate
    reply.text, reply.edited_at = _said(text, LONGEST_REPLY), now
    reply.save(update_fields=["text", "edited_at"])
    return reply


@transaction.atomic
def accept_answer(*, reply: Reply, by: Viewer, now: datetime) -> Post:
    """Whoever asked says which answer helped, once; accepting it again changes nothing.

    Raises NotAllowed, NotAccepted.
    """
    post = _locked(reply.post)
    if by.person_id is None or by.person_id != post.person_id:
        raise NotAllowed
    if post.accepted_id == reply.pk:
        return post
    own = reply.person_id == post.person_id
    if post.kind != PostKind.QUESTION or post.accepted_id is not None or own or post.hidden_at or reply.hidden_at:
        raise NotAccepted
    post.accepted = reply
    post.save(update_fields=["accepted"])
    about = f"post/{post.pk}"
    record_own([OwnDeed(post.company_id, reply.person_id, "answer.accepted", about, now, about)], now=now)
    _tell(reply.person_id, "community.accepted", f"{about}/accepted", post, now, who=by.name)
    return post


@transaction.atomic
def react(*, post: Post, kind: ReactionKind, by: Viewer, now: datetime) -> bool:
    """Set one's reaction of a kind, or take it away where it is set; says whether it is set now. Raises NotAllowed."""
    person = _one_of(post.company, by)
    post = _locked(post)
    if post.hidden_at is not None:
        raise NotAllowed
    gone, _kinds = Reaction.objects.filter(post=post, person_id=person, kind=kind).delete()
    if not gone:
        Reaction.objects.create(post=post, person_id=person, kind=kind, at=now)
    return not gone


def may_change(written: Post | Reply, viewer: Viewer, now: datetime) -> bool:
    """Whether the viewer wrote it and may still change it."""
    own = viewer.person_id is not None and viewer.person_id == written.person_id
    return own and written.hidden_at is None and now - written.written_at <= TO_CHANGE


def _one_of(company: Organization, by: Viewer) -> int:
    """The person of the viewer, locked, so that what one does at once counts one by one."""
    if by.person_id is None or not belongs(by, company):
        raise NotAllowed
    Person.objects.select_for_update(no_key=True).get(pk=by.person_id)
    return by.person_id


def _locked(post: Post) -> Post:
    return Post.objects.select_for_update(no_key=True, of=("self",)).select_related("company").get(pk=post.pk)


def _own_and_fresh(written: Post | Reply, by: Viewer, now: datetime) -> None:
    if by.person_id is None or by.person_id != written.person_id:
        raise NotAllowed
    if not may_change(written, by, now):
        raise TooLate


def _said(text: str, longest: int) -> str:
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text or len(text) > longest:
        raise TextWrong
    return text


def _start_of_today(company: Organization, now: datetime) -> datetime:
    clock = settings_at(company)
    return clock.start_of(clock.date_of(now))


def _tell(person: int, kind: str, key: str, post: Post, now: datetime, *, who: str) -> None:
    content = {"title": post.title, "who": who, "href": f"/community/{post.pk}/"}
    tell([Telling(person_id=person, key=f"{kind}/{key}", kind=kind, content=content)], now=now)
