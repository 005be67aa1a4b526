"""Speaks to the object store for a standalone server, by Barman's cloud tools. Their image has Python, and needn't have a shell.

    store.py serve      answers the server's requests, from within the pod: "archive <file>" and "fetch <file>"
    store.py restore    fetches a base backup into an empty volume, and has the server recover from there
    store.py backup     sends a base backup

An answer is a line: a status and why. 0 is done; 1 is that the store was asked and has no such file; everything else went wrong.

Environment: PGDATA; ARCHIVE_* and ORIGIN_*, the places that are written to and restored from: LOCATION (s3://bucket/path), SERVER (the
archive ID; that of the archive is in the file `archiveId` beside this one), REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY, and where needed ENDPOINT, ADDRESSING (virtual), CA (a file), PLAIN_CHECKSUMS, CONTENT_MD5; for serve: PORT,
COMPRESSION, SPOOL; for restore: TARGET (JSON: nothing, or one of time, lsn and name), MAJOR, FETCH; for backup: CONNECTION, COMPRESSION.
"""

import datetime
import fcntl
import json
import os
import re
import shutil
import signal
import socketserver
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, NoReturn

# A base backup as Barman lists it.
Backup = dict[str, Any]
# Nothing, or one of time, lsn and name.
Target = dict[str, str]

# A shutdown of the server asks three times for its last segment, and must end before the pod is killed.
ARCHIVE_SECONDS = 35
FETCH_SECONDS = 120
SERVER_SECONDS = 300
OTHER = 4

segment = r"[0-9A-F]{24}"
file_name = re.compile(rf"{segment}(\.partial|\.[0-9A-F]{{8}}\.backup)?|[0-9A-F]{{8}}\.history")


def say(*words: object) -> None:
    print("store:", *words, file=sys.stderr, flush=True)


