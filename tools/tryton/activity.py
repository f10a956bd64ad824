# ruff: noqa
# mypy: ignore-errors
"""Real ERP work by five users, each through its own authenticated session (XML-RPC, proteus).
Ground truth of what was done is appended to run/truth.jsonl, so a connector can be checked against it.
usage: activity.py [sales=40] [seed=1]"""

import os, sys, json, time, random, datetime as dt, xmlrpc.client, threading
from decimal import Decimal
from proteus import Model
from proteus.config import set_xmlrpc_session
from trytond.modules.account.tests.tools import get_accounts

N = int(sys.argv[1]) if len(sys.argv) > 1 else 40
rnd = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
DB = os.environ.get("DB", "erp")
PORT = os.environ.get("PORT", "8071")
URL = f"http://127.0.0.1:{PORT}/{DB}/rpc/"
T = open(os.path.join(os.environ["TR"], "run", f"truth-{os.environ['BACKEND']}.jsonl"), "a")
counts = {}


def truth(user, verb, model, rid, **kw):
    counts[(user, verb)] = counts.get((user, verb), 0) + 1
    T.write(
        json.dumps(dict(t=dt.datetime.utcnow().isoformat(), user=user, verb=verb, model=model, id=rid, **kw)) + "\n"
    )
    T.flush()


from contextlib import contextmanager


@contextmanager
def as_user(u):
    with set_xmlrpc_session(URL, u, f"{u}-Secret-2026") as cfg:
        truth(u, "login", "res.user", None)
        cfg.user = cfg.server.model.res.user.search([("login", "=", u)], 0, 1, None, {})[0]
        yield cfg
    truth(u, "logout", "res.user", None)


t0 = time.time()
# failed logins
for u in ("mallory", "alice"):
    try:
        xmlrpc.client.ServerProxy(URL, allow_none=True).common.db.login(u, {"password": "wrong"})
    except Exception as e:
        truth(u, "login_failed", "res.user", None, err=str(e)[:60])

sales_done = []
for who in ("alice", "bob"):
    with as_user(who):
        Sale = Model.get("sale.sale")
        Party = Model.get("party.party")
        P = Model.get("product.product")
        custs = Party.find([("name", "in", ["Acme", "Beta Corp", "Gamma Ltd", "Delta GmbH"])])
        prods = P.find([])
        if who == "alice":
            c = Party(name=f"New customer {rnd.randrange(10**6)}")
            c.save()
            truth(who, "create", "party.party", c.id)
        for i in range(N // 2):
            s = Sale(party=custs[rnd.randrange(len(custs))], invoice_method="fulfillment")
            for pr in rnd.sample(prods, rnd.randint(1, 3)):
                l = s.lines.new()
                l.product = pr
                l.quantity = float(rnd.randint(1, 9))
            s.save()
            truth(who, "create", "sale.sale", s.id)
            x = rnd.random()
            if x < 0.08:
                sid = s.id
                s.click("cancel")
                truth(who, "cancel", "sale.sale", sid)
                s.delete()
                truth(who, "delete", "sale.sale", sid)
                continue
            if x < 0.25:
                s.reference = f"PO-{rnd.randrange(10**5)}"
                s.save()
                truth(who, "write", "sale.sale", s.id)
            if x < 0.35:
                continue  # left as draft
            s.click("quote")
            truth(who, "quote", "sale.sale", s.id)
            if x < 0.45:
                s.click("cancel")
                truth(who, "cancel", "sale.sale", s.id)
                continue
            s.click("confirm")
            truth(who, "confirm", "sale.sale", s.id)
            sales_done.append(s.id)
print("sales", round(time.time() - t0, 1))
t1 = time.time()
with as_user("dave"):
    Pu = Model.get("purchase.purchase")
    Party = Model.get("party.party")
    P = Model.get("product.product")
    sup = Party.find([("name", "=", "Delta GmbH")])[0]
    prods = P.find([])
    for i in range(max(2, N // 8)):
        p = Pu(party=sup, invoice_method="fulfillment")
        l = p.lines.new()
        l.product = rnd.choice(prods)
        l.quantity = float(rnd.randint(5, 50))
        l.unit_price = Decimal("4.0000")
        p.save()
        truth("dave", "create", "purchase.purchase", p.id)
        p.click("quote")
        truth("dave", "quote", "purchase.purchase", p.id)
        p.click("confirm")
        truth("dave", "confirm", "purchase.purchase", p.id)
print("purchases", round(time.time() - t1, 1))
t1 = time.time()
with as_user("carol"):
    Ship = Model.get("stock.shipment.out")
    ShipIn = Model.get("stock.shipment.in")
    Move = Model.get("stock.move")
    for sh in Ship.find([("state", "=", "waiting")]):
        for b in ("assign_try", "pick", "pack", "do"):
            sh.click(b)
            truth("carol", b, "stock.shipment.out", sh.id)
    Inv = Model.get("stock.inventory")
    Loc = Model.get("stock.location")
    P = Model.get("product.product")
    (sto,) = Loc.find([("code", "=", "STO")])
    for i in range(3):
        v = Inv(location=sto)
        v.lines.new(product=rnd.choice(P.find([])), quantity=float(4000 + rnd.randrange(500)))
        v.save()
        truth("carol", "create", "stock.inventory", v.id)
        v.click("confirm")
        truth("carol", "confirm", "stock.inventory", v.id)
    (wh,) = Loc.find([("type", "=", "warehouse")])
    inp = wh.input_location
    SI = Model.get("stock.shipment.internal")
    P0 = P.find([])[0]
print("stock", round(time.time() - t1, 1))
t1 = time.time()
with as_user("erin"):
    I = Model.get("account.invoice")
    for inv in I.find([("type", "=", "out"), ("state", "=", "draft")]):
        inv.invoice_date = dt.date.today()
        inv.save()
        truth("erin", "write", "account.invoice", inv.id)
        inv.click("post")
        truth("erin", "post", "account.invoice", inv.id)
print("invoices", round(time.time() - t1, 1))
n = sum(counts.values())
print(json.dumps({f"{u}:{v}": c for (u, v), c in sorted(counts.items())}, indent=0))
print(f"{n} activities in {time.time() - t0:.1f}s = {n / (time.time() - t0):.1f}/s")
