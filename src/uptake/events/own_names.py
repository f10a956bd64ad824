"""The one list of what our own modules record: names, labels in both languages, and what each carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class OwnName:
    """How a name of our own stands in the catalogue. Own deeds do not count as use of the business software."""

    en: str
    zh: str
    category: str
    facts: Mapping[str, str] = field(default_factory=dict)
    """{fact: text, number, boolean or date}."""


OWN_NAMES: Mapping[str, OwnName] = {
    # rewards
    "reward.requested": OwnName("Reward requested", "申请兑换奖品", "rewards", {"price": "number", "kind": "text"}),
    "reward.fulfilled": OwnName("Reward handed over", "奖品已发放", "rewards", {"price": "number", "kind": "text"}),
    # governance
    "proposal.opened": OwnName("Rule proposal opened", "发起规则提案", "governance"),
    "proposal.commented": OwnName("Rule proposal commented on", "评论规则提案", "governance"),
    "vote.cast": OwnName("Vote cast", "参与投票", "governance"),
    "appeal.filed": OwnName("Appeal filed", "提出申诉", "governance"),
    # retroactive
    "points.retroactive": OwnName("Points given afterwards", "补发积分", "governance"),
    # community
    "post.written": OwnName("Post written", "发布帖子", "community", {"kind": "text"}),
    "question.asked": OwnName("Question asked", "提出问题", "community"),
    "answer.written": OwnName("Answer written", "回答问题", "community"),
    "answer.accepted": OwnName("Answer accepted", "回答被采纳", "community"),
    "comment.written": OwnName("Comment written", "发表评论", "community"),
    "tip.shared": OwnName("Tip shared", "分享技巧", "community"),
    "recognition.given": OwnName("Recognition given", "送出认可", "community", {"points": "number"}),
    "recognition.received": OwnName("Recognition received", "收到认可", "community", {"points": "number"}),
    # adoption
    "points.opened": OwnName("My points opened for the first time", "首次查看我的积分", "adoption"),
    "guide.finished": OwnName("Starter guide finished", "完成入门引导", "adoption"),
    "announcement.read": OwnName("Announcement read", "阅读公告", "adoption"),
    "training.attended": OwnName("Training attended", "参加培训", "adoption", {"minutes": "number"}),
    "training.unmarked": OwnName("Attendance of a training taken back", "撤销培训出席", "adoption"),
    "feedback.given": OwnName("Feedback given", "提意见", "adoption", {"kind": "text"}),
    "feedback.answered": OwnName(
        "Feedback answered", "答复意见", "adoption", {"in_time": "boolean", "hours": "number"}
    ),
    "feedback.rated": OwnName("Answer to feedback rated", "评价意见答复", "adoption", {"rating": "number"}),
    "requirement.accepted": OwnName("Requirement accepted", "需求已采纳", "adoption"),
    "requirement.released": OwnName("Requirement released", "需求已上线", "adoption"),
    "requirement.dropped": OwnName("Requirement dropped", "需求已取消", "adoption"),
    # probes
    "system.probed": OwnName("System probed", "系统探测", "systems", {"up": "boolean", "milliseconds": "number"}),
    # merits
    "badge.given": OwnName("Badge given", "获得徽章", "merits"),
    "challenge.joined": OwnName("Challenge joined", "参加挑战", "merits"),
    "challenge.met": OwnName("Challenge met", "完成挑战", "merits"),
}
