"""A world with a row of every kind on both sides of the wall, for the tests that look for leaks.

Each row carries a mark of its company (`QINGHE_MARKS`, `BEIYUAN_MARKS` of the cast): a page that shows one to the other
company's people leaks. Whoever adds a model with rows of a company adds a row of each side here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone

from tests.cast import BEIYUAN_MARKS, QINGHE_MARKS, Cast
from uptake.connectors.files.begin_import import begin_import
from uptake.connectors.models import BadRecord, IntakeProblem, PullStream
from uptake.connectors.people.change_source import add_source
from uptake.connectors.people.models import SaidPerson, Sort
from uptake.connectors.probes.allowed import allowed_from
from uptake.connectors.probes.keep import declare_probe
from uptake.connectors.probes.look import Seen
from uptake.connectors.probes.probe_due import probe_due
from uptake.connectors.pull.connect_system import connect_system
from uptake.connectors.pull.presets import preset
from uptake.directory.calendar import set_day
from uptake.directory.define_product import define_product
from uptake.directory.issue_seats import SeatRow, issue_seats
from uptake.directory.models import DayKind, Identity, Leave, Membership, Organization, Person, RoleAssignment, Seat
from uptake.directory.scope import EVERYTHING
from uptake.directory.sign_on.models import Protocol, SignOnLink
from uptake.directory.sign_on.set_up import Setup, set_up
from uptake.directory.tokens import make_token
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.keys import make_key
from uptake.events.models import Batch, Connection, Event
from uptake.events.read import positions_of
from uptake.events.record import record
from uptake.events.widget_keys import make_widget_key
from uptake.insight.gaming.decide import give_opinion
from uptake.insight.gaming.models import Finding, Verdict
from uptake.insight.impact.business_series import FileRow, placed
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.keep_query import Asked, keep_query
from uptake.insight.impact.keep_series import make_series, take_figures
from uptake.insight.impact.models import Chosen, DrawnPerson, Series, What
from uptake.insight.impact.note_outage import note_outage
from uptake.insight.impact.really_began import say_began
from uptake.insight.impact.register import lock, register_intervention
from uptake.insight.metrics.keep_segment import make_segment
from uptake.insight.metrics.keep_view import save_view
from uptake.insight.models import DayFigure
from uptake.insight.report.keep_schedule import keep_schedule
from uptake.insight.report.models import MonthlyReport
from uptake.insight.report.note_cost import note_cost
from uptake.insight.report.run_self_tests import ask_for_self_tests
from uptake.insight.report.share import share
from uptake.ledger.grant import Grant, grant
from uptake.notify.announce import News, announce
from uptake.notify.models import About, Bounce, Delivery, Message, Rhythm, Topic, Way, Wish
from uptake.notify.subscribe import make_webhook
from uptake.notify.tell import Telling, tell
from uptake.notify.word import word
from uptake.notify.write_mail import Letter, write_mail
from uptake.programme.adoption.models import (
    Announcement,
    Enrolment,
    Feedback,
    Guide,
    GuideFinished,
    ReadMark,
    Training,
)
from uptake.programme.backtest.back_test import back_test
from uptake.programme.community.models import Post, Reaction, Recognition, Reply, Terms
from uptake.programme.community.models import Report as PostReport
from uptake.programme.consider import consider_new_events
from uptake.programme.drafting.ask_back_test import ask_back_test
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.drafting.find_exploits import ask_search, run_search
from uptake.programme.drafting.run_back_tests import seal
from uptake.programme.governance.models import Appeal, Comment, Committee, Proposal
from uptake.programme.governance.seals import hash_of_text
from uptake.programme.merits.keep_boards import keep_boards
from uptake.programme.merits.models import (
    Badge,
    BoardPrize,
    Challenge,
    GivenBadge,
    PaidBoard,
    PaidPlace,
    Participant,
    Privilege,
)
from uptake.programme.models import RulebookVersion, StandingChange
from uptake.programme.publish import READER, publish
from uptake.programme.put_aside import note_failure, put_aside
from uptake.programme.retroactive.models import RetroactiveRun
from uptake.programme.rewards.fund_budget import fund_budget
from uptake.programme.rewards.grant_special import ask_special
from uptake.programme.rewards.import_coupons import import_coupons
from uptake.programme.rewards.line import join_line
from uptake.programme.rewards.models import Attachment, Picture
from uptake.programme.rewards.offer import Offer, offer
from uptake.programme.rewards.redeem import redeem
from uptake.programme.rulebook_reading import read_rulebook
from uptake.web.pages.gaming.follows import FOLLOWS

NOBODY_ID = 987_654_321
TRACKER = """
engine: rest
settings: [{name: address}, {name: user}, {name: password, secret: true}]
streams:
  - name: issues
    request: {address: /issues}
    records: issues
    order: {time: updated_on, id: id}
    tellings: [{event: issue.changed, key: "{{id}}"}]
