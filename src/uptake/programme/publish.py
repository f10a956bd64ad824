"""Publishes a rulebook for a company or a park, from a date on; what is published never changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization, User
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer, ids_of
from uptake.events.models import Bookmark
from uptake.programme.clock_change import change_clock_with, clock_named
from uptake.programme.in_force import rulebook_version_on
from uptake.programme.models import Award, PutAside, RulebookVersion
from uptake.programme.rulebook_reading import load_text, parse_rulebook, read_rulebook
from uptake.programme.rulebook_refusals import RulebookRefused
from uptake.programme.rulebook_writing import hash_of, to_text

READER = "programme"
"""The name of the bookmark by which events are considered."""


class NotAPlaceOfRules(Exception):
    """Only a company or a park has a rulebook."""


class TooSoon(Exception):
    """A changed rulebook applies from the next business date at the earliest (`earliest`)."""

    def __init__(self, earliest: date) -> None:
        self.earliest = earliest
        super().__init__(f"a changed rulebook applies from {earliest} at the earliest")


class OtherClock(Exception):
    """The rulebook names another clock than its place: `theirs` and `ours` are (zone, day start as HH:MM)."""

    def __init__(self, theirs: tuple[str, str], ours: tuple[str, str]) -> None:
        self.theirs = theirs
        self.ours = ours
        super().__init__(f"the rulebook's clock is {' '.join(theirs)}, that of the place is {' '.join(ours)}")


@transaction.atomic
def publish(
    *,
    rulebook: Mapping[str, Any] | str | bytes,
    organization: Organization,
    in_force_date: date,
    by: Viewer,
    now: datetime,
    at_once: bool = False,
    changes_clock: bool = False,
) -> RulebookVersion:
    """Stores the rulebook (a file's text or its plain object) as the place's next version, with its hash.

    Where the file names no clock, it gets that of the place. The first rulebook of a place that has none above it may
    apply from any date: events since then are considered by it. Any later one applies from the next business date at
    the earliest. Publishing again what already is the latest changes nothing. `at_once` is for who made sure that the
    rulebook only lowers what rules of the one in force give: it may begin today, for what happens from now on, and
    what was given today stays. `changes_clock`: a file that names another clock than its place changes that of the
    place, from its first date on, which lies ahead then; else it is refused. Raises NotAllowed, RulebookRefused,
    NotAPlaceOfRules, OtherClock, TooSoon, and ClockTooSoon, ClockTooFar, DateLost of a clock that cannot change so.
    """
    if not by.may(Deed.MANAGE_RULES, organization):
        raise NotAllowed
    if organization.kind not in (Kind.COMPANY, Kind.PARK):
        raise NotAPlaceOfRules
    today = settings_at(organization).date_of(now)
    ahead = changes_clock and in_force_date > today
    parsed = parse_rulebook(with_clock(rulebook, organization, on=in_force_date, other=ahead))
    text, sha256 = to_text(parsed), hash_of(parsed)
    # Two who publish at once get two numbers, and the first of a place is the first.
    Organization.objects.select_for_update(no_key=True).get(pk=ids_of(organization.path)[0])
    applying = list(RulebookVersion.objects.applying_to(organization).order_by("number").defer("file"))
    own = [version for version in applying if version.organization_id == organization.pk]
    if own and own[-1].sha256 == sha256 and own[-1].in_force_date == in_force_date:
        return own[-1]
    earliest = today if at_once else today + timedelta(days=1)
    if applying and in_force_date < earliest:
        raise TooSoon(earliest)
    lowered_at = _from_when(organization, in_force_date, now) if applying and in_force_date == today else None
    published = RulebookVersion.objects.create(
        organization=organization,
        number=own[-1].number + 1 if own else 1,
        file=text,
        sha256=sha256,
        in_force_date=in_force_date,
        in_force_at=lowered_at,
        published_at=now,
        published_by=User.objects.filter(pk=by.user_id).first() if by.user_id else None,
    )
    if in_force_date <= today and not at_once:
        _consider_from_the_start()
    if clock_named(parsed) != settings_at(organization).on(in_force_date)[1:]:
        change_clock_with(published, parsed, by=by, now=now)
    note(
        deed="rulebook.published",
        actor=by,
        organization=organization,
        subject=f"{organization.name} {published.number}",
        details={"number": published.number, "sha256": sha256, "in_force_date": in_force_date.isoformat()},
        now=now,
    )
    return published


def with_clock(
    rulebook: Mapping[str, Any] | str | bytes, organization: Organization, *, on: date, other: bool = False
) -> Any:
    """The plain object of the file, in which a clock is spelled out: that of the place on a date where it names none.

    A file that only repeats the clock of the rulebook it follows (that of a park above, say) gets that of the place,
    too. Any other is OtherClock, unless `other` is wanted.
    """
    plain = load_text(rulebook) if isinstance(rulebook, str | bytes) else rulebook
    programme = plain.get("programme", {}) if isinstance(plain, Mapping) else None
    if not isinstance(programme, Mapping):
        return plain
    here = settings_at(organization).on(on)
    clock = {"timezone": here.zone, "day_start": here.day_start.strftime("%H:%M")}
    filled = {**plain, "programme": {**clock, **programme}}
    if clock.items() <= filled["programme"].items():
        return filled
    parsed = parse_rulebook(filled)  # what is no clock at all is refused as such
    follows = rulebook_version_on(organization, on)
    if follows is not None and clock_named(parsed) == clock_named(read_rulebook(follows.file)):
        return {**plain, "programme": {**programme, **clock}}
    if not other:
        theirs = filled["programme"]
        raise OtherClock((str(theirs["timezone"]), str(theirs["day_start"])), (clock["timezone"], clock["day_start"]))
    return filled


def _from_when(organization: Organization, day: date, now: datetime) -> datetime:
    """From which instant on the date is judged by what is published: now, or after the last award of a clock that runs
    ahead, as nothing given is taken back. No event is considered until the transaction ends. What lies further ahead
    was accepted by somebody; nobody waits for it."""
    Bookmark.objects.select_for_update().filter(reader=READER).first()
    ahead = Award.objects.filter(
        company__path__startswith=organization.path, date=day, happened_at__gte=now, event__quarantine__isnull=True
    )
    last = ahead.aggregate(last=Max("happened_at"))["last"]
    return now if last is None else last + timedelta(microseconds=1)


def _consider_from_the_start() -> None:
    """Events that came before the first rulebook are read again; considering twice is considering once."""
    bookmark = Bookmark.objects.select_for_update().filter(reader=READER).first()
    if bookmark is not None:
        bookmark.event_txid = bookmark.event_id = bookmark.correction_txid = bookmark.correction_id = 0
        bookmark.save()
    PutAside.objects.update(event_txid=0, event_id=0, correction_txid=0, correction_id=0)


__all__ = ["READER", "NotAPlaceOfRules", "OtherClock", "RulebookRefused", "TooSoon", "publish", "with_clock"]
