"""The one list of jobs. Each deed is imported when it first runs, so the list can be read by anyone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db import connection
from django.utils.translation import gettext_lazy as _

from uptake.jobs.job import Job, Lane

if TYPE_CHECKING:
    from uptake.connectors.pull.side_by_side import SideBySide

AXES_KEPT_DAYS = 90
BOARDS_AT_ONCE = 150
"""Changes that go onto the boards in one transaction: on SQLite others wait with writing meanwhile, and on PostgreSQL
readers by bookmark wait for the end of every transaction, so a longer one makes every toast late."""
BOARDS_SECONDS = 3.0
MOST_PAUSE_SECONDS = 0.5


def consider(now: datetime) -> int:
    """Events and corrections since the bookmark become awards and points."""
    from uptake.programme.consider import consider_new_events

    return consider_new_events(now=now)


def catch_up(now: datetime) -> int:
    """Companies whose events could not be considered are tried again, each after a pause that grows."""
    from uptake.programme.consider import catch_up_due

    return catch_up_due(now=now)


def keep_boards(now: datetime) -> int:
    """What people gained and lost goes onto the boards, for a few seconds at a time.

    As long as a part takes, the next one waits: who earns points meanwhile shall not wait for boards to hear of it.
    Where it fails for one company, the others go on, and the failure is told at the end.
    """
    from uptake.programme.merits.keep_boards import BoardsNotKept
    from uptake.programme.merits.keep_boards import keep_boards as keep

    begun, done = time.monotonic(), 0
    failed: dict[int, BoardsNotKept] = {}
    while (turn := time.monotonic()) - begun < BOARDS_SECONDS:
        try:
            kept = keep(now=now, limit=BOARDS_AT_ONCE, without=failed.keys())
        except BoardsNotKept as problem:
            failed[problem.company_id] = problem
            continue
        if not kept:
            break
        done += kept
        time.sleep(min(time.monotonic() - turn, MOST_PAUSE_SECONDS))
    if failed:
        raise ExceptionGroup(", ".join(f"{one}: {one.__cause__!r}" for one in failed.values()), list(failed.values()))
    return done


def keep_merits(now: datetime) -> int:
    """Badges are given, challenges counted and ended, closed boards paid."""
    from uptake.programme.merits.keep_merits import keep_merits as keep

    return keep(now=now)


def refresh_activity(now: datetime) -> int:
    """Events and corrections since the bookmark enter the activity engine's files."""
    from uptake.insight.feed.refresh import refresh

    return refresh(now=now)


def close_days(now: datetime) -> int:
    """Once a day the figures of the days that are over are written down, with what changed since."""
    from uptake.insight.metrics.close_days import close_days as close

    return close(now=now)


def compact_activity(now: datetime) -> int:
    """Later rows are folded into the sorted files, a few at a time."""
    from uptake.insight.feed.compact import compact

    return compact()


def run_imports(now: datetime) -> int:
    """Imports that wait for their turn, and those whose runner was lost."""
    from uptake.connectors.files.run_import import run_waiting_imports

    return run_waiting_imports(clock=lambda: datetime.now(UTC), limit=1)


def ask_systems(now: datetime) -> int:
    """Systems whose time has come are asked for what happened in them."""
    return _side_by_side().turn(clock=lambda: datetime.now(UTC))


@lru_cache(maxsize=1)
def _side_by_side() -> SideBySide:
    from uptake.connectors.pull.side_by_side import SideBySide

    return SideBySide()


def probe_systems(now: datetime) -> int:
    """Systems whose time has come are asked whether they answer."""
    from django.conf import settings

    from uptake.connectors.probes.allowed import allowed_from
    from uptake.connectors.probes.probe_due import probe_due

    return probe_due(clock=lambda: datetime.now(UTC), allowed=allowed_from(settings.PROBE_HOSTS))


def read_people(now: datetime) -> int:
    """Sources of people whose time has come are asked who belongs to their company."""
    from uptake.connectors.people.read_due import read_due

    return read_due(clock=lambda: datetime.now(UTC))


def back_tests(now: datetime) -> int:
    """Back-tests and searches for exploits that wait for their turn, and those whose runner was lost."""
    from uptake.programme.drafting.find_exploits import run_waiting_searches
    from uptake.programme.drafting.run_back_tests import run_waiting_back_tests

    def clock() -> datetime:
        return datetime.now(UTC)

    return run_waiting_searches(clock=clock, limit=1) + run_waiting_back_tests(clock=clock, limit=1)


