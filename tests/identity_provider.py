"""A private Canaille for tests: an identity provider of others, on a free port, gone when its block ends.

`make setup` installs it in an environment of its own (requirements-canaille.txt); where that was not possible, tests
that need it are skipped with these words, which `make test` repeats at its end.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".canaille" / "bin" / "python"


@dataclass(frozen=True)
class Account:
    """Somebody who has an account there."""

    login: str
    email: str
    number: str
    name: str
    password: str = "their-Password-2026"


@dataclass(frozen=True)
class Application:
    """Something that may ask who somebody is. `audience`: whether its tokens name it."""

    client: str
    back: str
    secret: str = "canaille-secret"
    audience: bool = True


@dataclass
class Canaille:
    """A running one."""

    address: str
    accounts: dict[str, Account] = field(default_factory=dict)

    def sign_in(self, away: str, login: str, *, password: str = "", consent: str = "accept") -> str:
        """What a person does on its pages after being sent to `away`: the address that they are sent back to.

        RefusedThere with the page where it does not send them back.
        """
        with httpx.Client(trust_env=False, timeout=60) as browser:
            page = self._on(browser, browser.get(away))
            page = self._on(browser, browser.post(page.url, data={**_hidden(page), "login": login}))
            told = {"password": password or self.accounts[login].password}
            page = self._on(browser, browser.post(page.url, data={**_hidden(page), **told}))
            # Who said yes to an application once is not asked again.
            if "authorizeform" in page.text:
                page = self._on(browser, browser.post(page.url, data={**_hidden(page), "answer": consent}))
            if not page.is_redirect:
                raise RefusedThere(page.text)
            return page.headers["Location"]

    def _on(self, browser: httpx.Client, page: httpx.Response) -> httpx.Response:
        """The page that a browser is led to there; the last one whose redirect leads away from there."""
        while page.is_redirect and str(page.url.join(page.headers["Location"])).startswith(self.address):
            page = browser.get(page.url.join(page.headers["Location"]))
        return page


class RefusedThere(Exception):
    """The pages there did not let somebody go on."""


def _hidden(page: httpx.Response) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


@contextmanager
def canaille(folder: Path, accounts: list[Account], applications: list[Application]) -> Iterator[Canaille]:
    """One with these accounts and applications, its database in `folder`."""
    if not PYTHON.exists():
        pytest.skip("CANAILLE IS NOT INSTALLED: signing in by a real identity provider is not tested (make setup)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    told: dict[str, Any] = {
        "port": port,
        "database": str(folder / "canaille.sqlite"),
        "accounts": [vars(one) for one in accounts],
        "applications": [vars(one) for one in applications],
    }
    log = folder / "canaille.log"
    with log.open("w") as words:
        server = subprocess.Popen(
            [str(PYTHON), str(ROOT / "tests" / "identity_provider_serve.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, text=True, cwd=folder,
        )  # fmt: skip
        try:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps(told))
            server.stdin.close()
            if server.stdout.readline() != "ready\n":
                raise AssertionError(f"Canaille did not start:\n{log.read_text()[-4000:]}")
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False, timeout=60) as asked:
                asked.get(f"http://localhost:{port}/.well-known/openid-configuration").raise_for_status()
            yield Canaille(f"http://localhost:{port}", {one.login: one for one in accounts})
        finally:
            server.terminate()
            server.wait(20)