"""
NOWHERE = "no-such-thing"


@dataclass
class Side:
    """One company: what its rows are called, and the ids by which a page may be asked for them."""

    company: Organization
    department: Organization
    person: Person
    marks: tuple[str, ...]
    order: str
    secret: str = ""
    widget_secret: str = ""
    ids: dict[str, Any] = field(default_factory=dict)
    """By kind of row ("person", "event", "slug" …); pages say which kind their addresses take."""


@dataclass
class World:
    """Everybody, and both sides of the wall."""

    cast: Cast
    beiyuan: Side
    qinghe: Side

    @property
    def nowhere(self) -> Mapping[str, Any]:
        """An id of each kind that nothing has."""
        return {kind: _nothing_like(value) for kind, value in self.beiyuan.ids.items()}

    def sides_of(self, who: str) -> tuple[Side, Side]:
        """(own, foreign) for one who belongs to one side of the wall; Wei coaches Beiyuan."""
        return (self.qinghe, self.beiyuan) if who == "mo" else (self.beiyuan, self.qinghe)


def _nothing_like(value: Any) -> Any:
    """An id that nothing has, of the same shape."""
    if isinstance(value, tuple):
        return tuple(map(_nothing_like, value))
    return NOWHERE if isinstance(value, str) else NOBODY_ID


ONE_SIDED = ("lin", "hua", "ke", "wei", "mo")
"""Those who see one side of the wall only."""


def build_world(cast: Cast, folder: Path) -> World:
    """Rows of both companies, each with its mark; `folder` takes the files that are imported."""
    now = timezone.now()
    beiyuan = Side(cast.beiyuan, cast.purchasing, cast.lin, BEIYUAN_MARKS, "BY-4500")
    qinghe = Side(cast.qinghe, cast.dyeing, cast.mo, QINGHE_MARKS, "QH-7001")
    for side in (beiyuan, qinghe):
        _fill(side, folder, now)
        _keep(cast, side, now)
        _draft(side, now)
        _govern(side, now)
        _talk(side, now)
        _merit(side, now)
        _reward(cast, side, now)
        _adopt(side, now)
        _listen(side, now)
        _probe(side, now)
        _vouch(side, now)
    consider_new_events(now=now)
    while keep_boards(now=now):
        pass
    return World(cast, beiyuan, qinghe)


def put_both_aside(world: World) -> World:
    """From now on the events of both companies wait: nothing of them is considered any more."""
    now = timezone.now()
    events, corrections = positions_of(READER)
    for side in (world.beiyuan, world.qinghe):
        put_aside([side.company.pk], events=events, corrections=corrections, now=now)
        note_failure(side.company.pk, AssertionError("planted"), now=now)
    return world


def _fill(side: Side, folder: Path, now: datetime) -> None:
    slug = side.company.slug
    publish(
        rulebook={
            "programme": {},
            "rules": [
                {
                    "rule": f"orders-{slug}",
                    "version": 1,
                    "from": "2026-01-01",
                    "on": "order.processed",
                    "points": 10,
                    "title": f"Orders of {side.company.name}",
                }
            ],
            "levels": [{"name": "Apprentice", "at": 1}],
        },
        organization=side.company,
        in_force_date=date(2026, 1, 1),
        by=EVERYTHING,
        now=now,
    )
    connection = connect(
        slug=f"{slug}-erp", kind="api", name=f"ERP of {side.order}", organization=side.company, by=EVERYTHING, now=now
    )
    key, side.secret = make_key(connection=connection, label=side.order, by=EVERYTHING, now=now)
    IntakeProblem.objects.create(
        key=key, day=now.date(), code="bad_json", count=1, first_at=now, last_at=now, detail=side.order
    )
    widget, side.widget_secret = make_widget_key(
        connection=connection, label=side.order, allowed_origins=[f"https://{slug}.example"], by=EVERYTHING, now=now
    )
    IntakeProblem.objects.create(
        widget_key=widget, day=now.date(), code="nobody", count=1, first_at=now, last_at=now, detail=side.order
    )
    batch = Batch.objects.create(connection=connection, label=f"{side.order}.csv", created_at=now)
    events = _events(side, connection, batch, now)
    set_day(
        organization=side.company, day=now.date(), kind=DayKind.WORK, name=f"Count {side.order}", by=EVERYTHING, now=now
    )
    tell(
        [Telling(person_id=side.person.pk, key="k", kind="points.granted", content={"order": side.order, "points": 1})],
        now=now,
    )
    define_product(slug=f"{slug}-tool", organization=side.company, name_en=f"Tool {side.order}", by=EVERYTHING, now=now)
    issue_seats(
        [
            SeatRow(2, f"{slug}-tool", email=side.person.email, issued_date=now.date() - timedelta(days=60)),
            SeatRow(3, f"{slug}-tool", person=f"{side.order}-never", name=f"Never of {side.order}"),
        ],
        place=side.company,
        today=now.date(),
        by=EVERYTHING,
        now=now,
    )
    file = folder / f"{slug}.csv"
    file.write_text(f"person,event,time,order\n{side.order}-clerk,order.read,2026-05-11 09:00,{side.order}\n")
    run = begin_import(file=file, file_name=f"{side.order}.csv", organization=side.company, by=EVERYTHING, now=now)
    side.ids = {
        "person": side.person.pk,
        "slug": slug,
        "department_slug": side.department.slug,
        "membership": Membership.objects.get(person=side.person).pk,
        "leave": Leave.objects.create(person=side.person, from_date=date(2025, 1, 6), until_date=date(2025, 1, 8)).pk,
        "assignment": RoleAssignment.objects.filter(organization=side.company).order_by("pk")[0].pk,
        "identity": Identity.objects.unresolved().filter(source=connection.slug).order_by("pk")[0].pk,
        "people_source": _source_of_people(side, now),
        "connection": connection.pk,
        "connection_slug": (connection.slug, _connect_system(side, now)),
        "key": key.pk,
        "widget_key": widget.pk,
        "batch": batch.pk,
        "event": events[0],
        "message": Message.objects.get(person=side.person, key="k").pk,
        "quarantined": events[1],
        "run": run.pk,
        "seat": Seat.objects.filter(company=side.company).order_by("pk")[0].pk,
    }


def _source_of_people(side: Side, now: datetime) -> int:
    """A source of people that said something which could not be done; gives its number."""
    source, _key = add_source(
        company=side.company,
        sort=Sort.SCIM,
        name=f"Provider of {side.order}",
        settings={},
        secrets={},
        by=EVERYTHING,
        now=now,
    )
    SaidPerson.objects.create(
        source=source, key="k", name=f"Double {side.order}", trouble="twice", created_at=now, changed_at=now
    )
    return source.pk


def _connect_system(side: Side, now: datetime) -> str:
    """A system that is asked, with a record that was not understood; gives its short name."""
    pull = connect_system(
        slug=f"{side.company.slug}-tracker",
        name=f"Tracker of {side.order}",
        organization=side.company,
        declaration=TRACKER,
        settings={"address": "http://127.0.0.1:9", "user": f"{side.order}-connector"},
        secrets={"password": "not told"},
        by=EVERYTHING,
        now=now,
    )
    stream = PullStream.objects.create(pull=pull, name="issues")
    BadRecord.objects.create(
        stream=stream, digest="d", record_id=side.order, raw={"title": side.order}, code="gap", first_at=now
    )
    return pull.connection.slug


def _keep(cast: Cast, side: Side, now: datetime) -> None:
    """A segment and a view of the company, shared with those who may see it, and a token of its person."""
    ren = cast.viewer(cast.ren, now.date())
    kept: dict[str, Any] = {"organization": side.company, "by": ren, "now": now}
    criteria = {"criteria": [{"kind": "performed", "event": "order.processed"}]}
    roles = ["coach", "operator", "administrator"]
    segment = make_segment(name=f"Who did {side.order}", criteria=criteria, roles=roles, **kept)
    query = f"at={side.company.slug}&where=order:eq:{side.order}"
    view = save_view(name=f"View of {side.order}", page="trends", query=query, roles=[*roles, "manager"], **kept)
    own = cast.viewer(side.person, now.date())
    token, _secret = make_token(by=own, days=30, now=now, label=f"Report of {side.order}")
    DayFigure.objects.create(
        organization=side.company,
        day=now.date() - timedelta(days=2),
        as_of=now.date(),
        events=1,
        people=1,
        taken_at=now,
    )
    side.ids |= {"segment": segment.pk, "view": view.pk, "token": token.pk}
    _intervene(side, now)
    _review(cast, side, now)


def _review(cast: Cast, side: Side, now: datetime) -> None:
    """A finding that waits, and one that was ordinary work."""
    for detector in ("B", "A2"):
        finding = Finding.objects.create(
            company=side.company,
            person=side.person,
            detector=detector,
            first=now.date() - timedelta(days=28),
            last=now.date() - timedelta(days=1),
            numbers={"p": 0.001, "again": 6, "created": 9},
            events=[side.ids["event"]],
            points=0,
            held=0,
            found_at=now,
        )
        side.ids["finding"] = finding.pk
    by = cast.viewer(cast.ren, now.date())
    give_opinion(
        finding=finding, verdict=Verdict.NOT, reason=f"Counts {side.order} twice", by=by, follows=FOLLOWS, now=now
    )
    StandingChange.objects.create(
        person=side.person, company=side.company, cause=f"gaming/{finding.pk}", about=f"gaming/{finding.pk}",
        date=now.date(), points=-1, falls=True, at=now,
    )  # fmt: skip


def _intervene(side: Side, now: datetime) -> None:
    """Something that begins in the department, with an evaluation that could not tell."""
    made = register_intervention(
        organization=side.company,
        title=f"Points for {side.order}",
        kind=What.POINTS,
        chosen=Chosen.MANAGEMENT,
        starts={side.department.slug: now.date() - timedelta(days=10)},
        event="",
        smallest=0.05,
        until=now.date() + timedelta(days=8),
        by=EVERYTHING,
        now=now - timedelta(days=20),
    )
    DrawnPerson.objects.create(intervention=made, person=side.person, department=side.department, begins=True)
    locked = lock(intervention=made, by=EVERYTHING, now=now - timedelta(days=20))
    began = next(slug for slug, day in locked.starts.items() if day)
    late = f"Training of {side.order} was late"
    say_began(intervention=locked, departments=[began], began_on=now.date(), reason=late, by=EVERYTHING, now=now)
    kept = evaluate(intervention=locked, by=EVERYTHING, now=now + timedelta(days=10))
    ask_for_self_tests(now=now)
    made_link, _secret = share(evaluation=kept, days=7, label=side.order, by=EVERYTHING, now=now)
    note_cost(intervention=made, amount=Decimal(100), point_value=Decimal(0), currency="CNY", by=EVERYTHING, now=now)
    monthly = MonthlyReport.objects.create(
        organization=side.company, month=now.date().replace(day=1), evaluations=[kept.pk], made_at=now
    )
    keep_schedule(organization=side.company, day=1, readers=[], active=True, by=EVERYTHING, now=now)
    series = make_series(organization=side.company, name=f"Sales of {side.order}", unit="", by=EVERYTHING, now=now)
    said = placed([FileRow(2, "", now.date() - timedelta(days=3), Decimal(4))], side.company, now.date())
    figures = take_figures(series=series, rows=said, by=EVERYTHING, now=now)
    outage = note_outage(
        organization=side.company, system=f"ERP of {side.order}", text="", began_at=now - timedelta(hours=9),
        ended_at=now - timedelta(hours=8), by=EVERYTHING, now=now,
    )  # fmt: skip
    side.ids["outage"] = outage.pk
    _ask_a_database(side, series, now)
    side.ids |= {"business_series": series.pk, "business_figures": figures.pk}
    side.ids |= {"intervention": made.pk, "share_link": made_link.pk, "monthly_report": monthly.pk}


def _ask_a_database(side: Side, series: Series, now: datetime) -> None:
    """A database of the company, by which its series is read at night."""
    pull = connect_system(
        slug=f"{side.company.slug}-books", name=f"Books of {side.order}", organization=side.company,
        declaration=preset("sql").text, settings={"address": "sqlite:///books.db"}, secrets={},
        by=EVERYTHING, now=now, preset="sql",
    )  # fmt: skip
    asked = Asked(f"SELECT day, n FROM books WHERE label = '{side.order}'", "day", "", "n")
    keep_query(series=series, connection=pull.connection, asked=asked, nightly=True, by=EVERYTHING, now=now)


def _reward(cast: Cast, side: Side, now: datetime) -> None:
    """A reward with a picture, one asked for with a file, a pool of codes, special points and the budget they need."""
    company, owner = side.company, str(side.person.pk)
    told: dict[str, Any] = {"kind": "goods", "price": 5, "text_en": f"Like {side.order}"}
    reward = offer(company=company, offer=Offer(name_en=f"Mug {side.order}", **told), by=EVERYTHING, now=now)
    key = f"gift/{owner}"
    points = Grant(
        book=company.pk,
        key=key,
        lot=key,
        owner=owner,
        points=90,
        cause="request/1",
        happened_at=now,
        available_from=now,
    )
    grant([points], now=now)
    asked = redeem(reward=reward, by=cast.viewer(side.person, now.date()), key="k", now=now, wish=side.order).redemption
    Attachment.objects.create(
        redemption=asked, name=f"{side.order}.pdf", media_type="application/pdf", content=b"%PDF-"
    )
    coupon = Offer(kind="coupon", name_en=f"Voucher {side.order}", price=5, with_codes=True)
    pool = offer(company=company, offer=coupon, by=EVERYTHING, now=now)
    import_coupons(reward=pool, codes=[f"{side.order}-1", f"{side.order}-2"], by=EVERYTHING, now=now)
    gone = Offer(name_en=f"Last mug {side.order}", **{**told, "stock": 0, "has_line": True})
    lined = offer(company=company, offer=gone, by=EVERYTHING, now=now)
    join_line(reward=lined, by=cast.viewer(side.person, now.date()), now=now)
    side.ids["lined"] = lined.pk
    Picture.objects.create(reward=pool, media_type="image/png", content=side.order.encode(), sha256="0" * 64)
    redeem(reward=pool, by=cast.viewer(side.person, now.date()), key="c", now=now)
    place = side.department
    fund_budget(department=place, points=50, key="b", reason=f"For {side.order}", by=EVERYTHING, now=now)
    special = ask_special(
        person=side.person, department=place, points=5, reason=f"For {side.order}", key="s", by=EVERYTHING, now=now
    )
    side.ids |= {"reward": pool.pk, "redemption": asked.pk, "special": special.pk}


def _draft(side: Side, now: datetime) -> None:
    """A draft of a rulebook with a back-test that waits, and a sealed one."""
    rule = {"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 3}
    draft = begin_draft(
        organization=side.company,
        title=f"Pay {side.order} twice",
        rulebook={"rules": [{**rule, "title": side.order}]},
        by=EVERYTHING,
        now=now,
    )
    ask_back_test(draft=draft, days=30, by=EVERYTHING, now=now)
    told = back_test(organization=side.company, rulebook=read_rulebook(draft.file), until=now.date(), days=30)
    side.ids |= {"draft": draft.pk, "report": seal(draft, told, made_by_id=None, now=now).pk}
    search = ask_search(draft=draft, by=EVERYTHING, now=now)
    run_search(search_id=search.pk, clock=lambda: now)
    run = RetroactiveRun.objects.create(
        organization=side.company,
        version=RulebookVersion.objects.get(organization=side.company),
        from_date=now.date() - timedelta(days=9),
        until_date=now.date(),
        why=f"The lines of {side.order} were forgotten",
        lines_sha256="0" * 64,
        asked_at=now,
    )
    side.ids["retroactive_run"] = run.pk


def _govern(side: Side, now: datetime) -> None:
    """How the company votes, a proposal with what is said about it, and an appeal."""
    Committee.objects.create(organization=side.company, changed_at=now)
    file, report = RulebookVersion.objects.get(organization=side.company).file, "{}"
    proposal = Proposal.objects.create(
        organization=side.company,
        number=1,
        title=f"Pay {side.order} better",
        why=f"Because of {side.order}",
        proposer=side.person,
        file=file,
        sha256=hash_of_text(file),
        report=report,
        report_sha256=hash_of_text(report),
        latest=1,
        secret=False,
        members=1,
        quorum=1,
        majority="simple",
        notice_days=3,
        opened_at=now,
        closes_at=now + timedelta(days=7),
        seal="0" * 64,
    )
    Comment.objects.create(proposal=proposal, person=side.person, text=f"What of {side.order}?", written_at=now)
    key = f"special/{side.order}"
    grant(
        [Grant(book=side.company.pk, key=key, lot=key, owner=str(side.person.pk), points=1, cause=key, happened_at=now,
               available_from=now)],
        now=now,
    )  # fmt: skip
    appeal = Appeal.objects.create(
        company=side.company,
        person=side.person,
        about="special",
        entry_key=key,
        told={"title": side.order, "points": 1},
        text=f"It was more for {side.order}",
        filed_at=now,
        due_at=now + timedelta(days=7),
    )
    side.ids |= {"proposal": proposal.pk, "appeal": appeal.pk}


def _merit(side: Side, now: datetime) -> None:
    """Badges, challenges, prizes and privileges of the company."""
    said = {"company": side.company, "name_en": f"For {side.order}", "made_at": now}
    badge = Badge.objects.create(kind="hand", text_en=f"Of {side.order}", **said)
    given = GivenBadge.objects.create(badge=badge, person=side.person, given_at=now, reason=f"About {side.order}")
    challenge = Challenge.objects.create(
        place=side.company, key="k", event_name="order.processed", goal=3, from_date=now.date(),
        until_date=now.date() + timedelta(days=9), state="open", **said,
    )  # fmt: skip
    Participant.objects.create(challenge=challenge, person=side.person, joined_at=now)
    prize = BoardPrize.objects.create(
        company=side.company, period="month", places=[5], budget=side.company, from_date=now.date(), made_at=now
    )
    board = PaidBoard.objects.create(prize=prize, starts=date(2026, 4, 1), points=0, paid_at=now)
    PaidPlace.objects.create(board=board, person=side.person, rank=1, points=0)
    Privilege.objects.create(code="early", level="Skilled", **said)
    side.ids |= {"challenge": challenge.pk, "given_badge": given.pk}


def _talk(side: Side, now: datetime) -> None:
    """What the company's people say to each other and give each other."""
    colleague = Person.objects.create(name=f"Colleague of {side.order}", created_at=now)
    Membership.objects.create(person=colleague, organization=side.company, from_date=date(2025, 1, 1))
    Terms.objects.create(company=side.company, changed_at=now)
    said = {"key": "k", "text": f"It is about {side.order}", "written_at": now}
    post = Post.objects.create(
        company=side.company, person=side.person, kind="question", title=f"Who knows {side.order}?", **said
    )
    reply = Reply.objects.create(post=post, person=colleague, **said)
    Reaction.objects.create(post=post, person=colleague, kind="helpful", at=now)
    PostReport.objects.create(company=side.company, reply=reply, person=side.person, why=f"Not {side.order}", at=now)
    Recognition.objects.create(
        company=side.company,
        giver=side.person,
        receiver=colleague,
        points=5,
        text=f"For {side.order}",
        key="k",
        month=now.date().replace(day=1),
        given_at=now,
    )
    side.ids |= {"post": post.pk}


