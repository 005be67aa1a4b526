#!/usr/bin/python3
"""PID 1 of an image that runs Patroni under the Zalando operator, by the environment that the operator gives to Spilo.

It holds the data volume, writes Patroni's configuration, keeps Patroni running, has PostgreSQL read a renewed
certificate, and makes base backups. `run.py --print` only prints the configuration, with the passwords.

Spilo doesn't hold the data volume: with DATA_VOLUME_LOCK=none in the cluster object's environment neither does this.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn, TextIO, cast

import archive

# A part of a configuration, as JSON has it.
Tree = dict[str, Any]
Option = str | dict[str, str]

HOME = Path("/home/postgres")
CONFIGURATION = HOME / "postgres.yml"
API_PORT = 8008
POSTGRES_PORT = 5432
ROUND_SECONDS = 10
RESTART_SECONDS = 0.5
# For how long an instance waits to become the primary, and make a base backup then; after that only the schedule does.
FIRST_BACKUP_SECONDS = 3600
SCRIPTS = Path("/scripts")
BACKUP_SCRIPT = str(SCRIPTS / "postgres_backup.sh")
# The archive of this cluster, and that of the cluster that it was made from.
OWN_ARCHIVE = archive.ENVIRONMENTS / "env"
ORIGIN = archive.ENVIRONMENTS / "env-clone"
# What Patroni and PostgreSQL need of the environment: passwords stay out of it.
PASSED_ON = ("PATH", "LANG", "HOME", "TZ", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


def say(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), "INIT:", text, flush=True)


def merged(base: Any, over: Any) -> Any:
    """`base` with `over` laid over it, dictionaries key by key."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    under, upper = cast(Tree, base), cast(Tree, over)
    return {**under, **{key: merged(under.get(key), value) for key, value in upper.items()}}


def initdb_options(own: Sequence[Option], given: Sequence[Option]) -> list[Option]:
    """Options of initdb, each a name or {name: value}; a given one takes the place of our own of that name."""

    def name(option: Option) -> str:
        return next(iter(option)) if isinstance(option, dict) else option

    names = {name(option) for option in given}
    return [*(option for option in own if name(option) not in names), *given]


def installed(libraries: str, folder: Path) -> str:
    """The libraries to preload that this image has; Spilo has more."""
    names = [name.strip() for name in libraries.split(",")]
    return ",".join(name for name in names if (folder / f"{name}.so").exists())


def archives(env: Mapping[str, str]) -> tuple[archive.Values | None, archive.Values | None]:
    """The archives that the environment tells of: this cluster's own, and the one that it begins with."""
    clones = env.get("CLONE_METHOD") == "CLONE_WITH_WALE"
    return archive.told(env), archive.told(env, "CLONE_") if clones else None


def archiving(own: Tree, env: Mapping[str, str]) -> Tree:
    """Patroni's configuration with what the archives add to it."""
    archived, origin = archives(env)
    if archived:
        own["postgresql"]["parameters"]["archive_command"] = archive.archive_command(OWN_ARCHIVE, archived)
        seconds = env.get("WAL_RESTORE_TIMEOUT", "0")
        own["postgresql"]["recovery_conf"] = {
            "restore_command": archive.restore_command(OWN_ARCHIVE, seconds)
        }
    if origin:
        own["bootstrap"]["method"] = "clone"
        own["bootstrap"]["clone"] = archive.bootstrap(ORIGIN, env)
    return own


