"""Secrets made at first start and kept in the data folder, readable by its owner only."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path


def secret_key(folder: Path) -> str:
    """The signing key of this installation, made when asked for first; two starts at once agree on one."""
    return _kept(folder / "secret.key", secrets.token_urlsafe(64))


def proof_key(folder: Path) -> str:
    """The private key (Ed25519, base64 of 32 bytes) that signs what people take away of their points."""
    return _kept(folder / "proof.key", base64.b64encode(secrets.token_bytes(32)).decode())


def _kept(file: Path, fresh: str) -> str:
    if not file.exists():
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        write_secret(draft, fresh)
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