def shadows(now: datetime) -> int:
    """Rulebooks that run as shadows are reported once a day."""
    from uptake.programme.drafting.shadow import refresh_shadows

    return refresh_shadows(clock=lambda: datetime.now(UTC), limit=1)


def elapse(now: datetime) -> int:
    """What happens to points by time alone: pending ones become available, old ones expire, holds are given back."""
    from uptake.ledger.elapse import expire, mature, time_out
    from uptake.programme.rewards.line import lapse_due
    from uptake.programme.rewards.resolve import time_out_redemptions

    redeemed = time_out_redemptions(now=now) + lapse_due(now=now)
    return mature(now=now) + expire(now=now) + time_out(now=now) + redeemed


def count_votes(now: datetime) -> int:
    """Votes whose time is over are counted, and what was accepted is published."""
    from uptake.programme.governance.close import close_proposals

    return close_proposals(now=now)


def announce(now: datetime) -> int:
    """Changes of the rules are announced, and what is due is told to everybody it is for."""
    from uptake.programme.adoption.publish_due import announce_rule_changes, publish_due

    return announce_rule_changes(now=now) + publish_due(now=now)


def finish_guides(now: datetime) -> int:
    """Newcomers who did every step of their guide are found."""
    from uptake.programme.adoption.finish_guides import finish_guides as finish

    return finish(now=now)


def send_mails(now: datetime) -> int:
    """Messages become mails where somebody asked for it, and mails that wait are sent."""
    from uptake.notify.mail_messages import mail_messages
    from uptake.notify.send_mails import send_mails as send

    return mail_messages(now=now) + send(now=now)


def send_webhooks(now: datetime) -> int:
    """Webhooks are told what happened, and what was delivered long ago is removed."""
    from uptake.notify.deliver import deliver, forget_deliveries

    return deliver(clock=lambda: datetime.now(UTC)) + forget_deliveries(now=now)


def tell_weeks(now: datetime) -> int:
    """Groups that want it are told how the week before was."""
    from uptake.jobs.week import figures_of
    from uptake.notify.tell_week import tell_weeks as tell

    return tell(now=now, figures=figures_of)


def write_off_debts(now: datetime) -> int:
    """Small debts that did not grow for long are written off, where the terms of the place say so."""
    from uptake.programme.governance.write_off import write_off_debts as write_off

    return write_off(now=now)


def evaluate_impact(now: datetime) -> int:
    """Interventions that reached their registered end are evaluated."""
    from uptake.insight.impact.evaluate import evaluate_due

    return evaluate_due(now=now)


def self_tests(now: datetime) -> int:
    """Evaluations whose method waits to be tried on their place's own history."""
    from uptake.insight.report.run_self_tests import run_waiting_self_tests

    return run_waiting_self_tests(clock=lambda: datetime.now(UTC))


def monthly_impact(now: datetime) -> int:
    """Monthly reports on impact whose day has come, and those somebody asked for."""
    from uptake.insight.report.make_monthly import make_monthly

    return make_monthly(now=now)


def business_series(now: datetime) -> int:
    """Business series that are read from a database every night."""
    from uptake.jobs.series import read_series

    return read_series(now=now)


def find_gaming(now: datetime) -> int:
    """Once a business date every company is searched for points earned by pretence."""
    from uptake.insight.gaming.find import find_due
    from uptake.programme.thresholds import thresholds_on

    return find_due(now=now, thresholds=thresholds_on)


def publish_heads(now: datetime) -> int:
    """Once a day, the head of every book's chain goes into the audit log, which no one can edit."""
    from uptake.directory.audit import note
    from uptake.directory.models import AuditEntry
    from uptake.jobs.published_heads import PUBLISHED
    from uptake.ledger.balances import heads

    published = AuditEntry.objects.filter(deed=PUBLISHED, at__gte=now - timedelta(hours=24)).exists()
    found = [] if published else heads()
    for head in found:
        details = {"book": head.book, "seq": head.seq, "hash": head.hash}
        note(deed=PUBLISHED, actor="job", organization=None, subject=f"#{head.book}", details=details, now=now)
    return len(found)


