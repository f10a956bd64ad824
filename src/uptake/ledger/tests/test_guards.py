"""The database itself refuses to change the record, to overdraw an account, and to let two books touch."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from uptake.ledger.tests.world import BEIYUAN, QINGHE, assert_ledger_holds, earns, holds, refunds, settles

pytestmark = pytest.mark.django_db


def refused(statement: str, *values: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, list(values))


@pytest.fixture(autouse=True)
def world() -> None:
    earns("a", 10)
    earns("b", 10, book=QINGHE)
    holds("r", 5)
    settles("r")
    refunds("r")


@pytest.mark.parametrize("table", ["transfer", "entry", "hold", "resolution", "refund"])
def test_the_record_is_insert_only(table: str) -> None:
    column = "settled" if table == "resolution" else "key"
    refused(f"UPDATE ledger_{table} SET {column} = {column}")
    refused(f"DELETE FROM ledger_{table}")
    assert_ledger_holds()


@pytest.mark.parametrize("table", ["account", "lot", "chainhead"])
def test_what_is_kept_up_to_date_is_never_deleted(table: str) -> None:
    refused(f"DELETE FROM ledger_{table}")


@pytest.mark.parametrize(
    "change",
    [
        "ledger_lot SET last_date = '2030-01-01', expires_at = '2030-01-02 00:00:00'",
        "ledger_lot SET available_from = '2030-01-02 00:00:00'",
        "ledger_lot SET owner = 'mo'",
        f"ledger_lot SET book = {QINGHE}",
        "ledger_account SET code = 'person/mo/available'",
        f"ledger_account SET book = {QINGHE}",
    ],
)
def test_whose_it_is_and_what_was_promised_stays(change: str) -> None:
    refused(f"UPDATE {change}")


@pytest.mark.parametrize(
    "change",
    [
        "ledger_account SET balance = -1 WHERE code = 'person/lin/available'",
        "ledger_lot SET available = available + 1",
        "ledger_lot SET available = available - 11, taken = taken + 11",
        "ledger_lot SET reversed = amount + 1",
    ],
)
def test_nothing_is_overdrawn(change: str) -> None:
    refused(f"UPDATE {change}")


def _transfer(**other: Any) -> None:
    """Insert a copy of the first transfer of Beiyuan, changed."""
    columns = [column for column in _columns() if column != "id"]
    values = {"seq": 99, "part": 99} | other
    selected = ", ".join("%s" if column in values else column for column in columns)
    given = [values[column] for column in columns if column in values]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO ledger_transfer ({', '.join(columns)}) SELECT {selected} FROM ledger_transfer"
            f" WHERE book = {BEIYUAN} AND seq = 1",
            given,
        )


def _columns() -> list[str]:
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, "ledger_transfer")]


def _id(table: str, book: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MAX(id) FROM ledger_{table} WHERE book = %s", [book])
        found: int = cursor.fetchone()[0]
    return found


def test_no_transfer_touches_two_books() -> None:
    with transaction.atomic():
        _transfer()
    for column, table in [("source_id", "account"), ("target_id", "account"), ("lot_id", "lot"), ("new_lot_id", "lot")]:
        with pytest.raises(IntegrityError), transaction.atomic():
            _transfer(seq=100, part=100, **{column: _id(table, QINGHE)})


@pytest.mark.parametrize(
    "wrong", [{"amount": 0}, {"amount": -5}, {"cause": ""}, {"seq": 1}, {"part": 1}, {"key": "no such entry"}]
)
def test_no_transfer_without_points_cause_entry_and_place_in_the_chain(wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        _transfer(**wrong)


def test_a_transfer_has_two_ends() -> None:
    one = _id("account", BEIYUAN)
    with pytest.raises(IntegrityError), transaction.atomic():
        _transfer(source_id=one, target_id=one)


def test_an_entry_refers_to_a_lot_of_its_book() -> None:
    columns = "kind, fingerprint, owner, points, unmoved, reason, cause, explanation, effective_at, posted_at"
    copied = f"INSERT INTO ledger_entry (book, key, lot_id, {columns}) SELECT book, %s, %s, {columns} FROM ledger_entry"
    one = f" WHERE book = {BEIYUAN} AND key = 'a'"
    with connection.cursor() as cursor:
        cursor.execute(copied + one, ["copy", _id("lot", BEIYUAN)])
    refused(copied + one, "other book", _id("lot", QINGHE))
    refused(copied + one, "no lot", 999_999)


def test_one_wrong_row_among_many_is_refused() -> None:
    columns = ", ".join(column for column in _columns() if column not in ("id", "seq", "part", "lot_id"))
    statement = (
        f"INSERT INTO ledger_transfer (seq, part, lot_id, {columns}) SELECT 100 + seq, 100 + seq,"
        f" CASE WHEN seq = 2 THEN %s ELSE lot_id END, {columns} FROM ledger_transfer WHERE book = {BEIYUAN}"
    )
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError, match="transfer_lot_in_its_book"), transaction.atomic():
            cursor.execute(statement, [_id("lot", QINGHE)])
        cursor.execute(statement, [_id("lot", BEIYUAN)])
