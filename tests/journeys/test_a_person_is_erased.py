"""A person is erased: nothing anywhere says who they were, points stay balanced, and the figures follow the policy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.apps import apps
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, models, transaction
from django.utils import timezone

from tests.cast import Cast, build_cast
from tests.journeys.world import build_world
from uptake.activity import ask
from uptake.config.command import main
from uptake.connectors.files.begin_import import begin_import, kept_file
from uptake.connectors.files.map_import import map_import, queue_import
from uptake.connectors.files.mapping import Mapping
from uptake.connectors.files.run_import import run_import
from uptake.connectors.models import ImportRun
from uptake.directory.audit import note
from uptake.directory.erase import AlreadyErased, NameDiffers, erase, may_erase
from uptake.directory.models import AuditEntry, Erasure, Identity, Membership, Person, Policy, Seat, User
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.happening import Happening
from uptake.events.models import Batch, Connection, Correction, CorrectionKind, Event
from uptake.events.record import record
from uptake.insight.feed.check import check
from uptake.insight.feed.refresh import rebuild, refresh
from uptake.insight.feed.where import activity_log, store
from uptake.insight.metrics.keep_view import save_view
from uptake.insight.models import Segment
from uptake.ledger.balances import points_of
from uptake.ledger.models import Lot
from uptake.ledger.verify import verify
from uptake.notify.models import Message
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award
from uptake.web.erasing import NOT_TREATED, TREATMENTS

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = ("Lin Fang", "lin@beiyuan.example", "BY-4500-login", "secret-of-lin", "lin-the-clerk")
"""By these a row would say who they were."""


@pytest.fixture
def cast(transactional_db: None, settings: LazySettings, tmp_path: Path) -> Cast:
    """Both companies with rows of every kind; Lin is named wherever one can be named."""
    settings.DATA = tmp_path
    cast = build_cast()
    (tmp_path / "files").mkdir()
    build_world(cast, tmp_path / "files")
    now = timezone.now()
    erp = Connection.objects.get(slug="beiyuan-erp")
    own: dict[str, Any] = {
        "person": "BY-4500-login",
        "facts": {"note": "secret-of-lin", "amount": 3},
        "object": "secret-of-lin",
    }
    record(
        [Happening(event="order.processed", key=f"secret-of-lin-{n}", at=now - timedelta(days=n), **own)
         for n in range(1, 4)],
        connection=erp, now=now,
    )  # fmt: skip
    record(
        [Happening(event="order.processed", key="of hua", at=now - timedelta(days=1), person="hua-login",
                   person_email="hua@beiyuan.example")],
        connection=erp, now=now,
    )  # fmt: skip
    login = cast.login(cast.lin)
    User.objects.filter(pk=login.pk).update(username="lin-the-clerk")
    note(deed="login.opened", actor=cast.login(cast.lin), organization=cast.beiyuan, subject="Lin Fang",
         details={"person": cast.lin.pk, "login": "lin-the-clerk"}, now=now, address="10.1.2.3")  # fmt: skip
    ren = cast.viewer(cast.ren, now.date())
    save_view(name="Lin Fang again", page="trends", query="at=beiyuan&q=Lin+Fang", organization=cast.beiyuan, by=ren,
              now=now)  # fmt: skip
    Segment.objects.create(
        name="Three", organization=cast.beiyuan, owner=cast.login(cast.ren), roles="|coach|", created_at=now,
        changed_at=now, criteria={"match": "all", "criteria": [{"kind": "static", "people": [str(cast.lin.pk), "9"]}]},
        members=[cast.lin.pk, cast.hua.pk], taken_date=now.date(),
    )  # fmt: skip
    Membership.objects.filter(person=cast.lin).update(role="lin-the-clerk")
    _import(cast, tmp_path / "files" / "Lin Fang.csv")
    cast.sign_in(cast.lin)
    consider_new_events(now=now)
    refresh(now=now)
    return cast


def _import(cast: Cast, file: Path) -> None:
    """A file with a row of Lin's and one that cannot be read and names her."""
    file.write_text("person,event,time\nBY-4500-login,order.read,2026-05-11 09:00\nBY-4500-login,x.y,secret-of-lin\n")
    now = timezone.now()
    run = begin_import(file=file, file_name=file.name, organization=cast.beiyuan, by=EVERYTHING, now=now)
    mapping = Mapping(name=("event",), time="time", person="person")
    queue_import(run=map_import(run=run, mapping=mapping, earn=False, by=EVERYTHING, now=now), by=EVERYTHING, now=now)
    run_import(run_id=run.pk, clock=lambda: now)
    # the file's source makes a person of its own; it is Lin
    made = Identity.objects.get(
        source=Batch.objects.get(pk=ImportRun.objects.get(pk=run.pk).batch_id or 0).connection.slug
    )
    double, made.person = made.person, cast.lin
    made.save()
    Membership.objects.filter(person=double).delete()
    Person.objects.filter(name="BY-4500-login").delete()
    file.unlink()


