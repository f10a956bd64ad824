"""What time alone does with announcements: every change of the rules makes one, and what is due is told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from uptake.directory.audit import note
from uptake.directory.place import settings_at
from uptake.events.models import EventType
from uptake.notify.announce import News, announce
from uptake.notify.models import About, Topic
from uptake.notify.tell import Telling, tell
from uptake.notify.wishes import languages_of
from uptake.notify.write_mail import Letter, write_mail
from uptake.programme.adoption.models import Announcement, NewsKind
from uptake.programme.adoption.told import mailed_of, readers_of
from uptake.programme.changes import Changes, changes_of, events_of
from uptake.programme.in_force import parsed
from uptake.programme.models import RulebookVersion
from uptake.programme.rulebook import Rulebook
from uptake.programme.sentences import Labels

OLDEST: Final = timedelta(days=30)
"""What was published longer ago is no news any more."""
LANGUAGES: Final = ("en", "zh-hans")
RULES_SHOWN: Final = 12
AT_ONCE: Final = 1000


def announce_rule_changes(*, now: datetime, limit: int = 20) -> int:
    """Writes an announcement of every version of a rulebook that has none, with its diff in sentences; how many.

    A lowering says that it holds already, and is pinned.
    """
    told = Announcement.objects.filter(rulebook__isnull=False).values("rulebook_id")
    rows = RulebookVersion.objects.filter(published_at__gt=now - OLDEST, published_at__lte=now).exclude(pk__in=told)
    versions = list(rows.select_related("organization").order_by("published_at", "pk")[:limit])
    for version in versions:
        _announce(version, now)
    return len(versions)


@transaction.atomic
def _announce(version: RulebookVersion, now: datetime) -> None:
    before, after = before_and_after(version)
    place = version.organization
    day = settings_at(place).date_of(version.published_at)
    at_once = before is not None and version.in_force_date <= day
    words = {}
    for language in LANGUAGES:
        with translation.override(language):
            changes = changes_of(before, after, version.in_force_date, _labels(before, after))
            words[language] = (
                _title(version.in_force_date, first=before is None, at_once=at_once),
                _text(changes, before),
            )
    Announcement.objects.get_or_create(
        rulebook=version,
        defaults={
            "organization": place,
            "kind": NewsKind.RULES,
            "title_en": words["en"][0],
            "title_zh": words["zh-hans"][0],
            "text_en": words["en"][1],
            "text_zh": words["zh-hans"][1],
            "at_once": at_once,
            "pinned": at_once,
            "by_mail": before is not None,
            "key": f"rulebook/{version.pk}",
            "written_at": now,
            "publishes_at": version.published_at,
        },
    )


def publish_due(*, now: datetime, limit: int = 20) -> int:
    """Tells everybody at the place of each announcement whose time has come, once; how many announcements."""
    waiting = Announcement.objects.filter(published_at__isnull=True, publishes_at__lte=now)
    done = 0
    for key in list(waiting.order_by("publishes_at", "pk").values_list("pk", flat=True)[:limit]):
        done += _publish(key, now)
    return done


@transaction.atomic
def _publish(key: int, now: datetime) -> bool:
    rows = Announcement.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    found = rows.filter(pk=key, published_at__isnull=True).first()
    if found is None:
        return False
    day = settings_at(found.organization).date_of(now)
    readers = readers_of(found.organization, day)
    found.published_at, found.told = now, len(readers)
    found.save(update_fields=["published_at", "told"])
    note(
        deed="announcement.published",
        actor="job announcements",
        organization=found.organization,
        subject=found.title_en,
        details={"announcement": found.pk, "told": len(readers)},
        now=now,
    )
    if found.ends_at is not None and found.ends_at <= now:
        return True  # its time was over before anybody could be told
    heard = {"announcement": found.pk, "title_en": found.title_en, "title_zh": found.title_zh}
    announce(
        [
            News(
                about=About.ANNOUNCEMENTS,
                kind="announcement.published",
                organization_id=found.organization_id,
                key=f"announcement/{found.pk}",
                at=now,
                data=heard,
            )
        ],
        now=now,
    )
    content = {
        "announcement": found.pk,
        "title_en": found.title_en,
        "title_zh": found.title_zh,
        "rules": found.kind == NewsKind.RULES,
    }
    for start in range(0, len(readers), AT_ONCE):
        tell(
            [
                Telling(person_id=one, key=f"announcement/{found.pk}", kind="announcement.published", content=content)
                for one in readers[start : start + AT_ONCE]
            ],
            now=now,
        )
    if found.by_mail:
        _mail(found, day, now)
    return True


def _mail(found: Announcement, day: date, now: datetime) -> None:
    people = mailed_of(found.organization, day)
    address = settings.URL.geturl().rstrip("/") + f"/news/{found.pk}/"
    for start in range(0, len(people), AT_ONCE):
        some = people[start : start + AT_ONCE]
        languages = languages_of(some)
        letters = [
            Letter(
                person_id=one,
                key=f"announcement/{found.pk}",
                topic=Topic.ANNOUNCEMENTS,
                kind="announcement.published",
                facts={
                    "title": found.title_in(languages[one]),
                    "text": found.text_in(languages[one]),
                    "link": address,
                },
            )
            for one in some
        ]
        write_mail(letters, now=now)


def before_and_after(version: RulebookVersion) -> tuple[Rulebook | None, Rulebook]:
    """The rulebook that held at the place before, and the version's own."""
    applying = RulebookVersion.objects.applying_to(version.organization).exclude(pk=version.pk)
    earlier = applying.filter(published_at__lte=version.published_at).defer("file")
    depth = version.organization.path.count("/")
    ranked = [(one.organization.path.count("/"), one.number, one) for one in earlier.select_related("organization")]
    known = [one for one in ranked if one[0] <= depth]
    last = max(known, key=lambda one: one[:2])[2] if known else None
    return (parsed(last.pk, last.sha256) if last else None), parsed(version.pk, version.sha256)