class Place:
    """A bucket, and what lies in it of one database cluster."""

    def __init__(self, prefix: str) -> None:
        self.values = {
            name[len(prefix) + 1 :]: value
            for name, value in os.environ.items()
            if name.startswith(f"{prefix}_")
        }
        if "SERVER" not in self.values:
            with open(os.path.join(os.path.dirname(__file__), "archiveId")) as file:
                self.values["SERVER"] = file.read().strip()

    def __str__(self) -> str:
        return f"{self.values['LOCATION']}/{self.values['SERVER']}"

    def environment(self) -> dict[str, str]:
        values = self.values
        own = {
            "AWS_ACCESS_KEY_ID": values["ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": values["SECRET_ACCESS_KEY"],
            "AWS_DEFAULT_REGION": values["REGION"],
            "AWS_REGION": values["REGION"],
            # There are no credentials to be found elsewhere.
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if values.get("CA"):
            own["AWS_CA_BUNDLE"] = values["CA"]
        if values.get("PLAIN_CHECKSUMS"):
            own["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"
            own["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "when_required"
        if values.get("CONTENT_MD5"):
            # See sitecustomize.py, which is beside this file.
            own["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))
        others = {n: v for n, v in os.environ.items() if not n.startswith(("ARCHIVE_", "ORIGIN_"))}
        return {**others, **own}

    def run(
        self,
        program: str,
        options: Sequence[str] = (),
        arguments: Sequence[str] = (),
        seconds: float | None = None,
    ) -> tuple[int, str]:
        """Runs one of Barman's tools; returns its exit status and what it printed. Errors go to the container's log."""
        command = [program, "--cloud-provider", "aws-s3"]
        for option, name in (("--endpoint-url", "ENDPOINT"), ("--addressing-style", "ADDRESSING")):
            command += [option, self.values[name]] if self.values.get(name) else []
        command += [*options, self.values["LOCATION"], self.values["SERVER"], *arguments]
        try:
            done = subprocess.run(
                command,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            say(f"{program} {' '.join(arguments)}: no end after {seconds} s")
            return OTHER, ""
        return done.returncode, done.stdout.decode()


def compression(known: Sequence[str]) -> list[str]:
    """The tool's option for the compression that was asked for; gzip where the tool doesn't know it."""
    asked = os.environ["COMPRESSION"]
    return [] if asked == "none" else [f"--{asked if asked in known else 'gzip'}"]


# --- serve


def archive(name: str) -> tuple[int, str]:
    path = os.path.join(os.environ["PGDATA"], "pg_wal", name)
    status, _ = Place("ARCHIVE").run(
        "barman-cloud-wal-archive", compression(("gzip", "lz4", "zstd")), [path], ARCHIVE_SECONDS
    )
    # That there is no such file is no answer to this.
    return (0, "archived") if status == 0 else (OTHER, f"barman-cloud-wal-archive ended with status {status}")


def fetch(name: str) -> tuple[int, str]:
    place = Place("ORIGIN")
    target = os.path.join(os.environ["SPOOL"], name)
    status, _ = place.run("barman-cloud-wal-restore", (), [name, target], FETCH_SECONDS)
    if status == 0:
        return 0, target
    return (
        (1, f"not in {place}")
        if status == 1
        else (OTHER, f"barman-cloud-wal-restore ended with status {status}")
    )


class Requests(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        verb, _, name = self.rfile.readline(200).decode("ascii", "replace").strip().partition(" ")
        does = {"archive": archive, "fetch": fetch}.get(verb)
        if does is None or not file_name.fullmatch(name):
            status, why = OTHER, "this is not a request"
        else:
            status, why = does(name)
        if status == OTHER:
            say(f"{verb} {name}: {why}")
        self.wfile.write(f"{status} {why}\n".encode())


def serve() -> None:
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    # Only the pod's own containers reach this address.
    with socketserver.ThreadingTCPServer(("127.0.0.1", int(os.environ["PORT"])), Requests) as server:
        say("ready")
        server.serve_forever()


# --- restore


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def position(lsn: str) -> int:
    high, low = lsn.split("/")
    return int(high, 16) << 32 | int(low, 16)


def chosen(backups: Sequence[Backup], target: Target) -> str | None:
    """The base backup to begin with: the newest that ended before the target. Undecided where nothing says when that was."""
    done = sorted((one for one in backups if one["status"] == "DONE"), key=lambda one: one["backup_id"])
    if "time" in target:
        done = [one for one in done if moment(one["end_time_iso"]) <= moment(target["time"])]
    elif "lsn" in target:
        done = [one for one in done if position(one["end_xlog"]) <= position(target["lsn"])]
    elif "name" in target:
        # When the point was made isn't known: replay finds it from the oldest.
        done = done[:1]
    return done[-1]["backup_id"] if done else None


def parameters(target: Target) -> str:
    """What the server is told for its recovery. Standbys' sessions aren't served meanwhile, so that no parameter may be too small for them."""
    # PostgreSQL knows no names of time zones yet, `Z` neither, when it reads this.
    written = {
        kind: moment(value).isoformat(" ") if kind == "time" else value for kind, value in target.items()
    }
    given = {
        "restore_command": os.environ["FETCH"],
        "recovery_target_timeline": "latest",
        "recovery_target_action": "promote",
        "hot_standby": "off",
        **{f"recovery_target_{kind}": value for kind, value in written.items()},
    }
    quoted = {name: value.replace("'", "''") for name, value in given.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())


def fail(why: str) -> NoReturn:
    say(why)
    sys.exit(1)


def restore() -> None:
    data = os.environ["PGDATA"]
    if os.path.exists(data):
        return say("there are data: nothing is restored")
    # The server's processes hold it too: a pod that was deleted by force may still be at it.
    lock = open(os.path.join(os.path.dirname(data), "lock"), "a")  # noqa: SIM115 -- held until the process ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    if os.path.exists(data):
        return say("there are data: nothing is restored")
    origin, target = Place("ORIGIN"), json.loads(os.environ["TARGET"])
    status, listed = origin.run("barman-cloud-backup-list", ["--format", "json"])
    if status != 0:
        fail(
            f"the base backups of {origin} can't be listed: barman-cloud-backup-list ended with status {status}"
        )
    backups: list[Backup] = json.loads(listed)["backups_list"]
    backup = chosen(backups, target)
    if backup is None:
        there = ", ".join(f"{one['backup_id']} ({one['status']})" for one in backups) or "none at all"
        fail(
            f"{origin} has no base backup to begin with for the target {target or 'latest'}: there are {there}"
        )
    say(f"fetching the base backup {backup} of {origin}")
    new = f"{data}.new"
    shutil.rmtree(new, ignore_errors=True)
    status, _ = origin.run("barman-cloud-restore", (), [backup, new])
    if status != 0:
        fail(f"the base backup {backup} can't be fetched: barman-cloud-restore ended with status {status}")
    with open(os.path.join(new, "PG_VERSION")) as file:
        major = file.read().strip()
    if major != os.environ["MAJOR"]:
        fail(
            f"the base backup {backup} is of PostgreSQL {major}: set pgplatform:cluster.postgresVersion to it"
        )
    os.chmod(new, 0o700)
    # What an earlier recovery was told is in the copy too.
    with open(os.path.join(new, "postgresql.auto.conf"), "w") as file:
        file.write(parameters(target))
    with open(os.path.join(new, "recovery.signal"), "w"):
        pass
    os.sync()
    os.rename(new, data)
    os.sync()
    return say("the server recovers from here")


# --- backup


def wait_for_server() -> None:
    """The role may be about to be made: the server loads changed files within a minute or so."""
    import psycopg2  # noqa: PLC0415 -- nothing else here needs it

    for last in [*[False] * (SERVER_SECONDS // 5), True]:
        try:
            psycopg2.connect(os.environ["CONNECTION"]).close()
            return
        except psycopg2.OperationalError as error:
            if last:
                fail(f"the server refuses the login: {str(error).strip()}")
            time.sleep(5)


def backup() -> None:
    archive = Place("ARCHIVE")
    wait_for_server()
    options = ["--immediate-checkpoint", "--dbname", os.environ["CONNECTION"]]
    status, _ = archive.run("barman-cloud-backup", [*compression(("gzip", "lz4")), *options])
    if status != 0:
        fail(f"no base backup was made in {archive}: barman-cloud-backup ended with status {status}")
    say(f"a base backup is in {archive}")


def leave(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    # The first process of a container ignores signals that it has no answer to.
    signal.signal(signal.SIGTERM, leave)
    {"serve": serve, "restore": restore, "backup": backup}[sys.argv[1]]()
