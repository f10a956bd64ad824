"""The house is as its map says: every module imports, every file has a place, and nothing lies where it must not."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest
from django.urls import get_resolver

from uptake.config.command import ENTRIES
from uptake.web.areas import AREAS

pytestmark = pytest.mark.once

HERE = Path(__file__).resolve().parents[2]
SOURCE = HERE / "src"
MODULES = sorted(
    ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for file in SOURCE.rglob("*.py")
    if "tests" not in file.parts and "node_modules" not in file.parts and "frontend" not in file.parts
)
HEAVIEST_KB = 300
HEAVIEST_CATALOGUE_KB = 1024
"""gettext keeps all words of a language in one file."""


def committed(*patterns: str) -> list[Path]:
    """The files under version control that match; skips where this is no checkout."""
    asked = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=HERE, capture_output=True, text=True)
    if asked.returncode:
        pytest.skip("this is no checkout of git")
    return [HERE / name for name in asked.stdout.split("\0") if name and (HERE / name).is_file()]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_imports_and_says_what_it_is_for(module: str) -> None:
    assert importlib.import_module(module).__doc__ or ".migrations" in module or module.endswith(".apps")


def test_no_file_has_a_name_that_refuses_nothing() -> None:
    forbidden = {"utils", "util", "helpers", "helper", "common", "misc", "services", "service", "managers"}

    assert [
        str(path) for path in SOURCE.rglob("*") if path.stem in forbidden and "node_modules" not in path.parts
    ] == []


def test_every_room_says_in_one_sentence_what_lives_there() -> None:
    rooms = {path for path in (SOURCE / "uptake").iterdir() if (path / "__init__.py").exists()}
    # The activity engine is also a library, so its front door names what one imports from it.
    for room in sorted(rooms - {SOURCE / "uptake" / "activity"}):
        lines = (room / "__init__.py").read_text().strip()
        assert re.fullmatch(r'"""[^"]+"""', lines), f"{room.name}/__init__.py holds one sentence and nothing else"


def test_every_folder_of_pages_stands_in_the_list_of_areas() -> None:
    brought = set((SOURCE / "uptake" / "web").rglob("urls*.py"))
    listed = {SOURCE / Path(*area.urls.split(".")).with_suffix(".py") for area in AREAS}

    assert brought == listed
    assert get_resolver().url_patterns


def test_every_command_stands_in_the_list() -> None:
    folder = SOURCE / "uptake" / "config" / "commands"
    written = {f"uptake.config.commands.{file.stem}" for file in folder.glob("*.py") if file.stem != "__init__"}

    assert written == {entry.module for entry in ENTRIES}


@pytest.mark.parametrize(
    ("folder", "listing"), [("programme/conditions", "list.py"), ("activity/folds", "../analyses.py")]
)
def test_every_file_of_a_list_is_named_in_it(folder: str, listing: str) -> None:
    room = SOURCE / "uptake" / folder
    names = (room / listing).read_text()
    members = [file.stem for file in room.glob("*.py") if file.stem not in {"__init__", "list", "compare"}]

    assert [name for name in members if not re.search(rf"\b{name}\b", names)] == []


def test_lock_files_hold_names_versions_and_hashes_only() -> None:
    locks = committed("requirements*.txt", "*package-lock.json", "*.lock", "*.npmrc", "*pip.conf")

    assert len(locks) >= 3
    assert [str(file) for file in locks if re.search(r"https?://", file.read_text())] == []


def test_every_pinned_package_has_a_hash() -> None:
    for file in committed("requirements*.txt"):
        pins = re.findall(r"^(\S+==\S+).*?(?=^\S|\Z)", file.read_text(), re.MULTILINE | re.DOTALL)
        hashed = re.findall(r"^\S+==[^\n]+\\\n\s+--hash=sha256:[0-9a-f]{64}", file.read_text(), re.MULTILINE)
        assert pins
        assert len(pins) == len(hashed), file.name


def test_no_heavy_file_is_committed() -> None:
    def most(file: Path) -> int:
        return 1024 * (HEAVIEST_CATALOGUE_KB if file.suffix == ".po" else HEAVIEST_KB)

    heavy = [str(file.relative_to(HERE)) for file in committed() if file.stat().st_size > most(file)]

    assert heavy == []


def test_nothing_that_is_made_is_committed() -> None:
    made = committed(
        "*.mo", "*.pyc", "*.sqlite3", "src/uptake/web/static/vendor/*", "src/uptake/web/static_built/*", "data/*"
    )

    assert made == []


def test_no_file_names_a_place_on_one_machine() -> None:
    places = re.compile(rb"(?<![\w.])/(?:home|Users|root|work|workspace)/[A-Za-z]")
    found = [str(file.relative_to(HERE)) for file in committed() if places.search(file.read_bytes())]

    assert found == []
