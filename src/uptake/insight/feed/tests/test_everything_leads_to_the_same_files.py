"""Whatever happened since, the files say what the record says: moved companies, people known better, late events,
imports undone, people erased, with compaction in between; and `check` finds what is damaged."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from django.conf import LazySettings

from tests.cast import NOW, Cast, build_cast
from uptake.activity import store as store_module
from uptake.activity.incoming import Rows
from uptake.directory.enrol import move
from uptake.directory.erase import erase
from uptake.directory.forget import IDENTITIES, MEMBERSHIPS, PERSON
from uptake.directory.models import Identity, Membership, Person, Policy
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.forget import EVENTS
from uptake.events.happening import Happening
from uptake.events.identify import identify
from uptake.events.models import Batch, Connection, EventType
from uptake.events.moved import follow_moved
from uptake.events.record import record
from uptake.events.withdraw import withdraw
from uptake.insight.feed import refresh as feed
from uptake.insight.feed.check import check
from uptake.insight.feed.compact import compact
from uptake.insight.feed.refresh import rebuild, refresh
from uptake.insight.feed.where import activity_log, store

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def world(transactional_db: None, settings: LazySettings, tmp_path: Path) -> Cast:
    settings.DATA = tmp_path
    return build_cast()


@pytest.fixture
def erp(world: Cast) -> Connection:
    """A source of the park's: where its people belonged on a date decides whose their events are."""
    EventType.objects.create(
        name="order.processed", properties={"note": {"type": "text"}, "amount": {"type": "number"}}, created_at=NOW
    )
    return connect(organization=world.park, kind="api", name="ERP", slug="erp", by=EVERYTHING, now=NOW)


def send(erp: Connection, key: str, at: datetime, person: str | None = "lin", **more: Any) -> None:
    more.setdefault("facts", {"note": f"note {key}", "amount": len(key)})
    record([Happening(event="order.processed", key=key, at=at, person=person, object=f"o {key}", **more)],
           connection=erp, now=max(at, NOW))  # fmt: skip


def known(name: str, person: Person | None, now: datetime = NOW) -> None:
    identify(identity=Identity.objects.get(source="erp", external_id=name), person=person, by=EVERYTHING, now=now)


def catch_up(now: datetime) -> None:
    while refresh(now=now):
        pass


def content() -> list[dict[str, Any]]:
    return activity_log().to_arrow().sort_by("event_id").to_pylist()


def places() -> dict[str, tuple[int, int]]:
    return {row["object"]: (row["company"], row["department"]) for row in content()}


def same_when_made_again(now: datetime) -> None:
    """The rows in the files, bucket by bucket and in their order, are those of a rebuild."""
    found = check()
    assert found.right, found.examples
    stepwise = activity_log().to_arrow().to_pylist()
    rebuild(now=now)
    assert activity_log().to_arrow().to_pylist() == stepwise


def erased(person: Person, policy: Policy, now: datetime) -> None:
    person.refresh_from_db()
    erase(person=person, policy=policy, name=person.name, treatments=(EVENTS, MEMBERSHIPS, IDENTITIES, PERSON),
          by=EVERYTHING, now=now)  # fmt: skip


def test_events_stay_with_the_company_one_belonged_to_then(world: Cast, erp: Connection) -> None:
    send(erp, "before", NOW - 5 * DAY)
    known("lin", world.lin)
    catch_up(NOW)
    held = Membership.objects.get(person=world.lin)
    since = (NOW - 2 * DAY).date()
    move(membership=held, organization=world.dyeing, on_date=since, by=EVERYTHING, now=NOW)
    follow_moved(person=world.lin, by=EVERYTHING, now=NOW)
    send(erp, "after", NOW - DAY)
    send(erp, "late", NOW - 4 * DAY)
    catch_up(NOW + timedelta(minutes=5))

    assert places() == {
        "o before": (world.beiyuan.pk, world.purchasing.pk),
        "o late": (world.beiyuan.pk, world.purchasing.pk),
        "o after": (world.qinghe.pk, world.dyeing.pk),
    }
    same_when_made_again(NOW + timedelta(minutes=5))


@pytest.mark.parametrize("policy", list(Policy))
def test_an_erased_person_leaves_what_the_policy_leaves(world: Cast, erp: Connection, policy: Policy) -> None:
    for number in range(3):
        send(erp, f"secret {number}", NOW - number * DAY)
    send(erp, "of hua", NOW, "hua")
    known("lin", world.lin)
    known("hua", world.hua)
    catch_up(NOW)

    erased(world.lin, policy, NOW)
    catch_up(NOW + timedelta(minutes=5))

    assert len(content()) == (4 if policy == Policy.ANONYMISE else 1)
    manifest = store().manifest()
    texts = {name: store().texts(manifest, name).to_pylist() for name in ("object", "p:note")}
    assert texts["object"].count("o of hua") == 1
    assert not [text for column in texts.values() for text in column if "secret" in (text or "")]
    same_when_made_again(NOW + timedelta(minutes=5))


