"""One real server and one headless Chromium for the tests of a file; skipped only where there is no Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.journeys.browser.watched import Front
from tests.server import fresh_database, inside, running
from tools.screenshots import CHROMIUM, chromium

BUILD = """
import json
from pathlib import Path
from tests.cast import build_cast
cast = build_cast()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    try:
        program = chromium()
    except SystemExit as reason:
        pytest.skip(f"{reason}")
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        driven = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield driven
        driven.close()


@pytest.fixture(scope="module")
def front(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """An installation with the cast, and what the file's `WORLD` (Python, with `cast` and `folder` at hand) adds."""
    data: Path = tmp_path_factory.mktemp("installation")
    folder = tmp_path_factory.mktemp("files")
    offered = os.environ.get("UPTAKE_DATABASE_URL", "")
    url = fresh_database(offered) if offered else ""
    settings = {"UPTAKE_JOBS": "inside", "UPTAKE_LANGUAGE": "en"}
    with running(data=data, database_url=url, settings=settings) as server:
        world = f"{BUILD}\nfolder = Path({str(folder)!r})\n{request.module.WORLD}"
        yield Front(server, browser, inside(world, data=data, database_url=url))
