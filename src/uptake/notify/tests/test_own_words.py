"""A place says messages in its own words: on the page, by mail and in groups, for its own people and nobody else."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry, Person
from uptake.directory.scope import NotAllowed
from uptake.notify.announce import News, announce
from uptake.notify.html import paragraphs
from uptake.notify.mail_messages import mail_messages
from uptake.notify.models import About, Chat, Delivery, Mail, Topic, Way, Wish, Wording
from uptake.notify.own_words import held_at, own_of
from uptake.notify.phrase import LoneBrace, MissingGap, UnknownGap, check, fill, gaps_of
from uptake.notify.subscribe import make_channel
from uptake.notify.tell import Telling, tell
from uptake.notify.word import ChangedMeanwhile, NoAddress, WordsRefused, send_try, word
from uptake.notify.wordings import SLOTS, example_of, gaps, in_language, kinds, line_in, mail_of, needed, slots_of
from uptake.notify.write_mail import Letter, write_mail

KIND = "redemption.approved"
REWARD = {"name_en": "Half a day off", "name_zh": "半天假"}


def in_english(person: Person, kind: str = KIND, **content: object) -> tuple[str, str]:
    """(title, line) of a message as the person reads it."""
    with translation.override("en"):
        line = line_in(kind, content or REWARD, own_of(person.pk, TODAY))
    return str(line["title"]), str(line["sub"])


@pytest.mark.django_db
def test_words_hold_for_the_own_people_and_fall_back_slot_by_slot(cast: Cast) -> None:
    shipped = in_english(cast.lin)
    word(place=cast.park, kind=KIND, by=cast.viewer(cast.ren), now=NOW,
         phrases={"en": {"title": "{company} says yes, {reader}", "line": "All of it: {name}"}})  # fmt: skip
    word(place=cast.beiyuan, kind=KIND, phrases={"en": {"line": "Enjoy {name}"}}, by=cast.viewer(cast.hua), now=NOW)

    assert shipped == ("Your redemption was approved", "Half a day off")
    assert in_english(cast.lin) == ("Beiyuan Precision says yes, Lin Fang", "Enjoy Half a day off")
    assert in_english(cast.mo) == (f"{cast.qinghe.name} says yes, Mo Yun", "All of it: Half a day off")
    with translation.override("zh-hans"):
        assert "says yes" not in str(line_in(KIND, REWARD, own_of(cast.lin.pk, TODAY))["title"])

    word(place=cast.beiyuan, kind=KIND, phrases={}, by=cast.viewer(cast.hua), now=NOW)
    assert in_english(cast.lin)[1] == "All of it: Half a day off"


@pytest.mark.django_db(transaction=True)  # on PostgreSQL readers by bookmark see only what is committed
def test_mails_and_groups_speak_as_their_place_does(cast: Cast) -> None:
    news = "announcement.published"
    both = {"subject": "News: {title}", "mail": "{text}\n\nRead it: {link}", "chat": "{company}\n{title}!"}
    for place, by in ((cast.beiyuan, cast.hua), (cast.qinghe, cast.mo)):
        phrases = {"en": {**both, "chat": f"{place.slug} {{title}}"}} if place == cast.qinghe else {"en": both}
        word(place=place, kind=news, phrases=phrases, by=cast.viewer(by), now=NOW)
    Wish.objects.create(person=cast.lin, topic=Topic.REWARDS, way=Way.MAIL, wanted=True)
    word(place=cast.beiyuan, kind=KIND, phrases={"en": {"mail": "{name}: {link}"}}, by=cast.viewer(cast.hua), now=NOW)
    make_channel(
        organization=cast.beiyuan, name="All", chat=Chat.WECOM, about=[About.ANNOUNCEMENTS], language="en",
        address="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=5f0c2b9a-1234-4cde-9f00-aabbccddeeff",
        by=cast.viewer(cast.ren), now=NOW,
    )  # fmt: skip
    for person in (cast.lin, cast.mo):
        login = cast.login(person)
        login.language = "en"
        login.save(update_fields=["language"])

    facts = {"title": "{link} & more", "text": "Tea", "link": "https://x/1"}
    letters = [
        Letter(person_id=one.pk, key="n", topic=Topic.ANNOUNCEMENTS, kind=news, facts=facts)
        for one in (cast.lin, cast.mo, cast.ren)
    ]
    write_mail(letters, now=NOW)
    mail_messages(now=NOW)
    tell([Telling(person_id=cast.lin.pk, key="k", kind=KIND, content={"redemption": 7, **REWARD})], now=NOW)
    mail_messages(now=NOW)
    data = {"title_en": "Tea", "title_zh": ""}
    heard = News(about=About.ANNOUNCEMENTS, kind=news, organization_id=cast.beiyuan.pk, key="k", at=NOW, data=data)
    announce([heard], now=NOW)

    said = {(one.person, one.key[0]): (one.subject, one.text) for one in Mail.objects.select_related("person")}
    assert said[cast.lin, "n"] == ("News: {link} & more", "Tea\n\nRead it: https://x/1\n")
    assert said[cast.ren, "n"] == ("{link} & more", "Tea\n\nhttps://x/1\n")
    subject, text = said[cast.lin, "m"]
    assert subject == "Your redemption was approved"
    assert text.startswith("Half a day off: http")
    assert text.endswith("/rewards/mine/7/\n")
    told = json.loads(Delivery.objects.get().body)
    assert (told["title"], told["text"]) == (cast.beiyuan.name, "Tea!")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "slot", "text", "reason", "name"),
    [
        (KIND, "title", "Hello {nobody}", UnknownGap, "nobody"),
        (KIND, "title", "Hello {reader.password}", UnknownGap, "reader.password"),
        (KIND, "title", "{% now %}", UnknownGap, "% now %"),
        (KIND, "title", "See {link}", UnknownGap, "link"),
        (KIND, "line", "Hello {", LoneBrace, "{"),
        (KIND, "line", "Well done", MissingGap, "name"),
        (KIND, "mail", "{name}", MissingGap, "link"),
        ("announcement.published", "mail", "{link}", MissingGap, "text"),
        ("announcement.published", "chat", "News!", MissingGap, "title"),
        ("feedback.answered", "mail", "{state} {link}", MissingGap, "answer"),
        (KIND, "title", "x" * 121, type(None), ""),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(
    cast: Cast, kind: str, slot: str, text: str, reason: type, name: str
) -> None:
    with pytest.raises(WordsRefused) as refused:
        word(place=cast.beiyuan, kind=kind, phrases={"en": {slot: text}}, by=cast.viewer(cast.hua), now=NOW)
    assert (refused.value.slot, type(refused.value.reason)) == (slot, reason)
    assert getattr(refused.value.reason, "name", "") == name
    assert not Wording.objects.exists()


@pytest.mark.django_db
def test_every_version_is_kept_and_only_those_who_manage_the_people_write_one(cast: Cast) -> None:
    hua = cast.viewer(cast.hua)
    shipped = {"en": in_language("en", KIND), "zh-hans": in_language("zh-hans", KIND)}

    assert word(place=cast.beiyuan, kind=KIND, phrases=shipped, by=hua, now=NOW) is None
    first = word(place=cast.beiyuan, kind=KIND, phrases={"en": {"title": " Yes \n please "}}, by=hua, now=NOW, seen=0)
    assert first is not None
    assert (first.number, first.phrases) == (1, {"en": {"title": "Yes please"}})
    with pytest.raises(ChangedMeanwhile):
        word(place=cast.beiyuan, kind=KIND, phrases={"en": {"title": "No"}}, by=hua, now=NOW, seen=0)
    back = word(place=cast.beiyuan, kind=KIND, phrases={}, by=hua, now=NOW + timedelta(days=1), seen=1)
    assert back is not None
    assert held_at(cast.beiyuan, KIND) == back
    noted = AuditEntry.objects.filter(deed__startswith="wording.").order_by("pk")
    assert [(one.deed, one.details["version"]) for one in noted] == [("wording.written", 1), ("wording.taken_back", 2)]
    for person, place in ((cast.mo, cast.beiyuan), (cast.hua, cast.park), (cast.wei, cast.beiyuan)):
        with pytest.raises(NotAllowed):
            word(place=place, kind=KIND, phrases={"en": {"title": "Hm"}}, by=cast.viewer(person), now=NOW)
    assert not Wording.objects.visible_to(cast.viewer(cast.mo)).exists()
    assert Wording.objects.visible_to(hua).count() == 2


@pytest.mark.django_db
def test_a_test_mail_goes_to_whoever_asks_and_at_once(cast: Cast) -> None:
    Wish.objects.create(person=cast.hua, topic=Topic.REWARDS, way=Way.MAIL, wanted=False)

    assert send_try(kind=KIND, mails={"en": ("Hi\n", "x")}, by=cast.viewer(cast.hua), now=NOW) == cast.hua.email
    mail = Mail.objects.get()
    assert (mail.person, mail.subject, mail.next_at) == (cast.hua, "Hi", NOW)
    Person.objects.filter(pk=cast.mo.pk).update(email="")
    with pytest.raises(NoAddress):
        send_try(kind=KIND, mails={"en": ("Hi", "x")}, by=cast.viewer(cast.mo), now=NOW)


@pytest.mark.once
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_shipped_words_are_such_words_themselves(language: str) -> None:
    assert len(kinds()) > 35
    for kind in kinds():
        phrases = in_language(language, kind)
        assert tuple(phrases) == slots_of(kind) == tuple(one for one in SLOTS if one in phrases)
        for slot, text in phrases.items():
            check(text, gaps(kind, slot))
        for slots in (("title", "line"), ("subject", "mail"), ("chat",)):
            if slots[0] in phrases:
                together = "".join(phrases[slot] for slot in slots)
                assert gaps_of(together) >= set(needed(kind, slots)), kind
        with translation.override(language):
            example = example_of(kind)
            if "mail" in phrases:
                subject, text = mail_of(kind, {**example, "link": "https://x/"})
                assert subject
                assert "{" not in subject + text


@pytest.mark.once
@given(st.text(alphabet="{}ab \n", max_size=30), st.text(alphabet="{}a<&", max_size=8))
def test_what_fills_a_gap_is_never_read_again(text: str, value: str) -> None:
    try:
        check(text, {"a", "b"})
    except (UnknownGap, LoneBrace):
        return
    expected = "".join(
        {"{{": "{", "}}": "}"}.get(part, value if part[:1] == "{" else part)
        for part in re.findall(r"\{\{|\}\}|\{[^{}]*\}|[^{}]+", text)
    )
    assert fill(text, {"a": value, "b": value}) == expected


@pytest.mark.once
def test_a_mail_as_page_has_only_its_own_tags() -> None:
    text = "Dear <b>Lin</b>,\nsee https://x.example/a?b=1&c=2.\n\n\n见 https://x.example/。谢谢"

    assert paragraphs(text) == (
        "<p>Dear &lt;b&gt;Lin&lt;/b&gt;,<br>\n"
        'see <a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.</p>\n'
        '<p>见 <a href="https://x.example/">https://x.example/</a>。谢谢</p>'
    )
