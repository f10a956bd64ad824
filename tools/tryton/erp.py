"""A Tryton of one's own: installed once into an environment of its own, furnished once, served while it is used.

Tryton is under the GPL. It is a separate program: Uptake neither ships nor imports it, and talks to it as to any other
ERP, over the network.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tools.tryton.office import Furniture, Worker, furnish

HERE = Path(__file__).resolve().parent.parent.parent
FOLDER = HERE / ".tryton"
LOCK = HERE / "requirements-tryton.txt"
MODULES = ("company", "party", "product", "account", "account_invoice", "sale", "stock", "purchase")
START_SECONDS = 60
CONF = """[database]
uri = sqlite://
path = {data}
[web]
listen = 127.0.0.1:{port}
[session]
timeout = 86400
[attachment]
filestore = false
"""
QUIET = """[formatters]
keys = plain
[handlers]
keys = console
[loggers]
keys = root, werkzeug
[formatter_plain]
format = %(asctime)s %(levelname)s %(name)s %(message)s
[handler_console]
class = StreamHandler
formatter = plain
args = (sys.stderr,)
[logger_root]
level = WARNING
handlers = console
[logger_werkzeug]
level = WARNING
handlers =
qualname = werkzeug
"""

Say = Callable[[str], None]


class NoTryton(Exception):
    """It could not be installed or started; the message says what a person can do."""


def install(say: Say) -> Path:
    """The folder of its programs, installed as the lock says, by hash, where they are not. Raises NoTryton."""
    made, stamp = FOLDER / "venv", FOLDER / "venv" / "lock"
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return made / "bin"
    say("Tryton is installed into an environment of its own …")
    venv.create(made, with_pip=True, clear=True)
    _run([made / "bin" / "pip", "install", "-q", "--require-hashes", "-r", LOCK], {})
    stamp.write_text(wanted)
    return made / "bin"


def office() -> Path | None:
    """The database of the furnished Tryton, if there is one; its name without the ending is that of the database."""
    return min(FOLDER.glob("data/office*.sqlite"), default=None)


def make_office(furniture: Furniture, workers: Sequence[Worker], *, password: str, say: Say) -> Path:
    """Its database, made and furnished if there is none; takes a minute or two. Raises NoTryton.

    Each has a name of its own, as the keys of its events do: a new one begins with number 1 again.
    """
    programs, found = install(say), office()
    if found is not None:
        return found
    say("A Tryton is furnished, which takes a minute, once …")
    data = FOLDER / "draft"
    data.mkdir(exist_ok=True)
    draft = data / "draft.sqlite"
    for left in data.glob("draft.sqlite*"):
        left.unlink()
    draft.touch()
    admin = secrets.token_urlsafe(16)
    with os.fdopen(os.open(FOLDER / "admin", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as kept:
        kept.write(admin)  # it reads a password from a file only
    words: list[Path | str] = [programs / "trytond-admin", "-c", _conf(data, 0), "-d", draft.stem]
    told = {"TRYTONPASSFILE": str(FOLDER / "admin")}
    _run([*words, "--all", "--password", "--email", "admin@example.com", "-l", "en"], told)
    _run([*words, "-u", *MODULES, "--activate-dependencies"], told)
    (FOLDER / "admin").unlink()
    with running(draft) as address:
        furnish(address, furniture, workers, admin=admin, password=password)
    with closing(sqlite3.connect(draft)) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what stands beside the file goes into it
    (FOLDER / "data").mkdir(exist_ok=True)
    return draft.rename(FOLDER / "data" / f"office{int(time.time())}.sqlite")


@contextmanager
def running(database: Path) -> Iterator[str]:
    """The address of a Tryton that serves this database, like http://127.0.0.1:8000/office; it ends with the block, and
    with this process however that ends. Raises NoTryton."""
    port = _free_port()
    log = database.with_suffix(".log")
    quiet = database.with_name("logging.conf")
    quiet.write_text(QUIET)
    program = FOLDER / "venv" / "bin" / "trytond"
    words = [str(one) for one in (program, "-c", _conf(database.parent, port), "--logconf", quiet)]
    with log.open("w") as told:
        server = subprocess.Popen(
            [*words, "-d", database.stem],
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            # What ends a terminal's programs is told to us; it ends when we are done.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
    try:
        _wait(server, port, log)
        yield f"http://127.0.0.1:{port}/{database.stem}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _end_with_parent() -> None:
    """Linux ends the process when its parent is gone, also by kill -9; other systems know nothing like it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise NoTryton("Tryton did not start:\n" + log.read_text()[-2000:])


def _conf(data: Path, port: int) -> Path:
    file = data / "trytond.conf"
    file.write_text(CONF.format(data=data, port=port))
    return file


def _run(words: Sequence[Path | str], environment: dict[str, str]) -> None:
    told = subprocess.run(
        [str(word) for word in words], env={**os.environ, **environment}, capture_output=True, text=True
    )
    if told.returncode:
        raise NoTryton(f"{Path(words[0]).name} failed:\n{(told.stdout + told.stderr)[-2000:]}")


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port
