"""What the stories of the committee need beside the cast: members, rules in force, a back-tested draft."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.cast import NOW, Cast, give, login, person
from uptake.directory.models import Person, Role
from uptake.directory.scope import EVERYTHING, Viewer, viewer_of
from uptake.programme.drafting.begin import begin_draft
from uptake.programme.drafting.models import Draft, Report
from uptake.programme.governance.models import Choice, Proposal
from uptake.programme.governance.propose import open_proposal
from uptake.programme.governance.seals import hash_of_text
from uptake.programme.governance.vote import cast_vote
from uptake.programme.models import RulebookVersion
from uptake.programme.publish import publish

ORDERS: dict[str, Any] = {
    "rule": "orders",
    "version": 1,
    "from": "2026-01-01",
    "on": "order.processed",
    "points": 10,
    "cap": [{"points": 100, "every": "day"}],
    "title": "Order processed",
}
COUNTS: dict[str, Any] = {
    "rule": "counts",
    "version": 1,
    "from": "2026-01-01",
    "on": "stock.counted",
    "points": {"per": "lines", "max": 20},
    "title": "Stock counted",
}
CHEAPER = {**ORDERS, "version": 2, "from": "2026-05-01", "points": 6}
AT_ONE = datetime(2026, 5, 13, 5, 0, tzinfo=UTC)


class Room:
    """Beiyuan's committee: Ke of the cast, and others made on demand; rules in force since long ago."""

    def __init__(self, cast: Cast, members: int = 3) -> None:
        self.cast = cast
        self.in_force: RulebookVersion = publish(
            rulebook={"rules": [ORDERS, COUNTS]},
            organization=cast.beiyuan,
            in_force_date=date(2020, 1, 1),
            by=EVERYTHING,
            now=NOW,
        )
        self.members: list[Person] = [cast.ke]
        for nth in range(1, members):
            one = person(name=f"Member {nth}", at=cast.purchasing, email=f"m{nth}@beiyuan.example")
            login(one, f"member{nth}")
            give(one, Role.COMMITTEE, cast.beiyuan)
            self.members.append(one)

    def viewer(self, who: Person, at: datetime = NOW) -> Viewer:
        return viewer_of(self.cast.login(who), today=at.date())

    def draft(self, rules: list[dict[str, Any]] | None = None, title: str = "Pay less for orders") -> Draft:
        """A draft with its sealed back-test."""
        draft = begin_draft(
            organization=self.cast.beiyuan,
            title=title,
            rulebook={"rules": [ORDERS, CHEAPER, COUNTS] if rules is None else rules},
            by=self.viewer(self.cast.ke),
            now=NOW,
        )
        return self.tested(draft)

    def tested(self, draft: Draft) -> Draft:
        """The draft with a sealed back-test of its file as it stands."""
        content = json.dumps({"people": []})
        Report.objects.create(
            draft=draft,
            organization=draft.organization,
            draft_sha256=draft.sha256,
            from_date=date(2026, 4, 1),
            until_date=date(2026, 5, 1),
            days=30,
            content=content,
            sha256=hash_of_text(content),
            made_at=NOW,
        )
        return draft

    def proposed(self, rules: list[dict[str, Any]] | None = None) -> Proposal:
        by = self.viewer(self.cast.ke)
        return open_proposal(draft=self.draft(rules), why="Orders became easy.", by=by, now=NOW)

    def vote(self, proposal: Proposal, *choices: str, now: datetime = AT_ONE) -> None:
        """The members vote in their order."""
        for who, choice in zip(self.members, choices, strict=False):
            reason = "No." if choice == "no" else ""
            cast_vote(proposal=proposal, choice=Choice(choice), reason=reason, by=self.viewer(who), now=now)


def after(proposal: Proposal, seconds: int = 0) -> datetime:
    return proposal.closes_at + timedelta(seconds=seconds)
