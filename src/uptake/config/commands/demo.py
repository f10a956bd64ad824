"""`uptake demo`: fills a demo park, once, and serves it with its people going on with their work."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from uptake.config.command import Deed, Refusal
from uptake.config.commands.migrate import bring_up_to_date
from uptake.config.demo.beside import planting_beside
from uptake.config.demo.build import DAYS, LOGINS_FILE, SEED, NotADemo, build
from uptake.config.demo.people import PARTS, PASSWORD
from uptake.config.demo.simulator import Simulator
from uptake.config.options import data_folder, option
from uptake.config.serving import NoAddress, free_address, serve


@click.command(cls=Deed)
@click.option(
    "--language",
    type=click.Choice(["en", "zh-hans"]),
    default="en",
    show_default=True,
    help="In which script the people, companies and rules of the park are named; the pages speak both.",
)
@click.option("--seed", default=SEED, show_default=True, help="Same seed, same park.")
@click.option("--days", default=DAYS, show_default=True, type=click.IntRange(14, 400), help="Days of history.")
@click.option("--no-serve", is_flag=True, help="Only fill the park.")
@click.option("--quiet", is_flag=True, help="Serve without people going on with their work.")
def command(language: str, seed: int, days: int, no_serve: bool, quiet: bool) -> dict[str, str] | None:
    """Fill a demo park in UPTAKE_DATA (default data/demo) and serve it."""
    try:
        if not no_serve:
            free_address()
    except NoAddress as wrong:
        raise Refusal(str(wrong)) from wrong
    bring_up_to_date()
    started = datetime.now(UTC)
    try:
        park = build(
            folder=data_folder(),
            language=language,
            now=started,
            say=lambda line: click.echo(f"  {line}"),
            seed=seed,
            days=days,
            beside=planting_beside,
        )
    except NotADemo:
        raise Refusal(
            f"{data_folder()} holds an installation that is no demo; name an empty folder in UPTAKE_DATA."
        ) from None
    click.echo(f"The park is ready after {(datetime.now(UTC) - started).total_seconds():.0f} s.")
    if no_serve:
        return {"logins": LOGINS_FILE, "data": option("UPTAKE_DATA")}
    simulator = Simulator(park)

    def greet() -> None:
        click.echo("\nSign in as one of these (the sign-in page lists them too):")
        for part in PARTS:
            click.echo(f"  {part.username:<8} {PASSWORD:<18} {part.title.en}")
        if not quiet:
            simulator.start()

    try:
        serve(greet=greet)
    finally:
        simulator.ended.set()
    return None
