"""What readers would get, in each language: filled from the newest message of one's own, or from an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from uptake.directory.models import Organization
from uptake.directory.scope import Viewer
from uptake.notify.html import paragraphs
from uptake.notify.models import Message
from uptake.notify.notices import line_of
from uptake.notify.phrase import fill
from uptake.notify.wordings import OF_POINTS, Own, example_of, in_language, mail_of, slots_of, values_of


@dataclass(frozen=True, slots=True)
class Sample:
    """Whom and what a preview is about."""

    message: Message | None
    reader: str
    place: Organization


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One kind of message in one language."""

    language: str
    name: str
    title: str
    line: str
    points: str
    subject: str
    mail: str
    page: SafeString
    chat: str


def latest_of(viewer: Viewer, kind: str) -> Message | None:
    """The newest message of the kind that the viewer got themself."""
    if viewer.person_id is None:
        return None
    return Message.objects.visible_to(viewer).filter(kind=kind).order_by("-pk").first()


def previews(kind: str, phrases: Mapping[str, Mapping[str, str]], sample: Sample) -> list[Shown]:
    """In every language, the reader's own first. `phrases`: by language and slot, what is not shipped."""
    own = Own({kind: phrases}, reader=sample.reader, company=sample.place.name)
    order = sorted(settings.LANGUAGES, key=lambda one: one[0] != get_language())
    return [_shown(kind, code, str(name), own, sample) for code, name in order]


def _shown(kind: str, code: str, name: str, own: Own, sample: Sample) -> Shown:
    slots, words = slots_of(kind), {**in_language(code, kind), **own.phrases[kind].get(code, {})}
    with translation.override(code):
        values, href = example_of(kind), "/messages/"
        if sample.message is not None:
            content: Mapping[str, Any] = sample.message.content
            values |= values_of(kind, content)
            href = str(line_of(kind, content)["href"]) or href
        link = f"{settings.URL.geturl().rstrip('/')}{href}"
        filled = {slot: fill(words[slot], own.values({**values, "link": link})).strip() for slot in slots}
        subject, mail = mail_of(kind, {**values, "link": link}, own) if "mail" in slots else ("", "")
    chat = f"Uptake 活用 · {filled['chat']}\n{link}" if "chat" in slots else ""
    return Shown(
        language=code,
        name=name,
        title=filled.get("title", ""),
        line=filled.get("line", ""),
        points=values.get("points", "") if kind in OF_POINTS else "",
        subject=subject,
        mail=mail,
        page=paragraphs(mail),
        chat=chat,
    )
