"""企业微信, 钉钉, 飞书 and 简道云 are read whole: over pages, ended tokens and refusals that answer 200."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cast import NOW, Cast
from uptake.connectors.people import platforms
from uptake.connectors.people.models import PeopleRun, PeopleSource, SaidPerson, Sort
from uptake.connectors.people.read_due import read_due
from uptake.connectors.people.snapshot import Department, Snapshot
from uptake.connectors.people.tests.stubs import NAMES, DingTalk, Feishu, Jiandaoyun, Platform, WeCom, served
from uptake.connectors.pull.protocol import Problem, SignInRefused
from uptake.connectors.pull.secrets import sealed
from uptake.directory.models import Membership, Person
from uptake.notify.models import Mail

KINDS: list[tuple[type[Platform], Callable[..., Snapshot], dict[str, str], str]] = [
    (WeCom, platforms.wecom, {"corp_id": "ww1", "staff_number": "工号"}, "secret"),
    (DingTalk, platforms.dingtalk, {"app_key": "ding1"}, "secret"),
    (Feishu, platforms.feishu, {"app_id": "cli_1"}, "secret"),
    (Jiandaoyun, platforms.jiandaoyun, {"user_name_is_staff_number": "yes"}, "key"),
]
each = pytest.mark.parametrize(
    ("kind", "read", "settings", "secret"), KINDS, ids=["wecom", "dingtalk", "feishu", "jdy"]
)


@pytest.mark.once
@each
def test_all_departments_and_people_come(
    kind: type[Platform], read: Callable[..., Snapshot], settings: dict[str, str], secret: str
) -> None:
    stub = kind()
    waited: list[float] = []
    with served(stub) as address:
        said = read({**settings, "address": address}, {secret: stub.secret}, sleep=waited.append)

    outer, inner = said.departments
    assert (outer.name, inner.name, outer.parent_key, inner.parent_key) == (NAMES[2], NAMES[3], "", outer.key)
    people = {one.name: one for one in said.people}
    assert (people["张伟"].place_key, people["李娜"].place_key, people["赵敏"].place_key) == (outer.key, inner.key, "")
    assert {name for name, one in people.items() if one.active} == {"张伟", "李娜", "王强", "赵敏", "Lin Fang"}
    assert people["张伟"].staff_number == "B201"
    assert kind is Jiandaoyun or people["张伟"].email == "zhang@beiyuan.example"
    assert kind is Jiandaoyun or stub.sign_ins > 1  # tokens ended meanwhile
    assert max(waited) >= 1  # asked too often once, and waited
    assert said.complete


@pytest.mark.once
@each
def test_a_wrong_secret_needs_a_person(
    kind: type[Platform], read: Callable[..., Snapshot], settings: dict[str, str], secret: str
) -> None:
    with served(kind()) as address, pytest.raises(SignInRefused):
        read({**settings, "address": address}, {secret: "wrong"}, sleep=lambda seconds: None)


@pytest.fixture
def source(cast: Cast) -> PeopleSource:
    return PeopleSource.objects.create(
        company=cast.beiyuan, sort=Sort.FEISHU, name="Feishu", created_at=NOW, next_at=NOW,
        settings={"app_id": "cli_1"}, secrets=sealed({"secret": "good-secret"}),
    )  # fmt: skip


def test_the_job_takes_over_what_is_due_and_asks_again_later(
    cast: Cast, source: PeopleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.connectors.people.caller.time.sleep", lambda seconds: None)
    with served(Feishu()) as address:
        PeopleSource.objects.update(settings={"app_id": "cli_1", "address": address})

        assert read_due(clock=lambda: NOW, asker=_quick) == 1

    source.refresh_from_db()
    assert (source.read_at, source.attention) == (NOW, None)
    assert source.next_at is not None
    assert source.next_at > NOW
    assert PeopleRun.objects.get().counts == {"places_new": 2, "new": 4, "found": 1, "unknown_inactive": 1}
    assert Membership.objects.filter(organization__name="一线", until_date__isnull=True).count() == 2
    assert read_due(clock=lambda: NOW, asker=_quick) == 0


def _quick(source: PeopleSource) -> Snapshot:
    return platforms.feishu(source.settings, {"secret": "good-secret"}, sleep=lambda seconds: None)


PROBLEMS: list[tuple[Problem | Snapshot, str | None]] = [
    (SignInRefused("no"), "sign_in_refused"),
    (Snapshot((Department("a", "A"),), ()), "empty"),
    (Problem("gone", code="unreachable"), None),
]


@pytest.mark.parametrize(("said", "code"), PROBLEMS)
def test_what_goes_wrong_is_tried_again_or_told_to_a_person(
    cast: Cast, source: PeopleSource, said: Problem | Snapshot, code: str | None
) -> None:
    def asker(source: PeopleSource) -> Snapshot:
        if isinstance(said, Problem):
            raise said
        return said

    before = Person.objects.count()
    read_due(clock=lambda: NOW, asker=asker)

    source.refresh_from_db()
    assert (source.attention or {}).get("code") == code
    assert (source.next_at is None) == (code is not None)
    assert PeopleRun.objects.get().outcome == "failed"
    assert Mail.objects.filter(person=cast.hua).exists() == (code is not None)
    assert Person.objects.count() == before
    assert not SaidPerson.objects.exists()
