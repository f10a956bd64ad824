"""CloudEvents 1.0 over HTTP."""
