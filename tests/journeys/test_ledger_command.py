"""`uptake ledger verify` tells whether the ledger is true by its exit code, its sentences and its last line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from django.db import connection

from uptake.config.command import main
from uptake.ledger.tests.world import BEIYUAN, QINGHE, earns, holds, settles

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world() -> None:
    earns("a", 10, cause="time")
    earns("b", 5, cause="time")
    earns("q", 3, book=QINGHE, cause="time")
    holds("r", 12, cause="time")
    settles("r", cause="time")


def test_a_true_ledger_leaves_by_0() -> None:
    answer = CliRunner().invoke(main, ["ledger", "verify", "--json"])

    told = json.loads(answer.stdout.splitlines()[-1])
    assert (answer.exit_code, told["holds"], told["transfers"]) == (0, True, 7)
    assert [book["book"] for book in told["books"]] == [BEIYUAN, QINGHE]


def test_a_changed_one_leaves_by_1_and_names_the_first_broken_transfer() -> None:
    on = " ON ledger_transfer" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER ledger_transfer_no_update{on}")
        cursor.execute(f"UPDATE ledger_transfer SET amount = 99 WHERE book = {BEIYUAN} AND seq = 2")

    answer = CliRunner().invoke(main, ["ledger", "verify", "--book", str(BEIYUAN), "--json"])

    told = json.loads(answer.stdout.splitlines()[-1])
    assert (answer.exit_code, told["holds"]) == (1, False)
    assert told["books"][0]["first_broken_seq"] == 2
    assert "transfer 2: I17" in answer.stderr
    assert CliRunner().invoke(main, ["ledger", "verify"]).exit_code == 1


def test_the_heads_can_be_published() -> None:
    answer = CliRunner().invoke(main, ["ledger", "heads", "--json"])

    heads = json.loads(answer.stdout.splitlines()[-1])["heads"]
    assert [(head["book"], head["seq"], len(head["hash"])) for head in heads] == [(BEIYUAN, 6, 64), (QINGHE, 1, 64)]