def _adopt(side: Side, now: datetime) -> None:
    """What the company's people are told, learn and say."""
    told = f"It is about {side.order}"
    news = Announcement.objects.create(
        organization=side.company,
        title_en=f"News of {side.order}",
        title_zh=f"News of {side.order}",
        text_en=told,
        text_zh=told,
        key="k",
        written_at=now,
        publishes_at=now,
        published_at=now,
    )
    ReadMark.objects.create(announcement=news, person=side.person, read_at=now)
    training = Training.objects.create(
        organization=side.company,
        key="k",
        title_en=f"Learn {side.order}",
        text_en=told,
        starts_at=now - timedelta(minutes=10),
        minutes=60,
        where=side.order,
        code="SECRET",
        planned_at=now,
    )
    Enrolment.objects.create(training=training, person=side.person, stand="enrolled", enrolled_at=now)
    feedback = Feedback.objects.create(
        company=side.company,
        person=side.person,
        key="k",
        about="programme",
        title=f"Why not {side.order}?",
        text=told,
        shared=True,
        given_at=now,
        due_at=now + timedelta(days=5),
        answer=f"Because of {side.order}",
        state="answered",
        answered_at=now,
    )
    steps = [{"key": "one", "en": f"Open {side.order}", "zh": "", "events": ["order.processed"]}]
    Guide.objects.create(organization=side.company, role="employee", steps=steps, changed_at=now)
    GuideFinished.objects.create(company=side.company, person=side.person, role="employee", finished_at=now)
    letter = Letter(person_id=side.person.pk, key="k", topic=Topic.FEEDBACK, subject=side.order, text=told)
    write_mail([letter], now=now)
    Wish.objects.create(person=side.person, topic=Topic.TRAININGS, way=Way.MAIL, wanted=False)
    Rhythm.objects.create(person=side.person)
    Bounce.objects.create(person=side.person, address="old@example.org", why="5.1.1", at=now)
    side.ids |= {"announcement": news.pk, "training": training.pk, "feedback": feedback.pk}


