"""What can be said in a place's own words: for every kind of message its shipped words, and what fills their gaps.

A slot is one text of a kind: `title` and `line` stand on the page and in the inbox, `subject` and `mail` make the mail,
`chat` is said in groups. Shipped words are phrases like those people write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

from uptake.notify.models import Topic
from uptake.notify.notices import GAP_OF, NOTICES, award_of, line_of, notice_of
from uptake.notify.phrase import fill
from uptake.notify.topics import EARNED, MAILED, topic_of

ON_PAGE: Final = ("title", "line")
BY_MAIL: Final = ("subject", "mail")
IN_GROUPS: Final = ("chat",)
SLOTS: Final = (*ON_PAGE, *BY_MAIL, *IN_GROUPS)
LONGEST: Final = {"title": 120, "line": 200, "subject": 150, "mail": 4000, "chat": 1000}
OF_POINTS: Final = {
    EARNED: gettext_lazy("Points by rules"),
    "points.recognised": gettext_lazy("Points given by a colleague"),
    "points.special": gettext_lazy("Special points"),
    "points.prize": gettext_lazy("A prize of a board"),
    "points.challenge": gettext_lazy("Points of a challenge"),
}
"""Messages about points: their title is what the points are for."""
ATTENTION_OF_PEOPLE: Final = "people_source.needs_attention"
WEEK: Final = "week.told"
"""Said in groups only."""
SAID_IN_GROUPS: Final = ("announcement.published", "connection.needs_attention", WEEK)
NOT_WORDED: Final = frozenset({"chat.tested"})
MAILS: Final[Mapping[str, tuple[str | Promise, str | Promise]]] = {
    "training.moved": (gettext_lazy("Time or place changed: %(title)s"), "%(link)s"),
    "training.cancelled": (gettext_lazy("Called off: %(title)s"), "%(link)s"),
    "feedback.answered": (
        gettext_lazy("Your feedback was answered: %(title)s"),
        "%(state)s\n\n%(answer)s\n\n%(link)s",
    ),
    "announcement.published": ("%(title)s", "%(text)s\n\n%(link)s"),
    "connection.needs_attention": (
        gettext_lazy("The connection %(name)s needs attention"),
        gettext_lazy(
            "%(reason)s\n\nIt is not asked any more until somebody has looked: open Data, choose %(name)s, put it "
            "right and press Try again. Nothing is lost; it goes on where it stopped."
        ),
    ),
    "platform.put_aside": (
        gettext_lazy("The points of %(title)s are not being reckoned"),
        gettext_lazy(
            "Considering the events of this company failed, so they wait; all other companies go on. Nothing is lost: "
            "it is tried again by itself, and catches up. What failed stands on the page of jobs.\n\n%(link)s"
        ),
    ),
    "platform.book_closed": (
        gettext_lazy("The book of %(title)s is closed"),
        gettext_lazy(
            "The daily check found something in this company's ledger that does not hold. Until somebody has looked "
            "and opens the book again, its points stand still; reading goes on, and so do all other companies."
            "\n\n%(link)s"
        ),
    ),
    ATTENTION_OF_PEOPLE: (
        gettext_lazy("The source of people %(name)s needs attention"),
        gettext_lazy(
            "%(reason)s\n\nOpen People & roles, choose Sources of people and %(name)s, and look at the preview."
        ),
    ),
}
"""Subject and text of mails that whoever tells writes at once."""
GAPS: Final[Mapping[str, Promise]] = {
    "reader": gettext_lazy("name of the reader"),
    "company": gettext_lazy("name of their company, or of the park"),
    "link": gettext_lazy("address of the page it is about"),
    "title": gettext_lazy("what it is about"),
    "name": gettext_lazy("name of the reward, badge, challenge or connection"),
    "level": gettext_lazy("name of the level"),
    "points": gettext_lazy("number of points, with its sign"),
    "more": gettext_lazy("what the points are for, or how many more entries there are"),
    "who": gettext_lazy("who gave the points"),
    "state": gettext_lazy("how it stands with the feedback"),
    "answer": gettext_lazy("the answer to the feedback"),
    "text": gettext_lazy("the text of the announcement"),
    "reason": gettext_lazy("why it needs attention"),
    "figures": gettext_lazy("place and figures of the week, a line each"),
}
"""Every gap there is and what fills it."""
EXAMPLES: Final[Mapping[str, Promise | str]] = {
    "reader": gettext_lazy("Lin Fang"),
    "company": gettext_lazy("Beiyuan Precision"),
    "title": gettext_lazy("Stocktaking on the 30th"),
    "name": gettext_lazy("Half a day off"),
    "level": gettext_lazy("Silver"),
    "points": "+20",
    "more": gettext_lazy("Purchase order PO-1042"),
    "who": gettext_lazy("Hua Jing"),
    "state": gettext_lazy("Answered"),
    "answer": gettext_lazy("The printers are replaced next week."),
    "text": gettext_lazy("The warehouse is closed in the morning. Please post everything the day before."),
    "reason": gettext_lazy("The system cannot be reached."),
}
A_WEEK: Final[Mapping[str, Any]] = {"first": "2026-05-11", "staff": 50, "active": 31, "points": 1240, "questions": 2}

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Own:
    """The own words that hold for one reader or group: phrases by kind, language and slot."""

    phrases: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    reader: str = ""
    company: str = ""

    def phrase(self, kind: str, slot: str) -> str:
        """The phrase in the active language; empty where the shipped words hold."""
        return self.phrases.get(kind, {}).get(get_language() or "", {}).get(slot, "")

    def values(self, values: Mapping[str, str]) -> dict[str, str]:
        return {**values, "reader": self.reader, "company": self.company}


NOBODYS: Final = Own()


def kinds() -> tuple[str, ...]:
    """Every kind that can be worded, those of one topic together."""
    known = [*OF_POINTS, *(kind for kind in NOTICES if kind not in NOT_WORDED), ATTENTION_OF_PEOPLE]
    order = list(Topic)
    return tuple(sorted(known, key=lambda kind: order.index(topic_in(kind))))


def topic_in(kind: str) -> Topic:
    return Topic.CONNECTIONS if kind == ATTENTION_OF_PEOPLE else topic_of(kind)


def label_of(kind: str) -> str:
    """What a kind is called in lists, in the active language: its shipped title."""
    if kind in OF_POINTS:
        return str(OF_POINTS[kind])
    if kind == ATTENTION_OF_PEOPLE:
        return fill(shipped(kind)["subject"], {"name": "…"})
    return str(NOTICES[kind][0])


def slots_of(kind: str) -> tuple[str, ...]:
    """Which texts a kind has."""
    if kind == WEEK:
        return IN_GROUPS
    page = () if kind == ATTENTION_OF_PEOPLE else ON_PAGE
    mail = BY_MAIL if kind in MAILS or topic_in(kind) not in MAILED else ()
    return (*page, *mail, *(IN_GROUPS if kind in SAID_IN_GROUPS else ()))


def main_of(kind: str) -> str:
    """The gap without which nobody knows what it is about; empty where there is none."""
    if kind in OF_POINTS:
        return "title"
    return "name" if kind == ATTENTION_OF_PEOPLE else GAP_OF.get(NOTICES[kind][1], "")


def gaps(kind: str, slot: str) -> tuple[str, ...]:
    """The gaps that are filled in a slot of a kind."""
    found = [main_of(kind)] if main_of(kind) else []
    if kind in OF_POINTS:
        found += ["more", "points"]
    if kind == "points.recognised":
        found.append("who")
    if slot in BY_MAIL:
        text = "".join(str(one) for one in MAILS.get(kind, ()))
        found += [name for name in ("state", "answer", "text", "reason") if f"%({name})s" in text]
    if slot == "mail":
        found.append("link")
    if slot not in IN_GROUPS:
        found.append("reader")
    return (*found, "company")


def needed(kind: str, slots: tuple[str, ...]) -> tuple[str, ...]:
    """The gaps that must stand in one of these slots, which are read together."""
    main = main_of(kind)
    found = [main] if main else []
    if slots == BY_MAIL:
        found += [name for name in ("answer", "text", "reason") if name in gaps(kind, "mail")]
        if kind not in MAILS or "%(link)s" in str(MAILS[kind][1]):
            found.append("link")
    return tuple(found)


def shipped(kind: str) -> dict[str, str]:
    """The shipped phrases by slot, in the active language."""
    main = f"{{{main_of(kind)}}}" if main_of(kind) else ""
    if kind in OF_POINTS:
        title, line, heading = "{title}", "{more}", "{points} · {title}"
    else:
        title = "" if kind == ATTENTION_OF_PEOPLE else str(NOTICES[kind][0])
        line, heading = main, title
    text = f"{line}\n\n{{link}}" if line else "{link}"
    if kind in MAILS:
        subject, body = MAILS[kind]
        heading, text = (_phrase(str(one), kind) for one in (subject, body))
    found = {
        "title": title,
        "line": line,
        "subject": heading,
        "mail": text,
        "chat": "\n".join(filter(None, (title, line))),
    }
    return {slot: found[slot] for slot in slots_of(kind)}


def mail_of(kind: str, facts: Mapping[str, str], own: Own = NOBODYS) -> tuple[str, str]:
    """(subject, text) of a mail in the active language: the own words of the reader's place, else the shipped ones."""
    values, ours = own.values(facts), shipped(kind)
    subject, text = (fill(own.phrase(kind, slot) or ours[slot], values).strip() for slot in BY_MAIL)
    return subject.strip(" ·") or fill(ours["subject"], values), f"{text}\n"


