"""Serves SAP's server for OData, with entities named as in S/4, from a folder: `build.py FOLDER [--port 4404]`.

It comes from npm under SAP's developer licence: for tests only, never to be shipped. Node 20 and a C++ compiler are
needed; the first time takes some minutes. Then, elsewhere: CAP_ADDRESS=http://127.0.0.1:4404 pytest …/test_cap.py.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = {
    "@sap/cds": "^9",
    "@cap-js/sqlite": "^2",
    "@cap-js-community/odata-v2-adapter": "^1",
    "express": "^4",
}
USER, PASSWORD = "UPTAKE_COM", "s3cret-of-sap"  # of a database in memory


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--port", type=int, default=4404)
    given = words.parse_args()
    for part, name in (("db", "schema.cds"), ("srv", "services.cds")):
        (given.folder / part).mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / name, given.folder / part / name)
    cds = {
        "requires": {
            "db": {"kind": "sqlite", "credentials": {"url": ":memory:"}},
            "auth": {"kind": "basic-auth", "users": {USER: {"password": PASSWORD}}},
        },
        "query": {"limit": {"default": 20, "max": 50}},
        "cov2ap": {"plugin": True, "path": "/sap/opu/odata/sap"},
    }
    package = {"name": "cap", "version": "1.0.0", "private": True, "dependencies": PACKAGES, "cds": cds}
    (given.folder / "package.json").write_text(json.dumps(package, indent=2))
    if not (given.folder / "node_modules" / "@sap" / "cds").is_dir():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=given.folder, check=True)
    print(f"CAP_ADDRESS=http://127.0.0.1:{given.port}", flush=True)
    serve = ["npx", "--no-install", "cds-serve", "--port", str(given.port), "--in-memory"]
    return subprocess.run(serve, cwd=given.folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
