"""The command line `uptake`: one visible list of commands, each loaded only when it is called."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from uptake import __version__
from uptake.basics.redaction import redact


@dataclass(frozen=True)
class Entry:
    """One command: the word typed, the module whose `command` it is, and the sentence of the list."""

    name: str
    module: str
    sentence: str
    settings: tuple[tuple[str, str], ...] = ()
    """Settings this command takes where the environment names none."""
    tables: bool = False
    """It reads or writes the installation, so the database is brought to this version first."""


ENTRIES: tuple[Entry, ...] = (
    Entry("serve", "uptake.config.commands.serve", "Serve the pages and the API, with the jobs inside."),
    Entry("jobs", "uptake.config.commands.jobs", "Run the jobs as a process of their own."),
    Entry("migrate", "uptake.config.commands.migrate", "Bring the database to the tables of this version."),
    Entry("restored", "uptake.config.commands.restored", "Go on where a backup that was put back ended."),
    Entry(
        "demo",
        "uptake.config.commands.demo",
        "Fill a demo park and serve it.",
        (("UPTAKE_DEMO", "yes"), ("UPTAKE_DATA", "data/demo")),
    ),
    Entry("import", "uptake.config.commands.import_file", "Import events from a file.", tables=True),
    Entry("seats", "uptake.config.commands.seats", "Describe products and issue seats.", tables=True),
    Entry("people", "uptake.config.commands.people", "Erase a person.", tables=True),
    Entry("bounce", "uptake.config.commands.bounce", "Take a mail that came back.", tables=True),
    Entry("ask", "uptake.config.commands.ask", "Answer a question about activity."),
    Entry("case", "uptake.config.commands.case", "Answer case files and compare with what they expect."),
    Entry("rules", "uptake.config.commands.rules", "Check, show and publish rulebooks.", tables=True),
    Entry(
        "rulebook",
        "uptake.config.commands.rulebook",
        "Check, compare, export, take in and back-test rulebook files.",
        tables=True,
    ),
    Entry("ledger", "uptake.config.commands.ledger", "Verify the ledger.", tables=True),
    Entry("activity", "uptake.config.commands.activity", "Refresh, rebuild or check the activity engine.", tables=True),
)


class Refusal(click.ClickException):
    """A command cannot do what it was asked to; the message tells the person why. Exit code 1."""


class Deed(click.Command):
    """A command that takes --json. What its function returns (a dict, or None for {}) is then its last line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--json", "as_json"],
                is_flag=True,
                expose_value=False,
                callback=_remember_json,
                help="Print one JSON object as the last line.",
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the function; print what it returned where --json was given."""
        _bring_tables(ctx)
        answer = super().invoke(ctx)
        if ctx.meta.get("uptake.json"):
            click.echo(json.dumps(answer or {}, ensure_ascii=False, default=str))
        return answer


class Deeds(click.Group):
    """A command of several deeds, such as `uptake ledger verify`; each takes --json."""

    command_class = Deed
    group_class = type


class Commands(click.Group):
    """The list `ENTRIES` as a click group; a command that cannot be loaded leaves the others whole."""

    command_class = Deed

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The words one can type, in the order of the list."""
        return [entry.name for entry in ENTRIES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this word, with Django set up before its module is imported; None for an unknown word."""
        entry = next((entry for entry in ENTRIES if entry.name == cmd_name), None)
        if entry is None:
            return None
        for name, value in entry.settings:
            os.environ.setdefault(name, value)
        set_up_django()
        _speak()
        command: click.Command = importlib.import_module(entry.module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the sentences, without loading a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.sentence) for entry in ENTRIES])

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run; leave by exit code 0 on success, 1 on failure, 2 on wrong use, 130 when interrupted."""
        words = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            answer = super().main(words, *rest, **extra)
        except click.ClickException as refusal:
            refusal.show()
            _fail(words, refusal.format_message(), refusal.exit_code)
        except (click.Abort, KeyboardInterrupt):
            _fail(words, "interrupted", 130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except Exception as failure:
            logging.getLogger("uptake").exception("The command failed.")
            _fail(words, f"{type(failure).__name__}: {failure}", 1)
        sys.exit(answer if isinstance(answer, int) else 0)


def set_up_django() -> None:
    """Set Django up with Uptake's settings unless another module was named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "uptake.config.settings")
    import django

    django.setup()


def _bring_tables(ctx: click.Context) -> None:
    """A fresh folder or a newer version is no reason to fail: the tables are made when they are needed."""
    own = ctx
    while own.parent is not None and own.parent.parent is not None:
        own = own.parent
    if own.parent is not None and any(entry.tables for entry in ENTRIES if entry.name == own.info_name):
        from uptake.config.commands.migrate import bring_up_to_date

        bring_up_to_date()


def _speak() -> None:
    """The command line speaks the terminal's language: Chinese where it asks for it, else English."""
    from django.utils import translation

    asked = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    translation.activate("zh-hans" if asked.startswith("zh") else "en")


def _remember_json(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    ctx.meta["uptake.json"] = value


def _fail(words: Sequence[str], message: str, code: int) -> None:
    if "--json" in words:
        click.echo(json.dumps({"error": redact(message)}, ensure_ascii=False))
    sys.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="uptake")
def main() -> None:
    """Uptake (活用): events in, points and answers out."""


if __name__ == "__main__":
    main()
