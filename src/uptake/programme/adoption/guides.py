"""The steps with which each role begins, declared by the events that tick them: where a place has none of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MOST_STEPS: Final = 8
LONGEST_NAME: Final = 120
EMPLOYEE: Final = "employee"
WEEKS: Final = 8
"""How long somebody is new."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; any of the events ticks it."""

    key: str
    en: str
    zh: str
    events: tuple[str, ...]
    href: str = ""
    """Where in Uptake it is done; empty: in the business software."""

    def name_in(self, language: str) -> str:
        return (self.zh or self.en) if language.startswith("zh") else (self.en or self.zh)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"key": self.key, "en": self.en, "zh": self.zh, "events": list(self.events), "href": self.href}


SIGN_IN = Step("sign-in", "Sign in to the business software", "登录业务系统", ("auth.login", "session.started"))
LOOK = Step("points", "Look at My points", "查看“我的积分”", ("points.opened",), "/points/?guide=1")
ORDER = Step(
    "work",
    "Finish your first piece of work: an order, a receipt, a count or a report",
    "完成第一项业务：订单、收货、盘点或报表",
    (
        "order.processed", "order.created", "goods_receipt.posted", "stock.counted", "stock.moved",
        "work_order.completed", "report.submitted", "quality.checked", "invoice.posted", "purchase_order.approved",
    ),
)  # fmt: skip
LEARN = Step(
    "training",
    "Take part in a training or a course",
    "参加一次培训或课程",
    ("training.attended", "course.attended", "exam.passed"),
    "/trainings/",
)
READ = Step("news", "Read an announcement", "阅读一条公告", ("announcement.read",), "/news/")
ASK = Step(
    "ask",
    "Ask a question, answer one or share a tip",
    "提一个问题、回答一个问题或分享一条技巧",
    ("question.asked", "answer.written", "tip.shared", "post.written", "comment.written"),
    "/community/",
)
THANK = Step(
    "thank",
    "Recognise a colleague who helped",
    "认可一位帮助过你的同事",
    ("recognition.given",),
    "/community/recognition/",
)
ANSWER = Step("answer", "Answer somebody's feedback", "答复一条意见", ("feedback.answered",), "/feedback/desk/")
PROPOSE = Step(
    "propose",
    "Comment on a proposal or vote on one",
    "评论一项提案或参与投票",
    ("proposal.commented", "proposal.opened", "vote.cast"),
    "/committee/",
)

GUIDES: Mapping[str, tuple[Step, ...]] = {
    EMPLOYEE: (SIGN_IN, LOOK, ORDER, READ, LEARN, ASK),
    "manager": (LOOK, READ, ANSWER, THANK),
    "committee": (SIGN_IN, LOOK, ORDER, READ, PROPOSE),
    "coach": (READ, ANSWER, ASK),
}
"""By role; who has none of these roles, or several, begins by the first here that fits, the employee's last."""


def role_of(roles: frozenset[str]) -> str:
    """Which guide is for somebody with these roles."""
    return next((role for role in ("committee", "manager", "coach") if role in roles), EMPLOYEE)


def read_steps(plain: list[dict[str, Any]]) -> tuple[Step, ...]:
    """The steps a place keeps."""
    return tuple(
        Step(one["key"], one.get("en", ""), one.get("zh", ""), tuple(one["events"]), one.get("href", ""))
        for one in plain
    )
