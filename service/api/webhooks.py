"""Webhooks: addresses that are told of what happens in a study, in ids alone."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from service import wiring
from service.api.paging import AfterNumber, Limit, Page, cursor_to
from service.api.router import api_router
from service.clock import now
from service.deps import AnIntaker, AStudy
from service.study import webhooks as store
from service.study.webhooks import Delivery, Webhook
from service.usecases.webhooks import register

router = api_router("webhooks")
Event = Literal["job.ended", "voices.taken_in", "round.drawn", "codebook.published"]
WebhookId = Annotated[str, Path(max_length=40)]


class WebhookIn(BaseModel):
    """An address on this machine, or https at a host that is allowed by name, and what it is told of."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=500)]
    events: Annotated[list[Event], Field(min_length=1, max_length=10)]


class WebhookMade(BaseModel):
    """A new webhook. `secret` signs its deliveries; it is shown this once."""

    id: str
    url: str
    events: list[str]
    secret: str


class DeliveryOut(BaseModel):
    """An event for a webhook: waiting, done or failed; `status` is what the address answered last, 0 for nothing."""

    id: int
    event: str
    state: str
    attempts: int
    due_at: str
    status: int
    asked_at: str
    ended_at: str


@router.post("/studies/{name}/webhooks", status_code=201)
def add_webhook(study: AStudy, person: AnIntaker, body: WebhookIn, answer: Response) -> WebhookMade:
    """Have an address told of events. Idempotency-Key is not kept here, since a secret would be kept with it."""
    made = register(
        study, body.url, body.events, hosts=wiring.settings().webhook_hosts, now=now(), actor=person.name
    )  # fmt: skip
    answer.headers["Location"] = f"/v1/studies/{study.name}/webhooks/{made.id}"
    secret = wiring.webhook_secret(study, made.id)
    return WebhookMade(id=made.id, url=made.url, events=list(made.events), secret=secret)


@router.get("/studies/{name}/webhooks")
def webhooks(study: AStudy, _: AnIntaker) -> list[Webhook]:
    """The study's webhooks, oldest first."""
    return store.webhooks(study.db)


@router.get("/studies/{name}/webhooks/{webhook_id}")
def webhook(study: AStudy, _: AnIntaker, webhook_id: WebhookId) -> Webhook:
    """One webhook."""
    return store.webhook(study.db, webhook_id)


@router.delete("/studies/{name}/webhooks/{webhook_id}", status_code=204)
def end_webhook(study: AStudy, _: AnIntaker, webhook_id: WebhookId) -> None:
    """Tell an address nothing more; what waits for it is given up."""
    store.end_webhook(study.db, webhook_id, now=now())


@router.get("/studies/{name}/webhooks/{webhook_id}/deliveries")
def deliveries(
    study: AStudy, _: AnIntaker, webhook_id: WebhookId, after: AfterNumber = None, limit: Limit = 50
) -> Page[DeliveryOut]:
    """What an address was told, newest first."""
    store.webhook(study.db, webhook_id)
    found = store.deliveries(study.db, webhook_id, before=after[0] if after else 2**62, limit=limit + 1)
    more = cursor_to(found[limit - 1].id) if found[limit:] else None
    return Page(items=[_out(d) for d in found[:limit]], next=more)


def _out(found: Delivery) -> DeliveryOut:
    return DeliveryOut(**{name: getattr(found, name) for name in DeliveryOut.model_fields})
