"""A server that shows pages loads no library that only some question needs: ten thousand open pages share its room."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "matplotlib", "openpyxl", "pandas", "pypdf", "reportlab", "scipy.linalg", "scipy.optimize", "scipy.sparse",
    "scipy.stats", "sqlalchemy", "statsmodels",
)  # fmt: skip
ASK = f"""
import sys
import django
django.setup()
from django.urls import URLResolver, get_resolver
def load(part):
    for one in part.url_patterns:
        if isinstance(one, URLResolver):
            load(one)
load(get_resolver())
assert "uptake.web.pages.gaming.views" in sys.modules
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""


@pytest.mark.once
def test_the_pages_load_no_library_that_few_of_them_need() -> None:
    asked = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=False)

    assert asked.returncode == 0, asked.stderr
    assert not asked.stdout.split(), "import it in the function that needs it"
