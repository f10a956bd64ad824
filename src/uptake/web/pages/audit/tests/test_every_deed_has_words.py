"""A deed that is written into the audit log anywhere has words on its page."""

from __future__ import annotations

import re
from pathlib import Path

import uptake
from uptake.web.pages.audit.words import DEEDS

DEED = re.compile(r'(?:\bdeed=|\b_?note\()\s*(?:f?)"([a-z_]+\.[a-z_]+)"')


def test_no_deed_is_without_words() -> None:
    sources = [
        file
        for file in Path(uptake.__file__).parent.rglob("*.py")
        if "tests" not in file.parts and file.name != "words.py"
    ]
    written = {deed for file in sources for deed in DEED.findall(file.read_text())}

    assert {"role.given", "login.closed"} <= written
    assert written <= set(DEEDS), "add words to web/pages/audit/words.py"
