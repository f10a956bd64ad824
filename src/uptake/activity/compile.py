"""Compiles the folds: machine code kept in a cache folder, the interpreter's lock released while they run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

logger = logging.getLogger(__name__)
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """The kernel as machine code. Where no cache can be written it compiles on first use, and the log says so."""
    try:
        fast: Any = numba.njit(cache=True, nogil=True)(kernel)
    except RuntimeError as reason:  # numba found no folder for its cache
        logger.warning("The fold %s is compiled on first use: %s", kernel.__name__, reason)
        fast = numba.njit(nogil=True)(kernel)
    return cast(Kernel, fast)