def values_of(kind: str, content: Content) -> dict[str, str]:
    """What fills the gaps of a message, in the active language; without `reader`, `company` and `link`."""
    if kind in OF_POINTS or kind not in NOTICES:
        award = award_of(content)
        points = int(content.get("points") or 0)
        told = {"title": str(award["title"]), "more": str(award["sub"]), "points": f"{points:+d}" if points else ""}
        return {**told, "who": str(content.get("who") or "")}
    main = main_of(kind)
    return {main: NOTICES[kind][1](content)} if main else {}


def example_of(kind: str) -> dict[str, str]:
    """What fills the gaps where nobody was told anything yet, in the active language."""
    wanted = {name for slot in slots_of(kind) for name in gaps(kind, slot)}
    found = {name: str(EXAMPLES[name]) for name in wanted if name in EXAMPLES}
    if kind in ("connection.needs_attention", ATTENTION_OF_PEOPLE):
        found[main_of(kind)] = "ERP"
    if kind == WEEK:
        found |= values_of(kind, {**A_WEEK, "place": str(EXAMPLES["company"])})
    return found


def _phrase(text: str, kind: str) -> str:
    """Shipped words as a phrase: their gaps are the translator's `%(name)s`."""
    names = {name: f"{{{name}}}" for name in GAPS}
    if main_of(kind) == "title":
        names["name"] = "{title}"
    return text % names


