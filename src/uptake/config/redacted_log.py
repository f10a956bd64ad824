"""The format of the log: one line per record, tracebacks below it, without secrets."""

from __future__ import annotations

import logging

from uptake.basics.redaction import redact


class RedactedFormatter(logging.Formatter):
    """Formats as usual and takes out keys, passwords, tokens and reset links, also in tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
