"""Seals that only several supervisors open: the split, the boxes, key files, and sealed panels."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import date, datetime
from itertools import combinations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from refused import refused
from sqlalchemy import select, text
from tiny_registry import SMALL, Tiny

from expert_pool import ledger, panels
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.privacy.sealing import key_files, supervisors
from expert_pool.privacy.sealing import panels as sealed
from expert_pool.privacy.sealing.envelope import close, open_envelope, take_share
from expert_pool.privacy.sealing.key_files import make_key_file, public_text, read_key_file
from expert_pool.privacy.sealing.split import inverse, join, split, times
from expert_pool.registry import PanelRecord, Seat, Table
from expert_pool.viewer import Viewer
from solver.answer import Answer
from solver.document import read_problem
from solver.problem import Limits

OFFICE = Viewer.system("office")
PRIVATE = [X25519PrivateKey.generate() for _ in range(5)]
PUBLIC = [public_text(key.public_key()) for key in PRIVATE]
byte = st.integers(0, 255)
schemes = st.integers(1, 7).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))


@settings(deadline=None)
@given(byte, byte, byte)
def test_the_field_is_a_field(a: int, b: int, c: int) -> None:
    assert times(a, b) == times(b, a)
    assert times(a, times(b, c)) == times(times(a, b), c)
    assert times(a, b ^ c) == times(a, b) ^ times(a, c)
    assert times(a, 1) == a
    assert a == 0 or times(a, inverse(a)) == 1


def test_the_field_is_that_of_aes() -> None:
    assert times(0x57, 0x83) == 0xC1  # FIPS 197, section 4.2


@settings(deadline=None, max_examples=40)
@given(st.binary(min_size=1, max_size=40), schemes, st.randoms(use_true_random=False))
def test_any_k_shares_give_the_secret_back(secret: bytes, scheme: tuple[int, int], chance: object) -> None:
    needed, count = scheme
    shares = split(secret, needed, count)
    for numbers in combinations(shares, needed):
        assert join({n: shares[n] for n in numbers}) == secret
    assert join(shares) == secret


@settings(deadline=None, max_examples=40)
@given(st.binary(min_size=16, max_size=32), schemes)
def test_fewer_shares_or_a_wrong_one_give_something_else(secret: bytes, scheme: tuple[int, int]) -> None:
    needed, count = scheme
    shares = split(secret, needed, count)
    if needed > 1:
        assert join({n: shares[n] for n in list(shares)[: needed - 1]}) != secret
    wrong = bytes([shares[1][0] ^ 1]) + shares[1][1:]
    assert join({**{n: shares[n] for n in list(shares)[:needed]}, 1: wrong}) != secret


def test_fewer_than_k_shares_fit_every_secret_equally_well() -> None:
    """Over all polynomials of degree 1 for one byte, one share takes every value exactly once for every secret."""
    for secret in (0, 1, 0x53, 0xFF):
        assert {secret ^ times(slope, 1) for slope in range(256)} == set(range(256))


def test_a_split_that_cannot_be_is_refused() -> None:
    for needed, count in ((0, 3), (4, 3), (2, 256)):
        with refused("seal.threshold"):
            split(b"x", needed, count)
    for shares in ({}, {1: b"a", 2: b"ab"}, {0: b"a"}, {256: b"a"}):
        with refused("seal.shares_unlike"):
            join(shares)


def test_an_envelope_opens_with_k_supervisors_and_no_fewer() -> None:
    envelope = close(b"who sits", "M1-P1", PUBLIC, 3)
    shares = {
        box.number: take_share(box, "M1-P1", key) for box, key in zip(envelope.boxes, PRIVATE, strict=True)
    }
    for numbers in combinations(shares, 3):
        assert open_envelope(envelope, "M1-P1", {n: shares[n] for n in numbers}) == b"who sits"
    with refused("seal.too_few_shares", has=2, needed=3):
        open_envelope(envelope, "M1-P1", {1: shares[1], 2: shares[2]})


def test_boxes_are_bound_to_their_owner_their_number_and_their_seal() -> None:
    envelope = close(b"who sits", "M1-P1", PUBLIC, 2)
    one, two = envelope.boxes[:2]
    with refused("seal.box_not_yours"):
        take_share(one, "M1-P1", PRIVATE[1])
    with refused("seal.box_not_yours"):
        take_share(one, "M1-P2", PRIVATE[0])
    with refused("seal.box_not_yours"):
        take_share(replace(one, number=2), "M1-P1", PRIVATE[0])
    with refused("seal.box_not_yours"):
        take_share(replace(one, box=two.box), "M1-P1", PRIVATE[0])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_changed_byte_of_content_or_share_is_refused(data: st.DataObject) -> None:
    envelope = close(b"who sits", "M1-P1", PUBLIC[:3], 2)
    shares = {
        box.number: take_share(box, "M1-P1", key) for box, key in zip(envelope.boxes, PRIVATE, strict=False)
    }
    at = data.draw(st.integers(0, len(envelope.content) - 1))
    content = bytearray(envelope.content)
    content[at] ^= data.draw(st.integers(1, 255))
    with refused("seal.content_changed"):
        open_envelope(replace(envelope, content=bytes(content)), "M1-P1", shares)
    share = bytearray(shares[1])
    share[data.draw(st.integers(0, 31))] ^= data.draw(st.integers(1, 255))
    with refused("seal.shares_wrong"):
        open_envelope(envelope, "M1-P1", {1: bytes(share), 2: shares[2]})


def test_the_same_key_twice_is_refused() -> None:
    with refused("seal.same_key_twice"):
        close(b"x", "M1-P1", [PUBLIC[0], PUBLIC[0]], 1)


def policy() -> Policy:
    """A preset with numbers that fit twelve experts."""
    said = {"by": "head", "on": date(2026, 1, 1), "why": "small"}
    return load(
        "cn-title-jilin-2013", overrides=[{"parameter": n, "value": v, **said} for n, v in SMALL.items()]
    )


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that costs little to stretch."""
    monkeypatch.setattr(key_files, "_COST", {"iterations": 1, "lanes": 1, "memory_cost": 64})


