"""Every setting of the installation: its name, its default and a sentence. Read from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Option:
    """One setting. `default` is the text that stands where the environment says nothing."""

    name: str
    default: str
    sentence: str


OPTIONS: tuple[Option, ...] = (
    Option("UPTAKE_DATA", "data", "Folder of the embedded stores: database, activity files, secrets, uploads."),
    Option(
        "UPTAKE_DATABASE_URL",
        "",
        "postgresql://user:password@host:port/name for PostgreSQL; empty: SQLite in UPTAKE_DATA.",
    ),
    Option(
        "UPTAKE_URL",
        "",
        "Address people open, such as https://uptake.example.org; https makes cookies secure and sends HSTS; "
        "empty: http:// and the address of UPTAKE_BIND.",
    ),
    Option("UPTAKE_BIND", "127.0.0.1:8000", "Address and port the server listens on."),
    Option("UPTAKE_HOSTS", "localhost,127.0.0.1,[::1]", "Host names that are answered beside that of UPTAKE_URL."),
    Option("UPTAKE_PROXIES", "", "Addresses of proxies whose X-Forwarded-For and -Proto are believed; empty: none."),
    Option("UPTAKE_SECRET_KEY", "", "Signing key; empty: made at first start and kept in UPTAKE_DATA/secret.key."),
    Option("UPTAKE_TIMEZONE", "Asia/Shanghai", "Zone (IANA) of organizations that name none."),
    Option("UPTAKE_LANGUAGE", "zh-hans", "Language of visitors whose browser asks for neither: zh-hans or en."),
    Option("UPTAKE_COUNTRY", "CN", "Country (ISO 3166) whose public holidays fill the working calendar."),
    Option("UPTAKE_DEMO", "no", "yes shows the log-ins of the demo park on the sign-in page; never on a real server."),
    Option("UPTAKE_JOBS", "inside", "inside runs the jobs in the server; apart leaves them to `uptake jobs`."),
    Option(
        "UPTAKE_EMAIL_URL",
        "",
        "smtp://user:password@host:port for mail; empty: mails are kept as files in UPTAKE_DATA.",
    ),
    Option("UPTAKE_EMAIL_FROM", "uptake@localhost", "Sender of mails."),
    Option(
        "UPTAKE_ACTIVITY_FILES",
        "",
        "Where the activity files lie: a folder, or s3://bucket/prefix with the usual AWS_* of the environment; "
        "empty: the folder activity in UPTAKE_DATA.",
    ),
    Option("UPTAKE_ACTIVITY_BUCKETS", "64", "Into how many buckets the activity files are made, at the next rebuild."),
    Option(
        "UPTAKE_CLUSTER",
        "",
        "Address (host:port) of a Ray cluster that answers questions of activity; empty: this process does.",
    ),
    Option(
        "UPTAKE_MEMORY_MB", "256", "Budget of the activity engine's cache in memory, in MB; on a cluster of each group."
    ),
    Option(
        "UPTAKE_PROBE_HOSTS",
        "",
        "Hosts whose systems may be probed, with commas: erp.example.com, *.example.com, and IP addresses or networks "
        "(10.1.0.0/16), without which no private address is asked; empty: nothing is probed.",
    ),
    Option("UPTAKE_INTAKE_RATE", "20000", "Events a second one key may send by the API; ten seconds' worth at once."),
    Option("UPTAKE_INTAKE_QUEUE", "50000", "Events that may wait to be written before senders must come again."),
    Option("UPTAKE_LOG_LEVEL", "INFO", "How much is logged: DEBUG, INFO, WARNING or ERROR."),
)


EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - read here, never listened on


def option(name: str) -> str:
    """The value of a setting; KeyError for a name that is not listed."""
    for entry in OPTIONS:
        if entry.name == name:
            return os.environ.get(name, entry.default)
    raise KeyError(f"{name} is not a setting; see uptake.config.options.OPTIONS")


def address() -> str:
    """Where people open the pages, without a slash at the end; what listens everywhere is opened on this machine."""
    named = option("UPTAKE_URL").rstrip("/")
    if named:
        return named
    host, _colon, port = option("UPTAKE_BIND").rpartition(":")
    return f"http://{EVERYWHERE.get(host, host)}:{port}"


def data_folder() -> Path:
    """The folder of the embedded stores, made if missing (readable by its owner only)."""
    folder = Path(option("UPTAKE_DATA")).expanduser().resolve()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True, mode=0o700)
    return folder
