"""What people do in a Tryton, one piece of work at a time, each in their own session and with their own rights."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tools.tryton.office import PARTNERS_CITY
from tools.tryton.rpc import Session


@dataclass(frozen=True)
class Done:
    """One thing somebody did."""

    login: str
    verb: str
    object: str
    """As Tryton names it: model,id."""
    seconds: float = 0.0
    """How long Tryton took to answer."""


Tell = Callable[[Done], None]


class Desk:
    """Somebody at work. `work` does one piece of what their trade is; each step is told."""

    def __init__(self, address: str, login: str, password: str, *, seed: int, tell: Tell) -> None:
        self.login, self.tell = login, tell
        self.chance = random.Random(f"{seed}/{login}")
        self.session = Session(address, login, password)
        (self._store,) = self.session.find("stock.location", [["code", "=", "STO"]])
        (self._unit,) = self.session.find("product.uom", [["name", "=", "Unit"]])
        self._goods = self.session.find("product.product", [])
        addresses = self.session.find("party.address", [["city", "=", PARTNERS_CITY]])
        self._partners = [(self.session.read("party.address", one, "party")["party"], one) for one in addresses]

    def sell(self) -> None:
        """An order is entered, quoted and confirmed; now and then it stays a quotation or is cancelled."""
        sale = self._order("sale.sale", customer=True)
        self._press("sale.sale", sale, "quote")
        ends = self.chance.random()
        if ends < 0.08:
            self._press("sale.sale", sale, "cancel")
        elif ends < 0.9:
            self._press("sale.sale", sale, "confirm")

    def buy(self) -> None:
        """Goods are ordered from the supplier."""
        purchase = self._order("purchase.purchase", customer=False)
        for button in ("quote", "confirm"):
            self._press("purchase.purchase", purchase, button)

    def move(self) -> None:
        """The oldest order that waits is picked, packed and sent; where none does, stock is counted."""
        waiting = self.session.find("stock.shipment.out", [["state", "=", "waiting"]])
        if not waiting:
            return self._count()
        for button in ("assign_try", "pick", "pack", "do"):
            self._press("stock.shipment.out", waiting[0], button)
        return None

    def bill(self) -> None:
        """The oldest draft of an invoice is dated and posted."""
        drafts = self.session.find("account.invoice", [["type", "=", "out"], ["state", "=", "draft"]])
        if not drafts:
            return
        self.session.model("account.invoice", "write", [drafts[0]], {"invoice_date": datetime.now(UTC).date()})
        self.tell(Done(self.login, "write", f"account.invoice,{drafts[0]}"))
        self._press("account.invoice", drafts[0], "post")

    def _order(self, model: str, *, customer: bool) -> int:
        party, address = self.chance.choice(self._partners[:-1]) if customer else self._partners[-1]
        chosen = self.chance.sample(self._goods, self.chance.randint(1, min(3, len(self._goods))))
        lines = [self._line(product, float(self.chance.randint(1, 9))) for product in chosen]
        values: dict[str, Any] = {"party": party, "invoice_address": address, "lines": [["create", lines]]}
        if customer:
            values["shipment_address"] = address
        made = self.session.make(model, **values)
        self.tell(Done(self.login, "create", f"{model},{made}"))
        return made

    def _line(self, product: int, quantity: float) -> dict[str, Any]:
        price = Decimal("12.5000")
        return {"type": "line", "product": product, "quantity": quantity, "unit": self._unit, "unit_price": price}

    def _count(self) -> None:
        product = self.chance.choice(self._goods)
        lines = [{"product": product, "quantity": float(90_000 + self.chance.randrange(500))}]
        made = self.session.make("stock.inventory", location=self._store, lines=[["create", lines]])
        self.tell(Done(self.login, "create", f"stock.inventory,{made}"))
        self._press("stock.inventory", made, "confirm")

    def _press(self, model: str, id_: int, button: str) -> None:
        began = time.monotonic()
        self.session.model(model, button, [id_])
        self.tell(Done(self.login, button, f"{model},{id_}", time.monotonic() - began))


TRADES: dict[str, Callable[[Desk], None]] = {
    "sales": Desk.sell,
    "purchasing": Desk.buy,
    "warehouse": Desk.move,
    "finance": Desk.bill,
}
