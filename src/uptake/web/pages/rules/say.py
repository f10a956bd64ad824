"""A rule as a sentence: `programme.sentences` says it."""

from __future__ import annotations

from uptake.programme.rulebook import RuleVersion


def sentence_of(rule: RuleVersion) -> str:
    """What one must do."""
    return ""
