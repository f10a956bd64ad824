"""A person's own points as a signed file that anybody can check without us: what was posted, and where the chain stood.

The file says what the ledger had at one place of its chain, so two files of the same place never differ in a figure.
Checking asks four things: the signature, the hash of every transfer, the balances added up again, and no transfer
beyond the head.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from uptake.basics.canonical import canonical_json
from uptake.ledger.accounts import AVAILABLE, DEBT, HELD, PENDING, person
from uptake.ledger.chain import START, link, stamp
from uptake.ledger.models import ChainHead, Entry, Transfer
from uptake.ledger.rows import in_pieces

FORM: Final = "uptake.points-proof/1"
PARTS: Final = (AVAILABLE, PENDING, HELD, DEBT)
SEQ, SOURCE, TARGET, AMOUNT = 1, 7, 8, 9
"""Places in a record of the chain."""


class BrokenProof(Exception):
    """The file is not what was signed, or it does not agree with itself; the message says where."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a proof that holds says."""

    owner: str
    book: int
    made_at: str
    transfers: int
    balances: Mapping[str, int]
    seq: int
    hash: str
    """Of the head of the chain when the proof was made."""


def proof_of(
    *, book: int, owner: str, now: datetime, key: str, about: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The entries, transfers and balances of one owner up to the head of the book's chain, signed.

    `key` is the private key (base64 of 32 bytes); `about` are words for the reader, such as names.
    """
    head = ChainHead.objects.filter(book=book).first()
    seq = head.seq if head else 0
    entries = list(Entry.objects.filter(book=book, owner=owner).order_by("id"))
    transfers: list[dict[str, Any]] = []
    for piece in in_pieces([entry.key for entry in entries]):
        rows = Transfer.objects.filter(book=book, key__in=piece, seq__lte=seq).select_related("source", "target")
        transfers += [{"before": row.previous_hash, "hash": row.hash, "record": _record(row)} for row in rows]
    transfers.sort(key=lambda one: int(one["record"][SEQ]))
    posted_at = head.posted_at if head else None
    document: dict[str, Any] = {
        "form": FORM,
        "made_at": stamp(now),
        "about": dict(about or {}),
        "book": book,
        "owner": owner,
        "chain_head": {"seq": seq, "hash": head.hash if head else START, "posted_at": posted_at and stamp(posted_at)},
        "balances": _added_up(owner, transfers),
        "entries": [_told(entry) for entry in entries if posted_at is not None and entry.posted_at <= posted_at],
        "transfers": transfers,
        "public_key": public_key_of(key),
    }
    signature = _private(key).sign(canonical_json(document))
    return {**document, "signature": base64.b64encode(signature).decode()}


def check_proof(document: Any, *, public_key: str) -> Checked:
    """Asks a proof whether it holds under the public key (base64) of the installation. Raises BrokenProof."""
    try:
        return _check(document, public_key)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
        raise BrokenProof("This is no proof of points") from problem


def public_key_of(key: str) -> str:
    """The public half of a private key, both base64 of 32 bytes."""
    return base64.b64encode(_private(key).public_key().public_bytes_raw()).decode()


def _check(document: Any, public_key: str) -> Checked:
    if document["form"] != FORM:
        raise BrokenProof("This is no proof of points of a form known here")
    signed = {name: value for name, value in document.items() if name != "signature"}
    try:
        verifier = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        verifier.verify(base64.b64decode(document["signature"], validate=True), canonical_json(signed))
    except (InvalidSignature, binascii.Error) as problem:
        raise BrokenProof("The signature is not of this file and this key: something was changed") from problem
    head = document["chain_head"]
    for one in document["transfers"]:
        if link(one["before"], one["record"]) != one["hash"]:
            raise BrokenProof(f"Transfer {one['record'][SEQ]} does not have its hash")
        if one["record"][SEQ] > head["seq"]:
            raise BrokenProof(f"Transfer {one['record'][SEQ]} lies beyond the head of the chain")
    if _added_up(document["owner"], document["transfers"]) != document["balances"]:
        raise BrokenProof("The balances are not the sum of the transfers")
    return Checked(
        owner=document["owner"],
        book=document["book"],
        made_at=document["made_at"],
        transfers=len(document["transfers"]),
        balances=document["balances"],
        seq=head["seq"],
        hash=head["hash"],
    )


def _added_up(owner: str, transfers: list[dict[str, Any]]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for one in transfers:
        record = one["record"]
        sums[record[SOURCE]] -= record[AMOUNT]
        sums[record[TARGET]] += record[AMOUNT]
    return {part: sums[person(owner, part)] for part in PARTS}


def _record(row: Transfer) -> list[Any]:
    """As `chain.link` reads it."""
    return [
        row.book, row.seq, row.key, row.part, row.kind, row.reason, row.cause, row.source.code, row.target.code,
        row.amount, row.lot_id, row.new_lot_id, stamp(row.effective_at), stamp(row.posted_at), row.explanation,
    ]  # fmt: skip


def _told(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: getattr(entry, name) for name in ("key", "kind", "points", "unmoved", "reason", "cause")
    }
    return told | {"effective_at": stamp(entry.effective_at), "posted_at": stamp(entry.posted_at)}


def _private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(key, validate=True))
