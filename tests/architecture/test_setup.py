"""`make setup` on a bare machine: what is missing is asked of the package manager, or said in a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import setup

pytestmark = pytest.mark.once

ALL = ["postgresql", "chromium", "gettext", "fonts-noto-cjk", "slapd"]


class Bare:
    """A machine that has nothing but what is put on its PATH, and an apt-get that writes down what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.asked = folder / "bin", folder / "asked"
        self.bin.mkdir()

    def has(self, name: str, script: str = "exit 0") -> None:
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def has_apt(self, refuses: str = "nothing") -> None:
        self.has(
            "apt-get", f'echo "$*" >> {self.asked}; case "$*" in *{refuses}*) echo "E: no {refuses}"; exit 100;; esac'
        )

    def calls(self) -> list[str]:
        lines = self.asked.read_text().splitlines() if self.asked.exists() else []
        return [line.removeprefix("-o Dpkg::Use-Pty=0 ") for line in lines]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bare:
    machine = Bare(tmp_path)
    stamps = tmp_path / "stamps"
    stamps.mkdir()
    monkeypatch.setenv("PATH", str(machine.bin))
    monkeypatch.setattr(setup, "STAMPS", stamps)
    monkeypatch.setattr(setup, "FONTS", tmp_path / "fonts")
    monkeypatch.setattr(setup, "POSTGRESQL", tmp_path / "postgresql")
    monkeypatch.setattr(setup, "SLAPD", tmp_path / "sbin" / "slapd")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return machine


def test_everything_missing_is_installed(bare: Bare) -> None:
    bare.has_apt()

    assert setup.install_packages()

    assert bare.calls() == ["update -q", *(f"install -q -y --no-install-recommends {name}" for name in ALL)]


@pytest.mark.parametrize(
    ("program", "package"),
    [("initdb", "postgresql"), ("google-chrome", "chromium"), ("chromium-browser", "chromium"), ("msgfmt", "gettext")],
)
def test_what_is_there_is_not_asked_for(bare: Bare, program: str, package: str) -> None:
    bare.has(program)

    assert setup.missing_packages() == [name for name in ALL if name != package]


def test_what_debian_keeps_outside_of_the_path_is_found(bare: Bare) -> None:
    server = setup.POSTGRESQL / "15" / "bin" / "initdb"
    for file in (server, setup.FONTS / "opentype" / "NotoSansCJK-Regular.ttc", setup.SLAPD):
        file.parent.mkdir(parents=True)
        file.touch()

    assert setup.missing_packages() == ["chromium", "gettext"]


@pytest.mark.parametrize(("user", "apt"), [(1000, True), (0, False)])
def test_who_cannot_install_is_told_what_to_type(
    bare: Bare, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], user: int, apt: bool
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    if apt:
        bare.has_apt()

    assert setup.install_packages()

    assert f"apt-get install {' '.join(ALL)}" in capsys.readouterr().out
    assert bare.calls() == []


def test_one_package_that_is_unknown_keeps_no_other_away_and_is_tried_again(
    bare: Bare, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.has_apt(refuses="chromium")

    assert not setup.install_packages()

    assert [call.rsplit(" ", 1)[1] for call in bare.calls()[1:]] == ALL
    said = capsys.readouterr().out
    assert "Could not install chromium; the server runs without it" in said
    assert "E: no chromium" in said


def test_without_a_network_nothing_else_stops(bare: Bare, capsys: pytest.CaptureFixture[str]) -> None:
    bare.has_apt(refuses="update")

    assert not setup.install_packages()

    assert bare.calls() == ["update -q"]
    assert "the server runs without them" in capsys.readouterr().out


@pytest.mark.parametrize("root", [True, False])
def test_a_python_without_environments_gets_its_own_package(
    bare: Bare, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: bool
) -> None:
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    bare.has("python", f'[ -e {tmp_path}/asked ] || {{ echo "ensurepip is not available"; exit 1; }}')
    monkeypatch.setattr(sys, "executable", str(bare.bin / "python"))
    monkeypatch.setattr(setup, "PYTHON", tmp_path / "venv" / "bin" / "python")
    if root:
        bare.has_apt()
        setup.make_venv()
        assert bare.calls() == ["update -q", f"install -q -y --no-install-recommends {package}"]
    else:
        with pytest.raises(setup.SetupFailed) as failure:
            setup.make_venv()
        assert "ensurepip is not available" in str(failure.value)
        assert f"apt-get install {package}" in str(failure.value)


def test_an_old_python_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "LEAST", (99, 0))

    assert setup.main([]) == 1

    assert "Uptake needs Python 3.11" in capsys.readouterr().out