def erased(cast: Cast, policy: Policy, who: Person | None = None) -> Erasure:
    person = who or cast.lin
    return erase(
        person=person, policy=policy, name=person.name, treatments=TREATMENTS, by=EVERYTHING, now=timezone.now()
    )


def settle() -> None:
    """The readers come after."""
    while consider_new_events(now=timezone.now()):
        pass
    while refresh(now=timezone.now() + timedelta(minutes=5)):
        pass


def everything() -> dict[str, str]:
    """All that stands in any table, by table."""
    return {
        model._meta.label: "\n".join(map(str, model._default_manager.values_list()))
        for model in apps.get_models(include_auto_created=True)
    }


def active() -> dict[str, Any]:
    question = {"analysis": "pv_uv", "event_sel": {"event": None}}
    answer = ask(activity_log(), question)
    return {"events": answer["total_pv"], "people": answer["total_uv"]}


def test_the_world_names_her_before(cast: Cast) -> None:
    """Else the tests below would prove nothing."""
    found = everything()
    for label in (
        "directory.Person", "directory.Identity", "directory.User", "directory.Membership", "directory.AuditEntry",
        "events.Event", "events.Conflict", "connectors.ImportRun", "insight.SavedView",
    ):  # fmt: skip
        assert any(word in found[label] for word in WORDS), label
    assert "secret-of-lin" in str(activity_log().to_arrow().to_pylist())


@pytest.mark.parametrize("policy", list(Policy))
def test_nothing_says_who_they_were(cast: Cast, policy: Policy) -> None:
    kept = [kept_file(run) for run in ImportRun.objects.filter(batch__events__identity__person=cast.lin)]
    assert kept
    assert all(file.exists() for file in kept)

    erased(cast, policy)
    settle()

    for label, rows in everything().items():
        said = [word for word in WORDS if word in rows]
        assert not said, f"{label} still says {said}"
    assert not any(file.exists() for file in kept)
    log = activity_log()
    assert "secret-of-lin" not in str(log.to_arrow().to_pylist())
    manifest = store().manifest()
    texts = [text for name in manifest.dictionaries for text in store().texts(manifest, name).to_pylist()]
    assert not [text for text in texts if "secret" in (text or "")]
    assert not Session.objects.exists(), "only she was signed in"


@pytest.mark.parametrize("policy", list(Policy))
def test_the_figures_follow_the_policy_and_points_stay_balanced(cast: Cast, policy: Policy) -> None:
    before, book = active(), cast.beiyuan.pk
    # What our own modules record is no use of the software, and in no figure of it.
    own = Event.objects.standing().filter(identity__person=cast.lin).exclude(source="uptake").count()
    now = timezone.now()
    points = points_of(book=book, owners=[str(cast.lin.pk)], now=now)[str(cast.lin.pk)].available
    assert own > 3
    assert points > 0

    erasure = erased(cast, policy)
    settle()

    after = active()
    stays = policy == Policy.ANONYMISE
    assert before["events"] - after["events"] == (0 if stays else own)
    assert before["people"] - after["people"] == (0 if stays else 1)
    left = points_of(book=book, owners=[str(cast.lin.pk)], now=now)[str(cast.lin.pk)].available
    # What was given by people and not by rules does not go with the events.
    given = Lot.objects.filter(book=book, owner=str(cast.lin.pk)).exclude(key__startswith="award/")
    assert left == (points if stays else sum(given.values_list("available", flat=True)))
    assert verify().holds
    assert Award.objects.filter(person=cast.lin, points__gt=0).exists() is stays
    assert erasure.counts["events"] == Event.objects.filter(identity__person=cast.lin).count()
    assert check().right
    stepwise = activity_log().to_arrow().sort_by("event_id").to_pylist()
    rebuild(now=now)
    assert activity_log().to_arrow().sort_by("event_id").to_pylist() == stepwise


@pytest.mark.parametrize("policy", list(Policy))
def test_it_is_recorded(cast: Cast, policy: Policy) -> None:
    identities = Identity.objects.filter(person=cast.lin).count()

    erased(cast, policy)

    entry = AuditEntry.objects.get(deed="person.erased")
    assert (entry.subject, entry.details["policy"]) == (f"#{cast.lin.pk}", policy.value)
    assert Correction.objects.filter(kind=CorrectionKind.ERASED, person_id_was=cast.lin.pk).count() == identities
    with pytest.raises(AlreadyErased):
        erased(cast, policy, Person.objects.get(pk=cast.lin.pk))


