"""Gateways for short messages and calls: a signed HTTP POST for each notice.

Signed as the Standard Webhooks specification says, for which receivers find libraries in most languages: headers
`webhook-id` (the same in every attempt), `webhook-timestamp` (of this attempt) and `webhook-signature`
(`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; one after the other where two secrets are in force).
docs/notices.md has the recipe for checking it.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import ssl
from collections.abc import Collection, Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from expert_pool import clock
from expert_pool.notices.channels import HookSettings
from expert_pool.notices.outgoing import SECONDS, Outgoing, Undelivered
from expert_pool.notices.reach import listed, reachable
from solver.errors import Fault

_FOR_GOOD = frozenset({400, 410, 413, 414, 415, 422})
"""Answers to this very notice; every other is tried again, since a mended gateway may take it."""
_LONGEST_WAIT = 24 * 3600.0


def body(notice: Outgoing) -> bytes:
    """What a gateway gets: JSON, UTF-8."""
    said = {
        "id": notice.id,
        "kind": notice.kind,
        "medium": str(notice.medium),
        "to": notice.to,
        "language": notice.language,
        "subject": notice.letter.subject,
        "text": notice.letter.short,
        "at": notice.at.isoformat(timespec="seconds"),
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def signature(identity: str, timestamp: int, content: bytes, secrets: Iterable[str]) -> str:
    """The value of `webhook-signature`: one signature for each secret (`whsec_` and base64)."""
    signed = f"{identity}.{timestamp}.".encode() + content
    made = []
    for secret in secrets:
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        made.append("v1," + base64.b64encode(hmac.digest(raw, signed, "sha256")).decode("ascii"))
    return " ".join(made)


class HookSender:
    """Posts notices to one gateway. Follows no redirect, reads no answer but its head, ends in time."""

    def __init__(self, settings: HookSettings, private_hosts: Collection[str] = ()) -> None:
        self.settings, self.private_hosts = settings, private_hosts

    def send(self, notice: Outgoing) -> None:
        """Hand one over. Raises Undelivered."""
        status, after = asyncio.run(self._within(notice))
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise Undelivered("notices.hook_redirects", channel=True)
        code = "notices.hook_busy" if status in (429, 503) else "notices.hook_refused"
        raise Undelivered(code, for_good=status in _FOR_GOOD, after=after)

    def close(self) -> None:
        """Nothing is held."""

    async def _within(self, notice: Outgoing) -> tuple[int, float | None]:
        import httpx

        try:
            async with asyncio.timeout(SECONDS):
                return await self._post(notice)
        except Fault as fault:
            raise Undelivered(fault.code, channel=True) from None
        except TimeoutError:
            raise Undelivered("notices.hook_slow", channel=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise Undelivered("notices.hook_unreachable", channel=True) from None

    async def _post(self, notice: Outgoing) -> tuple[int, float | None]:
        import httpx

        url = httpx.URL(self.settings.url)
        host = urlsplit(self.settings.url).hostname or ""
        if url.scheme != "https" and not listed(host, self.private_hosts):
            raise Fault("notices.hook_plain", host)
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await asyncio.to_thread(reachable, host, port, self.private_hosts)
        content, timestamp = body(notice), int(clock.now().timestamp())
        headers = {
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": "expert-pool",
            "webhook-id": notice.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(notice.id, timestamp, content, self.settings.secrets),
        }
        tls = ssl.create_default_context(cadata=self.settings.authority or None)
        client = httpx.AsyncClient(verify=tls, trust_env=False, follow_redirects=False, timeout=SECONDS / 2)
        async with client:
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=content,
                headers=headers,
                extensions={"sni_hostname": host},
            )
            answer = await client.send(request, stream=True)
            try:
                return answer.status_code, _wait(answer.headers.get("retry-after"))
            finally:
                await answer.aclose()


def _wait(told: str | None) -> float | None:
    with suppress(TypeError, ValueError):
        return min(max(float(told or ""), 0.0), _LONGEST_WAIT)
    return None
