"""Deletes the primary's pod when it has answered nothing for SILENCE seconds, as when its processes hang or its node is gone: the operator waits for such a
primary, and would wait as long as its instance manager lives, or until Kubernetes misses the node.

Two replicas watch, and the one that holds the Lease acts. It acts only while all of this is so (`reason_not_to`):

- The primary has been silent for SILENCE seconds: not the beginning of an answer within 2 s, or no way to it. A server that refuses, starts, stops, restores or
  is slow has answered.
- It committed synchronously when it last answered. Without an answer ever, REQUIRED must say that it can't do otherwise.
- A standby answers that it receives nothing from it, and none that it receives something.
- The API server has just answered, with the same primary, whose pod is not on its way out already.
- The last time was a minute ago or longer.

It tells no instance to lead: which one has every commit is the operator's to decide, which asks the same questions once more.

Environment: CLUSTER, NAMESPACE, POD, SILENCE, REQUIRED (1: no commit without a standby), READY (a file to make once it
has looked), PGHOST (the name in the servers' certificates), and libpq's own.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import os
import re
import select
import signal
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from psycopg2.extensions import connection

Json = dict[str, Any]

# Longest that a server may take for its answer.
ANSWER_SECONDS = 2.0
LOOK_SECONDS = 1.0
# A holder that was silent for that long has lost it.
LEASE_SECONDS = 6
RENEW_SECONDS = 2.0
# What is known of the pods may be so old while all is well.
CALM_SECONDS = 5.0
BETWEEN_ACTS_SECONDS = 60
# Answers of the API server that are older than that are none.
FRESH_SECONDS = 3.0

PORT = 5432
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ACTED = "pgplatform.io/acted-at"


@dataclass
class Seen:
    """What one instance said, by this process' own clock, which no change of the date moves."""

    # When it last answered in any way; at first: when it was first asked.
    answered: float
    silent: bool = False
    # Whether it is a standby, and whether WAL reaches it; unknown while it says nothing else than that it is there.
    standby: bool | None = None
    receives: bool | None = None
    # Whether commits waited for a standby, when it last said so.
    synchronous: bool | None = None


@dataclass
class Cluster:
    """What the API server says."""

    primary: str = ""
    # Address and UID, by name, of pods that aren't on their way out.
    pods: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    at: float = float("-inf")


@dataclass
class Scene:
    """All that is known, at one moment."""

    now: float
    cluster: Cluster
    seen: dict[str, Seen]
    # Seconds since the last time that a pod was deleted.
    since_act: float
    # The settings.
    silence: float
    required: bool


def reason_not_to(scene: Scene) -> str | None:
    """Why the primary's pod is left alone; None: it is to be deleted."""
    name = scene.cluster.primary
    primary = scene.seen.get(name)
    if primary is None:
        return "no primary is known"
    silent = scene.now - primary.answered
    others = [one for other, one in scene.seen.items() if other != name and not one.silent]
    standbys = [one for one in others if one.standby]
    waited = scene.required if primary.synchronous is None else primary.synchronous
    reasons = (
        (not primary.silent, "the primary answers"),
        (silent < scene.silence, f"silent for {silent:.0f} of {scene.silence:.0f} s"),
        (scene.now - scene.cluster.at > FRESH_SECONDS, "the API server does not answer"),
        (name not in scene.cluster.pods, "its pod is on its way out"),
        (not waited, "it waited for no standby when it last answered: a commit may be nowhere else"),
        (not standbys, "no standby answers"),
        (any(one.receives for one in standbys), "a standby still receives WAL from it"),
        (any(one.standby is False for one in others), "another instance leads"),
        (scene.since_act < BETWEEN_ACTS_SECONDS, "the last time was less than a minute ago"),
    )
    return next((why for holds, why in reasons if holds), None)


class SilenceError(Exception):
    """No answer in time, or no way to the server."""


def say(what: str, **more: object) -> None:
    print(json.dumps({"watchdog": what, **more}), flush=True)


