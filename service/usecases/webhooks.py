"""Webhooks: an address is told of events, signed, in ids alone, and told again for a day where it does not answer.

Only this machine and hosts that are allowed by name can be told, so that nobody makes the service ask around inside a
network. Each delivery comes at least once and has an id by which a second one is known.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from service.errors import ServiceError, StudyError
from service.study.database import write
from service.study.runs import add_audit
from service.study.study import Study
from service.study.webhooks import Delivery, Webhook, add_webhook, end_delivery, take_delivery, webhook

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BACK_OFF = (30, 120, 600, 3600, 6 * 3600, 14 * 3600)
LEASE = 120
MOST_WEBHOOKS = 20
Send = Callable[[str, bytes, Mapping[str, str]], int]


def register(
    study: Study, url: str, events: Sequence[str], *, hosts: Collection[str], now: str, actor: str
) -> Webhook:  # fmt: skip
    """Let an address be told of events; StudyError where it may not be, or there are too many."""
    if not may_be_told(url, hosts):
        raise StudyError(
            "this address may not be told: give one on this machine, or https at a host that HEARD_WEBHOOK_HOSTS names"
        )
    made = Webhook(secrets.token_hex(6), url, tuple(dict.fromkeys(events)), actor, now)
    with write(study.db) as connection:
        (held,) = connection.execute("SELECT count(*) FROM webhooks WHERE ended_at = ''").fetchone()
        if held >= MOST_WEBHOOKS:
            raise StudyError(f"a study has at most {MOST_WEBHOOKS} webhooks; end one first")
        add_webhook(connection, made)
        add_audit(connection, at=now, actor=actor, action="webhook", subject=made.id)
    return made


def may_be_told(url: str, hosts: Collection[str]) -> bool:
    """Whether an address is on this machine, or is https at a host that is allowed."""
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        return False
    host = parts.hostname or ""
    plain = port_is_one and not (parts.username or parts.password) and url.isprintable() and " " not in url
    if host in LOOPBACK:
        return plain and parts.scheme in ("http", "https")
    return plain and parts.scheme == "https" and host in {h.casefold() for h in hosts}


def signature(secret: str, delivery: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 of `delivery.timestamp.body` in hex, as the header `Heard-Signature` has it after `v1=`."""
    signed = f"{delivery}.{timestamp}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def deliver_next(
    study: Study, send: Send, secret_of: Callable[[str], str], *, hosts: Collection[str], clock: Callable[[], str]
) -> bool:  # fmt: skip
    """Make the delivery that is due for longest, if any; whether there was one.

    `send` gives the status that the address answers; whatever it raises counts as no answer.
    """
    now = clock()
    made = take_delivery(study.db, now=now, again_at=_later(now, LEASE))
    if made is None:
        return False
    try:
        target = webhook(study.db, made.webhook)
        body = _body(made)
        headers = _headers(study, made, secret_of(target.id), body, now)
        status = send(target.url, body, headers) if may_be_told(target.url, hosts) else 0
    except (OSError, ServiceError, TimeoutError):
        status = 0
    _settle(study, made, status, clock())
    return True


def _body(made: Delivery) -> bytes:
    return json.dumps({"event": made.event, "at": made.asked_at, **json.loads(made.content)}).encode()


def _headers(study: Study, made: Delivery, secret: str, body: bytes, now: str) -> dict[str, str]:
    name, timestamp = f"{study.id}-{made.id}", str(int(datetime.fromisoformat(now).timestamp()))
    return {
        "Content-Type": "application/json",
        "Heard-Event": made.event,
        "Heard-Delivery": name,
        "Heard-Timestamp": timestamp,
        "Heard-Signature": f"v1={signature(secret, name, timestamp, body)}",
    }


def _settle(study: Study, made: Delivery, status: int, now: str) -> None:
    if 200 <= status < 300:
        end_delivery(study.db, made, state="done", status=status, now=now)
    elif made.attempts > len(BACK_OFF):
        end_delivery(study.db, made, state="failed", status=status, now=now)
    else:
        later = _later(now, BACK_OFF[made.attempts - 1])
        end_delivery(study.db, made, state="waiting", status=status, now=now, due_at=later)


def _later(now: str, seconds: int) -> str:
    return (datetime.fromisoformat(now) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
