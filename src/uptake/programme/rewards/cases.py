"""The part of a points case that is about rewards: redemptions, special points and budgets, done through the doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from uptake.directory.models import Organization, Person
from uptake.directory.scope import EVERYTHING, Grant, Viewer
from uptake.ledger.balances import balances_of
from uptake.programme.rewards.fund_budget import budget_of, fund_budget
from uptake.programme.rewards.grant_special import grant_special
from uptake.programme.rewards.models import Redemption, Reward
from uptake.programme.rewards.offer import Offer, offer
from uptake.programme.rewards.redeem import redeem
from uptake.programme.rewards.refusals import Refusal
from uptake.programme.rewards.resolve import cancel, fulfil, refund, reject, time_out_redemptions

DEEDS: Final = ("redeem", "fulfil", "reject", "cancel", "refund", "special_grant")
_ENDS: Final = {"fulfil": fulfil, "reject": reject, "cancel": cancel, "refund": refund}
NO_REDEMPTION: Final = 0


@dataclass
class RewardsOfCase:
    """The catalogue and the budgets of a case, and what was asked of them."""

    company: Organization
    people: Mapping[str, Person]
    department: Callable[[str], Organization]
    """The department of a name, made where it is missing."""
    began_at: datetime
    rewards: dict[str, Reward] = field(default_factory=dict)
    redemptions: dict[str, int] = field(default_factory=dict)

    def stock_up(self, rewards: list[Mapping[str, Any]], budgets: Mapping[str, Any]) -> None:
        """Put on offer and fund what the case begins with."""
        for told in rewards:
            kept = {
                name: told[name] for name in ("price", "stock", "per_person", "level") if told.get(name) is not None
            }
            self._offer(str(told["id"]), **{name: _plain(value) for name, value in kept.items()})
        for name, points in budgets.items():
            if points:
                department = self.department(name)
                fund_budget(department=department, points=int(points), key=name, by=EVERYTHING, now=self.began_at)

    def _offer(self, name: str, **keys: Any) -> Reward:
        made = offer(
            company=self.company, offer=Offer(kind="goods", name_en=name, **keys), by=EVERYTHING, now=self.began_at
        )
        self.rewards[name] = made
        return made

    def do(self, told: Mapping[str, Any], now: datetime) -> str | None:
        """One deed at its clock; the name of the refusal where it is refused."""
        try:
            if told["do"] == "redeem":
                self._redeem(told, now)
            elif told["do"] == "special_grant":
                self._special(told, now)
            else:
                points = {"points": int(told["points"])} if told.get("points") is not None else {}
                number = self.redemptions.get(told["redemption"], NO_REDEMPTION)
                _ENDS[told["do"]](redemption=number, by=EVERYTHING, key=told["key"], now=now, **points)
        except Refusal as refused:
            return refused.code
        return None

    def _redeem(self, told: Mapping[str, Any], now: datetime) -> None:
        if told.get("reward") is None:
            name = f"{told['price']} points"
            reward = self.rewards.get(name) or self._offer(name, price=int(told["price"]))
        else:
            reward = self.rewards[told["reward"]]
        asked = redeem(reward=reward, by=self._viewer(told["person"]), key=told["key"], now=now)
        self.redemptions[told["key"]] = asked.redemption.pk

    def _special(self, told: Mapping[str, Any], now: datetime) -> None:
        grant_special(
            person=self.people[told["person"]],
            department=self.department(told["budget"]),
            points=int(told["points"]),
            reason=told.get("reason") or "",
            key=told["key"],
            by=self._viewer(told["by"]),
            approved_by=self._viewer(told["approved_by"]),
            now=now,
        )

    def _viewer(self, name: str) -> Viewer:
        grants = (Grant("administrator", "/"),)
        return Viewer(None, self.people[name].pk, name, grants, date.max, (self.company.path,))

    def elapse(self, now: datetime) -> None:
        """Write down which redemptions have timed out."""
        while time_out_redemptions(now=now):
            pass

    def states(self) -> dict[str, str]:
        """Where each redemption stands, by the key of its request."""
        rows = dict(Redemption.objects.values_list("pk", "state"))
        return {key: rows[number] for key, number in self.redemptions.items()}

    def budget(self, name: str) -> int:
        """What is left in a budget."""
        code = budget_of(self.department(name))
        return balances_of(book=self.company.pk, codes=[code])[code]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)
