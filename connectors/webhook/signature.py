"""Standard Webhooks 1.0.0 signatures (symmetric, ``v1``)."""

from __future__ import annotations

import base64
import binascii
import hmac

PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """The key bytes of a subscription's secret: ``whsec_`` and base64 is decoded, anything else is its UTF-8.

    Raises ValueError, without repeating the secret.
    """
    if not secret.startswith(PREFIX):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise ValueError("a secret that begins with whsec_ goes on in base64") from None
    if not key:
        raise ValueError("a subscription's secret is not empty")
    return key


def signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    """The ``webhook-signature`` header: HMAC-SHA256 over ``id.timestamp.body``."""
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
