"""What is remembered of each job: one row per job, however often it runs."""

from __future__ import annotations

from django.db import models


class JobRun(models.Model):
    """The last run of one job; `failures` counts those in a row, `failure` is without secrets."""

    name = models.CharField(max_length=60, primary_key=True)
    started_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(default=0)
    worked = models.BigIntegerField(default=0)
    """How many things the last run that found something dealt with."""
    worked_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=500, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    wanted_at = models.DateTimeField(null=True, blank=True)
    """Since when somebody waits for a run before its time; empty: nobody."""

    def __str__(self) -> str:
        return self.name
