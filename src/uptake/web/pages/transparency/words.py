"""The monthly report as sections of headed tables: the page and the PDF show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from uptake.directory.models import Organization
from uptake.programme.governance.transparency import TOGETHER, ByGroup, MonthReport
from uptake.programme.governance.words import result_sentence
from uptake.programme.rewards.models import SpecialGrant
from uptake.web import numbers
from uptake.web.parts import Chart, Kpi

CAUSES: Mapping[str, str | Promise] = {
    "retroactive": gettext_lazy("Granted afterwards"),
    "appeal": gettext_lazy("Upheld appeals"),
    "special": gettext_lazy("Special points"),
    "recognition": gettext_lazy("Recognition"),
    "challenge": gettext_lazy("Challenges"),
    "prize": gettext_lazy("Prizes of the ranking"),
    "badge": gettext_lazy("Badges"),
    "onboarding": gettext_lazy("Welcome points"),
    "run": gettext_lazy("Granted afterwards"),
}


@dataclass(frozen=True)
class Section:
    """A heading, a sentence, and a table; `empty` stands where there are no rows."""

    title: str
    lead: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str
    numeric: frozenset[int] = field(default=frozenset())
    """Columns set to the right."""
    picture: Chart | None = None
    """Stands above the table, which holds the same figures."""

    @property
    def cells(self) -> list[list[tuple[str, bool]]]:
        """The rows with whether each cell is a number."""
        return [[(cell, column in self.numeric) for column, cell in enumerate(row)] for row in self.rows]

    @property
    def columns(self) -> list[tuple[str, bool]]:
        return [(head, column in self.numeric) for column, head in enumerate(self.heads)]


def month_name(first: date) -> str:
    """May 2026 / 2026 年 5 月."""
    if numbers.chinese():
        return f"{first.year} 年 {first.month} 月"
    return f"{numbers.MONTHS[first.month - 1]} {first.year}"


def figures_of(report: MonthReport) -> list[Kpi]:
    """The strip of figures at the top."""
    money = report.liability
    answers = report.appeals
    return [
        Kpi(gettext_lazy("Points from rules"), numbers.full(report.points)),
        Kpi(gettext_lazy("People who earned"), numbers.full(report.people)),
        Kpi(gettext_lazy("Redeemed"), numbers.full(money.redeemed)),
        Kpi(
            gettext_lazy("Not yet redeemed"),
            numbers.full(money.outstanding),
            hint=gettext_lazy("All points people can still redeem: available, pending and reserved."),
        ),
        Kpi(
            gettext_lazy("Appeals answered"),
            numbers.full(answers.upheld + answers.refused),
            note=_("%(n)s upheld") % {"n": numbers.full(answers.upheld)},
        ),
    ]


def sections_of(report: MonthReport, special: Sequence[SpecialGrant], now: datetime) -> list[Section]:
    """The whole report, in the order of the page."""
    return [
        _rules(report),
        _groups(_("Points by department"), _("Department"), report.departments, _("No department")),
        _groups(_("Points by role"), pgettext("of work", "Role"), report.roles, pgettext("of work", "No role")),
        _other(report),
        _special(special),
        _decided(report, now),
        _lowered(report),
        _appeals(report),
        _published(report),
        _liability(report),
    ]


def special_of(company: Organization, begins: datetime, ends: datetime) -> list[SpecialGrant]:
    """Special points that were approved in the month."""
    rows = SpecialGrant.objects.filter(company=company, decided_at__gte=begins, decided_at__lt=ends)
    return list(
        rows.filter(state="approved").select_related("department", "decided_by_person").order_by("decided_at", "pk")
    )


def _rules(report: MonthReport) -> Section:
    rows = [[one.title, numbers.full(one.points), numbers.full(one.times), numbers.full(one.people)]
            for one in report.rules]  # fmt: skip
    return Section(
        _("Points by rule"), _("What stands after everything that was taken back."),
        [_("Rule"), _("Points"), _("Times"), _("People")], rows, _("No rule paid anything."), frozenset({1, 2, 3}),
    )  # fmt: skip


def _groups(title: str, head: str, groups: Sequence[ByGroup], none: str) -> Section:
    rows = []
    for one in groups:
        name = _("Small groups together") if one.key == TOGETHER else one.name or none
        average = one.points / one.people if one.people else 0
        rows.append([name, numbers.full(one.people), numbers.full(one.points), numbers.full(average)])
    return Section(
        title, _("Groups of fewer than 5 people are not shown alone."),
        [head, _("People"), _("Points"), _("For each")], rows, _("Nobody earned anything, or too few to be shown."),
        frozenset({1, 2, 3}),
    )  # fmt: skip


def _other(report: MonthReport) -> Section:
    rows = [[str(CAUSES.get(one.cause, one.cause)), numbers.full(one.points), numbers.full(one.times)]
            for one in report.causes]  # fmt: skip
    return Section(
        _("Points given otherwise"), _("Not by a rule for an event."), [_("Cause"), _("Points"), _("Times")], rows,
        _("None."), frozenset({1, 2}),
    )  # fmt: skip


def _special(special: Sequence[SpecialGrant]) -> Section:
    rows = [
        [one.department.name, one.reason, one.decided_by_person.name if one.decided_by_person else "–",
         numbers.full(one.points)]
        for one in special
    ]  # fmt: skip
    return Section(
        _("Special points"), _("Asked for by one, approved by another, paid from a budget."),
        [_("Budget"), _("Reason"), _("Approved by"), _("Points")], rows, _("None were approved."), frozenset({3}),
    )  # fmt: skip


def _decided(report: MonthReport, now: datetime) -> Section:
    rows = [[f"{one.number} · {one.title}", one.proposer.name if one.proposer else "–", result_sentence(one, now)]
            for one in report.proposals]  # fmt: skip
    return Section(
        _("What the committee decided"), _("Votes that ended in the month."),
        [_("Proposal"), _("Proposed by"), _("Result")], rows, _("No vote ended."),
    )  # fmt: skip


def _lowered(report: MonthReport) -> Section:
    rows = [[one.title, one.proposer.name if one.proposer else "–", one.why] for one in report.lowered]
    return Section(
        _("Lowered at once"), _("By one member, with a vote afterwards."), [_("Rule"), _("By"), _("Why")], rows,
        _("Nothing was."),
    )  # fmt: skip


def _appeals(report: MonthReport) -> Section:
    told = report.appeals
    rows = [[one.name or "–", numbers.full(one.upheld), numbers.full(one.refused), numbers.full(one.points)]
            for one in told.by]  # fmt: skip
    lead = ngettext(
        "%(filed)s filed, %(upheld)s upheld, %(refused)s refused, %(late)s late, %(open)s still open.",
        "%(filed)s filed, %(upheld)s upheld, %(refused)s refused, %(late)s late, %(open)s still open.",
        told.filed,
    ) % {
        "filed": numbers.full(told.filed),
        "upheld": numbers.full(told.upheld),
        "refused": numbers.full(told.refused),
        "late": numbers.full(told.late),
        "open": numbers.full(told.open),
    }
    if told.hours is not None:
        lead = _("%(first)s %(second)s") % {
            "first": lead,
            "second": _("Half were answered within %(span)s.") % {"span": numbers.span(told.hours * 3600)},
        }
    return Section(
        _("Appeals"), lead,
        [_("Answered by"), _("Upheld"), pgettext("of an appeal", "Refused"), _("Points given")], rows,
        _("None were answered."), frozenset({1, 2, 3}),
    )  # fmt: skip


def _published(report: MonthReport) -> Section:
    rows = []
    for one in report.published:
        version = one.version
        by = version.published_by.person.name if version.published_by and version.published_by.person else _("the vote")
        changed = _("%(first)s, %(second)s")
        told = ""
        for title in one.changed:
            told = changed % {"first": told, "second": title} if told else title
        name = f"{version.organization.name} {version.number}"
        rows.append([name, told or "–", numbers.day(version.in_force_date), by, version.sha256[:12]])
    return Section(
        _("What changed in the rules"), _("Rulebooks that were published."),
        [_("Rulebook"), _("Rules"), _("In force from"), _("Published by"), "SHA-256"], rows, _("Nothing changed."),
    )  # fmt: skip


def _liability(report: MonthReport) -> Section:
    told = report.liability
    rows = [
        [_("Granted"), numbers.full(told.granted)],
        [_("Taken back"), numbers.full(told.taken_back)],
        [_("Redeemed"), numbers.full(told.redeemed)],
        [_("Expired"), numbers.full(told.expired)],
        [_("Debts written off"), numbers.full(told.written_off)],
        [_("Not yet redeemed at the end"), numbers.full(told.outstanding)],
    ]
    return Section(
        _("Liability"), _("As the ledger posted it in the month."), [_("What"), _("Points")], rows, "", frozenset({1})
    )  # fmt: skip
