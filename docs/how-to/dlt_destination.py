"""A destination for dlt that sends rows to Uptake; copy it beside your pipeline. Needs `dlt` and nothing else.

    pipeline = dlt.pipeline("erp", destination=dlt.destination(batch_size=5000, name="uptake")(send))
    pipeline.run(orders())   # rows with event, key, at and, where known, person, object, facts

A row's `key` makes a batch that is sent again harmless, so dlt may try as often as it likes.
"""

from __future__ import annotations

import gzip
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any

FIELDS = ("event", "key", "at", "person", "object", "facts", "company", "revision", "history_only")
PATIENCE_SECONDS = 300.0


class NotTaken(Exception):
    """Some rows were refused; the sentences of the first ones."""


def send(rows: Iterable[Mapping[str, Any]], table: Any = None) -> None:
    """Sends up to 5,000 rows. UPTAKE_ADDRESS and UPTAKE_KEY say where to. Raises NotTaken; waits at 429 and 503."""
    events = [{name: row[name] for name in FIELDS if row.get(name) is not None} for row in rows]
    body = gzip.compress(json.dumps({"events": events}, default=str).encode())
    headers = {
        "Authorization": f"Bearer {os.environ['UPTAKE_KEY']}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        request = urllib.request.Request(f"{os.environ['UPTAKE_ADDRESS']}/api/v1/events", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                fates = json.load(answer)["fates"]
            break
        except urllib.error.HTTPError as refusal:
            if refusal.code not in {429, 503} or time.monotonic() > until:
                raise
            time.sleep(float(refusal.headers.get("Retry-After") or 1))
    # A conflict or a rejected row stays so however often it is sent: it is for a person, not for a retry.
    refused = [f"{fate['key']}: {fate['reason']}" for fate in fates if fate["fate"] in {"rejected", "conflict"}]
    if refused:
        raise NotTaken(f"{len(refused)} of {len(events)} rows: " + "; ".join(refused[:5]))
