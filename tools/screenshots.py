"""Captures every page of the demo: both languages, light and dark, 1440 and 390 px wide, into screenshots/.

Starts a demo of its own (made under --data if it is missing), signs in as each role, follows every link that role is
shown, and keeps one address of each page (a few where the same page shows different kinds of things). What no link
leads to (signing in, refusals, a report shared by link) is named in BESIDE. Nothing outside the folders is changed.
Each picture is the whole page: screenshots/<page>-<language>-<theme>-<width>.png.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # ms for one page: pictures are taken beside other work
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
TALLEST = 12_000  # px of one picture
ROLES = ("ren", "admin", "hua", "lin", "ke", "shu", "wei")
"""Who looks around; a page seen by one is not captured again for the next, but for those of AGAIN."""
AGAIN = {"points:home", "overview:home", "rules:home", "committee:home", "impact:home", "rewards:home", "boards:home"}
"""First pages that differ by who looks at them."""
SAMPLES = {"explore:page": 12, "people_sources:new": 4, "sign_on:new": 4, "data:system_new": 8}
FEW = 2
"""How many addresses of one page are captured where words in the address tell them apart; of numbers one is enough."""
TRIES = 2
"""How many addresses of one page are tried: not every one of them opens, and one may show less than the next."""
LEFT_OUT = re.compile(
    r"^/(api|static|admin|in|scim|account/with)/|export|\.(pdf|csv|xlsx|json|txt|js)$|/(open|code|file)/?$"
)


class Shot(NamedTuple):
    """One page to capture: its file name, who looks at it ("" is nobody), and its address."""

    name: str
    login: str
    address: str


BESIDE = (
    Shot("sign-in", "", "/account/login/"),
    Shot("password-forgotten", "", "/account/password/reset/"),
    Shot("not-found", "lin", "/there-is-no-such-page/"),
    Shot("refused", "lin", "/people/"),
)


class Links(HTMLParser):
    """The addresses a page links to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the address of a link."""
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.found.append(address)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chromium() -> str:
    """The path of a Chromium on this machine; SystemExit with a sentence where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return found
    raise SystemExit("no Chromium found; `make setup` installs it where it can")


