"""Which addresses a channel may reach, by their numbers alone."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest
from refused import refused

from expert_pool.notices.reach import public, reachable


def test_one_inner_address_of_a_name_bars_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(*addresses: str) -> Any:
        return lambda *_, **__: [(2, 1, 6, "", (address, 443)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolved("93.184.216.34", "127.0.0.1"))
    with refused("notices.host_private"):
        reachable("two.example.cn", 443)
    monkeypatch.setattr(socket, "getaddrinfo", resolved("93.184.216.34"))
    assert reachable("one.example.cn", 443) == "93.184.216.34"


def test_public_addresses_are_public() -> None:
    assert all(
        map(public, map(ip_address, ("8.8.8.8", "2400:3200::1", "64:ff9b::808:808", "2002:808:808::")))
    )
