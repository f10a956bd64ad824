"""Give a colleague points of one's monthly allowance, with the reason; and set how much that is at a company."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Sum

from uptake.basics.canonical import fingerprint
from uptake.directory.audit import note
from uptake.directory.models import Organization, Person, PersonKind
from uptake.directory.place import membership_on, settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.ledger.grant import Grant, grant
from uptake.notify.announce import News, announce
from uptake.notify.models import About
from uptake.notify.tell import Telling, tell
from uptake.programme.community.models import Recognition, Terms
from uptake.programme.community.refusals import (
    AllowanceSpent,
    Conflict,
    NotThere,
    TextWrong,
    TooMutual,
    ToOneself,
    TooOftenToSame,
    WrongPortion,
    WrongTerms,
)
from uptake.programme.community.write import belongs
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.lot_dates import last_date
from uptake.programme.rulebook import Rulebook

LONGEST_TEXT: Final = 500
MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one person may still give in a business month."""

    month: date
    whole: int
    given: int

    @property
    def left(self) -> int:
        return max(0, self.whole - self.given)


def terms_at(company: Organization, now: datetime) -> Terms:
    """The terms of a company: its own, or the defaults."""
    return Terms.objects.filter(company=company).first() or Terms(company=company, changed_at=now)


def allowance_of(person: int, company: Organization, now: datetime) -> Allowance:
    """What the person may still give there this month."""
    return _allowance(person, company, terms_at(company, now), _today(company, now).replace(day=1))


@transaction.atomic
def recognise(
    *, company: Organization, receiver: Person, points: int, text: str, key: str, by: Viewer, now: datetime
) -> Recognition:
    """Give the receiver points, paid at once by the issuing account. Once per key. They count for no level or board.

    Raises NotAllowed, Conflict, ToOneself, NotThere, TextWrong, WrongPortion, AllowanceSpent, TooOftenToSame,
    TooMutual.
    """
    if by.person_id is None or not belongs(by, company):
        raise NotAllowed
    giver, text = by.person_id, text.replace("\x00", "").strip()
    # Both, in one order for all: what goes to and fro at the same moment counts one after the other.
    people = {one.pk: one for one in Person.objects.select_for_update(no_key=True).order_by("pk")
              .filter(pk__in={giver, receiver.pk})}  # fmt: skip
    content = fingerprint({"company": company.pk, "receiver": receiver.pk, "points": points, "text": text})
    known = Recognition.objects.filter(giver_id=giver, key=key).first()
    if known is not None:
        if known.fingerprint != content:
            raise Conflict
        return known
    today = _today(company, now)
    _check(company, giver, people.get(receiver.pk), points, text, today, now)
    made = Recognition.objects.create(
        company=company,
        giver_id=giver,
        receiver=receiver,
        points=points,
        text=text,
        key=key,
        fingerprint=content,
        month=today.replace(day=1),
        given_at=now,
    )
    _pay(made, company, today, now)
    deeds = (("recognition.given", giver), ("recognition.received", receiver.pk))
    record_own(
        [OwnDeed(company.pk, who, name, made.lot, now, made.lot, {"points": points}) for name, who in deeds], now=now
    )
    said = {
        "points": points,
        "count": 1,
        "awards": [{"title": text}],
        "who": by.name,
        "href": "/community/recognition/",
    }
    tell([Telling(person_id=receiver.pk, key=made.lot, kind="points.recognised", content=said)], now=now)
    heard = News(
        about=About.GIVEN, kind="points.recognised", organization_id=company.pk, key=made.lot, at=now,
        person_id=receiver.pk, data={"points": points, "given": made.lot},
    )  # fmt: skip
    announce([heard], now=now)
    return made


@transaction.atomic
def set_terms(
    *, company: Organization, allowance: int, smallest: int, largest: int, to_same: int, mutual: int, by: Viewer,
    now: datetime,
) -> Terms:  # fmt: skip
    """Say how much may be given at a company from now on; an allowance of 0 ends it. Raises NotAllowed, WrongTerms."""
    if not by.may(Deed.MANAGE_RULES, company):
        raise NotAllowed
    numbers = {
        "allowance": allowance, "smallest": smallest, "largest": largest, "to_same": to_same, "mutual": mutual
    }  # fmt: skip
    if not (
        1 <= smallest <= largest <= MOST and 0 <= allowance <= MOST and 1 <= to_same <= MOST and 0 <= mutual <= MOST
    ):
        raise WrongTerms
    made, _new = Terms.objects.update_or_create(company=company, defaults={**numbers, "changed_at": now})
    note(deed="recognition.terms", actor=by, organization=company, subject=company.name, details=numbers, now=now)
    return made


def _today(company: Organization, now: datetime) -> date:
    return settings_at(company).date_of(now)


def _allowance(person: int, company: Organization, terms: Terms, month: date) -> Allowance:
    rows = Recognition.objects.filter(giver_id=person, company=company, month=month)
    return Allowance(month, terms.allowance, rows.aggregate(sum=Sum("points"))["sum"] or 0)


def _check(
    company: Organization, giver: int, receiver: Person | None, points: int, text: str, today: date, now: datetime
) -> None:
    if receiver is None or receiver.erased_at is not None or receiver.kind == PersonKind.MACHINE:
        raise NotThere
    if receiver.pk == giver:
        raise ToOneself
    span = membership_on(receiver.pk, today)
    if span is None or span.company_id != company.pk:
        raise NotThere
    if not text or len(text) > LONGEST_TEXT:
        raise TextWrong
    terms, month = terms_at(company, now), today.replace(day=1)
    if not terms.smallest <= points <= terms.largest:
        raise WrongPortion
    left = _allowance(giver, company, terms, month).left
    if points > left:
        raise AllowanceSpent(left)
    this_month = Recognition.objects.filter(company=company, month=month)
    there = this_month.filter(giver_id=giver, receiver=receiver).count()
    if there >= terms.to_same:
        raise TooOftenToSame
    back = this_month.filter(giver=receiver, receiver_id=giver).count()
    if min(there + 1, back) > terms.mutual:
        raise TooMutual


def _pay(made: Recognition, company: Organization, today: date, now: datetime) -> None:
    version = rulebook_version_on(company, today)
    programme = (parsed(version.pk, version.sha256) if version else Rulebook()).programme
    last = last_date(programme, programme.expires, today)
    points = Grant(
        book=company.pk,
        key=made.lot,
        lot=made.lot,
        owner=str(made.receiver_id),
        points=made.points,
        cause=made.lot,
        happened_at=now,
        available_from=now,
        last_date=last,
        expires_at=settings_at(company).start_of(last + timedelta(days=1)) if last else None,
        inactive_days=programme.expires.inactive_days,
        reason="recognition",
        explanation={"recognition": made.pk},
    )
    grant([points], now=now)
