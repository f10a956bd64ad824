"""While a large file is imported on PostgreSQL, a second process turns what is stored into points."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection

from tests.cast import Cast
from uptake.config import considering_beside as module
from uptake.config.command import main
from uptake.config.commands import import_file
from uptake.config.considering_beside import Beside
from uptake.connectors.files.run_import import run_import
from uptake.connectors.models import ImportRun
from uptake.events.models import Event
from uptake.events.read import waiting
from uptake.programme import consider
from uptake.programme.models import Award
from uptake.programme.publish import READER
from uptake.programme.tests.world import published

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def large(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    published(cast, [{"rule": "done", "version": 1, "from": "2020-01-01", "on": ["order.done"], "points": 5}])
    monkeypatch.setattr(import_file, "MANY_ROWS", 1)


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The processes that were started."""
    started = []
    start = subprocess.Popen

    def begin(*words: Any, **more: Any) -> Any:
        started.append(start(*words, **more))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", begin)
    return started


def imported(cast: Cast, tmp_path: Path) -> tuple[int, dict[str, Any]]:
    file = tmp_path / "orders.csv"
    file.write_text("who,what,when\n" + "".join(f"E0{n},order.done,2026-05-04 09:0{n}\n" for n in range(8)))
    words = ["--person", "who", "--name", "what", "--time", "when", "--organization", cast.beiyuan.slug, "--earn"]
    answer = CliRunner().invoke(main, ["import", str(file), *words, "--json"], catch_exceptions=True)
    return answer.exit_code, json.loads(answer.stdout.strip().splitlines()[-1]) if answer.stdout else {}


def test_the_second_process_considers_and_ends(
    cast: Cast, tmp_path: Path, children: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consider, "consider_new_events", lambda now: 0)  # this process does nothing
    code, figures = imported(cast, tmp_path)
    assert (code, figures["new"]) == (0, 8)
    assert [child.returncode for child in children] == [0]
    assert (waiting(READER), Award.objects.filter(points=5).count()) == (0, 8)


def test_what_a_process_that_died_left_undone_is_done_by_the_first(
    cast: Cast, tmp_path: Path, children: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(module.log, "warning", lambda *words: told.append(words))
    finish = Beside.finish

    def killed(beside: Beside) -> bool:
        children[0].kill()
        children[0].wait()
        return finish(beside)

    monkeypatch.setattr(Beside, "finish", killed)
    assert imported(cast, tmp_path)[0] == 0
    assert [status for _sentence, status in told] == [-9]
    assert (waiting(READER), Award.objects.filter(points=5).count()) == (0, 8)


def test_an_interrupted_import_leaves_no_process_and_can_be_repeated(
    cast: Cast, tmp_path: Path, children: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**given: Any) -> ImportRun:
        run_import(**given)
        raise KeyboardInterrupt

    monkeypatch.setattr(import_file, "run_import", interrupted)
    assert imported(cast, tmp_path)[0] != 0
    assert [child.returncode for child in children] == [0]
    monkeypatch.setattr(import_file, "run_import", run_import)
    assert imported(cast, tmp_path)[1]["replayed"] == 8
    assert (Event.objects.count(), Award.objects.filter(points=5).count()) == (8, 8)
