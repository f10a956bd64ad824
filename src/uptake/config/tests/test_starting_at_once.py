"""The server and the jobs may start at the same moment on an empty database: the tables are made once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection


def environment(folder: Path, url: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}
    return {**clean, "UPTAKE_DATA": str(folder), "UPTAKE_DATABASE_URL": url}


@pytest.mark.django_db(transaction=True)
def test_two_migrations_at_once_make_every_table_once(tmp_path: Path) -> None:
    url, name = "", f"{connection.settings_dict['NAME']}_empty"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
        url = f"postgresql://{settings.DATABASES['default']['USER']}@/{name}?host={connection.settings_dict['HOST']}"
    program = "from uptake.config.command import main; main(['migrate', '--json'])"

    try:
        both = [
            subprocess.Popen(
                [sys.executable, "-c", program],
                env=environment(tmp_path, url),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _start in range(2)
        ]
        ended = [one.communicate(timeout=300) for one in both]
    finally:
        if url:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    assert [one.returncode for one in both] == [0, 0], [words[1][-500:] for words in ended]
    applied = sorted(len(json.loads(words[0].splitlines()[-1])["applied"]) for words in ended)
    assert applied[0] == 0
    assert applied[1] > 30