def in_language(language: str, kind: str) -> dict[str, str]:
    """The shipped phrases of a kind in one language."""
    with translation.override(language):
        return shipped(kind)


def line_in(kind: str, content: Content, own: Own) -> dict[str, object]:
    """{"title", "sub", "href", "tone"} of a message as it stands in lists: `line_of` in the reader's own words."""
    found = _worded(line_of(kind, content), kind, content, own)
    if kind in OF_POINTS and own.phrase(kind, "title"):
        points = values_of(kind, content)["points"]
        found["title"] = " · ".join(part for part in (points, str(found["title"])) if part)
    return found


def notice_in(kind: str, content: Content, own: Own) -> dict[str, object] | None:
    """As `notice_of`, in the reader's own words."""
    found = notice_of(kind, content)
    return None if found is None else _worded(found, kind, content, own)


def award_in(kind: str, content: Content, own: Own) -> dict[str, object]:
    """As `award_of`, in the reader's own words."""
    return _worded(award_of(content), kind, content, own) if kind in OF_POINTS else award_of(content)


def chat_in(kind: str, content: Content, own: Own) -> tuple[str, str]:
    """(first line, the rest) of what a group is told, in the active language."""
    phrase = own.phrase(kind, "chat")
    said = fill(phrase, own.values(values_of(kind, content))).strip() if phrase else ""
    if said:
        first, _newline, rest = said.partition("\n")
        return first.strip(), rest.strip()
    line = line_of(kind, content)
    return str(line["title"]), str(line["sub"])


def _worded(found: dict[str, object], kind: str, content: Content, own: Own) -> dict[str, object]:
    for slot, name in (("title", "title"), ("line", "sub")):
        phrase = own.phrase(kind, slot)
        said = fill(phrase, own.values(values_of(kind, content))).strip() if phrase else ""
        if said:
            found[name] = said
    return found
