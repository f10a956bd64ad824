"""Pictures and files as they may be kept: known by their first bytes, of a bounded size; pictures are drawn anew."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from uptake.programme.rewards.refusals import Unusable

LARGEST_PICTURE: Final = 1024 * 1024
LARGEST_FILE: Final = 4 * 1024 * 1024
PICTURES: Final = ("image/png", "image/jpeg", "image/webp")
FILES: Final = (*PICTURES, "application/pdf")
MOST_PIXELS: Final = 24_000_000
"""More than any telephone of today takes; what says it is larger is not opened."""
LONGEST_SIDE: Final = 1200
"""Pixels of a picture as it is kept."""


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
    """(media type, the picture drawn anew: upright, bounded, with nothing beside its pixels). Raises Unusable."""
    if len(file.content) > LARGEST_PICTURE:
        raise Unusable("picture", _("The picture is larger than 1 MB"))
    media_type = media_type_of(file.content)
    if media_type not in PICTURES:
        raise Unusable("picture", _("The picture must be a PNG, JPEG or WebP file"))
    try:
        return media_type, _drawn_anew(media_type.removeprefix("image/").upper(), file.content)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as broken:
        raise Unusable("picture", _("The picture cannot be read to its end")) from broken


def _drawn_anew(kind: str, content: bytes) -> bytes:
    """The same picture in the same format, from its pixels alone. Raises what Pillow raises of a broken file."""
    with Image.open(BytesIO(content), formats=(kind,)) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        opened.load()
        see_through = kind != "JPEG" and ("A" in opened.getbands() or "transparency" in opened.info)
        upright = ImageOps.exif_transpose(opened).convert("RGBA" if see_through else "RGB")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    plain = Image.new(upright.mode, upright.size)
    plain.paste(upright)
    target = BytesIO()
    plain.save(target, kind, **({"optimize": True} if kind == "PNG" else {"quality": 85}))
    return target.getvalue()


def checked_attachment(file: File) -> str:
    """The media type of a file for a person. Raises Unusable."""
    if len(file.content) > LARGEST_FILE:
        raise Unusable("file", _("The file is larger than 4 MB"))
    media_type = media_type_of(file.content)
    if media_type not in FILES:
        raise Unusable("file", _("The file must be a PDF, PNG, JPEG or WebP file"))
    return media_type