def test_a_key_file_opens_with_its_password_only(tmp_path: Path, cheap: None) -> None:
    file = tmp_path / "s.json"
    public = make_key_file(file, "correct horse battery")
    assert public_text(read_key_file(file, "correct horse battery").public_key()) == public
    assert file.stat().st_mode & 0o777 == 0o600
    with refused("seal.password_wrong"):
        read_key_file(file, "correct horse batterz")
    with refused("seal.file_exists"):
        make_key_file(file, "correct horse battery")
    with refused("seal.password_short"):
        make_key_file(tmp_path / "t.json", "short")
    changed = json.loads(file.read_text())
    changed["public_key"] = PUBLIC[0]
    file.write_text(json.dumps(changed))
    with refused("seal.password_wrong"):
        read_key_file(file, "correct horse battery")
    for bad in ("{}", "[", json.dumps({**changed, "kdf": {**changed["kdf"], "memory_cost": 10**9}})):
        file.write_text(bad)
        with refused("seal.file_malformed"):
            read_key_file(file, "correct horse battery")
    with refused("seal.file_unreadable"):
        read_key_file(tmp_path / "gone.json", "x")


def test_a_panel_is_sealed_against_the_host_until_supervisors_open_it(tiny: Tiny, now: datetime) -> None:
    with tiny.store.session() as session:
        for n in range(3):
            supervisors.register(session, OFFICE, f"S{n}", PUBLIC[n], organiser_id=tiny.organiser_id)
    state = sealed.request_sealed(
        tiny.store,
        OFFICE,
        committee="C1",
        meeting="M1",
        holders=["S0", "S1", "S2"],
        needed=2,
        policy=policy(),
        limits=Limits(seconds=600),
    )
    code = state.panel_code
    with tiny.store.session() as session:
        panel = session.scalars(select(PanelRecord).where(PanelRecord.code == code)).one()
        answer = Answer.model_validate_json(panel.answer)
        assert (answer.members, answer.alternates, answer.goals, answer.problem.seed) == ([], [], [], 0)
        assert session.scalars(select(Seat.id)).all() == []
        assert b"host-seal" in zlib.decompress(panel.problem)
        held = str(
            [
                tuple(row)
                for name in Table.metadata.tables
                if name not in ("expert",)
                for row in session.execute(text(f'select * from "{name}"'))
            ]
        )
        with refused("seal.too_few_shares", has=0):
            sealed.open_seal(session, OFFICE, code)
        with refused("seal.not_holder"):
            sealed.box_for(session, OFFICE, code, "S9")
        first = take_share(sealed.box_for(session, OFFICE, code, "S0"), code, PRIVATE[0])
        with refused("seal.share_wrong"):
            sealed.release(session, OFFICE, code, "S1", first)
        assert sealed.release(session, OFFICE, code, "S0", first).released == 1
        assert sealed.release(session, OFFICE, code, "S0", first).released == 1
        with refused("seal.too_few_shares", has=1, needed=2):
            sealed.open_seal(session, OFFICE, code)
        second = take_share(sealed.box_for(session, OFFICE, code, "S2"), code, PRIVATE[2])
        assert sealed.release(session, OFFICE, code, "S2", second).released == 2
    with tiny.store.reading() as session:
        assert ledger.verify(session) == []
    with tiny.store.session() as session:
        assert sealed.open_seal(session, OFFICE, code).opened_at is not None
        with refused("seal.opened_already"):
            sealed.open_seal(session, OFFICE, code)
    with tiny.store.reading() as session:
        panel = session.scalars(select(PanelRecord).where(PanelRecord.code == code)).one()
        answer = Answer.model_validate_json(panel.answer)
        seats = session.scalars(select(Seat).where(Seat.panel_id == panel.id)).all()
        assert len(seats) == len(answer.members) + len(answer.alternates) > 0
        problem = read_problem(zlib.decompress(panel.problem))
        assert {m.expert for m in answer.members} <= set(problem.experts)
        assert panel.problem_sha256 == answer.problem.sha256
        who = [m.expert for m in answer.members]
        assert not [code for code in [*who, panel.problem_sha256, str(answer.problem.seed)] if code in held]
        assert ledger.verify(session) == []
    shown = panels.show(tiny.store, OFFICE, code)
    assert (shown.sealed, shown.names) == (True, {})