def test_others_keep_what_is_theirs(cast: Cast) -> None:
    before = list(Event.objects.exclude(identity__person=cast.lin).order_by("pk").values())

    erased(cast, Policy.DROP)
    settle()

    assert list(Event.objects.exclude(identity__person=cast.lin).order_by("pk").values()) == before
    assert Segment.objects.get(name="Three").members == [cast.hua.pk]
    assert not Message.objects.filter(person=cast.lin).exists()
    assert Message.objects.filter(person=cast.mo).exists()
    assert Seat.objects.filter(company=cast.qinghe, person=cast.mo).exists()
    assert not Seat.objects.filter(person=cast.lin).exists()


def test_what_comes_after_is_of_somebody_new(cast: Cast) -> None:
    erased(cast, Policy.ANONYMISE)
    erp = Connection.objects.get(slug="beiyuan-erp")
    now = timezone.now()

    (fate,) = record(
        [Happening(event="order.processed", key="secret-of-lin-1", at=now, person="BY-4500-login")],
        connection=erp, now=now,
    )  # fmt: skip

    assert fate.fate == "new"
    assert Event.objects.get(pk=fate.event_id or 0).identity.person is None  # type: ignore[union-attr]


GUARDED = (
    lambda lin: Event.objects.filter(identity__person=lin).update(facts={"x": 1}),
    lambda lin: Event.objects.filter(identity__person=lin).update(name="other"),
    lambda lin: Event.objects.filter(identity__person=lin).update(object="", facts={}, fingerprint="", key="erased/1"),
    lambda lin: Event.objects.filter(identity__person=lin).delete(),
    lambda lin: AuditEntry.objects.update(subject=""),
    lambda lin: AuditEntry.objects.update(deed="x"),
    lambda lin: AuditEntry.objects.all().delete(),
    lambda lin: Message.objects.filter(person=lin).update(content={}),
    lambda lin: [one._raw_delete("default") for one in [Message.objects.filter(person=lin)]],
)


@pytest.mark.parametrize("number", range(len(GUARDED)))
def test_without_an_open_erasure_the_record_stays_as_it_is(cast: Cast, number: int) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        GUARDED[number](cast.lin)


def test_an_open_erasure_lets_texts_be_emptied_and_nothing_else(cast: Cast) -> None:
    def refused(deed: Any) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()

    with transaction.atomic():
        Erasure.objects.create(person=cast.lin, policy=Policy.ANONYMISE, at=timezone.now())
        own = Event.objects.filter(identity__person=cast.lin, key="secret-of-lin-1")
        emptied: dict[str, Any] = {"object": "", "facts": {}, "fingerprint": ""}
        refused(lambda: own.update(**emptied, key="another"))
        refused(lambda: own.update(**emptied, name="other"))
        refused(lambda: own.update(**emptied, company=cast.qinghe))
        refused(lambda: own.update(**emptied, happened_at=timezone.now()))
        refused(lambda: own.update(**emptied, identity=None))
        refused(lambda: own.update(**emptied, batch=Event.objects.exclude(batch=None)[0].batch))
        refused(lambda: own.update(facts={"note": "milder"}))
        refused(lambda: Event.objects.filter(key="of hua").update(**emptied))
        refused(lambda: Event.objects.filter(identity__person=cast.lin).delete())
        refused(lambda: AuditEntry.objects.update(subject="somebody else"))
        refused(lambda: AuditEntry.objects.update(details={"person": 1}))
        refused(lambda: AuditEntry.objects.update(deed="nothing.happened"))
        refused(lambda: Message.objects.filter(person=cast.mo).delete())
        refused(lambda: Erasure.objects.update(person=cast.hua, closed_at=timezone.now()))
        refused(lambda: Erasure.objects.all().delete())
        assert own.update(**emptied, key="erased/1") == 1
        Erasure.objects.update(closed_at=timezone.now())
        refused(lambda: Erasure.objects.update(closed_at=timezone.now()))
        transaction.set_rollback(True)


