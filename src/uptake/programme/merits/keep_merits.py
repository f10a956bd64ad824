"""Everything about merits that happens by itself: badges are given, challenges counted and ended, boards paid."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.ledger.close import closed_books
from uptake.programme.merits.count_challenges import count_challenges
from uptake.programme.merits.give_badges import COUNTED, give_badges, read_new_deeds
from uptake.programme.merits.models import Badge, BoardPrize, Challenge, ChallengeState
from uptake.programme.merits.pay_boards import pay_boards


def keep_merits(*, now: datetime) -> int:
    """Gives how much changed. Safe to repeat; each company is kept by itself, so that one that fails stops no other.

    Raises ExceptionGroup at the end with what failed; badges there are then looked for in all there is.
    """
    keeping = Badge.objects.filter(retired_at__isnull=True).values_list("company_id", flat=True)
    companies = set(keeping) | set(BoardPrize.objects.values_list("company_id", flat=True))
    companies |= set(Challenge.objects.filter(state=ChallengeState.OPEN).values_list("company_id", flat=True))
    closed = closed_books().keys() & companies
    if not companies:
        return 0
    changed = 0
    failed: list[Exception] = []
    with transaction.atomic():
        # The bookmark moves only if everything below was done, or is to be looked for again.
        touched = read_new_deeds(now=now)
        Badge.objects.filter(company_id__in=closed, kind__in=COUNTED).update(looked_at=None)
        for company in sorted(companies - closed):
            try:
                with transaction.atomic():
                    changed += count_challenges(company, now=now)
                    changed += pay_boards(company, now=now)
                    changed += give_badges(company, touched.get(company, {}), now=now)
            except Exception as problem:
                problem.add_note(f"company {company}")
                failed.append(problem)
                Badge.objects.filter(company_id=company, kind__in=COUNTED).update(looked_at=None)
    if failed:
        raise ExceptionGroup(", ".join(f"{one.__notes__[-1]}: {one!r}" for one in failed), failed)
    return changed
