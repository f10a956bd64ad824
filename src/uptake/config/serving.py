"""Serves the application: one process, the jobs in threads beside it unless they run apart."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import uvicorn
from django.urls import get_resolver
from django.utils import timezone

from uptake.config.access import Application, logged
from uptake.config.commands.migrate import bring_up_to_date
from uptake.config.first_administrator import first_sign_in
from uptake.config.options import address, option
from uptake.jobs.list import JOBS
from uptake.jobs.loop import Runner

GRACE_SECONDS = 5
M_ARENA_MAX = -8
"""As glibc's malloc.h numbers what can be set."""
HEAPS = 2
TIDY_SECONDS = 60
log = logging.getLogger("uptake.serving")


class NoAddress(ValueError):
    """Nothing can listen there; the message says why."""


def serve(*, bind: str = "", greet: Callable[[], None] | None = None) -> None:
    """Bring the database up to date, say where the pages are, serve until told to stop, then end what is going on.

    `bind` is "host:port" (default: UPTAKE_BIND), NoAddress if nothing can listen there; `greet` says what else there is
    to say once the database is ready.
    """
    os.umask(0o077)
    share_heaps()
    if bind:
        os.environ["UPTAKE_BIND"] = bind  # the links that are shown name it
    host, port = free_address()
    bring_up_to_date()
    bind = option("UPTAKE_BIND")
    where = address()
    elsewhere = "" if where == f"http://{bind}" else f" (listening on {bind})"
    say(f"Uptake answers at {where}{elsewhere}. Stop it with Ctrl+C.")
    _greet_first_administrator()
    if greet is not None:
        greet()
    runner = Runner(JOBS) if option("UPTAKE_JOBS") == "inside" else None
    if runner is not None:
        runner.start()
    threading.Thread(target=_make_ready_and_tidy, name="ready", daemon=True).start()
    try:
        uvicorn.Server(configuration(host, port)).run()
    finally:
        if runner is not None:
            runner.stop()


def share_heaps() -> None:
    """Has the threads of this process share two heaps. The C library of Linux gives every thread one of its own, and
    what a page used in one of them another cannot use again: 30 MB after some thousand pages."""
    if (library := _glibc()) is not None:
        library.mallopt(M_ARENA_MAX, HEAPS)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def _make_ready_and_tidy() -> None:
    """Then gives back to the machine, once a minute, the pages of memory that nothing is left on: the C library keeps
    all but those at its end."""
    make_ready()
    library = _glibc()
    while library is not None:
        time.sleep(TIDY_SECONDS)
        library.malloc_trim(0)


def make_ready() -> None:
    """Loads what the first page and the first feed of the activity log would wait for, beside the first requests, and
    has the collector leave all of it alone.

    Otherwise it walks through everything that was ever loaded again and again, a fifth of a second in the middle of a
    page."""
    from uptake.activity.warm import warm_feeding
    from uptake.insight.feed.where import activity_log

    try:
        get_resolver().url_patterns  # noqa: B018 - imports every page, and the engine with them
        activity_log().snapshot()
        warm_feeding()
    except Exception as problem:  # the first request will meet it too, and say so in full
        log.warning("Not everything could be loaded ahead: %s: %s", type(problem).__name__, problem)
    gc.collect()
    gc.freeze()


def configuration(host: str, port: int) -> uvicorn.Config:
    """How uvicorn runs us: no banner, no access log of its own (it would show queries), proxies only if named."""
    return uvicorn.Config(
        application(),
        interface="asgi3",
        host=host,
        port=port,
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(option("UPTAKE_PROXIES")),
        forwarded_allow_ips=option("UPTAKE_PROXIES"),
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=2048,
    )


def application() -> Application:
    """The ASGI application with its access log."""
    from uptake.config.asgi import application as bare

    return logged(cast(Application, bare))


def parse_bind(bind: str) -> tuple[str, int]:
    """ "127.0.0.1:8000" or "[::1]:8000" as host and port; NoAddress for anything else."""
    host, colon, port = bind.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise NoAddress(f"{bind!r} is no address to listen on; it must look like 127.0.0.1:8000")
    return host.strip("[]"), int(port)


def free_address() -> tuple[str, int]:
    """Host and port of UPTAKE_BIND, asked before long work is done in vain; NoAddress if nothing can listen there."""
    bind = option("UPTAKE_BIND")
    host, port = parse_bind(bind)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as wrong:
        reason = (wrong.strerror or str(wrong)).lower()
        raise NoAddress(f"Nothing can listen at {bind}: {reason}. Name another in UPTAKE_BIND.") from wrong
    return host, port


def say(sentence: str) -> None:
    """Print a line at once, also into a pipe."""
    print(sentence, flush=True)


def _greet_first_administrator() -> None:
    found = first_sign_in(now=timezone.now())
    if found is None:
        return
    link, file = found
    # The link lets anyone in: it is shown to a person at a terminal, never to a log.
    if sys.stdout.isatty():
        say(f"Nobody can sign in yet. Choose the administrator's password here (works once):\n  {link}")
    else:
        say(f"Nobody can sign in yet. The link to choose the administrator's password is in {Path(file)}")
