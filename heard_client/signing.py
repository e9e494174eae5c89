"""Telling a webhook's true delivery from a false or an old one."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping


def verified(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None, within: float = 300
) -> bool:
    """Whether a delivery was signed with the webhook's secret in the last five minutes.

    `Heard-Delivery` is the same when a delivery comes again: keep it, and pass over the second.
    """
    held = {name.casefold(): value for name, value in headers.items()}
    delivery, timestamp = held.get("heard-delivery", ""), held.get("heard-timestamp", "")
    if not timestamp.isdigit() or abs((time.time() if now is None else now) - int(timestamp)) > within:
        return False
    expected = hmac.new(secret.encode(), f"{delivery}.{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v1={expected}", held.get("heard-signature", ""))
