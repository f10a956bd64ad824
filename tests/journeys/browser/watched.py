"""A browser whose every fault is written down: what the console said, what was refused, what did not come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, WebError, expect

from tests.cast import PASSWORD
from tests.server import Server

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
LEFT_BEHIND = "net::ERR_ABORTED"
"""How a request ends whose page was left: the live stream, a figure being fetched."""


@dataclass
class Faults:
    """What went wrong in the tabs of one person. `expected` are (status, address) pairs that belong to the story."""

    said: list[str] = field(default_factory=list)
    expected: set[tuple[int, str]] = field(default_factory=set)
    away: bool = False
    """Whether the server is known to be away just now: nothing is written down then."""

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        where = urlsplit(str(message.location.get("url", ""))).path
        known = "Failed to load resource" in message.text  # said again, with its address, by _answered or _failed
        if message.type in ("error", "warning") and not known and not self.away:
            self.said.append(f"console {message.type} at {where}: {message.text}")

    def _error(self, error: WebError) -> None:
        self.said.append(f"error in a script: {error.error}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT_BEHIND and not self.away:
            self.said.append(f"{request.method} {urlsplit(request.url).path}: {request.failure}")

    def _answered(self, response: Response) -> None:
        path = urlsplit(response.url).path
        if response.status >= 400 and (response.status, path) not in self.expected and not self.away:
            self.said.append(f"{response.request.method} {path}: {response.status}")


@dataclass
class Front:
    """The pages of one installation in one browser. Whoever signed in once comes back with the same session."""

    server: Server
    browser: Browser
    world: Any = None
    """What the file's `WORLD` printed."""
    sessions: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def tab(
        self,
        who: str = "",
        *,
        language: str = "en",
        theme: str = "",
        size: dict[str, int] = DESKTOP,
        expected: set[tuple[int, str]] | None = None,
    ) -> Iterator[tuple[Page, Faults]]:
        """A tab, signed in if `who` is named. On leaving, everything that went wrong in it fails the test."""
        context = self.browser.new_context(
            viewport=dict(size),  # type: ignore[arg-type]  # playwright wants a TypedDict of its own
            locale="zh-CN" if language == "zh-hans" else "en-GB",
            storage_state=self.sessions.get(who),
            base_url=self.server.url,
            reduced_motion="reduce",
        )
        faults = Faults(expected=expected or set())
        try:
            cookies = {"django_language": language, **({"uptake_theme": theme} if theme else {})}
            context.add_cookies(
                [{"name": name, "value": value, "url": self.server.url} for name, value in cookies.items()]
            )
            context.set_default_timeout(15_000)
            faults.watch(context)
            page = context.new_page()
            if who and who not in self.sessions:
                sign_in(page, who)
                self.sessions[who] = context.storage_state()
            yield page, faults
        finally:
            context.close()
        assert not faults.said, "\n".join(faults.said)


def sign_in(page: Page, who: str, password: str = PASSWORD) -> None:
    """Fills in the sign-in form and sends it."""
    page.goto("/account/login/")
    page.fill("input[name=login]", who)
    page.fill("input[name=password]", password)
    page.click("main form button[type=submit]")


def available(page: Page) -> int:
    """The points to spend, as My points shows them."""
    return int(re.sub(r"\D", "", page.locator("#available").inner_text()))


def has_points(page: Page, points: int) -> None:
    """Opens My points until the figure stands there; the jobs of the server pay within seconds."""

    def look() -> None:
        page.goto("/points/")
        expect(page.locator("#available")).to_have_text(str(points), timeout=500)

    for _ in range(20):
        try:
            look()
        except AssertionError:
            continue
        return
    look()