def configuration(env: Mapping[str, str], hostname: str, server: Path | None = None) -> Tree:
    """Patroni's configuration for the operator's environment `env`."""
    version = env.get("PGVERSION", "17")
    server = server or Path(f"/usr/lib/postgresql/{version}")
    address = env["POD_IP"]
    superuser = env.get("PGUSER_SUPERUSER", "postgres")
    standby = env.get("PGUSER_STANDBY", "standby")
    given: Tree = json.loads(env.get("SPILO_CONFIGURATION") or "{}")
    given_initdb: list[Option] = given.get("bootstrap", {}).pop("initdb", [])
    own: Tree = {
        "scope": env["SCOPE"],
        "name": hostname,
        "restapi": {"listen": f"0.0.0.0:{API_PORT}", "connect_address": f"{address}:{API_PORT}"},
        "bootstrap": {
            "post_init": str(SCRIPTS / "post_init.sh"),
            "dcs": {
                "ttl": 30,
                "loop_wait": 10,
                "retry_timeout": 10,
                "maximum_lag_on_failover": 33554432,
                "postgresql": {
                    "use_pg_rewind": True,
                    "use_slots": True,
                    "parameters": {
                        "wal_level": "replica",
                        "wal_log_hints": "on",
                        "hot_standby": "on",
                        "max_wal_senders": 10,
                        "max_replication_slots": 10,
                        "archive_mode": "on",
                        "archive_timeout": "1800s",
                        "autovacuum_max_workers": 5,
                    },
                },
            },
            "initdb": initdb_options(
                [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"], given_initdb
            ),
        },
        "postgresql": {
            "bin_dir": str(server / "bin"),
            "data_dir": str(Path(env["PGROOT"]) / "data"),
            "listen": f"*:{POSTGRES_PORT}",
            "connect_address": f"{address}:{POSTGRES_PORT}",
            "pgpass": str(HOME / ".pgpass"),
            "use_unix_socket": True,
            "authentication": {
                "superuser": {
                    "username": superuser,
                    "password": env["PGPASSWORD_SUPERUSER"],
                    "sslmode": "prefer",
                },
                "replication": {
                    "username": standby,
                    "password": env["PGPASSWORD_STANDBY"],
                    "sslmode": "prefer",
                },
            },
            "parameters": {
                "unix_socket_directories": "/var/run/postgresql",
                "ssl": "on",
                "ssl_cert_file": env["SSL_CERTIFICATE_FILE"],
                "ssl_key_file": env["SSL_PRIVATE_KEY_FILE"],
                "archive_command": "/bin/true",
                "shared_preload_libraries": "pg_stat_statements,set_user,pg_stat_kcache",
                "logging_collector": "off",
                "log_destination": "stderr",
            },
            "pg_hba": [
                "local all all peer",
                f"hostssl replication {standby} all scram-sha-256",
                "hostssl all all all scram-sha-256",
                "hostnossl all all all reject",
            ],
            "callbacks": {"on_role_change": str(SCRIPTS / "on_role_change.sh")},
        },
        "kubernetes": {
            "namespace": env["POD_NAMESPACE"],
            "labels": json.loads(env["KUBERNETES_LABELS"]),
            "scope_label": env.get("KUBERNETES_SCOPE_LABEL", "cluster-name"),
            "role_label": env.get("KUBERNETES_ROLE_LABEL", "spilo-role"),
            # The operator selects the primary by the word that Patroni used before its version 4.
            "leader_label_value": "master",
            "standby_leader_label_value": "master",
            "follower_label_value": "replica",
            "pod_ip": address,
            "ports": [{"port": POSTGRES_PORT, "name": "postgresql"}],
            "use_endpoints": env.get("KUBERNETES_USE_CONFIGMAPS") != "true",
        },
    }
    result: Tree = merged(archiving(own, env), given)
    parameters = result["postgresql"]["parameters"]
    parameters["shared_preload_libraries"] = installed(parameters["shared_preload_libraries"], server / "lib")
    return result


def write_configuration(content: Tree) -> None:
    """Patroni reads YAML, of which JSON is a part."""
    unfinished = CONFIGURATION.with_suffix(".new")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    unfinished.rename(CONFIGURATION)


def hold(volume: Path, lock: str) -> AbstractContextManager[object]:
    """The data volume's lock, unless it is told that there is none."""
    if lock != "none":
        return held(volume)
    say("nothing holds the data volume, as in Spilo")
    return nullcontext()


def held(volume: Path) -> TextIO:
    """Waits until no other container uses the volume, and keeps others out for as long as this process lives.

    A pod that was deleted by force is replaced at once, on the same node and volume, while it still stops. PostgreSQL's
    own guards see only processes of their own container; a lock of the file system is seen by all.
    """
    volume.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = open(volume / ".in-use", "a")  # noqa: SIM115 -- who asked for it closes it
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        since = time.monotonic()
        say("another container still uses the data volume: waiting")
        fcntl.flock(lock, fcntl.LOCK_EX)
        say(f"the data volume is free after {time.monotonic() - since:.1f} s")
    return lock


class Certificate:
    """The server's certificate and key: files of a mounted Secret, which change when it is renewed."""

    def __init__(self, paths: Sequence[str], data_directory: Path) -> None:
        self.paths = paths
        self.pid_file = data_directory / "postmaster.pid"
        self.known = self.content()

    def content(self) -> list[bytes] | None:
        try:
            return [Path(path).read_bytes() for path in self.paths]
        except OSError:
            return None

    def reload_when_changed(self) -> None:
        content = self.content()
        if content is None or content == self.known:
            return
        self.known = content
        try:
            os.kill(int(self.pid_file.read_text().split()[0]), signal.SIGHUP)
            say("the certificate was renewed: PostgreSQL reads it")
        except (OSError, ValueError, IndexError):
            say("the certificate was renewed: PostgreSQL reads it when it starts")


def child(arguments: Sequence[str]) -> int:
    """Starts a process in a session of its own, without the passwords of this one's environment."""
    return subprocess.Popen(
        arguments,
        env={key: os.environ[key] for key in PASSED_ON if key in os.environ},
        start_new_session=True,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD]),  # noqa: PLW1509 -- there are no threads
    ).pid


