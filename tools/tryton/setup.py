# ruff: noqa
# mypy: ignore-errors
"""Company, chart, products, and five real users - over XML-RPC, from outside."""

import os, sys, time, datetime as dt
from decimal import Decimal
from proteus import Model, Wizard
from proteus.config import set_xmlrpc_session
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences, create_payment_term
from proteus import config as pconfig

DB = os.environ.get("DB", "erp")
PORT = os.environ.get("PORT", "8071")
URL = f"http://127.0.0.1:{PORT}/{DB}/rpc/"
ADMIN = open(os.environ["TRYTONPASSFILE"]).read()
USERS = {
    "alice": ("Alice Zhang", ["Sales", "Sales Administrator"]),
    "bob": ("Bob Li", ["Sales"]),
    "carol": ("Carol Wang", ["Stock", "Stock Administration"]),
    "dave": ("Dave Chen", ["Purchase", "Purchase Administrator"]),
    "erin": ("Erin Zhao", ["Accounting", "Party Administration"]),
}
t0 = time.time()
with set_xmlrpc_session(URL, "admin", ADMIN) as cfg:
    User = Model.get("res.user")
    cfg.user = User.find([("login", "=", "admin")])[0].id
    # currency: test tools call get_currency which uses in-process pool, so make one here
    Currency = Model.get("currency.currency")
    cur = Currency(name="Renminbi", code="CNY", symbol="¥", numeric_code="156", rounding=Decimal("0.01"), digits=2)
    cur.rates.new(date=dt.date(2020, 1, 1), rate=Decimal(1))
    cur.save()
    Party = Model.get("party.party")
    w = Wizard("company.company.config")
    w.execute("company")
    p = Party(name="Huaxia Trading Co.")
    p.save()
    w.form.party = p
    w.form.currency = cur
    w.execute("add")
    company = get_company()
    Company = Model.get("company.company")
    cfg._context = User.get_preferences(True, {})
    if not cfg._context.get("company"):
        u = User(cfg.user)
        u.companies.append(Company(company.id))
        u.company = company
        u.save()
        cfg._context = User.get_preferences(True, {})
    create_chart(company)
    fy = set_fiscalyear_invoice_sequences(create_fiscalyear(company))
    fy.click("create_period")
    acc = get_accounts(company)
    Cat = Model.get("product.category")
    cat = Cat(name="Goods", accounting=True, account_expense=acc["expense"], account_revenue=acc["revenue"])
    cat.save()
    Uom = Model.get("product.uom")
    (unit,) = Uom.find([("name", "=", "Unit")])
    Tmpl = Model.get("product.template")
    prods = []
    for i in range(1, 11):
        t = Tmpl(
            name=f"Part {i:02d}",
            code=f"P{i:02d}",
            default_uom=unit,
            type="goods",
            salable=True,
            purchasable=True,
            list_price=Decimal(10 * i),
            account_category=cat,
        )
        t.save()
        prods.append(t.products[0])
    pt = create_payment_term()
    pt.save()
    for n in ("Acme", "Beta Corp", "Gamma Ltd", "Delta GmbH"):
        Party(name=n).save()
    Loc = Model.get("stock.location")
    (sto,) = Loc.find([("code", "=", "STO")])
    Inv = Model.get("stock.inventory")
    inv = Inv(location=sto)
    for pr in prods:
        inv.lines.new(product=pr, quantity=5000.0, expected_quantity=0.0)
    inv.click("confirm")
    Group = Model.get("res.group")
    Emp = Model.get("company.employee")
    groups = {g.name: g for g in Group.find([])}
    print("groups", sorted(groups))
    for login, (name, gs) in USERS.items():
        ep = Party(name=name)
        ep.save()
        e = Emp(party=ep)
        e.save()
        u = User(name=name, login=login, password=f"{login}-Secret-2026")
        for g in gs:
            if g in groups:
                u.groups.append(Group(groups[g].id))
            else:
                print("no group", g)
        u.companies.append(Company(company.id))
        u.company = company
        u.employees.append(e)
        u.employee = e
        u.save()
    # A read-only integration user
    u = User(name="Connector", login="connector", password="connector-Secret-2026")
    u.administrator = True  # ir.model.log is searchable without a resource filter by administrators only
    u.companies.append(Company(company.id))
    u.company = company
    u.save()
print("setup s", round(time.time() - t0, 1))
