"""Points for an event, beside gamification-engine 0.4.0: the CPU of the servers for events posted one by one.

`python bench/engine.py` (UPTAKE_BENCH_EVENTS: how many, 300). Both servers stand on one PostgreSQL, each with a
database of its own, in-memory caches and one process; one client posts the same events to each, one HTTP request an
event, first with one rule (there: achievement) and then with ten over five names. Ours stores the event, considers
it, posts the ledger and tells the person. The CPU is that of the server's process; that of the database (both sides'
statements) stands beside it. The peer lives in .venv-engine, installed by `make bench`; without it, ours is measured
alone and the run says so.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

from tests.server import fresh_database, inside, running  # noqa: E402
from tools.postgresql import private_server  # noqa: E402

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
ENGINE = HERE / ".venv-engine" / "bin"
EVENTS = int(os.environ.get("UPTAKE_BENCH_EVENTS", "300"))
PEOPLE = 50
NAMES = ("order_created", "order_amount", "stock_move", "login", "refund")
SETTINGS = {"UPTAKE_JOBS": "inside", "UPTAKE_INTAKE_RATE": "1000000", "UPTAKE_LOG_LEVEL": "CRITICAL"}
CATCH_UP_SECONDS = 120
QUIET = 0.15
TICK = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measures both with one and with ten rules; exit code 1 where ours is not the cheaper one."""
    figures: dict[tuple[str, int], float] = {}
    with private_server(settings=DURABLE) as url:
        for rules in (1, 10):
            figures["Uptake", rules] = _told("Uptake", rules, ours(fresh_database(url), rules))
        if not (ENGINE / "pserve").exists():
            print("gamification-engine is not installed (`make bench` installs it in .venv-engine): ours alone")
            return 0
        for rules in (1, 10):
            figures["gamification-engine", rules] = _told("gamification-engine", rules, theirs(url, rules))
    worse = 0
    for rules in (1, 10):
        ratio = figures["gamification-engine", rules] / figures["Uptake", rules]
        print(f"{rules} rules: gamification-engine takes {ratio:.1f} times the CPU of Uptake for an event", flush=True)
        worse += ratio < 1
    return 1 if worse else 0


def _told(whose: str, rules: int, figures: tuple[float, float, float]) -> float:
    server, database, wait = (1000 * one / EVENTS for one in figures)
    print(
        f"{whose}, {rules} rules, {EVENTS} events one by one: {server:.2f} ms of CPU an event "
        f"and {database:.2f} of the database's, {wait:.1f} ms until the answer",
        flush=True,
    )
    return server


def ours(url: str, rules: int) -> tuple[float, float, float]:
    """(CPU of the server, of the database, waited) in seconds, until the last event is considered."""
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-engine-")))
        inside(MIGRATE, data=folder, database_url=url)
        server = leaving.enter_context(running(data=folder, database_url=url, settings=SETTINGS))
        key = inside(WORLD.replace("RULES", str(rules)), data=folder, database_url=url)
        head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        client = http.client.HTTPConnection("127.0.0.1", server.port)

        def post(number: int, person: int, name: str, value: int) -> None:
            at = f"2026-05-0{1 + number % 3}T{number % 24:02}:{number % 60:02}:00Z"
            event = {"event": name, "key": str(number), "at": at, "person": f"p{person}", "facts": {"value": value}}
            client.request("POST", "/api/v1/events", json.dumps([event]).encode(), head)
            answer = client.getresponse()
            fates = json.loads(answer.read())["fates"]
            assert [fate["fate"] for fate in fates] == ["new"], fates

        for number in range(10):  # what is made at the first request
            post(EVENTS + number, 1, NAMES[0], 1)
        _await(lambda: inside(WAITING, data=folder, database_url=url) == 0)
        assert server.process is not None
        pid = server.process.pid
        _await(lambda: _busy(pid) < QUIET)  # what jobs make once after the start
        before, beside = cpu_of(pid), _databases()
        waited = _post_all(post, rules)
        _await(lambda: _busy(pid) < QUIET)
        taken = cpu_of(pid) - before, _databases() - beside, waited
        assert inside(WAITING, data=folder, database_url=url) == 0, "all is considered"
        return taken


