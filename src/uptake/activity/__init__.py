"""The activity engine: person-ordered columns and the folds over them; no Django."""

from uptake.activity.analyses import ask
from uptake.activity.log import ActivityLog
from uptake.activity.question import QuestionRefused

__all__ = ["ActivityLog", "QuestionRefused", "ask"]
