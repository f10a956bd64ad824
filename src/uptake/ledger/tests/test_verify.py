"""`verify` finds what was done to the record behind the doors' back, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.basics.canonical import canonical_json
from uptake.ledger.balances import heads
from uptake.ledger.chain import START, canonical, exact, link
from uptake.ledger.grant import grant
from uptake.ledger.tests.world import (
    BEIYUAN,
    QINGHE,
    a_grant,
    at,
    earns,
    holds,
    loses,
    refunds,
    releases,
    settles,
)
from uptake.ledger.verify import GUARDS, verify

pytestmark = pytest.mark.django_db
ours = f"book = {BEIYUAN}"


@pytest.fixture
def world() -> None:
    """Nine and more transfers of every kind in Beiyuan, one in Qinghe."""
    grant([a_grant(f"a{n}", 10 + n, explanation={"n": n}) for n in range(4)], now=at(0))
    earns("q", 3, book=QINGHE)
    earns("short", 10, last=5)
    holds("r", 30)
    settles("r", 20, day=1)
    refunds("r", day=8)
    holds("s", 5, day=8)
    releases("s", day=9)
    holds("t", 12, day=9, out=30)
    loses("a0", 10, day=9)


@contextmanager
def behind_the_doors() -> Iterator[Callable[[str], None]]:
    """Run statements with the guards switched off, as an intruder with the database's password would."""
    tables = ("transfer", "entry", "account", "lot", "hold", "resolution", "refund", "chainhead")

    def do(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    kept: list[str] = []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for name in ("lot_loses_no_point", "lot_never_overdrawn", "lot_reversed_at_most_whole"):
                cursor.execute(f"ALTER TABLE ledger_lot DROP CONSTRAINT {name}")
            for name in ("transfer_moves_points", "transfer_names_its_cause", "transfer_has_two_ends"):
                cursor.execute(f"ALTER TABLE ledger_transfer DROP CONSTRAINT {name}")
    else:
        with connection.cursor() as cursor:
            wanted = ", ".join(f"'ledger_{table}'" for table in tables)
            cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({wanted})")
            found = cursor.fetchall()
            kept = [sql for _, sql in found]
            for name, _ in found:
                cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute("PRAGMA ignore_check_constraints = ON")
    yield do
    for statement in kept:
        do(statement)
    do("SET session_replication_role = origin" if connection.vendor == "postgresql" else "SELECT 1")
    if connection.vendor == "sqlite":
        do("PRAGMA ignore_check_constraints = OFF")


def test_an_honest_ledger_holds(world: None) -> None:
    report = verify()

    assert report.holds, report.problems
    assert {book.book for book in report.books} == {BEIYUAN, QINGHE}
    assert {(head.book, head.hash) for head in heads()} == {(book.book, book.head) for book in report.books}
    assert [book.book for book in verify(book=QINGHE).books] == [QINGHE]


@pytest.mark.parametrize(
    ("deed", "invariant", "seq"),
    [
        (f"UPDATE ledger_transfer SET amount = amount + 1 WHERE {ours} AND seq = 3", "I17", 3),
        (f"UPDATE ledger_transfer SET amount = 0 WHERE {ours} AND seq = 3", "I18", 3),
        (f"UPDATE ledger_transfer SET cause = 'event/2' WHERE {ours} AND seq = 4", "I17", 4),
        (f"UPDATE ledger_transfer SET cause = '' WHERE {ours} AND seq = 4", "I12", 4),
        (f"UPDATE ledger_transfer SET reason = 'x' WHERE {ours} AND seq = 1", "I17", 1),
        (f"""UPDATE ledger_transfer SET explanation = '{{"n": 9}}' WHERE {ours} AND seq = 2""", "I17", 2),
        (f"UPDATE ledger_transfer SET effective_at = '2026-01-01 00:00:00' WHERE {ours} AND seq = 2", "I17", 2),
        (f"UPDATE ledger_transfer SET posted_at = '2026-01-01 00:00:00' WHERE {ours} AND seq = 2", "I17", 2),
        (f"UPDATE ledger_transfer SET target_id = source_id WHERE {ours} AND seq = 2", "I1", 2),
        (f"UPDATE ledger_transfer SET lot_id = lot_id + 1 WHERE {ours} AND seq = 2", "I17", 2),
        (f"UPDATE ledger_transfer SET hash = previous_hash WHERE {ours} AND seq = 5", "I17", 5),
        (f"UPDATE ledger_transfer SET previous_hash = hash WHERE {ours} AND seq = 5", "I17", 5),
        (f"DELETE FROM ledger_transfer WHERE {ours} AND seq = 6", "I17", 6),
        (f"DELETE FROM ledger_transfer WHERE {ours} AND seq = 1", "I17", 1),
        (
            f"""UPDATE ledger_transfer SET target_id = (SELECT id FROM ledger_account WHERE book = {QINGHE}
            AND code LIKE '%available') WHERE {ours} AND seq = 2""",
            "I19",
            2,
        ),
        (
            f"UPDATE ledger_account SET code = 'person/mo/available' WHERE {ours} AND code LIKE '%lin/available'",
            "I17",
            1,
        ),
        (f"UPDATE ledger_account SET balance = balance + 1 WHERE {ours} AND code LIKE '%lin/available'", "I3", None),
        (
            f"UPDATE ledger_lot SET available = available + 1, amount = amount + 1 WHERE {ours} AND key = 'a1'",
            "I6",
            None,
        ),
        (f"UPDATE ledger_lot SET taken = taken - 1, expired = expired + 1 WHERE {ours} AND key = 'a0'", "I6", None),
        (f"UPDATE ledger_lot SET reversed = 1 WHERE {ours} AND key = 'a1'", "I11", None),
        (f"UPDATE ledger_entry SET points = points + 1 WHERE {ours} AND key = 'a1'", "I8", 2),
        (f"UPDATE ledger_entry SET cause = 'event/1', key = 'other' WHERE {ours} AND key = 'a1'", "I8", 2),
        (f"DELETE FROM ledger_entry WHERE {ours} AND key = 'back-a0'", "I11", None),
        (f"UPDATE ledger_hold SET points = 13 WHERE {ours} AND key = 't'", "I10", None),
        (f"DELETE FROM ledger_hold WHERE {ours} AND key = 't'", "I10", None),
        (f"DELETE FROM ledger_deadline WHERE {ours}", "I10", None),
        ("DELETE FROM ledger_refund", "I10", None),
        ("DELETE FROM ledger_resolution WHERE kind = 'released'", "I10", None),
        (f"DELETE FROM ledger_lot WHERE {ours} AND key = 'a1'", "I6", None),
        (f"UPDATE ledger_deadline SET at = '2026-06-02 00:00:00' WHERE {ours}", "I10", None),
        (
            f"""INSERT INTO ledger_deadline (hold_id, book, owner, at) SELECT id, book, owner, held_at FROM ledger_hold
            WHERE {ours} AND key = 's'""",
            "I10",
            None,
        ),
        ("UPDATE ledger_resolution SET settled = 21 WHERE settled = 20", "I10", None),
        (f"UPDATE ledger_chainhead SET seq = seq - 1 WHERE {ours}", "I17", None),
        (f"DELETE FROM ledger_chainhead WHERE {ours}", "I17", None),
    ],
)
def test_every_change_is_found_where_it_was_made(world: None, deed: str, invariant: str, seq: int | None) -> None:
    with behind_the_doors() as do:
        do(deed)

    report = verify()

    assert not report.holds
    assert invariant in {problem.invariant for problem in report.problems if problem.book == BEIYUAN}
    (broken,) = [book for book in report.books if book.book == BEIYUAN]
    if seq is not None:
        assert broken.first_broken_seq == seq


def test_two_transfers_in_each_other_s_place_are_found_at_the_first(world: None) -> None:
    with behind_the_doors() as do:
        for was, becomes in ((2, 1002), (3, 2), (1002, 3)):
            do(f"UPDATE ledger_transfer SET seq = {becomes} WHERE {ours} AND seq = {was}")

    assert verify(book=BEIYUAN).books[0].first_broken_seq == 2


def test_an_end_cut_off_is_found_by_the_head(world: None) -> None:
    last = heads(books=[BEIYUAN])[0].seq
    with behind_the_doors() as do:
        do(f"DELETE FROM ledger_transfer WHERE {ours} AND seq = {last}")

    assert verify(book=BEIYUAN).books[0].first_broken_seq == last


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite drops no constraint")
def test_a_key_that_may_stand_twice_is_told(world: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_hold DROP CONSTRAINT hold_once_per_key")

    assert {problem.invariant for problem in verify().problems} == {"I7"}


@pytest.mark.parametrize("guard", ["ledger_transfer_no_update", "ledger_transfer_refers_on_insert"])
def test_a_missing_guard_is_told(guard: str) -> None:
    assert len(GUARDS) == 14
    on = " ON ledger_transfer" if connection.vendor == "postgresql" else ""
    earns("a", 1)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {guard}{on}")

    assert [problem.invariant for problem in verify().problems] == ["I4"]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | texts
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(plain)
def test_the_fast_canonical_form_is_the_canonical_form(value: object) -> None:
    assert canonical(exact(value)) == canonical_json(exact(value))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(texts, plain, max_size=4))
def test_an_explanation_comes_back_as_it_was_hashed(explanation: dict[str, object]) -> None:
    with transaction.atomic():
        earns("a", 1, explanation=explanation)
        report = verify()
        transaction.set_rollback(True)

    assert report.holds, report.problems


def test_a_hash_stands_on_the_one_before() -> None:
    one = link(START, ["a"])

    assert link(one, ["b"]) != link(START, ["b"])
    assert len(one) == 64