def theirs(url: str, rules: int) -> tuple[float, float, float]:
    """The same of gamification-engine."""
    import psycopg

    database = fresh_database(url)
    name, _, folder = database.partition("@/")[2].partition("?host=")
    with tempfile.TemporaryDirectory(prefix="gengine-") as room, socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        door.close()
        file = Path(room) / "engine.ini"
        caches = "\n".join(f"dogpile_cache.{cache}.backend = dogpile.cache.memory" for cache in CACHES)
        there = f"postgresql://uptake@/{name}?host={folder}"
        file.write_text(INI.format(url=there, port=port, caches=caches))
        made = subprocess.run([ENGINE / "initialize_gengine_db", str(file)], cwd=room, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr[-2000:]
        with psycopg.connect(database, autocommit=True) as server:
            for statement in seeds(rules):
                server.execute(statement)
        with _served([ENGINE / "pserve", file], room, port) as process:
            client = http.client.HTTPConnection("127.0.0.1", port)

            def post(number: int, person: int, name: str, value: int) -> None:
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                client.request("POST", f"/increase_value/{name}/{person + 1}", f"value={value}", kind)
                answer = client.getresponse()
                told = answer.read()
                assert answer.status == 200, told[:500]

            for number in range(10):
                post(number, 1, NAMES[0], 1)
            before, beside = cpu_of(process.pid), _databases()
            waited = _post_all(post, rules)
            return cpu_of(process.pid) - before, _databases() - beside, waited


def _post_all(post: Callable[[int, int, str, int], None], rules: int) -> float:
    """The same events for both; the seconds their answers took."""
    chance = random.Random(1)
    names = NAMES[:1] if rules == 1 else NAMES
    begun = time.perf_counter()
    for number in range(EVENTS):
        post(number, chance.randrange(PEOPLE), chance.choice(names), chance.randint(1, 3))
    return time.perf_counter() - begun


@contextmanager
def _served(command: list[Path], room: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    with (Path(room) / "log").open("wb") as log:
        process = subprocess.Popen([str(word) for word in command], cwd=room, stdout=log, stderr=log)
    try:
        _await(lambda: process.poll() is not None or _answers(port))
        assert process.poll() is None, (Path(room) / "log").read_text()[-2000:]
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _await(done: Callable[[], bool]) -> None:
    until = time.monotonic() + CATCH_UP_SECONDS
    while not done():
        assert time.monotonic() < until, "it does not come to an end"
        time.sleep(0.2)


def cpu_of(pid: int) -> float:
    """Seconds of CPU a process and its ended children have taken."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(part) for part in told[11:15]) / TICK


def _busy(pid: int) -> float:
    """What part of one core the process takes during a second."""
    before, begun = cpu_of(pid), time.monotonic()
    time.sleep(1)
    return (cpu_of(pid) - before) / (time.monotonic() - begun)


def _databases() -> float:
    """The same of the PostgreSQL server this process has started, and of all its processes."""
    own = {os.getpid()}
    taken = 0.0
    for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        try:
            told = stat.read_text()
        except OSError:
            continue
        parent = int(told.rpartition(")")[2].split()[1])
        if parent in own and "(postgres)" in told:
            own.add(int(stat.parent.name))
            taken += cpu_of(int(stat.parent.name))
    return taken


def seeds(rules: int) -> list[str]:
    """People, five variables and so many achievements of the peer."""
    found = [
        "INSERT INTO subjecttypes (id, name, created_at) VALUES (1, 'User', now())",
        "INSERT INTO subjects (id, subjecttype_id, name, timezone, created_at) SELECT number, 1, 'u' || number,"
        f" 'UTC', now() - interval '1 day' FROM generate_series(1, {PEOPLE}) number",
    ]
    for number, name in enumerate(NAMES, start=1):
        found.append(
            "INSERT INTO variables (id, name, increase_permission, created_at)"
            f" VALUES ({number}, '{name}', 'admin', now())"
        )
    evaluations = ("immediately", "daily", "weekly", "monthly", "immediately")
    for number in range(rules):
        name = NAMES[number // 2]
        condition = json.dumps({"term": {"type": "literal", "variable": name}})
        every = evaluations[(number // 2 + number % 2) % 5]
        found.append(
            "INSERT INTO achievements (id, name, priority, maxlevel, hidden, evaluation, evaluation_timezone,"
            " comparison_type, player_subjecttype_id, lb_subject_part_whole_time, view_permission, condition,"
            " group_by_key, goal, operator, maxmin, created_at) VALUES"
            f" ({number + 1}, 'a{number}', 0, 20, false, '{every}', 'UTC', 'none', 1, false, 'everyone',"
            f" '{condition}', false, '5*level', 'geq', 'max', now() - interval '1 day')"
        )
    return found


CACHES = (
    "general",
    "achievement_eval",
    "achievements_by_user_for_today",
    "translations",
    "achievements_users_levels",
    "goal_evaluation",
    "goal_statements",
)
INI = """[app:main]
use = egg:gamification-engine
pyramid.includes = pyramid_tm
sqlalchemy.url = {url}
force_https = false
urlprefix =
urlcacheid = gengine
urlcache_url = memcached:11211
urlcache_active = false
swagger.use_http_scheme = true
swagger.host =
flaskadmin_secret = measured-only
{caches}

[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}

[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys = generic

[logger_root]
level = ERROR
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic

[formatter_generic]
format = %(message)s
"""

MIGRATE = "from django.core.management import call_command; print(call_command('migrate', verbosity=0) or 1)"
WORLD = f"""
import json
from datetime import UTC, date, datetime
from uptake.directory.models import Identity, Membership, Organization, Person
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.keys import make_key
from uptake.programme.publish import publish
now = datetime.now(UTC)
company = Organization.objects.create(kind="company", name="Load", slug="load", timezone="UTC", created_at=now)
company.path, company.company = f"/{{company.pk}}/", company
company.save()
connection = connect(slug="load", kind="api", name="Load", organization=company, by=EVERYTHING, now=now)
connection.lateness_days = 3650
connection.save()
names, rules = {NAMES!r}, []
for number in range(RULES):
    cap = [{{"points": 40, "every": "day"}}] if number % 2 else [{{"times": 20, "every": "day"}}]
    rules.append({{"rule": f"rule {{number}}", "version": 1, "from": "2026-01-01", "on": names[number // 2],
                   "points": {{"per": "value"}} if number % 2 else 3, "cap": cap}})
book = {{"programme": {{"lateness_days": 365}}, "rules": rules}}
publish(rulebook=book, organization=company, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=now)
for number in range({PEOPLE}):
    person = Person.objects.create(name=f"p{{number}}", created_at=now)
    Membership.objects.create(person=person, organization=company, from_date=date(2026, 1, 1))
    Identity.objects.create(source="load", external_id=f"p{{number}}", company=company, person=person,
                            first_seen_at=now)
print(json.dumps(make_key(connection=connection, by=EVERYTHING, now=now)[1]))
"""

WAITING = """
from uptake.events.read import events_after, positions_of
from uptake.programme.publish import READER
print(events_after(positions_of(READER)[0], limit=1).count())
"""


if __name__ == "__main__":
    sys.exit(main())
