"""What the stories of rewards need beside the cast: points for people, rewards on offer, and who keeps the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.cast import NOW, Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.ledger.balances import Points, points_of
from uptake.ledger.grant import Grant, grant
from uptake.programme.rewards.models import Redemption, Reward
from uptake.programme.rewards.offer import Offer, offer
from uptake.programme.rewards.redeem import Redeemed, redeem


class Shop:
    """Beiyuan's catalogue; Ke of the committee and Ren of the park keep its desk."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.book = cast.beiyuan.pk

    def earned(self, points: int, *, who: Person | None = None, key: str = "earned") -> None:
        """Points that can be spent at once and never expire."""
        owner = str((who or self.cast.lin).pk)
        grant(
            [
                Grant(
                    book=self.book,
                    key=f"{key}/{owner}",
                    lot=f"{key}/{owner}",
                    owner=owner,
                    points=points,
                    cause="time",
                    happened_at=NOW,
                    available_from=NOW,
                )
            ],
            now=NOW,
        )

    def reward(self, **keys: Any) -> Reward:
        told = {"kind": "goods", "name_en": "Mug", "price": 100, **keys}
        return offer(company=self.cast.beiyuan, offer=Offer(**told), by=EVERYTHING, now=NOW)

    def redeem(
        self, reward: Reward, *, who: Person | None = None, key: str = "k", now: datetime = NOW, **more: Any
    ) -> Redeemed:
        return redeem(reward=reward, by=self.cast.viewer(who or self.cast.lin), key=key, now=now, **more)

    def requested(self, reward: Reward, **more: Any) -> Redemption:
        return self.redeem(reward, **more).redemption

    def points(self, who: Person | None = None, now: datetime = NOW) -> Points:
        owner = str((who or self.cast.lin).pk)
        return points_of(book=self.book, owners=[owner], now=now)[owner]
