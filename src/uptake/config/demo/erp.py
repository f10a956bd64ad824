"""A company of the demo whose five people work in a real Tryton, asked every two seconds by the shipped preset.

It stands in the demo park or, for those in a hurry, alone. It comes into the park with its rules: where none hold yet
they begin today, and nobody is there whom others have promised something.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import transaction

from uptake.config.demo.build import LOGINS_FILE
from uptake.config.demo.names import Words
from uptake.config.demo.people import PASSWORD, DemoLogin
from uptake.connectors.models import Pull
from uptake.connectors.pull.connect_system import change_system, connect_system
from uptake.connectors.pull.presets import preset
from uptake.directory.enrol import enrol
from uptake.directory.grant_role import give_role
from uptake.directory.models import Kind, Organization, Person, Role
from uptake.directory.open_login import open_login
from uptake.directory.organize import make_organization, move_organization
from uptake.directory.place import settings_at
from uptake.directory.resolve import Hints, resolve
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import pause, resume
from uptake.events.describe import describe
from uptake.programme.publish import publish

COMPANY = Words("Yuanhe Trading", "远和贸易")
SLUG = "yuanhe"
SOURCE = "tryton"
EVERY_SECONDS = 2


class Colleague(NamedTuple):
    """One of the five: how they sign in, in both systems; their staff number, name, job and trade."""

    login: str
    staff_number: str
    name: Words
    job: Words
    trade: str


FIVE: tuple[Colleague, ...] = (
    Colleague("bai", "Y001", Words("Bai Lu", "白露"), Words("Sales clerk", "销售员"), "sales"),
    Colleague("cai", "Y002", Words("Cai Wen", "蔡文"), Words("Sales clerk", "销售员"), "sales"),
    Colleague("du", "Y003", Words("Du Juan", "杜娟"), Words("Buyer", "采购员"), "purchasing"),
    Colleague("pan", "Y004", Words("Pan Hong", "潘虹"), Words("Storekeeper", "仓管员"), "warehouse"),
    Colleague("fang", "Y005", Words("Fang Yuan", "方圆"), Words("Accountant and manager", "会计兼经理"), "finance"),
)
MANAGER = "fang"


class Paid(NamedTuple):
    """An event of Tryton that earns, and what it is called."""

    event: str
    points: int
    label: Words
    category: str
    object_type: str


PAID: tuple[Paid, ...] = (
    Paid("sale.confirmed", 10, Words("Order confirmed in the ERP", "在 ERP 中确认销售订单"), "orders", "order"),
    Paid(
        "purchase.confirmed", 6, Words("Purchase confirmed in the ERP", "在 ERP 中确认采购订单"), "orders", "purchase"
    ),
    Paid("shipment_out.done", 8, Words("Goods sent in the ERP", "在 ERP 中完成发货"), "stock", "shipment"),
    Paid("inventory.confirmed", 4, Words("Count confirmed in the ERP", "在 ERP 中确认盘点"), "stock", "count"),
    Paid("invoice.posted", 5, Words("Invoice posted in the ERP", "在 ERP 中过账发票"), "finance", "invoice"),
)


def open_office(
    *, folder: Path, language: str, park: Organization | None, address: str, database: str, user: str, now: datetime
) -> Pull:
    """The company with its people, rules and connection, made if missing; its Tryton is asked at `address` from now on.

    `park` is where it stands (None: alone). The log-ins join those that the sign-in page lists.
    """
    settings = {"address": address, "database": database, "user": user}
    secrets = {"password": PASSWORD}
    with transaction.atomic():
        company = Organization.objects.filter(slug=SLUG).first()
        if company is None:
            company = _move_in(language, park, now)
        pull = Pull.objects.select_related("connection__organization").filter(connection__slug=SOURCE).first()
        if pull is None:
            pull = connect_system(
                slug=SOURCE,
                name=f"Tryton · {company.name}",
                organization=company,
                declaration=preset("tryton").text,
                preset="tryton",
                settings=settings,
                secrets=secrets,
                every_seconds=EVERY_SECONDS,
                by=EVERYTHING,
                now=now,
            )
        else:
            resume(connection=pull.connection, by=EVERYTHING, now=now)
            pull = change_system(pull=pull, settings=settings, secrets=secrets, by=EVERYTHING, now=now)
    _list(folder, company)
    return pull


def close_office(*, now: datetime) -> None:
    """Its Tryton is gone: it is not asked until it is there again, and nobody is told that it is missing."""
    for pull in Pull.objects.select_related("connection__organization").filter(connection__slug=SOURCE):
        pause(connection=pull.connection, by=EVERYTHING, now=now)


def _move_in(language: str, park: Organization | None, now: datetime) -> Organization:
    company = make_organization(
        kind=Kind.COMPANY,
        name=COMPANY.in_(language),
        slug=SLUG,
        parent=None,
        timezone=park.timezone if park else "Asia/Shanghai",
        day_start=park.day_start if park else None,
        trade=Words("Trade", "贸易").in_(language),
        by=EVERYTHING,
        now=now,
    )
    today = settings_at(company).date_of(now)
    book = rulebook(language=language, first=today.isoformat())
    # At once, as no event of it came before: else all of the park's would be considered again.
    publish(rulebook=book, organization=company, in_force_date=today, by=EVERYTHING, now=now, at_once=True)
    if park is not None:
        company = move_organization(organization=company, parent=park, by=EVERYTHING, now=now)
    encoded = make_password(PASSWORD)
    for one in FIVE:
        person = enrol(
            name=one.name.in_(language),
            organization=company,
            from_date=today,
            email=f"{one.login}@{SLUG}.example",
            staff_number=one.staff_number,
            work=one.job.in_(language),
            by=EVERYTHING,
            now=now,
        )
        if one.login == MANAGER:
            give_role(person=person, role=Role.MANAGER, organization=company, from_date=today, by=EVERYTHING, now=now)
        open_login(person=person, username=one.login, encoded=encoded, by=EVERYTHING, now=now)
    # Who is who in Tryton is known before its first record comes.
    hints = {one.login: Hints(name=one.name.in_(language), staff_number=one.staff_number) for one in FIVE}
    resolve(source=SOURCE, people=hints, company=company, now=now)
    for paid in PAID:
        describe(
            name=paid.event,
            label_en=paid.label.en,
            label_zh=paid.label.zh,
            category=paid.category,
            object_type=paid.object_type,
            by=EVERYTHING,
            now=now,
        )
    return company


def rulebook(*, language: str, first: str) -> dict[str, Any]:
    """Points for each of `PAID`; an order that is cancelled takes its points back."""
    return {
        "programme": {},
        "rules": [
            {
                "rule": paid.event.replace(".", "-").replace("_", "-"),
                "version": 1,
                "from": first,
                "on": paid.event,
                "points": paid.points,
                "title": paid.label.in_(language),
            }
            for paid in PAID
        ],
        "reversals": [{"event": "sale.cancelled", "undoes": ["sale.confirmed"]}],
    }


def _list(folder: Path, company: Organization) -> None:
    """The five join the log-ins that the sign-in page lists."""
    file = folder / LOGINS_FILE
    listed: list[dict[str, str]] = json.loads(file.read_text()) if file.exists() else []
    known = {one["username"] for one in listed}
    for one in FIVE:
        if one.login not in known:
            name = Person.objects.get(user__username=one.login).name
            listed.append(asdict(DemoLogin(one.login, PASSWORD, name, one.job.en, one.job.zh, company.name)))
    file.write_text(json.dumps(listed, ensure_ascii=False, indent=1))
