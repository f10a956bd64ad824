"""People of a company write to each other; nobody else does, and nobody farms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, Cast
from uptake.directory.scope import NotAllowed
from uptake.events.models import Event
from uptake.notify.models import Message
from uptake.programme.community import write
from uptake.programme.community.models import Outcome, Post, PostKind, Reaction, ReactionKind, Reply, Report
from uptake.programme.community.moderate import hide, keep, report
from uptake.programme.community.refusals import Conflict, NotAccepted, TextWrong, TooLate, TooManyToday

pytestmark = pytest.mark.django_db


def asked(cast: Cast, *, who: str = "lin", key: str = "1", kind: PostKind = PostKind.QUESTION) -> Post:
    by = cast.viewer(cast.people()[who])
    return write.write_post(company=cast.beiyuan, kind=kind, title="How?", text="Say.", key=key, by=by, now=NOW)


def answered(cast: Cast, post: Post, *, who: str = "ke", key: str = "1", text: str = "So.") -> Reply:
    return write.write_reply(post=post, text=text, key=key, by=cast.viewer(cast.people()[who]), now=NOW)


def recorded() -> list[tuple[str, str]]:
    return sorted(Event.objects.values_list("name", "identity__person__name"))


def test_a_question_is_answered_and_the_answer_accepted(cast: Cast) -> None:
    post = asked(cast)
    reply = answered(cast, post)
    for _again in range(2):
        write.accept_answer(reply=reply, by=cast.viewer(cast.lin), now=NOW)
        asked(cast)
        answered(cast, post)

    assert Post.objects.get().accepted_id == reply.pk
    assert recorded() == [
        ("answer.accepted", "Ke Ming"), ("answer.written", "Ke Ming"), ("question.asked", "Lin Fang")
    ]  # fmt: skip
    assert sorted(Message.objects.values_list("person__name", "kind")) == [
        ("Ke Ming", "community.accepted"), ("Lin Fang", "community.answered")
    ]  # fmt: skip


def test_each_kind_is_an_event_of_its_own(cast: Cast) -> None:
    for kind in PostKind:
        asked(cast, kind=kind, key=kind)
    answered(cast, Post.objects.get(kind="tip"))

    assert {name for name, _who in recorded()} == {"post.written", "question.asked", "tip.shared", "comment.written"}


def test_nobody_is_paid_for_answering_themselves(cast: Cast) -> None:
    post = asked(cast)
    own = answered(cast, post, who="lin")

    with pytest.raises(NotAccepted):
        write.accept_answer(reply=own, by=cast.viewer(cast.lin), now=NOW)
    assert {name for name, _who in recorded()} == {"question.asked", "comment.written"}


def test_only_who_asked_accepts_and_only_once(cast: Cast) -> None:
    post = asked(cast)
    first, second = answered(cast, post), answered(cast, post, who="hua")

    with pytest.raises(NotAllowed):
        write.accept_answer(reply=first, by=cast.viewer(cast.ke), now=NOW)
    write.accept_answer(reply=first, by=cast.viewer(cast.lin), now=NOW)
    with pytest.raises(NotAccepted):
        write.accept_answer(reply=second, by=cast.viewer(cast.lin), now=NOW)


@pytest.mark.parametrize("who", ["mo", "ren", "wei"])
def test_who_does_not_belong_writes_nothing(cast: Cast, who: str) -> None:
    post = asked(cast)
    by = cast.viewer(cast.people()[who])

    with pytest.raises(NotAllowed):
        asked(cast, who=who)
    with pytest.raises(NotAllowed):
        answered(cast, post, who=who)
    with pytest.raises(NotAllowed):
        write.react(post=post, kind=ReactionKind.THANKS, by=by, now=NOW)
    with pytest.raises(NotAllowed):
        report(about=post, why="No.", by=by, now=NOW)
    assert Post.objects.visible_to(cast.viewer(cast.mo)).count() == 0
    assert Post.objects.visible_to(cast.viewer(cast.hua)).count() == 1


def test_as_many_a_day_as_one_may(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "POSTS_A_DAY", 2)
    monkeypatch.setattr(write, "REPLIES_A_DAY", 1)
    post = asked(cast)
    asked(cast, key="2")
    answered(cast, post)

    with pytest.raises(TooManyToday):
        asked(cast, key="3")
    with pytest.raises(TooManyToday):
        answered(cast, post, key="2")
    by = cast.viewer(cast.lin)
    write.write_post(
        company=cast.beiyuan, kind=PostKind.TIP, title="T", text="T", key="4", by=by, now=NOW + timedelta(days=1)
    )


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4001])
def test_what_says_nothing_or_too_much(cast: Cast, text: str) -> None:
    by = cast.viewer(cast.lin)
    with pytest.raises(TextWrong):
        write.write_post(company=cast.beiyuan, kind=PostKind.POST, title="T", text=text, key="1", by=by, now=NOW)


def test_a_key_says_one_thing(cast: Cast) -> None:
    post = asked(cast)
    answered(cast, post)
    with pytest.raises(Conflict):
        asked(cast, kind=PostKind.TIP)
    with pytest.raises(Conflict):
        answered(cast, post, text="Other.")


def test_one_changes_ones_own_words_while_they_are_fresh(cast: Cast) -> None:
    post, lin = asked(cast), cast.viewer(cast.lin)
    changed = write.edit_post(post=post, title="How?", text="Better.", by=lin, now=NOW + timedelta(minutes=15))

    assert (changed.text, changed.edited_at) == ("Better.", NOW + timedelta(minutes=15))
    with pytest.raises(TooLate):
        write.edit_post(post=post, title="How?", text="Late.", by=lin, now=NOW + timedelta(minutes=16))
    with pytest.raises(NotAllowed):
        write.edit_post(post=post, title="How?", text="Mine.", by=cast.viewer(cast.ke), now=NOW)
    reply = answered(cast, post)
    write.accept_answer(reply=reply, by=lin, now=NOW)
    with pytest.raises(TooLate):
        write.edit_reply(reply=reply, text="Sold.", by=cast.viewer(cast.ke), now=NOW)


def test_a_reaction_is_set_once_and_taken_away(cast: Cast) -> None:
    post, ke = asked(cast), cast.viewer(cast.ke)

    assert write.react(post=post, kind=ReactionKind.THANKS, by=ke, now=NOW)
    assert write.react(post=post, kind=ReactionKind.SAME, by=ke, now=NOW)
    assert not write.react(post=post, kind=ReactionKind.THANKS, by=ke, now=NOW)
    assert list(Reaction.objects.values_list("kind", flat=True)) == ["same"]


def test_what_was_reported_is_hidden_with_a_reason_and_its_author_told(cast: Cast) -> None:
    post = asked(cast)
    for who in (cast.hua, cast.hua):
        report(about=post, why="It names a customer.", by=cast.viewer(who), now=NOW)
    ke = cast.viewer(cast.ke)

    assert Report.objects.visible_to(ke).count() == 1
    assert Report.objects.visible_to(cast.viewer(cast.lin)).count() == 0
    with pytest.raises(NotAllowed):
        hide(about=post, why="No.", by=cast.viewer(cast.hua), now=NOW)
    with pytest.raises(TextWrong):
        hide(about=post, why=" ", by=ke, now=NOW)
    hide(about=post, why="It names a customer.", by=ke, now=NOW)
    hide(about=post, why="Again.", by=ke, now=NOW)
    post.refresh_from_db()
    assert (post.hidden_at, post.hidden_why) == (NOW, "It names a customer.")
    assert Report.objects.get().outcome == Outcome.HIDDEN
    assert list(Message.objects.values_list("person__name", "kind")) == [("Lin Fang", "community.hidden")]
    with pytest.raises(NotAllowed):
        answered(cast, post)
    keep(about=post, by=ke, now=NOW)
    post.refresh_from_db()
    assert post.hidden_at is None


def test_nobody_decides_on_their_own_words(cast: Cast) -> None:
    post = asked(cast, who="ke")
    report(about=post, why="Odd.", by=cast.viewer(cast.lin), now=NOW)

    with pytest.raises(NotAllowed):
        keep(about=post, by=cast.viewer(cast.ke), now=NOW)
    with pytest.raises(NotAllowed):
        hide(about=post, why="Odd.", by=cast.viewer(cast.ke), now=NOW)
    keep(about=post, by=cast.viewer(cast.ren), now=NOW)
    assert Report.objects.get().outcome == Outcome.KEPT
