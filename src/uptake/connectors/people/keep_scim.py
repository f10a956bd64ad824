"""Keeps what SCIM says of users and groups, and lets the directory follow at once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from uptake.connectors.people.models import PeopleSource, SaidPerson, SaidPlace
from uptake.connectors.people.scim import Refused
from uptake.connectors.people.scim_people import department_of, somebody_of
from uptake.connectors.people.snapshot import Department, Snapshot, Somebody
from uptake.connectors.people.take_over import take_over, write_run
from uptake.connectors.people.tell_attention import tell_attention

GROUPS_ARE_DEPARTMENTS = "groups_are_departments"


@transaction.atomic
def keep_user(
    *, source: PeopleSource, said: Mapping[str, Any], now: datetime, row: SaidPerson | None = None, match: str = ""
) -> SaidPerson:
    """A user made or changed to what is said (cleaned). Raises Refused: 409 where the user name is taken, 412 where
    `match` names another version than the present one."""
    source = _locked(source)
    row = _present(SaidPerson.objects.filter(source=source), row, match)
    name = str(said["userName"]).lower()
    if SaidPerson.objects.filter(source=source, user_name=name).exclude(pk=row.pk if row else 0).exists():
        raise Refused(409, "Another user has this userName.", "uniqueness")
    if row is None:
        row = SaidPerson(source=source, key=uuid.uuid4().hex, created_at=now, version=0)
        said = {"active": True, **said}
    if row.pk and row.extra == dict(said):
        return row
    row.user_name, row.extra, row.changed_at = name, dict(said), now
    row.active = bool(said.get("active", True))
    row.version += 1
    row.save()
    departments = [one for one in [department_of(said)] if one is not None]
    _follow(source, departments, [_somebody(source, row)], now)
    row.refresh_from_db()
    return row


@transaction.atomic
def drop_user(*, source: PeopleSource, row: SaidPerson, now: datetime, match: str = "") -> None:
    """The user is gone for SCIM; the person leaves, and stays known. Raises Refused."""
    source = _locked(source)
    held = _present(SaidPerson.objects.filter(source=source), row, match)
    assert held is not None
    held.user_name, held.extra, held.active, held.changed_at = None, {}, False, now
    held.version += 1
    held.save()
    for group in SaidPlace.objects.filter(source=source):
        _without(group, held.key, now)
    _follow(source, [], [Somebody(key=held.key, name=held.name, active=False)], now)


@transaction.atomic
def keep_group(
    *, source: PeopleSource, said: Mapping[str, Any], now: datetime, row: SaidPlace | None = None, match: str = ""
) -> SaidPlace:
    """A group made or changed to what is said (cleaned). Members that are no users of the source are refused."""
    source = _locked(source)
    row = _present(SaidPlace.objects.filter(source=source), row, match)
    said = {**said, "members": [{"value": _member(one)} for one in said.get("members", [])]}
    members = {str(one.get("value", "")) for one in said.get("members", [])}
    users = SaidPerson.objects.filter(source=source, user_name__isnull=False)
    there = {one.key: one for one in users if one.key in members}
    if members - there.keys():
        raise Refused(400, f"{min(members - there.keys())[:40]} is no user.", "invalidValue")
    if row is None:
        row = SaidPlace(source=source, key=f"group/{uuid.uuid4().hex}", created_at=now, version=0)
    if row.pk and row.extra == dict(said):
        return row
    before = {str(one["value"]) for one in row.extra.get("members", [])}
    row.name, row.extra, row.changed_at = str(said["displayName"])[:200], dict(said), now
    row.version += 1
    row.save()
    if source.settings.get(GROUPS_ARE_DEPARTMENTS) == "yes":
        changed = [one for one in users if one.key in members ^ before]
        people = [_somebody(source, one) for one in changed]
        _follow(source, [Department(row.key, row.name)], [one for one in people if one.active], now)
        row.refresh_from_db()
    return row


@transaction.atomic
def drop_group(*, source: PeopleSource, row: SaidPlace, now: datetime, match: str = "") -> None:
    """The group is gone; the department it became stays, with its people. Raises Refused."""
    source = _locked(source)
    held = _present(SaidPlace.objects.filter(source=source), row, match)
    assert held is not None
    held.delete()


@transaction.atomic
def let_leave(*, source: PeopleSource, now: datetime) -> None:
    """Whom the guard held back, and a person confirmed, leave now."""
    source = _locked(source)
    waiting = SaidPerson.objects.filter(source=source, active=False, belongs=True)
    _follow(source, [], [Somebody(key=one.key, name=one.name, active=False) for one in waiting], now)


def groups_of(source: PeopleSource) -> list[SaidPlace]:
    """The groups of a source, the oldest first; departments named by users are none."""
    return [one for one in SaidPlace.objects.filter(source=source).order_by("pk") if one.extra]


def _somebody(source: PeopleSource, row: SaidPerson) -> Somebody:
    place = ""
    if source.settings.get(GROUPS_ARE_DEPARTMENTS) == "yes":
        place = next(
            (
                group.key
                for group in groups_of(source)
                if any(one.get("value") == row.key for one in group.extra.get("members", []))
            ),
            "",
        )
    return somebody_of(row.key, row.extra, place_key=place)


def _follow(source: PeopleSource, departments: list[Department], people: list[Somebody], now: datetime) -> None:
    outcome = take_over(source=source, said=Snapshot(departments, people, complete=False), now=now, held=True)
    if outcome.outcome == "held":
        tell_attention(source=source, code="too_many_leave", plan=outcome.plan, now=now)
    if any(n for what, n in outcome.counts.items() if what not in ("same", "unknown_inactive")) or outcome.plan.leaving:
        write_run(source=source, outcome=outcome.outcome, counts=outcome.counts, now=now)
    PeopleSource.objects.filter(pk=source.pk).update(read_at=now)


def _locked(source: PeopleSource) -> PeopleSource:
    return PeopleSource.objects.select_for_update(of=("self",)).select_related("company").get(pk=source.pk)


def _present(rows: Any, row: Any, match: str) -> Any:
    """The row as it stands now. Raises Refused where it is gone, or of another version than the client believes."""
    if row is None:
        return None
    held = rows.filter(pk=row.pk).first()
    if held is None or not held.extra:
        raise Refused(404, "There is no such resource.")
    if match and match != "*" and f'W/"{held.version}"' not in [one.strip() for one in match.split(",")]:
        raise Refused(412, "It was changed meanwhile.")
    return held


def _member(one: Mapping[str, Any]) -> str:
    """The id of a member, from its address where only that was given."""
    return str(one.get("value") or str(one.get("$ref", "")).rstrip("/").rsplit("/", 1)[-1])


def _without(group: SaidPlace, key: str, now: datetime) -> None:
    members = group.extra.get("members", [])
    left = [one for one in members if one.get("value") != key]
    if len(left) != len(members):
        group.extra = {**group.extra, "members": left}
        group.version += 1
        group.changed_at = now
        group.save()