def test_supervisors_are_registered_once_and_retired(sqlite_tiny: Tiny) -> None:
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        supervisors.register(session, OFFICE, "S1", PUBLIC[0], organiser_id=tiny.organiser_id)
        with refused("seal.supervisor_known"):
            supervisors.register(session, OFFICE, "S1", PUBLIC[1], organiser_id=tiny.organiser_id)
        with refused("seal.same_key_twice"):
            supervisors.register(session, OFFICE, "S2", PUBLIC[0], organiser_id=tiny.organiser_id)
        with refused("seal.public_key_malformed"):
            supervisors.register(session, OFFICE, "S3", "nonsense", organiser_id=tiny.organiser_id)
        with refused("viewer.not_yours"):
            supervisors.register(
                session, Viewer("x", frozenset()), "S4", PUBLIC[2], organiser_id=tiny.organiser_id
            )
        supervisors.retire(session, OFFICE, "S1")
        with refused("seal.supervisor_unknown", missing=["S1"]):
            supervisors.find(session, OFFICE, ["S1"])
    with refused("seal.supervisor_unknown"):
        sealed.request_sealed(tiny.store, OFFICE, committee="C1", meeting="M1", holders=["S1"], needed=1)
    with refused("seal.threshold"):
        sealed.request_sealed(tiny.store, OFFICE, committee="C1", meeting="M1", holders=["S1"], needed=2)
