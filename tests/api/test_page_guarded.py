"""What a browser is asked to do with secrets: the fields they are typed into, the way out, and nothing kept."""

from __future__ import annotations

import re
from typing import Any

from signed_in_people import account, browser, signed_in

from api.page.rendering import STATIC
from expert_pool.accounts import Role

KEPT = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie\s*=|serviceWorker")


def test_passwords_are_typed_unseen_and_a_password_manager_may_fill_them_in(http: Any) -> None:
    page = browser(http.app).client.get("/sign-in").text
    assert re.search(r'<input name="password" type="password" autocomplete="current-password"', page)
    assert 'autocomplete="username"' in page
    assert 'autocomplete="one-time-code"' in page
    account(http.store, "pm", Role.POOL_MANAGER)
    own = signed_in(http.app, "pm").client.get("/own").text
    fields = re.findall(r"<input[^>]*type=\"password\"[^>]*>", own)
    assert len(fields) >= 2
    assert all("autocomplete=" in field for field in fields)
    for text in (page, own):  # nothing keeps anybody from pasting
        assert "paste" not in text
        assert 'autocomplete="off"' not in "".join(re.findall(r"<input[^>]*password[^>]*>", text))


def test_the_way_out_is_on_the_page_of_whoever_is_signed_in(http: Any) -> None:
    account(http.store, "pm", Role.POOL_MANAGER)
    client = signed_in(http.app, "pm").client
    for path in ("/", "/experts", "/own"):
        assert '<form data-api="DELETE /api/v1/sessions/current"' in client.get(path).text


def test_no_script_keeps_anything_in_the_browser(http: Any) -> None:
    scripts = [file for file in STATIC.rglob("*") if file.suffix in (".js", ".mjs")]
    assert len(scripts) > 5
    kept = [file.name for file in scripts if KEPT.search(file.read_text(encoding="utf-8"))]
    assert kept == []
