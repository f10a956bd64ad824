"""`uptake serve`: serves the pages and the API, with the jobs inside."""

from __future__ import annotations

import click

from uptake.config.command import Deed, Refusal
from uptake.config.serving import NoAddress
from uptake.config.serving import serve as serve_pages


@click.command(cls=Deed)
@click.option("--bind", default="", metavar="HOST:PORT", help="Where to listen; default: UPTAKE_BIND.")
def command(bind: str) -> None:
    """Bring the database up to date and serve until told to stop."""
    try:
        serve_pages(bind=bind)
    except NoAddress as wrong:
        raise Refusal(str(wrong)) from wrong
