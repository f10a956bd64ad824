"""Managers keep their people, operators everybody's; the page says what came of it and refuses in words."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.cast import TODAY, Cast, person
from uptake.directory.models import (
    AuditEntry,
    ClockChange,
    Identity,
    Leave,
    Membership,
    Organization,
    Person,
    Role,
    RoleAssignment,
    User,
)
from uptake.directory.place import membership_on
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.models import Connection, Correction
from uptake.events.record import record
from uptake.programme.publish import publish


def test_a_manager_sees_the_own_people_and_places(cast: Cast) -> None:
    page = cast.sign_in(cast.hua).get("/people/").content.decode()

    assert "Lin Fang" in page
    assert "Purchasing" in page
    assert "Mo Yun" not in page
    assert "Qinghe" not in page


@pytest.mark.parametrize(
    ("query", "seen", "unseen"),
    [
        ("q=lin", ["Lin Fang"], ["Hua Jing"]),
        ("q=B003", ["Ke Ming"], ["Lin Fang"]),
        ("role=manager", ["Hua Jing", "Mo Yun"], ["Lin Fang"]),
        ("at=qinghe", ["Mo Yun"], ["Lin Fang"]),
        ("at=beiyuan-purchasing", ["Lin Fang"], ["Ke Ming"]),
        ("login=no", ["Xu Bare"], ["Lin Fang"]),
        ("state=left", ["Yu Gone"], ["Lin Fang"]),
        ("q=nobody-at-all", ["Nobody fits this filter"], ["Lin Fang"]),
    ],
)
def test_people_are_searched_and_filtered(cast: Cast, query: str, seen: list[str], unseen: list[str]) -> None:
    person(name="Xu Bare", at=cast.finance)
    gone = person(name="Yu Gone", at=cast.finance)
    Membership.objects.filter(person=gone).update(until_date=TODAY)

    page = cast.sign_in(cast.ren).get(f"/people/?{query}").content.decode()

    assert all(name in page for name in seen)
    assert not any(name in page for name in unseen)


@pytest.mark.parametrize("who", ["lin", "ke"])
def test_those_without_the_right_get_the_page_that_says_so(cast: Cast, who: str) -> None:
    answer = cast.sign_in(cast.people()[who]).get("/people/")

    assert answer.status_code == 403
    assert "manage people" in answer.content.decode()


def test_everybody_sees_the_own_page_without_buttons(cast: Cast) -> None:
    page = cast.sign_in(cast.lin).get(f"/people/{cast.lin.pk}/").content.decode()

    assert "Purchasing" in page
    assert "<form" not in re.sub(r"<form[^>]*account/[^>]*>", "", page)


def test_a_coach_reads_and_changes_nothing(cast: Cast) -> None:
    wei = cast.sign_in(cast.wei)
    held = Membership.objects.get(person=cast.lin)

    assert "Move or end" not in wei.get(f"/people/{cast.lin.pk}/").content.decode()
    answer = wei.post(f"/people/memberships/{held.pk}/move", {"place": "beiyuan", "on_date": "2026-05-13"})
    assert answer.status_code == 403
    assert wei.get(f"/people/{cast.lin.pk}/edit/").status_code == 403


def test_a_person_is_added_and_a_known_one_is_named(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    form = {"name": "Bo Yan", "kind": "human", "place": "beiyuan-finance", "from_date": "2026-05-13"}

    answer = hua.post("/people/new/", {**form, "email": "bo@beiyuan.example"}, follow=True)
    assert "Bo Yan was added." in answer.content.decode()
    again = hua.post("/people/new/", {**form, "email": "BO@beiyuan.example"})
    assert "Bo Yan has this e-mail or staff number." in again.content.decode()
    foreign = hua.post("/people/new/", {**form, "place": "qinghe", "name": "X"})
    assert Person.objects.filter(name="X").count() == 0
    assert foreign.status_code == 200


def test_a_move_tells_those_who_follow_events(cast: Cast) -> None:
    held = Membership.objects.get(person=cast.lin)

    answer = cast.sign_in(cast.hua).post(
        f"/people/memberships/{held.pk}/move", {"place": "beiyuan-finance", "on_date": "2026-05-13"}, follow=True
    )

    assert "Lin Fang was moved to Finance." in answer.content.decode()
    span = membership_on(cast.lin.pk, TODAY)
    assert span is not None
    assert span.organization_id == cast.finance.pk
    assert [(one.kind, one.person_id_was) for one in Correction.objects.all()] == [("moved", cast.lin.pk)]


def test_a_refused_move_changes_nothing_and_says_why(cast: Cast) -> None:
    held = Membership.objects.get(person=cast.lin)
    hua = cast.sign_in(cast.hua)

    answer = hua.post(f"/people/memberships/{held.pk}/move", {"place": "beiyuan-purchasing"}, follow=True)
    assert "They belong to this place in that time already." in answer.content.decode()
    assert hua.post(f"/people/memberships/{held.pk}/move", {"place": "qinghe"}).status_code == 404
    assert hua.post(f"/people/memberships/{held.pk}/end", {"last_date": "tomorrow"}).status_code == 404
    assert not Correction.objects.exists()


def test_the_last_day_is_still_worked(cast: Cast) -> None:
    held = Membership.objects.get(person=cast.lin)
    cast.sign_in(cast.hua).post(f"/people/memberships/{held.pk}/end", {"last_date": "2026-05-13"})

    assert membership_on(cast.lin.pk, TODAY) is not None
    assert membership_on(cast.lin.pk, TODAY + timedelta(days=1)) is None


def test_leave_is_added_and_taken_out_on_the_page(cast: Cast) -> None:
    client = cast.sign_in(cast.hua)
    words = {"from_date": "2026-06-01", "last_date": "2026-06-03"}

    page = client.post(f"/people/{cast.lin.pk}/leave", words, follow=True).content.decode()
    (held,) = Leave.objects.filter(person=cast.lin)
    refused = client.post(f"/people/{cast.lin.pk}/leave", words | {"last_date": "2026-05-03"}, follow=True)
    told = Correction.objects.filter(kind="moved", person_id_was=cast.lin.pk).count()
    client.post(f"/people/leave/{held.pk}/end")

    assert "is away on these days" in page
    assert held.until_date.isoformat() == "2026-06-04"
    assert "The last day lies before the first" in refused.content.decode()
    assert told == 1
    assert not Leave.objects.exists()


def test_roles_are_given_and_ended_on_the_page(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    given = {"role": "committee", "place": "beiyuan"}

    said = hua.post(f"/people/{cast.lin.pk}/role", given, follow=True).content.decode()
    assert "Lin Fang is Committee member at Beiyuan Precision." in said
    made = RoleAssignment.objects.get(person=cast.lin, role=Role.COMMITTEE)
    hua.post(f"/people/roles/{made.pk}/end")
    made.refresh_from_db()
    assert made.until_date == timezone.localdate()
    assert hua.post(f"/people/{cast.lin.pk}/role", {**given, "role": "operator"}).status_code == 403
    mine = hua.post(f"/people/{cast.hua.pk}/role", given, follow=True).content.decode()
    assert "Nobody gives a role to themselves" in mine


def test_a_login_is_handed_over_by_a_link_that_is_shown_once(cast: Cast) -> None:
    friend = person(name="Xu Bare", at=cast.finance)
    hua = cast.sign_in(cast.hua)

    shown = hua.post(f"/people/{friend.pk}/login/open", {"username": "xu"}, follow=True).content.decode()

    link = re.search(r"http://[^<]*/account/password/reset/key/[^<]+", shown)
    assert link is not None
    assert link[0] not in hua.get(f"/people/{friend.pk}/").content.decode()
    assert link[0] not in "".join(str(entry.details) for entry in AuditEntry.objects.all())
    stranger = Client()
    form = stranger.get(link[0], follow=True)
    chosen = "three-quiet-lathes"
    stranger.post(form.request["PATH_INFO"], {"password1": chosen, "password2": chosen})
    assert Client().login(request=form.wsgi_request, username="xu", password=chosen)
    assert User.objects.get(username="xu").has_usable_password()
    used = Client().get(link[0], follow=True)
    assert "password1" not in used.content.decode(), "the link works once"


def test_a_closed_login_is_out_at_once(cast: Cast) -> None:
    lin = cast.sign_in(cast.lin)
    assert lin.get("/account/").status_code == 200

    cast.sign_in(cast.hua).post(f"/people/{cast.lin.pk}/login/close")

    assert lin.get("/account/").status_code == 302


def test_a_manager_cannot_send_the_operator_a_link(cast: Cast) -> None:
    Membership.objects.create(person=cast.ren, organization=cast.finance, from_date=TODAY)
    hua = cast.sign_in(cast.hua)

    assert hua.post(f"/people/{cast.ren.pk}/login/invite").status_code == 403
    assert "sign-in link" not in hua.get(f"/people/{cast.ren.pk}/").content.decode()


def test_places_are_added_renamed_moved_and_closed(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)

    hua.post("/people/places/new/?at=beiyuan", {"kind": "department", "name": "Quality", "parent": "beiyuan"})
    made = Organization.objects.get(name="Quality")
    assert made.parent == cast.beiyuan
    hua.post(f"/people/places/{made.slug}/", {"name": "Quality control", "day_start": "06:00"})
    hua.post(f"/people/places/{made.slug}/move", {"parent": "beiyuan-finance"})
    hua.post(f"/people/places/{made.slug}/close")
    made.refresh_from_db()
    assert (made.name, made.parent, made.closed_at is not None) == ("Quality control", cast.finance, True)

    busy = hua.post("/people/places/beiyuan-purchasing/close", follow=True).content.decode()
    assert "1 people and 1 open places are still there." in busy
    assert hua.get("/people/places/qinghe/").status_code == 404
    assert hua.post("/people/places/new/", {"kind": "company", "name": "X", "parent": ""}).status_code == 200
    assert not Organization.objects.filter(name="X").exists()


LIST = (
    "姓名,工号,邮箱,部门,岗位\n王一,B100,wang@beiyuan.example,质检部,检验员\nLin Fang,B001,,,\n,B9,,,\n李二,B100,,,\n"
)


def test_a_list_is_shown_first_and_enrolled_once(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    waiting = Identity.objects.create(
        source="s", external_id="w", company=cast.beiyuan, staff_number="B100", first_seen_at=timezone.now()
    )

    shown = hua.post(
        "/people/import/", {"company": "beiyuan", "file": SimpleUploadedFile("l.csv", LIST.encode("gb18030"))}
    ).content.decode()
    assert "1 new · 1 known · 2 refused" in shown
    assert not Person.objects.filter(name="王一").exists()

    for _ in range(2):
        hua.post("/people/import/", {"company": "beiyuan", "text": LIST, "confirm": "yes"})
    made = Person.objects.get(name="王一")
    span = membership_on(made.pk, timezone.localdate())
    assert span is not None
    assert Organization.objects.get(pk=span.organization_id).name == "质检部"
    waiting.refresh_from_db()
    assert waiting.person == made, "the id that waited found its person"
    assert Correction.objects.filter(kind="identified", identity=waiting).count() == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00\x01\xff", "not a text file"),
        (b"number,place\n1,2\n", "needs a heading for the name"),
        (b"name\n" + b"x\n" * 5001, "too long"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_in_words(cast: Cast, content: bytes, said: str) -> None:
    answer = cast.sign_in(cast.hua).post(
        "/people/import/", {"company": "beiyuan", "file": SimpleUploadedFile("l.csv", content)}
    )

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_a_list_for_another_company_is_not_taken(cast: Cast) -> None:
    answer = cast.sign_in(cast.hua).post("/people/import/", {"company": "qinghe", "text": LIST, "confirm": "yes"})

    assert answer.status_code == 404


def test_a_lost_second_step_is_removed_once_whoever_asks_is_recognized(cast: Cast) -> None:
    Authenticator.objects.create(user=cast.login(cast.lin), type=Authenticator.Type.TOTP, data={})
    hua, address = cast.sign_in(cast.hua), f"/people/{cast.lin.pk}/login/second-step"
    assert address in hua.get(f"/people/{cast.lin.pk}/").content.decode()

    asked = hua.post(address, follow=True).content.decode()
    assert "Nothing was removed" in asked
    assert Authenticator.objects.exists()
    done = hua.post(address, {"recognized": "yes"}, follow=True).content.decode()

    assert "signs in with the password alone now" in done
    assert address not in done
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get(deed="login.second_step_dropped").subject == cast.lin.name
    assert "This login has no second step." in hua.post(address, {"recognized": "yes"}, follow=True).content.decode()


@pytest.mark.parametrize(
    ("who", "whose", "status"), [("hua", "ren", 404), ("hua", "mo", 404), ("wei", "lin", 404), ("shu", "lin", 403)]
)
def test_a_second_step_is_not_removed_by_others(cast: Cast, who: str, whose: str, status: int) -> None:
    person = cast.people()[whose]
    Authenticator.objects.create(user=cast.login(person), type=Authenticator.Type.TOTP, data={})
    client = cast.sign_in(cast.people()[who])

    refused = client.post(f"/people/{person.pk}/login/second-step", {"recognized": "yes"})

    assert refused.status_code == status
    assert Authenticator.objects.exists()


def test_the_own_second_step_is_not_removed_on_the_own_page(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    Authenticator.objects.create(user=cast.login(cast.hua), type=Authenticator.Type.TOTP, data={})
    address = f"/people/{cast.hua.pk}/login/second-step"

    assert address not in hua.get(f"/people/{cast.hua.pk}/").content.decode()
    assert "on your account page" in hua.post(address, {"recognized": "yes"}, follow=True).content.decode()
    assert Authenticator.objects.exists()


def test_a_place_whose_clock_is_refused_keeps_its_name_too(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)

    said = hua.post("/people/places/beiyuan-finance/", {"name": "Money", "timezone": "Mars/Base", "day_start": ""})

    assert said.status_code == 200
    cast.finance.refresh_from_db()
    assert cast.finance.name == "Finance"


def happened(cast: Cast) -> None:
    """Something has its date by Beiyuan's clock."""
    erp = Connection.objects.create(
        slug="erp", kind="api", name="ERP", organization=cast.beiyuan, created_at=timezone.now()
    )
    now = timezone.now()
    record([Happening("order.processed", "1", now, "", "1", {})], connection=erp, now=now)


