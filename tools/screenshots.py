"""Captures every page of the demo: both languages, light and dark, 1440 and 390 px wide, into screenshots/.

Starts a demo of its own (UPTAKE_DATA given by --data, made if it is missing), signs in as each role that has pages
of its own, and writes screenshots/<page>-<language>-<theme>-<width>.png. Nothing outside the folder is changed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


class Shot(NamedTuple):
    """One page to capture: its file name, who looks at it, its address, and what to click first."""

    name: str
    login: str
    address: str
    click: str = ""


SHOTS: tuple[Shot, ...] = (
    Shot("sign-in", "", "/account/login/"),
    Shot("my-points", "lin", "/points/", ".u-led details summary"),
    Shot("rules", "lin", "/rules/"),
    Shot("overview", "ren", "/overview/"),
    Shot("activity", "ren", "/activity/"),
    Shot("activity-company", "ren", "@company"),
    Shot("activity-department", "ren", "@department"),
    Shot("activity-person", "ren", "@person"),
    Shot("overview-manager", "hua", "/overview/"),
    Shot("events", "ren", "/events/"),
    Shot("catalogue", "ren", "/events/catalogue/"),
    Shot("data", "ren", "/data/"),
    Shot("imports", "ren", "/data/imports/"),
    Shot("connection", "ren", "/data/connections/erp-beiyuan"),
    Shot("import", "ren", "/data/imports/1"),
    Shot("quarantine", "ren", "/data/quarantine/"),
    Shot("identities", "ren", "/data/people/"),
    Shot("people", "ren", "/people/"),
    Shot("calendar", "ren", "/calendar/"),
    Shot("conflicts", "ren", "/data/conflicts/"),
    Shot("publish-rules", "ren", "/rules/publish/"),
    Shot("jobs", "admin", "/jobs/"),
    Shot("audit", "admin", "/audit/"),
    Shot("account", "lin", "/account/"),
    Shot("not-found", "lin", "/there-is-no-such-page/"),
)


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


def follow(page: Page, base: str, target: str) -> None:
    """Opens an address, or drills down from Activity: @company, @department, @person."""
    if not target.startswith("@"):
        page.goto(base + target)
        return
    page.goto(f"{base}/activity/")
    steps = {"@company": 1, "@department": 2, "@person": 3}[target]
    for selector in ("[data-drill=company]", "[data-drill=department]", "[data-drill=person]")[:steps]:
        page.goto(base + str(page.locator(selector).first.get_attribute("href")))


def capture(browser: Browser, base: str, logins: dict[str, dict[str, str]], folder: Path, language: str) -> int:
    count = 0
    for theme in ("light", "dark"):
        for width, (across, down) in WIDTHS.items():
            for login in dict.fromkeys(shot.login for shot in SHOTS):
                context = browser.new_context(viewport={"width": across, "height": down}, locale=language)
                context.set_default_timeout(PATIENCE)
                context.add_cookies(
                    [
                        {"name": "django_language", "value": language, "url": base},
                        {"name": "uptake_theme", "value": theme, "url": base},
                    ]
                )
                page = context.new_page()
                if login:
                    sign_in(page, base, logins[login])
                for shot in (shot for shot in SHOTS if shot.login == login):
                    follow(page, base, shot.address)
                    page.wait_for_load_state("load")
                    page.wait_for_timeout(500)
                    if shot.click and page.locator(shot.click).count():
                        page.locator(shot.click).first.click()
                    page.screenshot(
                        path=str(folder / f"{shot.name}-{language}-{theme}-{width}.png"), full_page=width == "phone"
                    )
                    count += 1
                context.close()
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "screenshots")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--language", choices=["en", "zh-hans"], action="append")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    options.out.mkdir(parents=True, exist_ok=True)
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
                total += capture(browser, f"http://127.0.0.1:{port}", logins, options.out, language)
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=30)
    print(f"{total} screenshots in {options.out.name}/")


if __name__ == "__main__":
    main()
