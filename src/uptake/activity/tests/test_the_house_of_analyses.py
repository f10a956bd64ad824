"""Every fold stands in the one list, and folds compile also where nothing can be cached."""

from __future__ import annotations

import logging
import pkgutil
from typing import Any

import numba
import pytest

from uptake.activity import folds
from uptake.activity.analyses import ANALYSES, OF_MESSAGES
from uptake.activity.compile import compiled
from uptake.activity.warm import warm


def test_every_file_of_a_fold_is_listed() -> None:
    files = {module.name for module in pkgutil.iter_modules(folds.__path__)}

    assert files == {analysis.name for analysis in ANALYSES}
    assert not files & set(OF_MESSAGES)


def test_warming_can_be_repeated() -> None:
    warm()
    warm()


def test_without_a_folder_for_the_cache_a_fold_compiles_on_first_use_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = numba.njit

    def no_cache(**options: Any) -> Any:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", no_cache)
    with caplog.at_level(logging.WARNING):
        double = compiled(_double)

    assert double(21) == 42
    assert "_double is compiled on first use" in caplog.text


def _double(number: int) -> int:
    return 2 * number