def test_a_clock_is_set_at_once_while_nothing_is_dated_then_planned_and_taken_back(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    address = "/people/places/beiyuan/"
    told = {"name": "Beiyuan Precision", "timezone": "Asia/Shanghai", "day_start": "06:00"}
    assert "Nothing was dated by it yet" in hua.get(address).content.decode()
    assert "was changed" in hua.post(address, told, follow=True).content.decode()
    happened(cast)
    day = timezone.now().date() + timedelta(days=5)
    page = hua.post(address, {**told, "timezone": "Asia/Tokyo", "from_date": day.isoformat()}, follow=True)
    assert "The clock of Beiyuan Precision changes with the start of" in page.content.decode()
    shown = hua.get(address).content.decode()
    assert "In force: Asia/Shanghai, days start at 06:00." in shown
    assert "Asia/Tokyo, days start at 06:00" in shown
    assert 'value="Asia/Shanghai"' in shown
    # The name alone leaves the plan alone; another place's manager finds nothing.
    hua.post(address, {**told, "name": "Beiyuan"})
    assert ClockChange.objects.get().from_date == day
    assert cast.sign_in(cast.mo).post(f"{address}keep-clock", {"from_date": day.isoformat()}).status_code == 404
    assert (
        "No change of the clock is planned"
        in hua.post(f"{address}keep-clock", {"from_date": "tomorrow"}, follow=True).content.decode()
    )
    page = hua.post(f"{address}keep-clock", {"from_date": day.isoformat()}, follow=True)
    assert "The clock of Beiyuan stays as it is." in page.content.decode()
    assert not ClockChange.objects.exists()
    deeds = AuditEntry.objects.filter(deed__startswith="organization.clock").order_by("pk")
    assert [one.deed.partition("_")[2] for one in deeds] == ["set", "planned", "withdrawn"]


def test_a_clock_that_cannot_change_so_is_refused_in_words_and_nothing_typed_is_lost(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)
    happened(cast)
    today = timezone.now().date()
    told = {"name": "Beiyuan Precision", "timezone": "Asia/Tokyo", "day_start": "", "from_date": today.isoformat()}
    page = hua.post("/people/places/beiyuan/", told).content.decode()
    assert "The clock can change from" in page
    assert 'value="Asia/Tokyo"' in page
    far = {**told, "from_date": (today + timedelta(days=900)).isoformat()}
    assert "at the latest" in hua.post("/people/places/beiyuan/", far).content.decode()
    publish(
        rulebook={"rules": []}, organization=cast.beiyuan, in_force_date=today, by=EVERYTHING, now=timezone.now()
    )  # fmt: skip
    page = hua.post("/people/places/beiyuan/", {**told, "from_date": ""}).content.decode()
    assert "The rulebook of Beiyuan Precision decides here" in page
    assert not ClockChange.objects.exists()
