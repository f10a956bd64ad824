"""Keys for the demo's own host page: one sends events of the ERP of Beiyuan, one shows its people their points."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from urllib.parse import SplitResult

from uptake.config.demo.problems import note_some
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.events.keys import make_key
from uptake.events.models import Connection, WidgetKey
from uptake.events.widget_keys import make_widget_key

HOST_FILE = "demo-host.json"
COMPANY, STAFF_NUMBER, CALLED = "beiyuan", "B001", "b001"
NAMES = ("127.0.0.1", "localhost")
"""What people call the machine they try the demo on."""


def open_host(folder: Path, url: SplitResult, now: datetime) -> None:
    """Makes the keys that the host page of this address needs, once, and keeps them beside the log-ins."""
    file = folder / HOST_FILE
    origins = _origins(url)
    if file.exists() and any(set(origins) <= set(one.allowed_origins) for one in WidgetKey.objects.valid()):
        return
    erp = Connection.objects.select_related("organization").filter(slug=f"erp-{COMPANY}").first()
    person = Person.objects.filter(staff_number=STAFF_NUMBER).first()
    if erp is None or person is None:
        return
    label = "Demo ERP page"
    sends, events = make_key(connection=erp, by=EVERYTHING, now=now, label=label)
    note_some(sends, now)
    _shows, widget = make_widget_key(connection=erp, by=EVERYTHING, now=now, label=label, allowed_origins=origins)
    told = {"events": events, "widget": widget, "person": CALLED, "name": person.name}
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as kept:
        json.dump(told, kept, ensure_ascii=False)


def _origins(url: SplitResult) -> list[str]:
    port = f":{url.port}" if url.port else ""
    return sorted({f"{url.scheme}://{url.netloc}".lower(), *(f"{url.scheme}://{name}{port}" for name in NAMES)})
