"""`uptake bounce`: takes a mail that came back, as a mail server hands it to a program."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, BinaryIO

import click

from uptake.config.command import Deed, Refusal
from uptake.notify.take_bounce import LARGEST, NoReport, take_bounce


@click.command(cls=Deed)
@click.argument("report", type=click.File("rb"), default="-")
def command(report: BinaryIO) -> dict[str, Any]:
    """Read one delivery report (RFC 3464) from a file or from standard input and mark the address it is about."""
    try:
        marked = take_bounce(report.read(LARGEST), now=datetime.now(UTC))
    except NoReport:
        raise Refusal("This is no report about a mail that was sent from here.") from None
    click.echo("The address is marked; no more mails go there." if marked else "Nothing is marked: it may arrive.")
    return {"marked": marked}