def _title(day: date, *, first: bool, at_once: bool) -> str:
    when = {"day": date_format(day, "DATE_FORMAT")}
    if first:
        return _("Points are earned by these rules from %(day)s") % when
    if at_once:
        return _("Rules lowered at once: they hold from %(day)s") % when
    return _("The rules change on %(day)s") % when


def _text(changes: Changes, before: Rulebook | None) -> str:
    parts = []
    for one in changes.rules[:RULES_SHOWN]:
        lines = [f"{one.title}"]
        if before is not None:
            old = " ".join(part.text for part in one.before) or _("There is no such rule.")
            lines.append(_("Until now: %(sentences)s") % {"sentences": old})
        new = " ".join(part.text for part in one.after) or _("The rule is switched off.")
        lines.append(_("From then on: %(sentences)s") % {"sentences": new} if before is not None else new)
        parts.append("\n".join(lines))
    left = len(changes.rules) - RULES_SHOWN
    if left > 0:
        parts.append(_("%(n)s more rules change; the page of rules has them all.") % {"n": left})
    if not parts:
        parts.append(_("The sentences of the rules stay as they are; the file differs in what no sentence tells."))
    parts.append(_("What was earned before stays."))
    return "\n\n".join(parts)[:8000]


def _labels(*rulebooks: Rulebook | None) -> Labels:
    """What the events and their facts are called in the active language."""
    chinese = (translation.get_language() or "").startswith("zh")
    events, facts = {}, {}
    rows = EventType.objects.filter(name__in=events_of(*rulebooks))
    for name, en, zh, properties in rows.values_list("name", "label_en", "label_zh", "properties"):
        events[name] = (zh if chinese else en) or en or zh
        for fact, told in (properties or {}).items():
            if isinstance(told, dict) and (told.get("label_en") or told.get("label_zh")):
                en, zh = told.get("label_en", ""), told.get("label_zh", "")
                facts[fact] = (zh if chinese else en) or en or zh
    return Labels(events, facts)
