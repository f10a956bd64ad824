"""The line of points that an appeal is about, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.scope import Viewer
from uptake.insight.gaming.models import Opinion
from uptake.ledger.balances import entries_by_key
from uptake.programme.governance.appeal import COUNTED, EntryLine, decision_of, taken_by
from uptake.programme.governance.models import About, Appeal
from uptake.programme.models import Award
from uptake.programme.rewards.models import Redemption, SpecialGrant
from uptake.web.catalogue import labels_of
from uptake.web.pages.points.entries import prize_of
from uptake.web.pages.points.named import what_of
from uptake.web.pages.points.read import rule_of, titled
from uptake.web.pages.points.why import line_of


@dataclass(frozen=True)
class Told:
    """What happened, what it came to, and why."""

    what: str
    title: str
    points: int
    sentence: str
    at: datetime | None


def told_of(appeal: Appeal) -> Told:
    """The line as it stands now; of an entry, as it stood when the appeal was filed."""
    if appeal.award is not None:
        return told_of_award(appeal.award)
    what = what_of(str(appeal.told.get("kind", "")), appeal.entry_key.partition("/")[0])
    title = str(appeal.told.get("title", "")) or what or str(appeal.get_about_display())
    at = parse_datetime(str(appeal.told.get("at", "")))
    return Told(what or title, title, int(appeal.told.get("points", 0)), "", at)


def told_of_entry(line: EntryLine, person: int) -> Told:
    """An entry of the ledger before it is questioned."""
    found = entries_by_key(book=line.company.pk, keys=[line.key]).get(line.key)
    if found is None:
        counted = taken_by(line.company, person, decision_of(line.key))
        points, at = counted or (0, None)
        return Told(what_of(COUNTED, "gaming"), line.title, points, "", at)
    what = what_of(found.kind, found.cause.partition("/")[0])
    return Told(what, line.title or what, found.points, "", found.effective_at)


def told_of_award(award: Award) -> Told:
    rule = rule_of(award.rulebook_id, award.rulebook.sha256, award.rule, award.version)
    title = titled(rule) if rule else award.rule
    line = line_of(award, title, labels_of([award.event.name]))
    return Told(line.what, title, award.points, line.sentence, award.happened_at)


def missing_points(award: Award) -> int:
    """What the rule names for it before limits and conditions, less what was given; 0 where that is not known."""
    named: Any = award.explanation.get("before_caps")
    return max(0, int(named) - award.points) if isinstance(named, int) else 0


def suggested_points(appeal: Appeal) -> int:
    """What upholding it would most likely give: what is missing of an award, or what a review took."""
    if appeal.award is not None:
        return missing_points(appeal.award)
    moved = appeal.told.get("kind") != COUNTED
    return int(appeal.told.get("points", 0)) if decision_of(appeal.entry_key) and moved else 0


def award_of(viewer: Viewer, asked: str) -> Award | None:
    """One's own award by its id."""
    rows = Award.objects.filter(person_id=viewer.person_id or 0).select_related("event", "rulebook", "company")
    return rows.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 18 else None


def entry_of(viewer: Viewer, company: Organization, key: str) -> EntryLine | None:
    """One's own line of the ledger by its key, with those who decided on what is behind it."""
    found = entries_by_key(book=company.pk, keys=[key]).get(key)
    own = f"person/{viewer.person_id}/"
    if found is None and taken_by(company, viewer.person_id or 0, decision_of(key)):
        return EntryLine(
            company=company, key=key, title=_("Points under review"), parties=_behind(company, decision_of(key))[2]
        )
    if found is None or not any(own in (f"{part.source}/", f"{part.target}/") or part.source.startswith(own)
                                or part.target.startswith(own) for part in found.parts):  # fmt: skip
        return None
    about, title, parties = _behind(company, found.cause)
    title = title or prize_of(found.explanation)
    return EntryLine(company=company, key=key, about=about, title=title, parties=parties)


def _behind(company: Organization, cause: str) -> tuple[About, str, list[int]]:
    kind, _slash, number = cause.partition("/")
    pk = int(number) if number.isdecimal() and len(number) < 18 else 0
    if kind == "redemption":
        redemption = Redemption.objects.filter(company=company, pk=pk).select_related("reward").first()
        return (
            About.REDEMPTION,
            redemption.reward.name_in(get_language() or "en") if redemption else _("A redemption"),
            [],
        )
    if kind == "special":
        special = SpecialGrant.objects.filter(company=company, pk=pk).first()
        ids = [special.asked_by_person_id, special.decided_by_person_id] if special else []
        return About.SPECIAL, _("Special points"), [one for one in ids if one is not None]
    if kind == "gaming":
        opinions = Opinion.objects.filter(finding_id=pk, finding__company=company)
        deciders = opinions.order_by("pk").values_list("by__person_id", flat=True)
        return About.OTHER, _("Points under review"), [one for one in deciders if one is not None]
    return About.OTHER, "", []
