"""`uptake seats` describes products and issues the seats of a list, once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cast import Cast
from uptake.config.commands.seats import command
from uptake.directory.models import Product, Seat

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.output


def test_a_product_is_described_and_its_seats_come_by_a_list(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "seats.csv"
    file.write_text("company,staff number,issued\nbeiyuan,B001,2026-03-02\nqinghe,Q001,2026-03-02\nbeiyuan,X1,\n")

    assert run("product", "erp", "--name", "ERP", "--core", "order.processed", "--habit", "2/5")[0] == 0
    assert (Product.objects.get().habitual_weeks, Product.objects.get().organization) == (2, cast.park)
    dry = run("import", str(file), "--product", "erp", "--dry-run")
    assert "3 rows read: 2 new, 0 changed, 0 known, 1 refused." in dry[1]
    assert not Seat.objects.exists()

    for said in ("2 new, 0 changed, 0 known, 1 refused.", "0 new, 0 changed, 2 known, 1 refused."):
        code, told = run("import", str(file), "--product", "erp", "--organization", "linjiang")
        assert code == 0
        assert said in told
    assert "row 4: nobody here has this staff number or e-mail" in told
    assert {seat.issued_date for seat in Seat.objects.all()} == {date(2026, 3, 2)}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("product", "a b", "--name", "X"), "letters"),
        (("product", "erp", "--name", " "), "needs a name"),
        (("product", "erp", "--name", "X", "--habit", "often"), "3/4"),
        (("product", "erp", "--name", "X", "--habit", "5/4"), "between 1 and 26"),
        (("product", "erp", "--name", "X", "--organization", "nowhere"), "linjiang"),
    ],
)
def test_what_is_wrong_is_said(cast: Cast, words: tuple[str, ...], said: str) -> None:
    code, told = run(*words)

    assert code == 1
    assert said in told


def test_a_list_without_a_heading_for_people_is_refused(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "seats.csv"
    file.write_text("colour\nred\n")

    assert "a heading for staff number" in run("import", str(file))[1]