def test_a_revision_shared_with_somebody_else_keeps_its_key(cast: Cast) -> None:
    """Else an older content of hers would stand again beside the newer one of somebody else."""
    erp, now = Connection.objects.get(slug="beiyuan-erp"), timezone.now()
    for revision, who in ((1, "BY-4500-login"), (2, "hua-login")):
        record([Happening(event="order.read", key="shared", at=now, person=who, revision=revision)],
               connection=erp, now=now)  # fmt: skip

    erased(cast, Policy.ANONYMISE)

    standing = Event.objects.standing().filter(name="order.read", source="beiyuan-erp")
    assert [one.revision for one in standing] == [2]


def test_who_may(cast: Cast) -> None:
    today = timezone.localdate()
    allowed = [name for name, person in cast.people().items() if may_erase(cast.viewer(person, today), cast.lin)]
    assert allowed == ["ren", "an"], "the park's operator and the administrator"
    assert not may_erase(cast.viewer(cast.ren, today), cast.ren), "nobody erases themselves"
    assert not may_erase(cast.viewer(cast.ren, today), cast.an), "nor one of a role one cannot give"
    for who, error in ((cast.hua, NotAllowed), (cast.wei, NotAllowed)):
        with pytest.raises(error):
            erase(person=cast.lin, policy=Policy.DROP, name="Lin Fang", treatments=TREATMENTS,
                  by=cast.viewer(who, today), now=timezone.now())  # fmt: skip
    with pytest.raises(NameDiffers):
        erase(person=cast.lin, policy=Policy.DROP, name="lin", treatments=TREATMENTS,
              by=cast.viewer(cast.ren, today), now=timezone.now())  # fmt: skip


def test_the_page_shows_what_will_happen_and_asks_for_the_name(cast: Cast) -> None:
    browser = cast.sign_in(cast.ren)
    address = f"/people/{cast.lin.pk}/erase/"
    page = browser.get(address).content.decode()
    assert "Still count, for nobody known" in page
    assert "Do not count any more" in page
    assert "ERP of BY-4500" in page, "the sources that go on sending are named"
    assert address in browser.get(f"/people/{cast.lin.pk}/").content.decode()

    refused = browser.post(address, {"policy": "drop", "name": "lin"})
    assert "letter by letter" in refused.content.decode()
    assert Person.objects.get(pk=cast.lin.pk).erased_at is None

    answer = browser.post(address, {"policy": "drop", "name": "Lin Fang"}, follow=True)
    assert "Lin Fang was erased." in answer.content.decode()
    assert Erasure.objects.get().policy == Policy.DROP
    for gone in (f"/people/{cast.lin.pk}/", f"/activity/people/{cast.lin.pk}/", address):
        assert browser.get(gone).status_code == 404


def test_a_manager_is_told_whom_to_ask(cast: Cast) -> None:
    browser = cast.sign_in(cast.hua)
    assert "ask the park" in browser.get(f"/people/{cast.lin.pk}/").content.decode()
    assert browser.get(f"/people/{cast.lin.pk}/erase/").status_code == 403
    assert cast.sign_in(cast.mo).get(f"/people/{cast.lin.pk}/erase/").status_code == 404


def test_the_command_shows_first_and_erases_when_the_name_is_given(cast: Cast) -> None:
    words = ["people", "erase", str(cast.lin.pk), "--policy", "anonymise"]

    shown = CliRunner().invoke(main, words)
    assert (shown.exit_code, Erasure.objects.count()) == (0, 0)
    assert "Nothing was erased yet" in shown.output
    assert CliRunner().invoke(main, [*words, "--name", "Lin"]).exit_code == 1

    done = CliRunner().invoke(main, [*words, "--name", "Lin Fang"])
    assert (done.exit_code, Erasure.objects.count()) == (0, 1)
    assert CliRunner().invoke(main, words).exit_code == 1


def test_every_table_is_treated_or_says_why_not() -> None:
    """A new table that refers to a person or a login, or holds texts, has to be thought of."""
    treated = {label for one in TREATMENTS for label in one.models}
    telling = (models.CharField, models.TextField, models.JSONField, models.GenericIPAddressField)
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label
        refers = [one for one in model._meta.concrete_fields if one.related_model in (Person, User)]
        holds = [one for one in model._meta.concrete_fields if isinstance(one, telling)]
        if refers or holds:
            assert label in treated or label in NOT_TREATED, f"{label}: say in web/erasing.py what becomes of its rows"
    assert not treated & set(NOT_TREATED)
    assert treated | set(NOT_TREATED) <= {one._meta.label for one in apps.get_models(include_auto_created=True)}


def test_roles_and_logins_are_gone(cast: Cast) -> None:
    erased(cast, Policy.ANONYMISE, cast.hua)

    assert not cast.hua.role_assignments.exists()
    assert not User.objects.filter(username="hua").exists()
    assert not User.objects.filter(person=cast.hua).exists()
