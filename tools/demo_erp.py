"""A real ERP beside Uptake: five people work in a Tryton, and what they confirm there becomes points here.

    python tools/demo_erp.py [--small] [--language zh-hans] [--pause 4]      (make demo-erp)

It is a tool of the checkout, not a command of `uptake`: it installs a program of others (Tryton, GPL-3, in .tryton/),
which a server that is run for real must never do. The park is that of `make demo`, made if there is none and kept if
there is one; --small leaves it out. Ctrl+C ends all of it; the next time it goes on where it was.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

from tools.tryton.erp import NoTryton, make_office, running  # noqa: E402
from tools.tryton.office import CONNECTOR, Furniture, Worker  # noqa: E402
from tools.tryton.work import TRADES, Desk, Done  # noqa: E402

if TYPE_CHECKING:
    from uptake.config.demo.park import DemoPark

GROUPS = {
    "sales": ("Sales",),
    "purchasing": ("Purchase",),
    "warehouse": ("Stock", "Stock Administration"),
    "finance": ("Accounting",),
}
BUSIER = {"sales": 3}
"""Who confirms orders has more turns, so that a newcomer who signs in as one of them need not wait."""
GOODS = ("Bearing", "Valve", "Pump", "Gasket", "Shaft", "Filter")
CUSTOMERS = ("Northgate Machinery", "Harbour Works", "Silverbrook Tools")

log = logging.getLogger("uptake.demo")


def main(words: list[str]) -> int:
    """Serves until told to stop; 0 then, 1 if something is missing."""
    options = _options(words)
    os.environ.setdefault("UPTAKE_DEMO", "yes")
    os.environ.setdefault("UPTAKE_DATA", "data/demo-erp" if options.small else "data/demo")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "uptake.config.settings")
    # Told to end, we end what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    import django

    django.setup()
    from uptake.config.serving import NoAddress, free_address

    try:
        if not options.prepare:
            free_address()
        database = prepare(_say)
        if not options.prepare:
            with running(database) as address:
                _serve(address, options)
    except (NoAddress, NoTryton) as wrong:
        _say(str(wrong))
        return 1
    except KeyboardInterrupt:
        _say("Ended, and Tryton with it.")
    return 0


def prepare(say: Callable[[str], None]) -> Path:
    """The furnished database of the Tryton in which the five work, made if there is none. Raises NoTryton."""
    from uptake.config.demo.erp import COMPANY, FIVE
    from uptake.config.demo.people import PASSWORD

    furniture = Furniture(COMPANY.en, ("Renminbi", "CNY", "¥"), GOODS, CUSTOMERS, "Westfield Supplies")
    workers = [Worker(one.login, one.name.en, GROUPS[one.trade]) for one in FIVE]
    return make_office(furniture, workers, password=PASSWORD, say=say)


def _serve(address: str, options: argparse.Namespace) -> None:
    from uptake.config.commands.migrate import bring_up_to_date
    from uptake.config.demo.build import NotADemo, build
    from uptake.config.demo.erp import FIVE, close_office, open_office
    from uptake.config.demo.people import PASSWORD
    from uptake.config.options import data_folder
    from uptake.config.serving import serve
    from uptake.directory.models import Organization

    bring_up_to_date()
    folder, now = data_folder(), datetime.now(UTC)
    park: DemoPark | None = None
    if not options.small:
        try:
            park = build(folder=folder, language=options.language, now=now, say=lambda line: _say(f"  {line}"))
        except NotADemo:
            raise NoTryton(
                f"{folder} holds an installation that is no demo park; name another in UPTAKE_DATA."
            ) from None
    where, _, name = address.rpartition("/")
    open_office(
        folder=folder,
        language=park.language if park else options.language,
        park=Organization.objects.get(slug="linjiang") if park else None,
        address=where,
        database=name,
        user=CONNECTOR,
        now=datetime.now(UTC),
    )

    def greet() -> None:
        _say("\nFive people work in the ERP. Sign in as one of them and wait for what they confirm there:")
        for one in FIVE:
            _say(f"  {one.login:<8} {PASSWORD:<18} {one.job.en}")
        _say(f"Tryton answers at {where}, database {name}, to the same names and passwords (with Tryton's own client).")

    try:
        with _at_work(address, options.pause), _simulated(park):
            serve(greet=greet)
    finally:
        close_office(now=datetime.now(UTC))


@contextmanager
def _simulated(park: DemoPark | None) -> Iterator[None]:
    """The rest of the park goes on too."""
    from uptake.config.demo.simulator import Simulator

    if park is None:
        yield
        return
    simulator = Simulator(park)
    simulator.start()
    try:
        yield
    finally:
        simulator.stop()


@contextmanager
def _at_work(address: str, pause: float) -> Iterator[None]:
    """One after the other, the five do a piece of work, with a pause like people's, until the block ends."""
    ended = threading.Event()
    worker = threading.Thread(target=_work, args=(address, pause, ended), name="erp", daemon=True)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join(timeout=10)


def _work(address: str, pause: float, ended: threading.Event) -> None:
    from uptake.config.demo.erp import FIVE
    from uptake.config.demo.people import PASSWORD

    chance, desks = random.Random(), {}
    turns = [one for one in FIVE for _turn in range(BUSIER.get(one.trade, 1))]
    while not ended.wait(chance.uniform(0.5, 1.5) * pause):
        one = chance.choice(turns)
        try:
            if one.login not in desks:
                desks[one.login] = Desk(address, one.login, PASSWORD, seed=chance.randrange(1 << 30), tell=_log)
            TRADES[one.trade](desks[one.login])
        except Exception as failure:  # the others go on, and so will this one, signed in anew
            if not ended.is_set():
                log.warning("%s could not do a piece of work in Tryton: %s", one.login, str(failure)[:300])
            desks.pop(one.login, None)


def _log(done: Done) -> None:
    log.info("%s: %s %s", done.login, done.verb, done.object)


def _options(words: list[str]) -> argparse.Namespace:
    known = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known.add_argument("--small", action="store_true", help="only the company that works in the ERP, without the park")
    known.add_argument("--language", choices=["en", "zh-hans"], default="en", help="how people and places are named")
    known.add_argument("--pause", type=float, default=4, help="seconds between two pieces of work, about")
    known.add_argument("--prepare", action="store_true", help="only install and furnish Tryton")
    return known.parse_args(words)


def _say(*words: Any) -> None:
    print(*words, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
