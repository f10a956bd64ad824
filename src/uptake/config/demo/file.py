"""A file that came in by import, so that the page of imports has something to show: courses people went to."""

from __future__ import annotations

import csv
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.utils.translation import override

from uptake.config.demo.park import DemoPark
from uptake.connectors.files.begin_import import begin_import
from uptake.connectors.files.map_import import map_import, queue_import
from uptake.connectors.files.mapping import Mapping, Property
from uptake.connectors.files.run_import import run_import
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING

NAME = "erp-courses.csv"
COURSES = ("Stock in ten minutes", "Orders without paper", "Counting that adds up")


def import_courses(park: DemoPark, now: datetime) -> None:
    """Beiyuan's list of courses as history; two rows have no readable time. Importing it again changes nothing."""
    place = Organization.objects.get(slug="beiyuan")
    chance = random.Random(park.seed)
    people = [one for one in park.people if one.company == "beiyuan"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / NAME
        with file.open("w", newline="", encoding="utf-8") as target:
            writer = csv.writer(target)
            writer.writerow(["staff_number", "event", "time", "course", "minutes"])
            for index, person in enumerate(chance.sample(people, 40)):
                day = park.today - timedelta(days=chance.randint(12, 90))
                at = f"{day} 16:{index:02}" if index not in (7, 23) else "soon"
                writer.writerow([person.staff_number, "course.attended", at, chance.choice(COURSES), 45])
        with override(park.language):
            run = begin_import(file=file, file_name=NAME, organization=place, by=EVERYTHING, now=now)
    mapping = Mapping(
        name=("event",),
        time="time",
        person="staff_number",
        person_is="staff_number",
        object="course",
        properties=(Property("minutes", "minutes", "number"),),
    )
    run = map_import(run=run, mapping=mapping, earn=False, by=EVERYTHING, now=now)
    run = queue_import(run=run, by=EVERYTHING, now=now)
    run_import(run_id=run.pk, clock=lambda: datetime.now(UTC))