def verify_ledger(now: datetime) -> int:
    """Once a day every promise about points is checked, as `uptake ledger verify` does; broken books are closed."""
    from uptake.jobs.closed_books import close_broken
    from uptake.jobs.whole_ledger import LedgerBroken, verify_daily

    try:
        return verify_daily(now=now)
    except LedgerBroken as broken:
        close_broken(broken.report, now=now)
        raise


def sweep(now: datetime) -> int:
    """Ended sessions, old sign-in attempts and expired cache entries are removed."""
    from axes.models import AccessAttempt, AccessFailureLog, AccessLog
    from django.contrib.sessions.models import Session

    gone, _kinds = Session.objects.filter(expire_date__lt=now).delete()
    for model in (AccessAttempt, AccessLog, AccessFailureLog):
        more, _kinds = model.objects.filter(attempt_time__lt=now - timedelta(days=AXES_KEPT_DAYS)).delete()
        gone += more
    return gone


def tidy_database(now: datetime) -> int:
    """SQLite writes its log back and keeps its statistics fresh; PostgreSQL does so by itself."""
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA optimize")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return 0


JOBS: tuple[Job, ...] = (
    Job("consider", _("New events become points."), 1, consider, Lane.POINTS, woken=True),
    Job("catch-up", _("Companies whose events were put aside are tried again."), 5, catch_up, Lane.POINTS),
    Job("elapse", _("Points mature and expire; forgotten holds are given back."), 60, elapse, Lane.POINTS),
    Job("boards", _("What people earned goes onto the rankings."), 2, keep_boards),
    Job("merits", _("Badges are given, challenges counted, prizes of closed rankings paid."), 60, keep_merits),
    Job("activity", _("New events reach the figures."), 3, refresh_activity, Lane.ACTIVITY),
    Job(
        "close-days",
        _("The figures of days that are over are written down; what changes later shows."),
        900,
        close_days,
    ),
    Job("compact-activity", _("Later rows are folded into the sorted files of the figures."), 60, compact_activity),
    Job("imports", _("Waiting imports are read."), 1, run_imports, Lane.IMPORTS),
    Job("systems", _("Connected systems are asked for what happened in them."), 1, ask_systems, Lane.SYSTEMS),
    Job("people", _("Sources of people are asked who belongs to their company."), 30, read_people, Lane.SYSTEMS),
    Job("probes", _("Systems are asked whether they answer."), 5, probe_systems, Lane.PROBES),
    Job("count-votes", _("Votes whose time is over are counted; what was accepted is published."), 60, count_votes),
    Job("announcements", _("Changes of the rules are announced, and announcements whose time has come."), 5, announce),
    Job("guides", _("Newcomers who finished the starter guide are found."), 300, finish_guides),
    Job("mails", _("Waiting mails are sent."), 20, send_mails, Lane.IMPORTS),
    Job("webhooks", _("Other software is told what happened, where it asked for it."), 2, send_webhooks, Lane.WEBHOOKS),
    Job("weeks", _("On Monday mornings group chats that want it are told the week in figures."), 900, tell_weeks),
    Job("back-tests", _("Waiting back-tests and searches for exploits are run."), 2, back_tests, Lane.IMPORTS),
    Job("shadows", _("What rulebooks in shadow would have paid is reported."), 300, shadows),
    Job("debts", _("Small debts are written off, where the terms of the place say so."), 3600, write_off_debts),
    Job("impact", _("What has reached its registered end is evaluated."), 3600, evaluate_impact),
    Job("self-tests", _("The method of evaluations is tried on the place's own history."), 5, self_tests, Lane.IMPORTS),
    Job(
        "monthly-impact",
        _("Monthly reports on impact are made and told of."),
        30,
        monthly_impact,
        Lane.IMPORTS,
    ),
    Job("series", _("Business series are read from databases, at night."), 300, business_series, Lane.SYSTEMS),
    Job("gaming", _("Unusual patterns behind points are found and wait for people to look."), 3600, find_gaming),
    Job("publish-heads", _("The heads of the ledger's chains go into the audit log."), 3600, publish_heads),
    Job("verify-ledger", _("Every promise about points is checked, once a day."), 3600, verify_ledger, Lane.IMPORTS),
    Job("sweep", _("Ended sessions and old sign-in attempts are removed."), 3600, sweep),
    Job("tidy-database", _("The embedded database writes its log back."), 3600, tidy_database),
)
