"""Furnishes an empty Tryton: a company with accounts, goods, partners, and the people who will work in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from tools.tryton.rpc import Session

CONNECTOR = "connector"
STOCK = 100_000.0
PARTNERS_CITY = "Linjiang"
"""By which those whom one trades with are found; the last of them is the supplier."""


@dataclass(frozen=True)
class Worker:
    """Somebody who works in it: how they sign in, their name, and the groups of rights they need."""

    login: str
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Furniture:
    """How the things in it are called."""

    company: str
    currency: tuple[str, str, str]
    """Name, code and symbol."""
    goods: Sequence[str]
    customers: Sequence[str]
    supplier: str


def furnish(address: str, furniture: Furniture, workers: Sequence[Worker], *, admin: str, password: str) -> None:
    """Makes all of it, signed in as `admin` with that password; `password` is everybody's, the connector's too."""
    boss = Session(address, "admin", admin)
    company = _company(boss, furniture)
    _accounts(boss, company)
    goods = _goods(boss, furniture.goods)
    term = boss.make("account.invoice.payment_term", name="30", lines=[["create", [{"type": "remainder"}]]])
    for name in [*furniture.customers, furniture.supplier]:
        boss.make(
            "party.party",
            name=name,
            addresses=[["create", [{"city": PARTNERS_CITY}]]],
            customer_payment_term=term,
            supplier_payment_term=term,
        )
    _fill_stock(boss, goods)
    rights = {one["name"]: one["id"] for one in boss.model("res.group", "search_read", [], 0, None, None, ["name"])}
    for one in workers:
        party = boss.make("party.party", name=one.name)
        employee = boss.make("company.employee", party=party, company=company)
        boss.make(
            "res.user",
            name=one.name,
            login=one.login,
            password=password,
            groups=[["add", [rights[group] for group in one.groups]]],
            companies=[["add", [company]]],
            company=company,
            employees=[["add", [employee]]],
            employee=employee,
        )
    # Only administrators may read the log of buttons.
    boss.make(
        "res.user",
        name="Connector",
        login=CONNECTOR,
        password=password,
        administrator=True,
        companies=[["add", [company]]],
        company=company,
    )


def _company(boss: Session, furniture: Furniture) -> int:
    name, code, symbol = furniture.currency
    currency = boss.make(
        "currency.currency",
        name=name,
        code=code,
        symbol=symbol,
        digits=2,
        rounding=Decimal("0.01"),
        rates=[["create", [{"date": date(2020, 1, 1), "rate": Decimal(1)}]]],
    )
    party = boss.make("party.party", name=furniture.company)
    company = boss.make("company.company", party=party, currency=currency)
    boss.model("res.user", "write", [boss.user], {"companies": [["add", [company]]], "company": company})
    boss.context = boss.call("model.res.user.get_preferences", True, {})
    return company


def _accounts(boss: Session, company: int) -> None:
    """A chart of accounts, and a fiscal year around today."""
    chart = boss.call("model.ir.model.data.get_id", "account.account_template_root_en", {})
    wizard = boss.call("wizard.account.create_chart.create", boss.context)[0]

    def go(to: str, values: dict[str, dict[str, object]]) -> None:
        boss.call("wizard.account.create_chart.execute", wizard, values, to, boss.context)

    chosen: dict[str, dict[str, object]] = {"account": {"company": company, "account_template": chart}}
    go("create_account", chosen)
    accounts = {kind: _account(boss, kind) for kind in ("receivable", "payable", "expense", "revenue")}
    properties: dict[str, object] = {"company": company}
    properties |= {f"account_{kind}": accounts[kind] for kind in ("receivable", "payable")}
    properties |= {f"category_account_{kind}": accounts[kind] for kind in ("expense", "revenue")}
    go("create_properties", {**chosen, "properties": properties})
    boss.call("wizard.account.create_chart.delete", wizard, boss.context)
    today = datetime.now().astimezone().date()
    year = boss.make(
        "account.fiscalyear",
        name=str(today.year),
        company=company,
        start_date=(today - timedelta(days=200)).replace(day=1),
        end_date=(today + timedelta(days=800)).replace(day=1) - timedelta(days=1),
        move_sequence=_sequence(boss, company, "Account Move"),
        invoice_sequences=[["create", [_invoice_sequences(_sequence(boss, company, "Invoice"), company)]]],
    )
    boss.model("account.fiscalyear", "create_period", [year])


def _invoice_sequences(sequence: int, company: int) -> dict[str, int]:
    kinds = ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note")
    return {"company": company, **{f"{kind}_sequence": sequence for kind in kinds}}


def _sequence(boss: Session, company: int, kind: str) -> int:
    (type_,) = boss.find("ir.sequence.type", [["name", "=", kind]])
    return boss.make("ir.sequence.strict", name=kind, sequence_type=type_, company=company)


def _account(boss: Session, kind: str) -> int:
    return boss.find("account.account", [[f"type.{kind}", "=", True], ["closed", "!=", True]])[0]


def _goods(boss: Session, names: Sequence[str]) -> list[int]:
    (unit,) = boss.find("product.uom", [["name", "=", "Unit"]])
    category = boss.make(
        "product.category",
        name="Goods",
        accounting=True,
        account_expense=_account(boss, "expense"),
        account_revenue=_account(boss, "revenue"),
    )
    for number, name in enumerate(names, 1):
        boss.make(
            "product.template",
            name=name,
            code=f"P{number:02}",
            type="goods",
            default_uom=unit,
            salable=True,
            sale_uom=unit,
            purchasable=True,
            purchase_uom=unit,
            list_price=Decimal(10 * number),
            account_category=category,
            products=[["create", [{}]]],
        )
    return boss.find("product.product", [])


def _fill_stock(boss: Session, goods: Sequence[int]) -> None:
    (store,) = boss.find("stock.location", [["code", "=", "STO"]])
    lines = [{"product": one, "quantity": STOCK} for one in goods]
    count = boss.make("stock.inventory", location=store, lines=[["create", lines]])
    boss.model("stock.inventory", "confirm", [count])
