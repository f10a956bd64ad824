"""The demo's committee at Beiyuan: a proposal refused, one accepted, one open, and a few appeals, by the doors."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.directory.grant_role import give_role
from uptake.directory.models import Kind, Membership, Organization, Person, Role
from uptake.directory.place import settings_at
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import Grant, Viewer
from uptake.programme.backtest.back_test import back_test
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.drafting.run_back_tests import seal
from uptake.programme.governance.appeal import decide_appeal, file_appeal
from uptake.programme.governance.close import close_proposals
from uptake.programme.governance.models import Choice, Proposal
from uptake.programme.governance.propose import base_of, open_proposal
from uptake.programme.governance.vote import cast_vote, write_comment
from uptake.programme.models import Award
from uptake.programme.rulebook_reading import read_rulebook

PLACE = "beiyuan"
SEATS = 7
Change = Callable[[dict[str, Any]], dict[str, Any]]


def seat_a_committee(park: DemoPark, now: datetime) -> None:
    """Seven members from the departments, what they voted on, and what was questioned."""
    company = Organization.objects.get(slug=PLACE)
    members = _members(company, park, now)
    seats = [_viewer(one, company, now) for one in members]

    def proposal(title: Words, why: Words, changes: dict[str, Change], days: int, at: datetime) -> Proposal:
        return _proposed(
            company, park, title.in_(park.language), why.in_(park.language), changes, days, seats[0], at
        )  # fmt: skip

    known = timedelta(days=(now.date() - park.first_day).days - 2)
    past, lately = now - min(timedelta(days=30), known), now - timedelta(days=8)
    refused = proposal(
        Words("Five points for the first log-in", "当日首次登录改为 5 分"),
        Words("More people would look in every day.", "让更多人每天打开系统。"),
        {"log-in": lambda rule: {**rule, "points": 5}},
        7,
        past,
    )
    no = Words("Pays looking in, not work.", "奖励的是登录，不是工作。").in_(park.language)
    _vote(refused, seats, ["yes", "no", "no", "no", "abstain"], no, past + timedelta(days=2))
    close_proposals(now=refused.closes_at + timedelta(minutes=1))
    accepted = proposal(
        Words("Quality checks on time: one point more", "按时质检加 1 分"),
        Words("The checks became longer in autumn.", "入秋后质检项目变多。"),
        {"quality-on-time": lambda rule: {**rule, "points": 6}},
        7,
        lately,
    )
    _vote(accepted, seats, ["yes", "yes", "yes", "yes", "abstain", "yes"], no, lately + timedelta(days=1))
    close_proposals(now=now)
    opened = proposal(
        Words("Pay stock counts by lines counted, and work orders a little more", "盘点按行数计分，报工略加分"),
        Words("Large counts are worth more than many small slips.", "一次盘多行，比拆成许多小单更有价值。"),
        {
            "stock-counted": lambda rule: {**rule, "points": {**rule["points"], "each": 5, "max": 12}},
            "work-order": lambda rule: {**rule, "points": {**rule["points"], "each": 40}},
        },
        14,
        now,
    )
    against = Words("Small stores lose by it. Phase it in.", "小仓库会吃亏，建议分步。").in_(park.language)
    _vote(opened, seats, ["yes", "no", "yes", "yes"], against, now)
    lin = Person.objects.get(staff_number="B001")
    for who, text in (
        (_viewer(lin, company, now, member=False), Words("Do recounts count too?", "复盘也算吗？")),
        (seats[2], Words("Yes, if they differ in nothing.", "算，只要无差异。")),
    ):
        write_comment(proposal=opened, text=text.in_(park.language), by=who, now=now)
    _appeals(company, park, seats, [lin, *_others(company, members)], now)


def _members(company: Organization, park: DemoPark, now: datetime) -> list[Person]:
    """Ke, and from each department whoever has been there longest."""
    start = park.first_day
    ke = Person.objects.get(user__username="ke")
    found = [ke]
    departments = Organization.objects.filter(company=company, kind=Kind.DEPARTMENT).order_by("pk")
    for department in departments[: SEATS - 1]:
        row = Membership.objects.filter(organization=department, person__user=None).order_by("person_id").first()
        if row is not None:
            give_role(
                person=row.person, role=Role.COMMITTEE, organization=company, from_date=start, by=EVERYTHING, now=now
            )  # fmt: skip
            found.append(row.person)
    return found


def _viewer(who: Person, company: Organization, now: datetime, *, member: bool = True) -> Viewer:
    grants = (Grant(Role.COMMITTEE.value, company.path),) if member else ()
    return Viewer(None, who.pk, who.name, grants, now.date(), (company.path,))


def _proposed(
    company: Organization,
    park: DemoPark,
    title: str,
    why: str,
    changes: dict[str, Change],
    days: int,
    by: Viewer,
    now: datetime,
) -> Proposal:
    today = settings_at(company).date_of(now)
    base = base_of(company, today)
    assert base is not None, "The park has rules"
    file = json.loads(base.file)
    latest = {rule["rule"]: rule["version"] for rule in file["rules"]}
    rules = []
    for rule in file["rules"]:
        change = changes.get(rule["rule"])
        if change is not None and rule["version"] == latest[rule["rule"]]:
            rule = {**change(rule), "version": rule["version"] + 1}
        rules.append(rule)
    draft = begin_draft(
        organization=company, title=title, rulebook={**file, "rules": rules}, by=by, now=now
    )  # fmt: skip
    told = back_test(
        organization=company, rulebook=read_rulebook(draft.file), until=today, days=days, sample=None, seed=draft.pk
    )
    seal(draft, told, made_by_id=None, now=now)
    return open_proposal(draft=draft, why=why, by=by, now=now)


def _vote(proposal: Proposal, seats: Sequence[Viewer], choices: Sequence[str], no: str, now: datetime) -> None:
    for seat, choice in zip([*seats[1:], *seats[:1]], choices, strict=False):
        cast_vote(proposal=proposal, choice=Choice(choice), reason=no if choice == "no" else "", by=seat, now=now)


def _others(company: Organization, members: Sequence[Person]) -> list[Person]:
    rows = Award.objects.filter(company=company, points=0).exclude(person__in=members)
    ids = rows.order_by("person_id").values_list("person_id", flat=True).distinct()
    return list(Person.objects.filter(pk__in=list(ids)).exclude(staff_number="B001").order_by("pk"))


def _appeals(
    company: Organization, park: DemoPark, seats: Sequence[Viewer], people: Sequence[Person], now: datetime
) -> None:
    """One open by Lin, two answered, one overdue."""
    asked = (
        (
            1,
            "order-on-time",
            Words("I closed it before noon; the confirmation came late.", "我中午前就处理完了，是确认来晚了。"),
        ),
        (
            5,
            "order-on-time",
            Words("The order was out on time; the clock of the scanner is wrong.", "单子是按时发的，扫码枪时钟不准。"),
        ),
        (6, "receipt-in-time", Words("I was told that every receipt counts.", "有人告诉我每次收货都算。")),
        (9, "stock-counted", Words("There was no difference: the sheet was mixed up.", "没有差异，是盘点表拿错了。")),
    )
    answers = {
        1: (True, 8, Words("The clock was wrong indeed; it is put right.", "时钟确实不准，已更正。")),
        2: (False, 0, Words("Only those within the time count; the rule says so.", "规则只计时限内的收货。")),
    }
    lin, *others = people
    for index, (days, rule, text) in enumerate(asked):
        at = now - timedelta(days=days)
        rows = Award.objects.filter(
            company=company, points=0, rule=rule, date__lt=at.date(), person__in=others if index else [lin]
        )
        award = rows.select_related("company", "person").order_by("-date", "-pk").first()
        if award is None:
            continue
        others = [one for one in others if one != award.person]
        by = _viewer(award.person, company, now, member=False)
        appeal = file_appeal(line=award, text=text.in_(park.language), by=by, now=at)
        if index in answers:
            upheld, points, answer = answers[index]
            decider = next(one for one in seats if one.person_id == appeal.assigned_id)
            decide_appeal(
                appeal=appeal, upheld=upheld, answer=answer.in_(park.language), points=points, by=decider, now=now
            )  # fmt: skip
