"""Compiles the folds of the activity engine into their cache."""

from __future__ import annotations

import importlib
import importlib.util

if __name__ == "__main__" and importlib.util.find_spec("uptake.activity.warm"):
    importlib.import_module("uptake.activity.warm").warm()
