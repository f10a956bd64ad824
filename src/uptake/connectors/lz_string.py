"""Unpacks LZ-string in its base64 form, which browser clients of 2020–2022 sent. Pure.

The stream is of bits, the least significant of each number first. A dictionary grows by one entry with every number
read; the entries 0, 1 and 2 mean: a character of 8 bits follows, one of 16 bits follows, the end.
"""

from __future__ import annotations

from uptake.connectors.message import Unreadable

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
SHORT, LONG, END = 0, 1, 2


def from_lz_string(text: str, *, most: int) -> str:
    """The text that was packed. Raises Unreadable, also when it would have more than `most` characters."""
    bits = _Bits(text)
    entries: list[str] = ["", "", ""]
    code = bits.take(2)
    if code == END:
        return ""
    previous = _character(bits, code)
    entries.append(previous)
    parts = [previous]
    length = len(previous)
    # A number is as wide as the greatest entry that it could name, the one being made included.
    while True:
        code = bits.take(len(entries).bit_length())
        if code == END:
            return "".join(parts)
        if code in {SHORT, LONG}:
            entries.append(_character(bits, code))
            entry = entries[-1]
        elif code < len(entries):
            entry = entries[code]
        elif code == len(entries):
            entry = previous + previous[0]
        else:
            raise Unreadable("The lz-string body names an entry that it does not have.")
        parts.append(entry)
        length += len(entry)
        if length > most:
            raise Unreadable(f"Unpacked, the body passes {most} characters.")
        entries.append(previous + entry[0])
        previous = entry


def _character(bits: _Bits, code: int) -> str:
    if code not in {SHORT, LONG}:
        raise Unreadable("The lz-string body does not begin with a character.")
    return chr(bits.take(8 if code == SHORT else 16))


class _Bits:
    """The bits of the text, six a letter."""

    def __init__(self, text: str) -> None:
        try:
            self.values = [VALUES[letter] for letter in text.strip().replace(" ", "+").rstrip("=$")]
        except KeyError:
            raise Unreadable("The body is not lz-string.") from None
        self.at = 0

    def take(self, wanted: int) -> int:
        """The next bits as a number, its least significant bit first."""
        number = 0
        for place in range(wanted):
            letter, bit = divmod(self.at, 6)
            if letter >= len(self.values):
                raise Unreadable("The lz-string body ends too early.")
            number |= (self.values[letter] >> (5 - bit) & 1) << place
            self.at += 1
        return number
