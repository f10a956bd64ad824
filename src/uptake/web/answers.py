"""Answers of the engine, kept as long as nothing was written to the log they were read from.

An answer depends on the log and on the question, which names its dates, its zone and the places it is about: so it is
exact for as long as the snapshot is the newest. Who may see what of it is decided afterwards, anew for everyone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any

from django.conf import settings

from uptake.activity import ActivityLog
from uptake.activity.analyses import ask
from uptake.basics.canonical import canonical_json
from uptake.directory.scope import Viewer
from uptake.insight.metrics import told as scoped

KEPT = 64
Answer = dict[str, Any]

_known: OrderedDict[tuple[int, int, int, bytes], tuple[ActivityLog, Answer]] = OrderedDict()
_lock = Lock()


def told(log: ActivityLog, viewer: Viewer, question: Mapping[str, Any]) -> Answer:
    """As `insight.metrics.told.told`, of an answer that may be known. It names nobody at the steps of a funnel; it is
    shared and must not be changed."""
    return scoped.told(log, viewer, question, asking=_asked)


def _asked(log: ActivityLog, question: Mapping[str, Any]) -> Answer:
    """What the engine answers, or answered before to the same question about the same snapshot."""
    read = partial(ask, log, question, named=False)
    manifest = getattr(log.snapshot(), "manifest", None)
    if manifest is None or not settings.REMEMBERED_SECONDS:
        return read()
    key = (id(log), manifest.epoch, manifest.number, canonical_json(question))
    with _lock:
        known = _known.get(key)
        if known is not None:
            _known.move_to_end(key)
            return known[1]
    answer = read()
    with _lock:
        _known[key] = (log, answer)  # with the log, so that its number stays its own
        if len(_known) > KEPT:
            _known.popitem(last=False)
    return answer