@pytest.mark.parametrize("seed", range(5))
def test_any_history_leads_to_the_files_a_rebuild_makes(
    world: Cast, erp: Connection, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAGE", 4)
    monkeypatch.setattr(store_module, "COMPACT_FROM", 3)
    monkeypatch.setattr(store_module, "MOST_DELTAS", 3)
    chance, now = random.Random(seed), NOW
    names = {"lin": world.lin, "hua": world.hua, "mo": world.mo}
    sends = (erp, [Batch.objects.create(connection=erp, created_at=NOW) for _ in range(2)])
    deeds: list[Callable[[], Any]] = [
        lambda: _send_some(chance, *sends, now),
        lambda: _send_some(chance, *sends, now),
        lambda: _know(chance, names, now),
        lambda: _move(chance, world, now),
        lambda: withdraw(batch=sends[1][0], by=EVERYTHING, now=now),
        lambda: refresh(now=now),
        lambda: refresh(now=now),
        lambda: compact(most=chance.choice([1, 5])),
        lambda: _erase_one(chance, world, now),
    ]
    weights = [6, 6, 4, 3, 1, 5, 5, 5, 1]
    for _step in range(30):
        now += timedelta(minutes=chance.choice([0, 2]))
        chance.choices(deeds, weights)[0]()
    now += timedelta(minutes=5)
    catch_up(now)
    catch_up(now + timedelta(minutes=5))

    same_when_made_again(now)


def _send_some(chance: random.Random, erp: Connection, batches: list[Batch], now: datetime) -> None:
    standing = [one for one in batches if Batch.objects.standing().filter(pk=one.pk).exists()]
    record(
        [
            Happening(
                event="order.processed", key=str(chance.randrange(20)), revision=chance.choice([1, 1, 2]),
                at=now - chance.choice([0, 1, 3, 6]) * DAY, person=chance.choice(["lin", "hua", "mo", None]),
                company=chance.choice([None, None, "beiyuan"]), object=f"o{chance.randrange(4)}",
                facts={"note": chance.choice(["a", "b"]), "amount": chance.randrange(3)},
            )
            for _ in range(chance.randrange(1, 5))
        ],
        connection=erp, now=now, batch=chance.choice([None, *standing]),
    )  # fmt: skip


def _know(chance: random.Random, names: dict[str, Person], now: datetime) -> None:
    for one in Identity.objects.filter(source="erp", external_id=chance.choice(sorted(names))):
        person = names[one.external_id]
        person.refresh_from_db()
        if person.erased_at is None:
            identify(identity=one, person=None if one.person_id else person, by=EVERYTHING, now=now)


def _move(chance: random.Random, world: Cast, now: datetime) -> None:
    person = chance.choice([world.lin, world.hua, world.mo])
    for held in Membership.objects.filter(person=person, until_date__isnull=True):
        goal = chance.choice([world.purchasing, world.finance, world.dyeing, world.qinghe])
        on: date = now.date() - chance.choice([0, 2]) * DAY
        if goal.pk != held.organization_id and on > held.from_date:
            if Membership.objects.filter(person=person, organization=goal, until_date__gt=on).exists():
                continue
            move(membership=held, organization=goal, on_date=on, by=EVERYTHING, now=now)
            follow_moved(person=person, by=EVERYTHING, now=now)


def _erase_one(chance: random.Random, world: Cast, now: datetime) -> None:
    person = chance.choice([world.lin, world.hua, world.mo])
    person.refresh_from_db()
    if person.erased_at is None:
        erased(person, chance.choice(list(Policy)), now)


def changed(name: str, value: Any) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        columns = {key: column.copy() for key, column in rows.columns.items()}
        columns[name][0] = value
        return Rows(columns, rows.rest)

    return change


DAMAGES: dict[str, Callable[[Rows], Rows]] = {
    "a row is gone": lambda rows: rows.taken(np.arange(1, len(rows))),
    "a row stands twice": lambda rows: rows.taken(np.insert(np.arange(len(rows)), 0, 0)),
    "another company": changed("company", 99),
    "another department": changed("department", 99),
    "another day": changed("business_day", 3),
    "another instant": changed("happened_at", 5),
    "another object": changed("object", 0),
    "another event": changed("event", 0),
    "another number": changed("p:amount", 77.0),
    "another text": changed("p:note", -1),
    "an event nobody knows": changed("event_id", 987_654),
    "other properties": lambda rows: Rows(rows.columns, pa.array(['{"x":1}'] * len(rows), pa.large_string())),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_check_finds_planted_damage(world: Cast, erp: Connection, damage: str) -> None:
    for number in range(3):
        send(erp, str(number), NOW - number * DAY)
    known("lin", world.lin)
    catch_up(NOW)
    assert check().right

    with store().writing() as writer:
        writer.compact()
        bucket = next(bucket for bucket, base in writer.draft.bases.items() if base.rows)
        rows = store().read_bucket(writer.draft, bucket)
        writer._write_base(bucket, DAMAGES[damage](rows))
        writer.publish()

    found = check()
    assert not found.right, damage
    assert found.examples
    rebuild(now=NOW)
    assert check().right


@pytest.mark.parametrize("how", ["broken", "gone"])
def test_check_says_that_a_file_cannot_be_read(world: Cast, erp: Connection, how: str, tmp_path: Path) -> None:
    send(erp, "1", NOW)
    catch_up(NOW)
    file = next((tmp_path / "activity").rglob("*-delta.parquet"))
    file.unlink() if how == "gone" else file.write_bytes(file.read_bytes()[:50])

    found = check()

    assert (found.right, found.unreadable) == (False, True)
    assert "cannot be read" in found.examples[0]