def _vouch(side: Side, now: datetime) -> None:
    """A system whose accounts sign in as people of the company."""
    name = f"Login of {side.order}"
    setup = Setup(name, name, address="https://login.example/", client="c", number_claim="n", listed=False)
    way = set_up(protocol=Protocol.OIDC, organization=side.company, setup=setup, by=EVERYTHING, now=now)
    link = SignOnLink.objects.create(sign_on=way, subject=side.order, user=side.person.user, made_at=now, last_at=now)
    side.ids |= {"sign_on": way.pk, "sign_on_link": link.pk}


def _listen(side: Side, now: datetime) -> None:
    """Other software of the company that is told what happens in it."""
    hook, _secret = make_webhook(
        organization=side.company,
        name=f"HR of {side.order}",
        address="http://127.0.0.1:9/",
        about=["awards"],
        plain_http=True,
        by=EVERYTHING,
        now=now,
    )
    told: dict[str, Any] = {"about": About.AWARDS, "kind": "points.awarded", "key": "k", "data": {"title": side.order}}
    announce([News(organization_id=side.company.pk, person_id=side.person.pk, at=now, **told)], now=now)
    said = {"title": f"Said at {side.order}", "line": f"{side.order}: {{name}}"}
    word(place=side.company, kind="redemption.approved", phrases={"en": said, "zh-hans": said}, by=EVERYTHING, now=now)
    side.ids["worded_place"] = side.company.slug
    side.ids |= {"webhook": hook.pk, "delivery": Delivery.objects.get(webhook=hook, key="k").pk}


