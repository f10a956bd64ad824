"""`uptake rulebook` checks, compares, exports, takes in and back-tests rulebook files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cast import Cast
from uptake.config.commands.rulebook import command
from uptake.programme.drafting.models import Draft
from uptake.programme.models import RulebookVersion
from uptake.programme.rulebook_reading import read_rulebook
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db

OTHER: dict[str, Any] = {
    "rules": [{**RULES[0], "points": 7, "version": 2}],
    "person_cap": [{"points": 9, "every": "day"}],
}


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(words))
    return result.exit_code, result.output


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    found = []
    for name, book in (("old", {"rules": RULES}), ("new", OTHER)):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(book))
        found.append(str(file))
    return found[0], found[1]


@pytest.mark.once
def test_difference_of_two_files_is_told_in_sentences(cast: Cast, files: tuple[str, str]) -> None:
    code, told = run("diff", *files)

    assert code == 0
    assert "orders (changed)" in told
    assert "+ 7 points for each “order.processed”." in told
    assert "person_cap (changed)" in told
    assert run("diff", files[0], files[0])[1].startswith("Nothing changes.")


@pytest.mark.once
def test_check_warns_of_a_streak_without_a_bound(tmp_path: Path) -> None:
    file = tmp_path / "streak.json"
    streak = {**RULES[0], "points": 5, "cap": [], "streak": {"every": "week", "length": 1}, "title": "Weekly"}
    file.write_text(json.dumps({"rules": [streak]}))

    code, told = run("check", str(file))

    assert code == 0
    assert "Warning: “Weekly” pays for a streak without end: up to 265 points a year" in told


def test_file_is_taken_in_as_a_draft_and_back_tested(cast: Cast, files: tuple[str, str]) -> None:
    desk = Desk(cast)
    desk.processed("lin-1", lines=4)

    code, told = run("import", files[1], "--organization", "beiyuan", "--title", "Sevens")
    tested = run("backtest", files[1], "--organization", "beiyuan", "--until", "2026-05-14", "--days", "7")

    assert (code, Draft.objects.get().title) == (0, "Sevens")
    assert "Sevens" in told
    assert "Points: 4 now, 7 by this file" in tested[1]
    assert "orders: 4 -> 7" in tested[1]
    assert RulebookVersion.objects.count() == 1


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_export_is_the_rulebook_in_force(cast: Cast, kind: str) -> None:
    desk = Desk(cast)

    _, told = run("export", "--organization", "beiyuan", "--as", kind)

    assert read_rulebook(told) == read_rulebook(desk.rulebook.file)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "--organization", "beiyuan"), "No rulebook applies"),
        (("backtest", "{file}", "--organization", "nowhere"), "no company or park"),
        (("backtest", "{file}", "--organization", "beiyuan", "--until", "soon"), "is no date"),
        (("import", "{file}", "--organization", "beiyuan", "--title", " "), "needs a title"),
        (("exploit", "{file}", "--minutes", "order.created=0"), "above 0"),
    ],
)
def test_what_cannot_be_done_is_said(cast: Cast, files: tuple[str, str], words: tuple[str, ...], said: str) -> None:
    code, told = run(*(word.format(file=files[0]) for word in words))

    assert code != 0
    assert said in told


def test_exploit_tells_the_sequence_the_rule_and_what_closes_it(tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    rule = {"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.created", "points": 4}
    file.write_text(json.dumps({"rules": [rule]}))

    code, told = run("exploit", str(file), "--event", "order.cancelled")

    assert code == 0
    assert "undo: orders pays 16 points in 24 minutes for work worth 0" in told
    assert told.count("order.cancelled 1 +0") == 1
    assert "closed by: reversal (event order.cancelled)" in told
