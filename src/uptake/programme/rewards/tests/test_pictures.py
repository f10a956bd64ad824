"""A picture is kept as its pixels alone: upright, bounded, without what cameras write beside it."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from uptake.programme.rewards.files import LONGEST_SIDE, File, checked_picture
from uptake.programme.rewards.refusals import Unusable

pytestmark = pytest.mark.once
SECRET = b"29.87N 121.55E"


def drawn(kind: str, size: tuple[int, int], mode: str = "RGB") -> bytes:
    """A picture, brighter to the right, with a place and a turn written beside it."""
    target = BytesIO()
    picture = Image.linear_gradient("L").rotate(90).resize(size).convert(mode)
    beside = Image.Exif()
    beside[0x0112], beside[0x010E] = 6, SECRET.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    picture.save(target, kind, **({"pnginfo": text} if kind == "PNG" else {"exif": beside}))
    return target.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_stands_beside_the_pixels_goes_and_the_size_is_bounded(kind: str) -> None:
    content = drawn(kind, (2000, 500))
    assert SECRET in content

    media_type, kept = checked_picture(File("a", content))

    with Image.open(BytesIO(kept)) as picture:
        turned = kind != "PNG"  # who turned the camera sees the picture upright
        assert (picture.format, max(picture.size)) == (kind, LONGEST_SIDE)
        assert (picture.width < picture.height) == turned
        assert not picture.getexif()
        assert "Comment" not in picture.info
    assert media_type == f"image/{kind.lower()}"
    assert SECRET not in kept


def test_what_can_be_seen_through_stays_so() -> None:
    _type, kept = checked_picture(File("a", drawn("PNG", (20, 20), "RGBA")))
    with Image.open(BytesIO(kept)) as picture:
        assert picture.mode == "RGBA"


@pytest.mark.parametrize(
    "content",
    [
        drawn("PNG", (60, 60))[:-40],
        drawn("JPEG", (60, 60))[:200],
        drawn("WEBP", (60, 60))[:60],
        drawn("PNG", (6000, 5000), "1"),
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n<script>",
    ],
)
def test_what_is_cut_off_or_no_picture_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(Unusable):
        checked_picture(File("a", content))
