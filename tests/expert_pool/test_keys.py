"""The key: sealing, searching, pseudonyms, and where it is found."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refused import refused

from expert_pool.keys import Key, load_key
from solver.errors import Fault

KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))
URL = "postgresql://office:secret@db/registry"


@given(st.text())
def test_what_is_sealed_opens_with_the_same_key_only(text: str) -> None:
    sealed = KEY.seal(text)
    assert KEY.open(sealed) == text
    with refused("key.cannot_open"):
        OTHER.open(sealed)


def test_any_changed_byte_of_a_sealed_field_is_refused() -> None:
    sealed = KEY.seal("220101196601010011")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with refused("key.cannot_open"):
            KEY.open(bytes(changed))
        with refused("key.cannot_open"):
            KEY.open(sealed[:at])


def test_the_same_text_seals_differently_and_marks_the_same() -> None:
    assert KEY.seal("1") != KEY.seal("1")
    assert KEY.mark("22010119660101001x") == KEY.mark(" ２2010119660101001X ")
    assert KEY.mark("138-0000 0000") == KEY.mark("13800000000")
    assert KEY.mark("1") != OTHER.mark("1")


def test_a_pseudonym_is_short_stable_and_needs_the_key() -> None:
    assert KEY.pseudonym("E01") == "PVVXKDHED5W"
    assert len({KEY.pseudonym(f"E{n}") for n in range(10_000)}) == 10_000
    assert OTHER.pseudonym("E01") != KEY.pseudonym("E01")


def test_each_use_has_its_own_hash_and_none_shows_the_secret() -> None:
    shown = {KEY.mark(""), KEY.check(), KEY.pseudonym(""), KEY.secret.hex()}
    assert len(shown) == 4
    assert KEY.to_text() not in repr(KEY)


@pytest.mark.parametrize("text", ["", "short", "é" * 44, KEY.to_text()[:-1], KEY.to_text() + "AAAA"])
def test_a_malformed_key_is_refused_without_showing_it(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPERT_POOL_KEY", text)
    with pytest.raises(Fault) as caught:
        load_key(URL)
    assert (caught.value.code, caught.value.where, caught.value.params) == (
        "key.malformed",
        "EXPERT_POOL_KEY",
        {},
    )


def test_the_key_comes_from_the_environment_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(OTHER.to_text() + "\n")
    monkeypatch.setenv("EXPERT_POOL_KEY_FILE", str(file))
    assert load_key(URL) == OTHER
    monkeypatch.setenv("EXPERT_POOL_KEY", KEY.to_text())
    assert load_key(URL) == KEY


def test_a_named_key_file_must_be_readable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXPERT_POOL_KEY_FILE", str(tmp_path / "gone"))
    with refused("key.file_unreadable"):
        load_key(URL)
    (tmp_path / "gone").write_bytes(b"\xff" * 44)
    with refused("key.malformed"):
        load_key(URL)


def test_beside_a_new_sqlite_file_the_key_is_made_for_its_owner_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    key = load_key(url)
    assert load_key(url) == key
    assert stat.S_IMODE((tmp_path / "a.db.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a.db.key"]


def test_an_existing_database_never_gets_a_new_key(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"full")
    with refused("key.missing"):
        load_key(f"sqlite:///{tmp_path / 'a.db'}")
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_a_server_database_needs_a_key_and_the_fault_hides_the_password() -> None:
    with pytest.raises(Fault) as caught:
        load_key(URL)
    assert caught.value.code == "key.missing"
    assert "secret" not in str(caught.value)


def test_a_database_in_memory_has_a_key_of_its_own() -> None:
    assert load_key("sqlite://") != load_key("sqlite://")
