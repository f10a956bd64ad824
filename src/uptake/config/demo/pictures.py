"""Small pictures for the demo's rewards, drawn from shapes, so that no photograph has to be kept or credited."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 480
HEIGHT: Final = 264
FINER: Final = 2
"""Drawn larger by this and averaged, so that edges are smooth."""
Mask = NDArray[np.bool_]
Colour = tuple[int, int, int]
TEAL: Final[Colour] = (11, 110, 99)
OCHRE: Final[Colour] = (200, 120, 30)
INK: Final[Colour] = (60, 78, 76)
WHITE: Final[Colour] = (255, 255, 255)
PAPER: Final[Colour] = (246, 242, 234)

_down, _across = np.mgrid[0 : HEIGHT * FINER, 0 : WIDTH * FINER]
_x: NDArray[np.float32] = (_across / FINER).astype(np.float32)
_y: NDArray[np.float32] = (_down / FINER).astype(np.float32)


def _disc(x: float, y: float, radius: float, hole: float = 0) -> Mask:
    apart = (_x - x) ** 2 + (_y - y) ** 2
    return (apart <= radius**2) & (apart >= hole**2)


def _box(left: float, top: float, right: float, bottom: float, corner: float = 10) -> Mask:
    beyond_x = np.maximum(np.maximum(left + corner - _x, _x - right + corner), 0)
    beyond_y = np.maximum(np.maximum(top + corner - _y, _y - bottom + corner), 0)
    inside: Mask = beyond_x**2 + beyond_y**2 <= corner**2
    return inside


def _stroke(x: float, y: float, to_x: float, to_y: float, wide: float = 4) -> Mask:
    length = (to_x - x) ** 2 + (to_y - y) ** 2
    along = np.clip(((_x - x) * (to_x - x) + (_y - y) * (to_y - y)) / length, 0, 1)
    return (_x - x - along * (to_x - x)) ** 2 + (_y - y - along * (to_y - y)) ** 2 <= wide**2


def _mug() -> list[tuple[Mask, Colour]]:
    return [
        (_disc(292, 138, 42, 26), OCHRE),
        (_box(180, 78, 290, 206, 18), TEAL),
        (_box(180, 78, 290, 100, 10), (60, 148, 136)),
    ]


def _voucher() -> list[tuple[Mask, Colour]]:
    return [
        (_box(120, 76, 360, 188, 14), OCHRE),
        (_disc(120, 132, 20) | _disc(360, 132, 20), PAPER),
        (_stroke(276, 92, 276, 172, 2), PAPER),
        (_disc(198, 132, 32, 22), WHITE),
        (_stroke(198, 118, 198, 146, 4), WHITE),
    ]


def _bicycle() -> list[tuple[Mask, Colour]]:
    frame = _stroke(176, 172, 214, 106) | _stroke(214, 106, 276, 106) | _stroke(276, 106, 236, 172)
    frame |= _stroke(176, 172, 236, 172) | _stroke(236, 172, 206, 92) | _stroke(304, 172, 270, 84)
    return [
        (_disc(176, 172, 46, 39) | _disc(304, 172, 46, 39), INK),
        (frame, TEAL),
        (_stroke(190, 90, 222, 90, 6) | _stroke(270, 84, 290, 80, 5), OCHRE),
    ]


def _sunshade() -> list[tuple[Mask, Colour]]:
    top = _disc(240, 140, 88) & (_y < 136)
    return [
        (_disc(372, 64, 26), (240, 180, 70)),
        (_stroke(240, 60, 240, 214, 4), INK),
        (top, TEAL),
        (top & (np.abs(_x - 240) < 28), (95, 176, 164)),
        (_box(0, 210, WIDTH, HEIGHT, 0), (222, 200, 160)),
    ]


def _book() -> list[tuple[Mask, Colour]]:
    lines = _stroke(160, 104, 222, 104, 3) | _stroke(160, 128, 222, 128, 3) | _stroke(160, 152, 206, 152, 3)
    lines |= _stroke(258, 104, 320, 104, 3) | _stroke(258, 128, 320, 128, 3) | _stroke(258, 152, 304, 152, 3)
    return [
        (_box(136, 72, 344, 196, 12), TEAL),
        (_box(146, 78, 334, 188, 8), WHITE),
        (_stroke(240, 80, 240, 192, 2), INK),
        (lines, (150, 164, 162)),
    ]


DRAWN: Final[Mapping[str, Callable[[], list[tuple[Mask, Colour]]]]] = {
    "mug": _mug,
    "voucher": _voucher,
    "bicycle": _bicycle,
    "sunshade": _sunshade,
    "book": _book,
}


def picture(name: str) -> bytes:
    """A PNG of 480 × 264 pixels."""
    canvas = np.empty((HEIGHT * FINER, WIDTH * FINER, 3), np.uint16)
    canvas[:] = PAPER
    for mask, colour in DRAWN[name]():
        canvas[mask] = colour
    down = np.add.reduce([canvas[start::FINER] for start in range(FINER)])
    across = np.add.reduce([down[:, start::FINER] for start in range(FINER)])
    smooth = (across // FINER**2).astype(np.uint8)
    rows = np.concatenate([np.zeros((HEIGHT, 1), np.uint8), smooth.reshape(HEIGHT, WIDTH * 3)], axis=1)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