def start_demo(data: Path, port: int, language: str) -> subprocess.Popen[bytes]:
    """A demo server on `port`; returns when it answers."""
    environment = {
        **os.environ,
        "UPTAKE_DATA": str(data),
        "UPTAKE_BIND": f"127.0.0.1:{port}",
        "UPTAKE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "uptake.config.command", "demo", "--language", language]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return server
        except OSError:
            if server.poll() is not None:
                raise SystemExit("the demo ended before it answered") from None
            time.sleep(0.5)
    raise SystemExit("the demo did not answer within five minutes")


def sign_in(page: Page, base: str, login: dict[str, str]) -> None:
    page.goto(f"{base}/account/login/")
    page.fill("input[name=login]", login["username"])
    page.fill("input[name=password]", login["password"])
    page.click("form:has(input[name=password]) button[type=submit]:visible >> nth=0")
    page.wait_for_url(lambda url: "/login" not in url)


def page_of(path: str) -> tuple[str, tuple[str, ...]] | None:
    """The name of the page at an address and the words in it that choose what it shows; None where there is none."""
    from django.urls import Resolver404, resolve

    try:
        match = resolve(path)
    except Resolver404:
        return None
    words = tuple(str(value) for value in match.kwargs.values() if not str(value).isdigit())
    return match.view_name, words


def look_around(
    context: BrowserContext, base: str, login: str, seen: dict[str, set[tuple[str, ...]]]
) -> Iterator[Shot]:
    """Every page one login is led to by links, nearest first; `seen` grows by them."""
    start = ["/", "/account/", "/messages/"]
    waiting, known, again = deque(start), set(start), set(AGAIN)
    tried: dict[str, list[tuple[str, ...]]] = {}
    while waiting:
        address = waiting.popleft()
        answer = context.request.get(base + address)
        if answer.status != 200 or "text/html" not in answer.headers.get("content-type", ""):
            continue
        here = urlsplit(answer.url)
        page = page_of(here.path)
        if page is not None:
            name, words = page
            mine = seen.setdefault(name, set())
            fresh = words not in mine and len(mine) < (SAMPLES.get(name, FEW) if words else 1)
            if fresh or name in again:
                mine.add(words)
                again.discard(name)
                told = "-".join((name.replace(":", "-").replace("_", "-"), *words))
                yield Shot(f"{told}-{login}", login, here.path + (f"?{here.query}" if here.query else ""))
        for link in Links(answer.text()).found:
            there = urlsplit(urljoin(answer.url, link))
            path = there.path
            if there.netloc != here.netloc or path in known or LEFT_OUT.search(path):
                continue
            known.add(path)
            if (reached := page_of(path)) is None:
                continue
            name, words = reached
            enough = SAMPLES.get(name, FEW) if words else 1
            asked = tried.setdefault(name, [])
            if asked.count(words) < TRIES and len(set(asked) | {words}) <= max(enough, FEW) * TRIES:
                mine = seen.get(name, set())
                if name in again or (words not in mine and len(mine) < enough):
                    asked.append(words)
                    waiting.append(path + (f"?{there.query}" if there.query else ""))


def shared_report(page: Page, base: str) -> str:
    """Makes a link to a report of an effect and gives its address; empty where the demo has no report."""
    page.goto(f"{base}/impact/")
    reports = page.locator("main a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    for address in (one for one in reports if re.fullmatch(r"/impact/\d+/", one.partition("?")[0])):
        answer = page.goto(base + address.partition("?")[0] + "links/")
        if answer is None or answer.status != 200:
            continue
        page.click("main form:has([name=days]) button")
        page.wait_for_load_state("load")
        if found := re.search(r"/impact/shared/[\w-]+/", page.content()):
            return found[0]
    return ""


def capture_one(page: Page, base: str, shot: Shot, folder: Path, language: str, width: str) -> None:
    """One page at one width, light and dark."""
    across, down = WIDTHS[width]
    page.set_viewport_size({"width": across, "height": down})
    page.goto(base + shot.address)
    tall = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": across, "height": max(down, min(tall, TALLEST))})
    page.wait_for_function(
        "() => [...document.querySelectorAll('.plot')].every((one) => one.querySelector('svg, canvas'))"
    )
    for theme in ("light", "dark"):
        if theme == "dark":
            page.evaluate("document.querySelector('[data-theme-toggle]')?.click()")
            page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
        page.wait_for_timeout(150)
        page.screenshot(path=str(folder / f"{shot.name}-{language}-{theme}-{width}.png"), animations="disabled")


def capture(
    browser: Browser, base: str, logins: dict[str, dict[str, str]], folder: Path, language: str, only: str
) -> int:
    """Pictures of every page in one language; says what could not be captured and goes on. Gives how many there are."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    pictures = 0
    beside = list(BESIDE)
    for login in (*ROLES, ""):
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale=language, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        context.add_cookies(
            [
                {"name": "django_language", "value": language, "url": base},
                {"name": "uptake_theme", "value": "light", "url": base},
            ]
        )
        page = context.new_page()
        page.route("**/account/theme", lambda route: route.abort())  # the switch draws anew; the server stays light
        if login:
            sign_in(page, base, logins[login])
        if login == ROLES[0] and (address := shared_report(page, base)):
            beside.append(Shot("shared-report", "", address))
        shots = [shot for shot in beside if shot.login == login]
        if login:
            shots += look_around(context, base, login, seen)
        wanted = [shot for shot in shots if re.search(only, shot.name)]
        print(f"{language}, {login or 'nobody'}: {len(wanted)} pages", flush=True)
        for shot in wanted:
            for width in WIDTHS:
                try:
                    capture_one(page, base, shot, folder, language, width)
                    pictures += 2
                except Exception as error:
                    print(f"not captured: {shot.name} {shot.address} {width}: {str(error).splitlines()[0]}", flush=True)
        context.close()
    return pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "screenshots")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--language", choices=["en", "zh-hans"], action="append")
    parser.add_argument("--only", default="", help="a regular expression; pages whose names do not match are left out")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "uptake.config.settings")
    os.environ.setdefault("UPTAKE_DATA", str(options.data / "addresses"))
    os.environ["UPTAKE_DEMO"] = "yes"
    import django
    from playwright.sync_api import sync_playwright

    django.setup()
    options.out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    total = 0
    for language in options.language or ["en", "zh-hans"]:
        data = options.data / language
        port = free_port()
        server = start_demo(data, port, language)
        try:
            entries = json.loads((data / "demo-logins.json").read_text())
            logins = {str(entry["username"]): entry for entry in entries}
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM)
                total += capture(browser, f"http://127.0.0.1:{port}", logins, options.out, language, options.only)
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=30)
    print(f"{total} screenshots in {options.out.name}/ after {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
