"""Builds a real Tryton in a folder, lets five people work in it, and serves it: `build.py FOLDER [--port 8071]`.

Tryton is under the GPL, so it lives in an environment of its own and runs as a process of its own. The first time takes
some minutes; later the folder is only served. It is on SQLite.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = ("company", "party", "product", "account", "account_invoice", "sale", "stock", "purchase", "sale_history")
LOCK = HERE.parent.parent / "requirements-tryton.txt"
PASSWORD = "Adm1n-pass-2026"  # of a database that anybody may throw away
CONF = """[database]
uri = sqlite://
path = {folder}/run/data
[web]
listen = 127.0.0.1:{port}
[session]
timeout = 3600
[password]
length = 8
[attachment]
filestore = false
"""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--port", type=int, default=8071)
    words.add_argument("--sales", default="12", help="orders of the scenario")
    given = words.parse_args()
    folder: Path = given.folder.resolve()
    data = folder / "run" / "data"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "run" / "passfile").write_text(PASSWORD)
    conf = folder / "trytond.conf"
    conf.write_text(CONF.format(folder=folder, port=given.port))
    environment = {
        **os.environ,
        "TR": str(folder),
        "DB": "erp",
        "PORT": str(given.port),
        "BACKEND": "sqlite",
        "TRYTONPASSFILE": str(folder / "run" / "passfile"),
    }
    bin_ = folder / "venv" / "bin"
    if not bin_.exists():
        venv.create(folder / "venv", with_pip=True)
        subprocess.run([bin_ / "pip", "install", "-q", "--require-hashes", "-r", LOCK], check=True)
    fresh = not (data / "erp.sqlite").exists()
    if fresh:
        (data / "erp.sqlite").touch()
        admin = [bin_ / "trytond-admin", "-c", conf, "-d", "erp"]
        first = ["--all", "--password", "--email", "admin@example.com", "-l", "en", "--activate-dependencies"]
        subprocess.run([*map(str, admin), *first], env=environment, check=True)
        subprocess.run([*map(str, admin), "-u", *MODULES, "--activate-dependencies"], env=environment, check=True)
    server = subprocess.Popen([bin_ / "trytond", "-c", conf, "-d", "erp"], env=environment)
    try:
        _wait(given.port, server)
        if fresh:
            subprocess.run([bin_ / "python", HERE / "setup.py"], env=environment, check=True)
            subprocess.run([bin_ / "python", HERE / "activity.py", given.sales, "1"], env=environment, check=True)
        print(f"TRYTON_ADDRESS=http://127.0.0.1:{given.port}/erp TRYTON_TRUTH={folder}/run/truth-sqlite.jsonl")
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    for _attempt in range(300):
        if server.poll() is not None:
            raise SystemExit("Tryton ended by itself")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    sys.exit(main())
