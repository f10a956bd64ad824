"""The reference is what the code says, every setting is explained, and every link of the docs leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import reference
from uptake.config.options import OPTIONS, option

HERE = Path(__file__).resolve().parents[2]
PROSE = sorted(
    file
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "src/uptake/**/*.md")
    for file in HERE.glob(pattern)
    if "node_modules" not in file.parts
)


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return reference.written()


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_page_is_as_the_code_says(written: dict[str, str], name: str) -> None:
    assert (reference.FOLDER / name).read_text() == written[name], "run: python tools/reference.py"


@pytest.mark.parametrize("entry", OPTIONS, ids=lambda entry: entry.name)
def test_every_setting_has_a_name_a_default_and_a_sentence_and_is_documented(
    entry: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = next(one for one in OPTIONS if one is entry)
    monkeypatch.delenv(found.name, raising=False)

    assert re.fullmatch(r"UPTAKE_[A-Z_]+", found.name)
    assert re.fullmatch(r".{10,}\.", found.sentence)
    assert option(found.name) == found.default
    assert f"| `{found.name}` |" in (reference.FOLDER / "settings.md").read_text()


def test_no_setting_stands_in_the_list_twice() -> None:
    assert len({entry.name for entry in OPTIONS}) == len(OPTIONS)


def test_no_setting_is_read_behind_the_back_of_the_list() -> None:
    names = {entry.name for entry in OPTIONS}
    used = {
        (file.relative_to(HERE), name)
        for file in (HERE / "src").rglob("*.py")
        if "tests" not in file.parts
        for name in re.findall(r"\bUPTAKE_[A-Z_]+\b", file.read_text())
    }

    assert {(str(file), name) for file, name in used if name not in names} == set()


@pytest.mark.parametrize("file", PROSE, ids=lambda file: str(file.relative_to(HERE)))
def test_every_link_leads_to_a_file(file: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", file.read_text())

    assert [link for link in links if not (file.parent / link).exists()] == []
