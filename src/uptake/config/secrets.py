"""Secrets made at first start and kept in the data folder, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret_key(folder: Path) -> str:
    """The signing key of this installation, made when asked for first; two starts at once agree on one."""
    file = folder / "secret.key"
    if not file.exists():
        draft = folder / f"secret.key.{os.getpid()}"
        write_secret(draft, secrets.token_urlsafe(64))
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()


def write_secret(file: Path, text: str) -> None:
    """Write a file that nobody but its owner can read, at no moment."""
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
