"""Pictures and files as they may be kept: known by their first bytes, of a bounded size, without what cameras add."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from uptake.programme.rewards.refusals import Unusable

LARGEST_PICTURE: Final = 1024 * 1024
LARGEST_FILE: Final = 4 * 1024 * 1024
PICTURES: Final = ("image/png", "image/jpeg", "image/webp")
FILES: Final = (*PICTURES, "application/pdf")
_KEPT_CHUNKS: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB")
_DROPPED_MARKERS: Final = (*range(0xE1, 0xEE), 0xEF, 0xFE)
"""Of a JPEG: APP1 to APP13 and APP15 (Exif, place, editing history) and comments; APP14 tells the colours."""


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file, read whole."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def media_type_of(content: bytes) -> str:
    """What it is by its first bytes; empty: none of those that may be kept."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "application/pdf" if content.startswith(b"%PDF-") else ""


def checked_picture(file: File) -> tuple[str, bytes]:
    """(media type, content without what cameras add). Raises Unusable."""
    if len(file.content) > LARGEST_PICTURE:
        raise Unusable("picture", _("The picture is larger than 1 MB"))
    media_type = media_type_of(file.content)
    if media_type not in PICTURES:
        raise Unusable("picture", _("The picture must be a PNG, JPEG or WebP file"))
    try:
        return media_type, _stripped(media_type, file.content)
    except (struct.error, IndexError, ValueError) as broken:
        raise Unusable("picture", _("The picture cannot be read to its end")) from broken


def checked_attachment(file: File) -> str:
    """The media type of a file for a person. Raises Unusable."""
    if len(file.content) > LARGEST_FILE:
        raise Unusable("file", _("The file is larger than 4 MB"))
    media_type = media_type_of(file.content)
    if media_type not in FILES:
        raise Unusable("file", _("The file must be a PDF, PNG, JPEG or WebP file"))
    return media_type


def _stripped(media_type: str, content: bytes) -> bytes:
    strip = {"image/png": _stripped_png, "image/jpeg": _stripped_jpeg, "image/webp": _stripped_webp}
    return strip[media_type](content)


def _stripped_png(content: bytes) -> bytes:
    kept = [content[:8]]
    at = 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        name, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            raise ValueError("a chunk is cut off")
        if name in _KEPT_CHUNKS:
            kept.append(content[at:end])
        at = end
        if name == b"IEND":
            return b"".join(kept)
    raise ValueError("no end")


def _stripped_jpeg(content: bytes) -> bytes:
    kept = [content[:2]]
    at = 2
    while True:
        if content[at] != 0xFF:
            raise ValueError("no marker")
        marker = content[at + 1]
        if marker == 0xDA:  # the picture itself follows, to the end
            return b"".join([*kept, content[at:]])
        (length,) = struct.unpack_from(">H", content, at + 2)
        if at + 2 + length > len(content):
            raise ValueError("a segment is cut off")
        if marker not in _DROPPED_MARKERS:
            kept.append(content[at : at + 2 + length])
        at += 2 + length


def _stripped_webp(content: bytes) -> bytes:
    kept = []
    at = 12
    while at < len(content):
        name, (length,) = content[at : at + 4], struct.unpack_from("<I", content, at + 4)
        end = at + 8 + length + length % 2
        if end > len(content) + 1:
            raise ValueError("a chunk is cut off")
        if name not in (b"EXIF", b"XMP "):
            kept.append(content[at:end])
        at = end
    body = b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
