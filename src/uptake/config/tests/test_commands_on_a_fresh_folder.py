"""Commands that read or write the installation make its tables themselves, and speak the terminal's language."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def uptake(folder: Path, *words: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own, in an installation of its own on SQLite."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UPTAKE_", "LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, "-m", "uptake.config.command", *words],
        input=given,
        text=True,
        capture_output=True,
        env={**kept, "UPTAKE_DATA": str(folder / "data"), **environment},
        cwd=folder,
        timeout=300,
    )


def test_a_file_can_be_imported_and_asked_about_without_any_set_up(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("who,what,when\nann,order.created,2026-05-11T10:00:00+08:00\n")
    columns = ("--person", "who", "--name", "what", "--time", "when")
    question = {"analysis": "active_users", "timezone": "UTC", "from": "2026-05-11", "to": "2026-05-11"}

    first = uptake(tmp_path, "import", "events.csv", *columns, "--json")
    again = uptake(tmp_path, "import", "events.csv", *columns, "--json")
    asked = uptake(tmp_path, "ask", "-", "--json", given=json.dumps(question))

    counts = {"rows": 1, "rejected": 0, "people": 1, "objects": 0}
    assert json.loads(first.stdout.splitlines()[-1]) == {**counts, "new": 1, "replayed": 0}
    assert json.loads(again.stdout.splitlines()[-1]) == {**counts, "new": 0, "replayed": 1}
    assert json.loads(asked.stdout.splitlines()[-1])["dau"] == [1]


@pytest.mark.parametrize(("language", "words"), [("C.UTF-8", "There is no column"), ("zh_CN.UTF-8", "没有")])
def test_the_command_line_speaks_the_language_of_the_terminal(tmp_path: Path, language: str, words: str) -> None:
    (tmp_path / "events.csv").write_text("who,what,when\n")

    refused = uptake(tmp_path, "import", "events.csv", "--name", "nope", "--time", "when", LANG=language)

    assert refused.returncode != 0
    assert words in refused.stderr
