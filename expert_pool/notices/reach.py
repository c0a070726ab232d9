"""Whom a channel may connect to: public addresses only, and exactly the address that was checked.

A channel's host comes from an administrator of the service, not of the machine it runs on. Without this guard it would
be a way to speak to what only the machine can reach (SSRF): its own ports, the inner network, the cloud's metadata. A
name is resolved once, every address it has is judged, and the connection goes to one of those judged, so that a name
that changes its answer in between (DNS rebinding) gains nothing. Hosts that the machine's administrator lists
(EXPERT_POOL_PRIVATE_HOSTS: names, addresses or networks) may be anywhere.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from solver.errors import Fault

_PLATFORM = frozenset(map(ip_address, ("168.63.129.16", "192.0.0.192")))
"""Public by their number, and yet services of the platform below."""
_NAT64 = ip_network("64:ff9b::/96")
_UNICAST = ip_network("2000::/3")
"""What of IPv6 is given out for the open internet."""

Address = IPv4Address | IPv6Address


def reachable(host: str, port: int, private_hosts: Collection[str] = ()) -> str:
    """The address to connect to for a host. One address of it that may not be reached bars the whole name.

    Raises Fault `notices.host_unresolved`, `notices.host_private`.
    """
    name = host.strip("[]").rstrip(".").lower()
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        raise Fault("notices.host_unresolved", host) from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses:
        raise Fault("notices.host_unresolved", host)
    if not listed(name, private_hosts):
        for address in addresses:
            if not public(address) and not _in_networks(address, private_hosts):
                raise Fault("notices.host_private", host)
    return str(addresses[0])


def listed(host: str, private_hosts: Collection[str]) -> bool:
    """Whether a host is named, as it is written, among those that may be anywhere."""
    name = host.strip("[]").rstrip(".").lower()
    return name in {given.strip("[]").rstrip(".").lower() for given in private_hosts}


def public(address: Address) -> bool:
    """Whether an address is one of the open internet, also by what is wrapped in it."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return public(inner)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and address not in _PLATFORM


def _in_networks(address: Address, private_hosts: Collection[str]) -> bool:
    for given in private_hosts:
        try:
            if address in ip_network(given, strict=False):
                return True
        except ValueError:  # a name
            continue
    return False
