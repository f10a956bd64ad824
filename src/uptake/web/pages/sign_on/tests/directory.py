"""A stub of an LDAP server on a free port: it notes every bind, and is wrong in whatever way a test asks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ldap3.protocol import rfc4511 as asn
from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]

UUID = b"11111111-2222-3333-4444-555555555555"


class Directory:
    """`passwords` by name; `answers` are the entries of every search; `refers` sends binds elsewhere."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"ldap://127.0.0.1:{port}"
        self.passwords = {"cn=uptake": "service", "uid=lin": "lin-password"}
        self.anybody = False
        self.answers: list[tuple[str, dict[str, list[bytes]]]] = [
            ("uid=lin", {"entryUUID": [UUID], "mail": [b"lin@beiyuan.example"]})
        ]
        self.binds: list[tuple[str, str]] = []
        self.refers = ""

    def reply(self, operation: int, whole: bytes) -> list[Any]:
        """The answers to one message, by the tag of its operation."""
        if operation == BIND:
            asked = decoder.decode(whole, asn1Spec=asn.LDAPMessage())[0]["protocolOp"]["bindRequest"]
            name, password = str(asked["name"]), bytes(asked["authentication"]["simple"]).decode()
            self.binds.append((name, password))
            right = self.anybody or not password or self.passwords.get(name) == password
            return [self._result(asn.BindResponse(), 10 if self.refers else 0 if right else 49)]
        if operation == SEARCH:
            entries = [self._entry(name, values) for name, values in self.answers]
            return [*entries, self._result(asn.SearchResultDone(), 0)]
        return [self._result(asn.ExtendedResponse(), 2)]

    def _result(self, answer: Any, code: int) -> Any:
        answer["resultCode"] = code
        answer["matchedDN"] = ""
        answer["diagnosticMessage"] = ""
        if self.refers and code == 10:
            uris = asn.Referral()
            uris[0] = asn.URI(self.refers)
            answer["referral"] = uris
        return answer

    def _entry(self, name: str, values: dict[str, list[bytes]]) -> Any:
        answer = asn.SearchResultEntry()
        answer["object"] = name
        attributes = asn.PartialAttributeList()
        for place, (key, held) in enumerate(values.items()):
            one = asn.PartialAttribute()
            one["type"] = key
            vals = asn.Vals()
            for at, value in enumerate(held):
                vals[at] = value
            one["vals"] = vals
            attributes[place] = one
        answer["attributes"] = attributes
        return answer


BIND, SEARCH, UNBIND = 0x60, 0x63, 0x42
NAMES = {
    asn.BindResponse: "bindResponse",
    asn.SearchResultEntry: "searchResEntry",
    asn.SearchResultDone: "searchResDone",
    asn.ExtendedResponse: "extendedResp",
}


@contextmanager
def directory() -> Iterator[Directory]:
    """One that answers until the end of the block."""
    door = socket.create_server(("127.0.0.1", 0))
    held = Directory(door.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                line, _from = door.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(line,), daemon=True).start()

    def talk(line: socket.socket) -> None:
        waiting = b""
        with line:
            while piece := line.recv(65536):
                waiting += piece
                while len(waiting) > 6:
                    size, begin = _length(waiting, 1)
                    if len(waiting) < begin + size:
                        break
                    whole, waiting = waiting[: begin + size], waiting[begin + size :]
                    number, at = _length(whole, begin + 1)
                    operation = whole[at + number]
                    if operation == UNBIND:
                        return
                    for answer in held.reply(operation, whole):
                        told = asn.LDAPMessage()
                        told["messageID"] = int.from_bytes(whole[at : at + number], "big")
                        told["protocolOp"][NAMES[type(answer)]] = answer
                        line.sendall(encoder.encode(told))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield held
    finally:
        door.close()


def _length(message: bytes, at: int) -> tuple[int, int]:
    """(length, where what is so long begins) of what is encoded from `at` (BER)."""
    first = message[at]
    more = first & 0x7F if first & 0x80 else 0
    return (int.from_bytes(message[at + 1 : at + 1 + more], "big") if more else first), at + 1 + more