def ended() -> Iterator[tuple[int, int]]:
    """The children that have ended, orphans included, each with its exit code."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


class BaseBackups:
    """Base backups, made where the primary is: one by each instance that soon becomes it, and the others by the schedule.

    `next_after` gives the schedule's next moment after another one. Nobody looks what came of one.
    """

    def __init__(
        self,
        data_directory: Path,
        next_after: Callable[[datetime], datetime],
        now: datetime,
        start: Callable[[Sequence[str]], int] = child,
    ) -> None:
        self.next_after = next_after
        self.start = start
        self.due = next_after(now)
        self.command = ["envdir", str(OWN_ARCHIVE), BACKUP_SCRIPT, str(data_directory)]
        start([str(SCRIPTS / "patroni_wait.sh"), str(FIRST_BACKUP_SECONDS), *self.command])

    def attend(self, now: datetime) -> None:
        if now < self.due:
            return
        self.due = self.next_after(now)
        say("the schedule's base backup")
        self.start(self.command)


def schedule(text: str) -> Callable[[datetime], datetime]:
    """Next moments of cron's five fields, in UTC."""
    from croniter import croniter  # noqa: PLC0415 -- only the image has it, who prints the configuration needn't

    return lambda now: croniter(text, now).get_next(datetime)


class Patroni:
    """Patroni as a child process; the server that it started outlives it, and the next one takes that over."""

    def __init__(self) -> None:
        self.stopping = False
        self.pid = 0

    def start(self) -> None:
        self.pid = child(["/usr/bin/patroni", str(CONFIGURATION)])
        say(f"Patroni runs as process {self.pid}")

    def stop(self, *_: object) -> None:
        self.stopping = True
        if self.pid != 0:
            os.kill(self.pid, signal.SIGTERM)

    def has_ended(self, code: int) -> None:
        """Starts it again unless it was told to stop."""
        self.pid = 0
        if not self.stopping:
            say(f"Patroni ended with {code}: it is started again")
            time.sleep(RESTART_SECONDS)
        if self.stopping:
            sys.exit(0)
        self.start()


def leave(*_: object) -> NoReturn:
    sys.exit(0)


def main() -> None:
    env = dict(os.environ)
    content = configuration(env, os.uname().nodename)
    if "--print" in sys.argv[1:]:
        json.dump(content, sys.stdout, indent=1)
        return
    # The kernel ignores signals for PID 1 that it has no handler for.
    signal.signal(signal.SIGTERM, leave)
    with hold(Path(env["PGROOT"]), env.get("DATA_VOLUME_LOCK", "")):
        write_configuration(content)
        archived, origin = archives(env)
        for folder, told in ((OWN_ARCHIVE, archived), (ORIGIN, origin)):
            if told:
                archive.write_environment(folder, told)
        data_directory = Path(content["postgresql"]["data_dir"])
        certificate = Certificate([env["SSL_CERTIFICATE_FILE"], env["SSL_PRIVATE_KEY_FILE"]], data_directory)
        next_after = schedule(env.get("BACKUP_SCHEDULE", "0 1 * * *"))
        backups = BaseBackups(data_directory, next_after, datetime.now(timezone.utc)) if archived else None
        patroni = Patroni()
        # Blocked, so that the end of a child interrupts the wait below, whenever it comes.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        patroni.start()
        signal.signal(signal.SIGTERM, patroni.stop)
        while True:
            signal.sigtimedwait([signal.SIGCHLD], ROUND_SECONDS)
            for pid, code in ended():
                if pid == patroni.pid:
                    patroni.has_ended(code)
            certificate.reload_when_changed()
            if backups:
                backups.attend(datetime.now(timezone.utc))


if __name__ == "__main__":
    main()