def _probe(side: Side, now: datetime) -> None:
    """A system of the company that is asked whether it answers, and did."""
    probe = declare_probe(
        organization=side.company, system=f"ERP of {side.order}", address=f"https://{side.company.slug}.example.com/",
        minutes=5, allowed=allowed_from("*.example.com"), by=EVERYTHING, now=now,
    )  # fmt: skip
    seen = Seen(True, "answered", "", 200, 40, now + timedelta(days=20))
    probe_due(clock=lambda: now, allowed=allowed_from("*.example.com"), ask=lambda _address: seen)
    side.ids |= {"probe": probe.pk, "standing_still": side.company.pk}


def _events(side: Side, connection: Connection, batch: Batch, now: datetime) -> list[int]:
    """An ordinary event and one in quarantine; beside them an unknown person's, and a conflict."""
    yesterday = now - timedelta(days=1)

    def happening(key: str, at: datetime, **more: Any) -> Happening:
        return Happening(
            event="order.processed", key=key, at=at, object=side.order, facts={"order": side.order}, **more
        )

    person = {"person": f"{side.order}-login", "person_name": side.person.name, "person_email": side.person.email}
    fates = record(
        [
            happening("1", yesterday, **person),
            happening("2", now + timedelta(days=30), **person),
            happening("3", yesterday, person=f"{side.order}-ghost", person_name=f"Ghost of {side.order}"),
        ],
        connection=connection,
        batch=batch,
        now=now,
    )
    (conflict,) = record([happening("1", yesterday - timedelta(hours=1), **person)], connection=connection, now=now)
    assert [fate.fate for fate in (*fates, conflict)] == ["new", "quarantined", "new", "conflict"], fates
    return [Event.objects.get(source=connection.slug, key=key).pk for key in ("1", "2")]
