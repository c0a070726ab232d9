"""Signing in at an identity provider (OpenID Connect Core 1.0, code flow with PKCE, RFC 7636).

What must be remembered between leaving for the provider and coming back (state, nonce, verifier, invitation) travels in
a cookie that only this installation can read or make.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx

from api.settings import Settings
from expert_pool import clock
from expert_pool.keys import Key
from solver.errors import Fault

CALLBACK = "/api/v1/sign-in/oidc/callback"
LASTS_SECONDS = 600
"""How long somebody may take at the provider."""

_KNOWN_SECONDS = 600
_WAIT_SECONDS = 10.0
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures that are taken: never `none`, never one whose key both sides hold."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Returned:
    """Whom the provider vouches for, and the invitation they began with."""

    issuer: str
    subject: str
    invitation: str | None


class Provider:
    """The one provider of the settings, its endpoints and keys, asked for anew every ten minutes."""

    def __init__(self, settings: Settings, key: Key) -> None:
        if not settings.oidc_issuer or not settings.oidc_client_id or not settings.public_url:
            raise Fault("access.oidc_off")
        self.settings, self.key = settings, key
        self._metadata: dict[str, Any] = {}
        self._keys: Any = None
        self._known_until = 0.0

    def leave(self, invitation: str | None) -> tuple[str, str]:
        """Where to send the browser, and the cookie it brings back. Raises Fault `access.oidc_unreachable`."""
        from authlib.common.urls import add_params_to_uri  # type: ignore[import-untyped]
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

        metadata = self._asked()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        question = {
            "response_type": "code",
            "client_id": self.settings.oidc_client_id,
            "redirect_uri": self.settings.public_url + CALLBACK,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        url = add_params_to_uri(metadata["authorization_endpoint"], list(question.items()))
        kept = {"s": state, "n": nonce, "v": verifier, "i": invitation, "t": clock.now().timestamp()}
        return str(url), base64.urlsafe_b64encode(self.key.seal(f"oidc {json.dumps(kept)}")).decode("ascii")

    def back(self, cookie: str | None, state: str, code: str, issuer: str | None) -> Returned:
        """Whom a browser that came back with `state` and `code` is.

        Raises Fault `access.oidc_state` (another browser began, too long ago, or a forged answer),
        `access.oidc_refused` (the provider's word does not hold), `access.oidc_unreachable`.
        """
        kept = self._kept(cookie)
        if kept is None or not hmac.compare_digest(str(kept["s"]).encode(), state.encode("utf-8", "replace")):
            raise Fault("access.oidc_state")
        if issuer is not None and issuer != self.settings.oidc_issuer:  # RFC 9207
            raise Fault("access.oidc_refused")
        claims = self._claims(code, kept)
        return Returned(self.settings.oidc_issuer, str(claims["sub"]), kept["i"])

    def _claims(self, code: str, kept: dict[str, Any]) -> dict[str, Any]:
        from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
        from joserfc.errors import JoseError

        client_id = self.settings.oidc_client_id
        try:
            token = self._token(code, kept["v"])
            signed = self._verified(token["id_token"])
            said = CodeIDToken(
                signed.claims,
                signed.header,
                options={
                    "iss": {"essential": True, "value": self.settings.oidc_issuer},
                    "aud": {"essential": True, "value": client_id},
                    "sub": {"essential": True},
                    "nonce": {"essential": True, "value": kept["n"]},
                },
                params={
                    "nonce": kept["n"],
                    "client_id": client_id,
                    "access_token": token.get("access_token"),
                },
            )
            said.validate(leeway=60)
        except httpx.HTTPError:
            raise Fault("access.oidc_unreachable") from None
        except (AuthlibBaseError, JoseError, KeyError, TypeError, ValueError):
            raise Fault("access.oidc_refused") from None
        return dict(said)

    def _verified(self, text: str) -> Any:
        """A signed token; where it names a key we do not know, the provider may have changed its keys (OpenID Connect
        Core 1.0, 10.1.1), which are asked for again. Raises JoseError, ValueError, Fault `access.oidc_unreachable`."""
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError

        try:
            return jwt.decode(text, self._keys, algorithms=_ALGORITHMS)
        except InvalidKeyIdError:
            self._known_until = 0.0
            self._asked()
            return jwt.decode(text, self._keys, algorithms=_ALGORITHMS)

    def _kept(self, cookie: str | None) -> dict[str, Any] | None:
        try:
            text = self.key.open(base64.urlsafe_b64decode((cookie or "").encode("ascii")))
        except (Fault, binascii.Error, ValueError):
            return None
        if not text.startswith("oidc "):
            return None
        kept: dict[str, Any] = json.loads(text.removeprefix("oidc "))
        return kept if 0 <= clock.now().timestamp() - kept["t"] <= LASTS_SECONDS else None

    def _token(self, code: str, verifier: str) -> dict[str, Any]:
        """What the provider gives for a code (RFC 6749, 4.1.3). Raises httpx.HTTPError, ValueError."""
        client_id, secret = self.settings.oidc_client_id, self.settings.oidc_client_secret.get_secret_value()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.public_url + CALLBACK,
            "code_verifier": verifier,
            "client_id": client_id,
        }
        auth = httpx.BasicAuth(quote_plus(client_id), quote_plus(secret)) if secret else None
        endpoint = self._asked()["token_endpoint"]
        answer = httpx.post(endpoint, data=form, auth=auth, timeout=_WAIT_SECONDS, follow_redirects=False)
        if 400 <= answer.status_code < 500:
            raise ValueError(answer.status_code)
        token: dict[str, Any] = answer.raise_for_status().json()
        return token

    def _asked(self) -> dict[str, Any]:
        """The provider's metadata, which must be those of the issuer in the settings (OIDC Discovery 1.0, 4.3)."""
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        if monotonic() < self._known_until:
            return self._metadata
        issuer = self.settings.oidc_issuer
        try:
            with httpx.Client(timeout=_WAIT_SECONDS, follow_redirects=False) as client:
                place = _safe(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                metadata = client.get(place).raise_for_status().json()
                if metadata["issuer"] != issuer:
                    raise ValueError(issuer)
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    _safe(metadata[name])
                keys = KeySet.import_key_set(client.get(metadata["jwks_uri"]).raise_for_status().json())
        except (httpx.HTTPError, JoseError, KeyError, TypeError, ValueError):
            raise Fault("access.oidc_unreachable") from None
        self._metadata, self._keys = metadata, keys
        self._known_until = monotonic() + _KNOWN_SECONDS
        return self._metadata


def _safe(url: str) -> str:
    """The URL, if it is reached over TLS or on this machine. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError(url)
    return url
