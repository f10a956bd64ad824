"""The command line keeps its contract: help, exit codes, and one JSON object as the last line."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import click
import pytest
from click.testing import CliRunner

from uptake.config import command
from uptake.config.command import ENTRIES, Deed, Deeds, Entry, Refusal, main


@pytest.fixture
def trying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command `try` that does what its argument says, and a group `tries try`."""

    @click.command(cls=Deed)
    @click.argument("what", default="answer")
    def one(what: str) -> dict[str, Any] | None:
        click.echo("some words")
        if what == "refuse":
            raise Refusal("there is no such file")
        if what == "break":
            raise RuntimeError("a bug with upk_abc123456")
        if what == "interrupt":
            raise KeyboardInterrupt
        return {"rows": 3, "name": "临江"} if what == "answer" else None

    @click.group(cls=Deeds)
    def several() -> None:
        """Several."""

    several.add_command(one, "try")
    for name, made in (("one", one), ("several", several)):
        module = ModuleType(f"uptake_{name}_for_test")
        module.command = made  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    entries = (
        Entry("try", "uptake_one_for_test", "Try."),
        Entry("tries", "uptake_several_for_test", "Tries."),
        Entry("gone", "uptake_gone_for_test", "Gone."),
    )
    monkeypatch.setattr(command, "ENTRIES", entries)


def run(*words: str) -> tuple[int, list[str], str]:
    """Exit code, lines of the answer, and what was complained."""
    result = CliRunner().invoke(main, words)
    return result.exit_code, result.stdout.splitlines(), result.stderr


@pytest.mark.parametrize("words", [("try", "--json"), ("tries", "try", "--json")])
def test_the_last_line_is_one_json_object(trying: None, words: tuple[str, ...]) -> None:
    code, lines, _complaint = run(*words)

    assert code == 0
    assert lines[0] == "some words"
    assert json.loads(lines[-1]) == {"rows": 3, "name": "临江"}


def test_without_json_there_are_words_only(trying: None) -> None:
    assert run("try") == (0, ["some words"], "")


def test_a_command_without_an_answer_answers_an_empty_object(trying: None) -> None:
    assert run("try", "nothing", "--json")[1][-1] == "{}"


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("try", "refuse"), 1, "there is no such file"),
        (("try", "break"), 1, "a bug"),
        (("try", "interrupt"), 130, "interrupted"),
        (("try", "--colour"), 2, "--colour"),
        (("tries", "sing"), 2, "sing"),
        (("sing",), 2, "sing"),
        (("gone",), 1, "uptake_gone_for_test"),
    ],
)
def test_a_failure_has_an_exit_code_and_with_json_an_error(
    trying: None, words: tuple[str, ...], code: int, complaint: str
) -> None:
    found, lines, _complaint = run(*words, "--json")

    assert found == code
    assert complaint in json.loads(lines[-1])["error"]
    assert "abc123456" not in lines[-1]
    assert run(*words)[0] == code


def test_a_command_that_cannot_be_loaded_leaves_the_others_whole(trying: None) -> None:
    assert run("gone")[0] == 1
    assert run("try")[0] == 0
    assert "gone" in "\n".join(run("--help")[1])


def test_the_list_names_every_command_with_a_sentence() -> None:
    code, lines, _complaint = run("--help")

    assert code == 0
    for entry in ENTRIES:
        assert any(line.split()[:1] == [entry.name] for line in lines), entry.name
        assert entry.sentence.endswith(".")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_command_answers_help(entry: Entry) -> None:
    code, lines, _complaint = run(entry.name, "--help")

    assert code == 0
    assert lines[0].startswith("Usage:")