class Watch(threading.Thread):
    """Asks one instance again and again, over a connection that stays."""

    query = """select pg_is_in_recovery(), exists (select from pg_stat_wal_receiver where pid is not null),
      current_setting('synchronous_standby_names') <> ''"""

    def __init__(self, name: str, address: str, host: str) -> None:
        super().__init__(daemon=True)
        self.instance = name
        self.address = address
        self.host = host
        self.seen = Seen(time.monotonic())
        self.over = False
        # When it last sent anything, be it the beginning of an answer: a crowded machine takes its time for the rest.
        self.heard = float("-inf")
        self.connection: connection | None = None

    def wait(self, connection: connection, end: float) -> None:
        from psycopg2 import extensions  # noqa: PLC0415 - its rules are tried where there is no psycopg2

        while (state := connection.poll()) != extensions.POLL_OK:
            left = end - time.monotonic()
            reads = [connection] if state == extensions.POLL_READ else []
            writes = [connection] if state == extensions.POLL_WRITE else []
            ready = select.select(reads, writes, [], max(0.0, left))
            if ready[0]:
                self.heard = time.monotonic()
            elif left <= 0 or not ready[1]:
                raise SilenceError

    def ask(self) -> tuple[bool, bool, bool]:
        import psycopg2  # noqa: PLC0415 - its rules are tried where there is no psycopg2

        end = time.monotonic() + ANSWER_SECONDS
        if self.connection is None:
            self.connection = psycopg2.connect(
                host=self.host, hostaddr=self.address, port=PORT, application_name="watchdog", async_=1
            )
            self.wait(self.connection, end)
        cursor = self.connection.cursor()
        cursor.execute(self.query)
        self.wait(self.connection, end)
        row = cursor.fetchone()
        if row is None:
            raise SilenceError
        return row[0], row[1], row[2]

    def is_there(self) -> bool:
        """Whether the machine of a server that gave an error is there."""
        try:
            socket.create_connection((self.address, PORT), ANSWER_SECONDS).close()
        except ConnectionError:
            return True
        except OSError:
            return False
        return True

    def look(self) -> None:
        import psycopg2  # noqa: PLC0415 - its rules are tried where there is no psycopg2

        begun = time.monotonic()
        try:
            standby, receives, synchronous = self.ask()
            self.seen = Seen(time.monotonic(), False, standby, receives, synchronous)
            return
        except SilenceError:
            silent = self.heard < begun
        except psycopg2.Error:
            silent = not self.is_there()
        self.disconnect()
        before = self.seen
        answered = before.answered if silent else begun
        self.seen = Seen(answered, silent, synchronous=before.synchronous)

    def disconnect(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def run(self) -> None:
        while not self.over:
            begun = time.monotonic()
            self.look()
            time.sleep(max(0.0, begun + LOOK_SECONDS - time.monotonic()))
        self.disconnect()


class RefusedError(Exception):
    """The API server's answer is no."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Api:
    """The API server, as this pod's account may use it."""

    def __init__(self) -> None:
        self.at = (os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"]))
        self.context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
        # Python from 3.13 on also refuses a CA without the extensions of RFC 5280, which the CAs of many Kubernetes clusters lack.
        self.context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
        self.connection: http.client.HTTPSConnection | None = None
        # What time it is there, in seconds.
        self.clock = 0.0

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        # Read each time: the kubelet renews it.
        token = (ACCOUNT / "token").read_text()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if self.connection is None:
            host, port = self.at
            self.connection = http.client.HTTPSConnection(
                host, port, timeout=ANSWER_SECONDS, context=self.context
            )
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        self.clock = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise RefusedError(answer.status, text)
        return json.loads(text)


class Turn:
    """The Lease: whose turn it is to act, and when a pod was last deleted."""

    def __init__(self, api: Api, namespace: str, name: str, pod: str) -> None:
        self.api = api
        self.leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self.name = name
        self.pod = pod
        self.version = ""
        self.changed = time.monotonic()
        self.looked = float("-inf")
        self.acted = 0.0
        self.mine = False

    def take(self, acts: bool = False) -> None:
        """Takes or renews it where it is free or ours."""
        self.mine = False
        self.looked = time.monotonic()
        try:
            lease = self.api.ask("GET", f"{self.leases}/{self.name}")
        except RefusedError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            lease = {"metadata": {"name": self.name}, "spec": {}}
        metadata: Json = lease["metadata"]
        spec: Json = lease["spec"]
        version = metadata.get("resourceVersion", "")
        if version != self.version:
            self.version = version
            self.changed = time.monotonic()
        annotations: Json = metadata.setdefault("annotations", {})
        self.acted = float(annotations.get(ACTED, 0))
        # A renewal changes it: no clock of another machine is asked.
        free = spec.get("holderIdentity") in (None, "", self.pod) or (
            time.monotonic() - self.changed > LEASE_SECONDS
        )
        if not free:
            return
        if acts:
            annotations[ACTED] = str(self.api.clock)
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(self.api.clock or None))
        spec.update(holderIdentity=self.pod, leaseDurationSeconds=LEASE_SECONDS, renewTime=now)
        method, path = ("PUT", f"{self.leases}/{self.name}") if version else ("POST", self.leases)
        try:
            lease = self.api.ask(method, path, lease)
        except RefusedError as error:
            # Another was faster.
            if error.code == HTTPStatus.CONFLICT:
                return
            raise
        self.version = lease["metadata"]["resourceVersion"]
        self.changed = time.monotonic()
        self.mine = True


class Watchdog:
    def __init__(self) -> None:
        self.cluster_name = os.environ["CLUSTER"]
        self.namespace = os.environ["NAMESPACE"]
        self.host = os.environ["PGHOST"]
        self.silence = float(os.environ["SILENCE"])
        self.required = os.environ["REQUIRED"] == "1"
        self.ready = Path(os.environ["READY"])
        self.api = Api()
        self.turn = Turn(self.api, self.namespace, f"{self.cluster_name}-watchdog", os.environ["POD"])
        self.cluster = Cluster()
        self.watches: dict[str, Watch] = {}
        self.said = ""

    def read(self) -> None:
        at = time.monotonic()
        clusters = f"/apis/postgresql.cnpg.io/v1/namespaces/{self.namespace}/clusters"
        selector = f"labelSelector=cnpg.io/cluster%3D{self.cluster_name},cnpg.io/podRole%3Dinstance"
        status = self.api.ask("GET", f"{clusters}/{self.cluster_name}").get("status", {})
        found = self.api.ask("GET", f"/api/v1/namespaces/{self.namespace}/pods?{selector}")
        there = [
            (one["metadata"], one.get("status", {}).get("podIP", ""))
            for one in found["items"]
            if "deletionTimestamp" not in one["metadata"]
        ]
        pods = {meta["name"]: (ip, meta["uid"]) for meta, ip in there if ip != ""}
        self.cluster = Cluster(status.get("currentPrimary", ""), pods, at)
        for name, watch in list(self.watches.items()):
            if pods.get(name, ("", ""))[0] != watch.address:
                watch.over = True
                del self.watches[name]
        for name, (address, _) in pods.items():
            if name not in self.watches:
                self.watches[name] = Watch(name, address, self.host)
                self.watches[name].start()

    def verdict(self) -> str | None:
        seen = {name: watch.seen for name, watch in self.watches.items()}
        since = self.api.clock - self.turn.acted
        scene = Scene(time.monotonic(), self.cluster, seen, since, self.silence, self.required)
        return reason_not_to(scene)

    def tell(self, what: str) -> None:
        """Says what it hasn't just said."""
        word = re.sub(r"\d+ of ", "", what)
        if word != self.said:
            self.said = word
            say(what, primary=self.cluster.primary)

    def act(self) -> None:
        primary = self.cluster.primary
        _, uid = self.cluster.pods[primary]
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        try:
            self.api.ask("DELETE", f"/api/v1/namespaces/{self.namespace}/pods/{primary}", body)
        except RefusedError as error:
            # It is gone, or another of that name is there.
            if error.code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                raise
        say(f"{primary} was silent for {self.silence:.0f} s: its pod is deleted")

    def look(self) -> None:
        primary = self.watches.get(self.cluster.primary)
        calm = primary is not None and not primary.seen.silent
        if not calm or time.monotonic() - self.cluster.at > CALM_SECONDS:
            self.read()
        if not calm or time.monotonic() - self.turn.looked > RENEW_SECONDS:
            self.turn.take()
        why = self.verdict()
        if self.turn.mine and why is not None:
            self.tell(why)
        elif self.turn.mine:
            # All of it once more, and that it was done is written down before it is.
            self.read()
            if self.verdict() is None:
                self.turn.take(acts=True)
                if self.turn.mine:
                    self.act()
        self.ready.touch()

    def run(self) -> None:
        while True:
            begun = time.monotonic()
            try:
                self.look()
            except (OSError, ValueError, http.client.HTTPException, RefusedError) as error:
                self.tell(f"the API server: {error}")
            time.sleep(max(0.1, begun + LOOK_SECONDS - time.monotonic()))


def leave(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    Watchdog().run()
