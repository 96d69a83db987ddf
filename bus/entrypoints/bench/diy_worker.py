"""The do-it-yourself solution's second half: a Celery task that carries one message to the destination.

Written as a competent team writes it: one task per message, JSON alone, acknowledged late so that a killed worker loses
nothing, a persistent queue, an HTTP session kept open, retries that back off. It keeps no order and no record.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import orjson
import requests
from celery import Celery

app = Celery("diy", broker=os.environ.get("DIY_BROKER"))
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_default_queue="diy",
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


@cache
def _session() -> requests.Session:
    """One for each worker process, made after the fork."""
    return requests.Session()


@app.task(
    name="diy.deliver",
    autoretry_for=(requests.RequestException,),
    retry_backoff=True,
    max_retries=12,
    ignore_result=True,
)
def deliver(event: dict[str, Any]) -> None:
    """Post one event; what fails is tried again later."""
    headers = {"Content-Type": "application/cloudevents+json", "Idempotency-Key": event["id"]}
    answer = _session().post(os.environ["DIY_TARGET"], data=orjson.dumps(event), headers=headers, timeout=30)
    answer.raise_for_status()
