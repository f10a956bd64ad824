"""A person redeems by the pages, the desk hands out, and each sees what is theirs only."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image, PngImagePlugin

from tests.cast import Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.ledger.grant import Grant, grant
from uptake.programme.rewards.import_coupons import import_coupons
from uptake.programme.rewards.models import Code, Picture, Redemption, Reward, SpecialGrant, State
from uptake.programme.rewards.offer import Offer, offer

pytestmark = pytest.mark.django_db


def png() -> bytes:
    """A small picture with a word written beside it."""
    target, beside = BytesIO(), PngImagePlugin.PngInfo()
    beside.add_text("tEXtHome", "Hall B")
    Image.new("RGB", (4, 4)).save(target, "PNG", pnginfo=beside)
    return target.getvalue()


PNG = png()


def earned(cast: Cast, who: Person, points: int) -> None:
    now = timezone.now()
    key = f"earned/{who.pk}"
    grant(
        [
            Grant(
                book=cast.beiyuan.pk,
                key=key,
                lot=key,
                owner=str(who.pk),
                points=points,
                cause="event/1",
                happened_at=now,
                available_from=now,
            )
        ],
        now=now,
    )


def offered(cast: Cast, **keys: Any) -> Reward:
    told = {"kind": "goods", "name_en": "Thermos mug", "name_zh": "保温杯", "price": 40, **keys}
    return offer(company=cast.beiyuan, offer=Offer(**told), by=EVERYTHING, now=timezone.now())


def read(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == status, address
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_person_redeems_and_cancels(cast: Cast) -> None:
    earned(cast, cast.lin, 100)
    mug = offered(cast, stock=2)
    offered(cast, name_en="Day of leave", name_zh="", kind="leave", leave_days=1, price=900)
    lin = cast.sign_in(cast.lin)
    shown = read(lin, "/rewards/")
    assert "Thermos mug" in shown
    assert "800 to go" in shown
    assert "Day of leave" not in read(lin, "/rewards/?only=now")
    assert "Redeem for 40 points" in read(lin, f"/rewards/{mug.pk}/")
    for _ in range(2):
        answer = lin.post(f"/rewards/{mug.pk}/", {"key": "abc", "wish": "blue"}, follow=True)
        assert "60 points" not in answer.content.decode()
    row = Redemption.objects.get()
    assert (row.price, row.wish, row.state) == (40, "blue", State.REQUESTED)
    assert "Requested" in read(lin, "/rewards/mine/")
    assert "Cancel request" in read(lin, f"/rewards/mine/{row.pk}/")
    lin.post(f"/rewards/mine/{row.pk}/cancel/")
    assert "The points are back with you" in read(lin, f"/rewards/mine/{row.pk}/")


def test_a_refusal_is_said_in_words(cast: Cast) -> None:
    mug = offered(cast)
    lin = cast.sign_in(cast.lin)
    answer = lin.post(f"/rewards/{mug.pk}/", {"key": "abc"}, follow=True)
    assert "You have fewer points than it costs." in answer.content.decode()
    assert "40 points are missing" in read(lin, f"/rewards/{mug.pk}/")


def test_the_desk_hands_out_with_a_note_and_a_file(cast: Cast) -> None:
    earned(cast, cast.lin, 100)
    mug = offered(cast, needs_approval=True)
    lin, ke = cast.sign_in(cast.lin), cast.sign_in(cast.ke)
    lin.post(f"/rewards/{mug.pk}/", {"key": "abc"})
    row = Redemption.objects.get()
    assert "Lin Fang" in read(ke, "/rewards/desk/")
    address = f"/rewards/desk/redemptions/{row.pk}/"
    assert "Approve request" in read(ke, address)
    ke.post(address, {"do": "approve", "key": "a"})
    file = SimpleUploadedFile("slip.pdf", b"%PDF-1.4 slip")
    wrong = SimpleUploadedFile("slip.pdf", b"MZ")
    answer = ke.post(address, {"do": "fulfil", "key": "b", "file": wrong}, follow=True)
    assert "must be a PDF" in answer.content.decode()
    ke.post(address, {"do": "fulfil", "key": "c", "answer": "At the front desk", "file": file})
    shown = read(lin, f"/rewards/mine/{row.pk}/")
    assert "At the front desk" in shown
    got = lin.get(f"/rewards/mine/{row.pk}/file/")
    assert (got.content, got["Content-Type"]) == (b"%PDF-1.4 slip", "application/pdf")
    for other in (cast.hua, cast.mo):
        assert cast.sign_in(other).get(f"/rewards/mine/{row.pk}/file/").status_code == 404
    ke.post(address, {"do": "refund", "key": "d"})
    assert Redemption.objects.get().state == State.REFUNDED
    assert "This is done" in read(ke, address)


def test_a_code_is_shown_to_its_owner_on_asking(cast: Cast) -> None:
    earned(cast, cast.lin, 100)
    coupons = offered(cast, kind="coupon", name_en="Canteen voucher", with_codes=True)
    import_coupons(reward=coupons, codes=["CANTEEN-77"], by=EVERYTHING, now=timezone.now())
    lin, an = cast.sign_in(cast.lin), cast.sign_in(cast.an)
    lin.post(f"/rewards/{coupons.pk}/", {"key": "abc"})
    row = Redemption.objects.get()
    assert "CANTEEN-77" not in read(lin, f"/rewards/mine/{row.pk}/")
    shown = lin.post(f"/rewards/mine/{row.pk}/code/")
    assert "CANTEEN-77" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert an.post(f"/rewards/mine/{row.pk}/code/").status_code == 404
    for address in (f"redemptions/{row.pk}/", "export.csv?show=fulfilled", f"catalogue/{coupons.pk}/codes/"):
        assert "CANTEEN" not in read(an, f"/rewards/desk/{address}")


def test_the_catalogue_is_edited(cast: Cast) -> None:
    ke = cast.sign_in(cast.ke)
    assert "Nothing is on offer yet" in read(ke, "/rewards/desk/catalogue/")
    form = {"kind": "goods", "name_en": "Mug", "price": "40", "stock": "3", "picture": SimpleUploadedFile("m.png", PNG)}
    ke.post("/rewards/desk/catalogue/new/", form)
    mug = Reward.objects.get()
    assert (mug.price, mug.stock) == (40, 3)
    assert b"tEXt" not in bytes(Picture.objects.get().content)
    got = cast.sign_in(cast.lin).get(f"/rewards/pictures/{mug.pk}/")
    assert (got.status_code, got["Content-Type"]) == (200, "image/png")
    assert cast.sign_in(cast.mo).get(f"/rewards/pictures/{mug.pk}/").status_code == 404
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"price": "-1"}, "This is a whole number"),
        ({"name_en": ""}, "Name it in at least one language"),
        ({"from_date": "tomorrow"}, "This is a date"),
        ({"picture": SimpleUploadedFile("m.png", b"GIF89a")}, "must be a PNG"),
        ({"kind": "leave", "leave_days": "0.3"}, "halves and wholes"),
    ]
    for keys, said in wrong:
        answer = ke.post(
            f"/rewards/desk/catalogue/{mug.pk}/", {"kind": "goods", "name_en": "Mug", "price": "1", **keys}
        )
        assert (answer.status_code, said in answer.content.decode()) == (422, True), keys
    form = {"kind": "coupon", "name_en": "Voucher", "price": "5", "with_codes": "yes"}
    answer = ke.post("/rewards/desk/catalogue/new/", form, follow=True)
    assert "Pool of codes" in answer.content.decode()
    pool = Reward.objects.get(kind="coupon")
    ke.post(f"/rewards/desk/catalogue/{pool.pk}/codes/", {"codes": "A\nB\nA"})
    assert (Code.objects.count(), Reward.objects.get(pk=pool.pk).stock) == (2, 2)
    answer = ke.post(f"/rewards/desk/catalogue/{pool.pk}/codes/", {"codes": "TYPED-1\n" + "X" * 201})
    assert answer.status_code == 422
    assert "TYPED-1" in answer.content.decode()
    assert Code.objects.count() == 2


def test_leave_goes_to_hr(cast: Cast) -> None:
    earned(cast, cast.lin, 100)
    leave = offered(cast, kind="leave", leave_days=1, name_en="Day off")
    cast.sign_in(cast.lin).post(f"/rewards/{leave.pk}/", {"key": "abc", "from": "2026-12-01"})
    ke = cast.sign_in(cast.ke)
    assert "not yet" in read(ke, "/rewards/desk/leave/")
    answer = ke.post("/rewards/desk/leave.csv", {"at": cast.beiyuan.slug})
    assert "Lin Fang" in answer.content.decode()
    assert "2026-12-01" in answer.content.decode()
    assert "not yet" not in read(ke, "/rewards/desk/leave/")


def test_special_points_are_asked_for_and_decided_by_another(cast: Cast) -> None:
    hua, ke, ren = cast.sign_in(cast.hua), cast.sign_in(cast.ke), cast.sign_in(cast.ren)
    at = f"?at={cast.beiyuan.slug}"
    told = {"department": cast.purchasing.slug, "points": "50", "key": "k", "at": cast.beiyuan.slug}
    assert ke.post("/rewards/desk/budgets/", told).status_code == 403
    ren.post("/rewards/desk/budgets/", told)
    for points, said in (("many", "whole number"), ("-51", "budget")):
        answer = ren.post("/rewards/desk/budgets/", {**told, "points": points, "key": "l", "reason": "Typed once"})
        page = answer.content.decode()
        assert (answer.status_code, said in page, f'value="{points}"' in page, "Typed once" in page) == (
            422,
            True,
            True,
            True,
        )
    form = {"person": str(cast.lin.pk), "points": "30", "department": cast.purchasing.slug, "reason": "Fair stand"}
    assert "Asked for" in hua.post("/rewards/desk/special/", form, follow=True).content.decode()
    row = SpecialGrant.objects.get()
    assert "Approve" not in read(hua, f"/rewards/desk/special/{at}")
    assert hua.post(f"/rewards/desk/special/{row.pk}/", {"do": "approve"}).status_code == 403
    assert "Approve" in read(ke, f"/rewards/desk/special/{at}")
    ke.post(f"/rewards/desk/special/{row.pk}/", {"do": "approve"})
    assert SpecialGrant.objects.get().state == "approved"
    shown = read(ren, f"/rewards/desk/liability/{at}")
    assert "Fill budget" in shown
    assert ">20<" in shown
    assert "30" in ren.get(f"/rewards/desk/liability.csv{at}").content.decode()
    assert ren.get(f"/rewards/desk/liability.xlsx{at}").status_code == 200


def test_who_may_open_the_desk(cast: Cast) -> None:
    for who, desk, special in (
        ("lin", 403, 403),
        ("hua", 403, 200),
        ("wei", 403, 403),
        ("ke", 200, 200),
        ("ren", 200, 200),
    ):
        client = cast.sign_in(cast.people()[who])
        assert client.get("/rewards/desk/").status_code == desk, who
        assert client.get("/rewards/desk/special/").status_code == special, who
    assert cast.sign_in(cast.ke).get(f"/rewards/desk/?at={cast.qinghe.slug}").status_code == 404


def test_pages_are_there_for_those_without_a_company(cast: Cast) -> None:
    assert "You belong to no company today" in read(cast.sign_in(cast.ren), "/rewards/")
    assert "Nothing is on offer yet" in read(cast.sign_in(cast.lin), "/rewards/")
    assert "Nothing redeemed yet" in read(cast.sign_in(cast.lin), "/rewards/mine/")


def test_people_wait_in_line_by_the_pages(cast: Cast) -> None:
    for who in (cast.lin, cast.hua):
        earned(cast, who, 100)
    desk, lin, hua = cast.sign_in(cast.ren), cast.sign_in(cast.lin), cast.sign_in(cast.hua)
    told = {"kind": "goods", "name_en": "Thermos mug", "price": "40", "stock": "1", "keep_days": "2"}
    wrong = desk.post(
        f"/rewards/desk/catalogue/new/?at={cast.beiyuan.slug}", {**told, "has_line": "yes", "keep_days": "99"}
    )
    assert wrong.status_code == 422
    assert "From 1 to 60 days" in wrong.content.decode()
    desk.post(f"/rewards/desk/catalogue/new/?at={cast.beiyuan.slug}", {**told, "has_line": "yes"})
    mug = Reward.objects.get()
    assert (mug.has_line, mug.keep_days) == (True, 2)
    hua.post(f"/rewards/{mug.pk}/", {"key": "h"})
    assert "Nobody waits yet" in read(lin, f"/rewards/{mug.pk}/")

    said = lin.post(f"/rewards/{mug.pk}/line/", {"do": "join"}, follow=True).content.decode()
    assert "at place 1" in said
    assert "You wait for" in read(lin, "/points/")
    assert "place 1" in read(lin, "/rewards/mine/")
    assert "You wait for" not in read(hua, "/rewards/mine/"), "a place is nobody else's business"
    assert "Lin Fang" in read(desk, f"/rewards/desk/catalogue/{mug.pk}/")
    assert "1 in line" in read(desk, f"/rewards/desk/catalogue/?at={cast.beiyuan.slug}")
    hua.post(f"/rewards/mine/{Redemption.objects.get().pk}/cancel/")

    assert "It is your turn" in read(lin, f"/rewards/{mug.pk}/")
    assert "your turn" in read(lin, "/points/")
    assert "None is left" in read(hua, f"/rewards/{mug.pk}/")
    assert cast.sign_in(cast.mo).post(f"/rewards/{mug.pk}/line/", {"do": "join"}).status_code == 404
    lin.post(f"/rewards/{mug.pk}/line/", {"do": "leave"})
    assert "Redeem for 40 points" in read(hua, f"/rewards/{mug.pk}/")


def test_too_many_special_points_are_said_to_be_too_many(cast: Cast) -> None:
    asked = {"person": str(cast.lin.pk), "department": cast.purchasing.slug, "reason": "Audit"}
    manager = cast.sign_in(cast.hua)
    for points, said in (("9999999", "At most 1,000,000 points at once"), ("0", "above 0"), ("1" * 20, "At most")):
        answer = manager.post(f"/rewards/desk/special/?at={cast.beiyuan.slug}", {**asked, "points": points})
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert not SpecialGrant.objects.exists()
