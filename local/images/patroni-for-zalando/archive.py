"""Archive, base backups and restores: told by the environment that Spilo reads for WAL-G, done with Barman's cloud tools.

WAL-G itself is not in this image. What is written lies as Barman lays it out, below the bucket's folder that WALG_S3_PREFIX
names: base/ and wals/. `archive.py backup DATA` makes a base backup, `archive.py restore --datadir=DATA` is Patroni's
bootstrap method; both are run by envdir, which has the keys of the store: none stands on a command line.

What Spilo does unlike one would wish it does here too: whatever it gets from the store beside a file, PostgreSQL is told that
there is none; when PostgreSQL refuses to end a restore before its target, it restores again without one; a base backup's time is
when it came to the store.
"""

import argparse
import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

# What is known of an archive, by the names of Spilo's environment.
Values = dict[str, str]
# A base backup as Barman lists it.
Backup = dict[str, Any]

# Where Spilo has it.
ENVIRONMENTS = Path("/run/etc/wal-e.d")
# The names of Spilo's environment that are read here; a restore has them with CLONE_ in front.
NAMES = (
    "WALG_S3_PREFIX",
    "WALG_S3_CA_CERT_FILE",
    "WALG_COMPRESSION_METHOD",
    "AWS_ENDPOINT",
    "AWS_S3_FORCE_PATH_STYLE",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
# Barman knows no brotli: zstd is the nearest that it knows.
COMPRESSIONS: dict[str, list[str]] = {"none": [], "lz4": ["--lz4"], "zstd": ["--zstd"], "brotli": ["--zstd"]}
FETCH = "/scripts/restore_command.sh"
REFUSAL = "recovery ended before configured recovery target was reached"


def told(env: Mapping[str, str], prefix: str = "") -> Values | None:
    """What the environment says of an archive; None when it says nothing."""
    values = {name: env[prefix + name] for name in NAMES if env.get(prefix + name)}
    return values if "WALG_S3_PREFIX" in values else None


def told_here(work: str) -> Values:
    """The same of this process's environment, which must say something."""
    values = told(os.environ)
    if values is None:
        sys.exit(
            f"{work}: WALG_S3_PREFIX isn't set: run this by envdir, with the folder of the archive's environment"
        )
    return values


def environment(values: Values) -> dict[str, str]:
    """What the tools are told: Barman's by boto3's names, those for WAL by those of Go's SDK."""
    region = values.get("AWS_REGION", "us-east-1")
    result = {**values, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    if "WALG_S3_CA_CERT_FILE" in values:
        result["AWS_CA_BUNDLE"] = values["WALG_S3_CA_CERT_FILE"]
    if "AWS_ENDPOINT" in values:
        # Stores beside AWS answer the checksums of newer clients with an error.
        result["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"
        result["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "when_required"
    return result


def write_environment(folder: Path, values: Values) -> None:
    """A file for each variable, as envdir reads them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, value in environment(values).items():
        with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value)


def place(values: Values) -> tuple[list[str], list[str]]:
    """The arguments by which each of the tools is told where the archive is."""
    above, _, server = values["WALG_S3_PREFIX"].rstrip("/").rpartition("/")
    # WAL-G names the bucket in the host's name unless it is told otherwise, and Barman's tools in the path.
    style = "path" if values.get("AWS_S3_FORCE_PATH_STYLE") == "true" else "virtual"
    endpoint = (
        ["--endpoint-url", values["AWS_ENDPOINT"], "--addressing-style", style]
        if "AWS_ENDPOINT" in values
        else []
    )
    return endpoint, [above, server]


def command(folder: Path, tool: str, values: Values, *options: str) -> str:
    """A tool that runs with the environment in a folder, as text for a shell."""
    endpoint, where = place(values)
    return shlex.join(["envdir", str(folder), tool, *options, *endpoint, *where])


def compression(values: Values) -> list[str]:
    return COMPRESSIONS[values.get("WALG_COMPRESSION_METHOD", "lz4")]


def archive_command(folder: Path, values: Values) -> str:
    return command(folder, "barman-cloud-wal-archive", values, *compression(values)) + ' "%p"'


def restore_command(folder: Path, seconds: str) -> str:
    """What fetches a file in so many seconds at most; 0 is without a limit."""
    return shlex.join(["envdir", str(folder), "timeout", seconds, FETCH]) + ' "%f" "%p"'


def bootstrap(folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """Patroni's bootstrap method for a cluster that begins with the data of another: it has ended recovery when it ends."""
    target = env.get("CLONE_TARGET_TIME")
    return {
        "command": shlex.join(["envdir", str(folder), "python3", str(Path(__file__).resolve()), "restore"]),
        "fetch": restore_command(folder, env.get("WAL_RESTORE_TIMEOUT", "0")),
        **({"time": target} if target else {}),
    }


def listed(values: Values) -> list[Backup]:
    """The base backups of an archive that are complete."""
    endpoint, where = place(values)
    answer = subprocess.run(
        ["barman-cloud-backup-list", "--format", "json", *endpoint, *where],
        stdout=subprocess.PIPE,
        check=True,
    )
    return [one for one in json.loads(answer.stdout)["backups_list"] if one.get("status") == "DONE"]


def uploaded(values: Values) -> Callable[[Backup], datetime]:
    """When a base backup came to the store."""
    # Only the image has it.
    client: Any = import_module("boto3").client("s3", endpoint_url=values.get("AWS_ENDPOINT"))
    bucket, _, prefix = values["WALG_S3_PREFIX"].removeprefix("s3://").rstrip("/").partition("/")

    def at(one: Backup) -> datetime:
        key = f"{prefix}/base/{one['backup_id']}/backup.info"
        return client.head_object(Bucket=bucket, Key=key)["LastModified"]

    return at


def choose(
    backups: Sequence[Backup], moment: datetime | None, at: Callable[[Backup], datetime]
) -> str | None:
    """The newest base backup, of those that were in the store before the moment."""
    fit = [(at(one), one["backup_id"]) for one in backups]
    fit = [(when, name) for when, name in fit if moment is None or when < moment]
    return max(fit)[1] if fit else None


def recover(data: Path, fetch: str, target: str | None) -> str:
    """Has PostgreSQL recover on its own; returns why it ended before it led, or nothing. What it wants to archive stays marked so."""
    work = Path(tempfile.mkdtemp(prefix="recovery-"))
    try:
        (work / "pg_hba.conf").write_text("local all all trust\n")
        (work / "pg_ident.conf").write_text("")
        settings: dict[str, str] = {
            "listen_addresses": "",
            "unix_socket_directories": str(work),
            "hba_file": str(work / "pg_hba.conf"),
            "ident_file": str(work / "pg_ident.conf"),
            "hot_standby": "off",
            "archive_mode": "on",
            "archive_command": "/bin/false",
            "restore_command": fetch,
            "recovery_target_timeline": "latest",
            "recovery_target_action": "promote",
            **({"recovery_target_time": target} if target else {}),
        }
        quoted = {name: value.replace("'", "''") for name, value in settings.items()}
        (work / "postgresql.conf").write_text(
            "".join(f"{name} = '{value}'\n" for name, value in quoted.items())
        )
        (data / "postgresql.auto.conf").write_text("")
        (data / "recovery.signal").touch()
        with open(work / "log", "w") as log:
            server = subprocess.Popen(
                ["postgres", "-D", str(data), "-c", f"config_file={work}/postgresql.conf"],
                stdout=log,
                stderr=log,
            )
            asked = ["pg_isready", "--quiet", "-h", str(work)]
            while server.poll() is None and subprocess.run(asked, check=False).returncode != 0:
                time.sleep(0.2)
            led = server.poll() is None
            if led:
                subprocess.run(["pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop"], check=True)
            server.wait()
        lines = (work / "log").read_text(errors="replace").splitlines()
        print("\n".join(lines[-20:]), flush=True)
        # What asks whether it is ready is answered with one, too.
        fatal = [
            line for line in lines if ("FATAL" in line or "PANIC" in line) and "database system" not in line
        ]
        return "" if led else (fatal or lines or ["PostgreSQL said nothing"])[-1]
    finally:
        shutil.rmtree(work)


def restore(data: Path, fetch: str, target: str | None) -> None:
    values = told_here("RESTORE")
    moment = datetime.fromisoformat(target) if target else None
    backups = listed(values)
    chosen = choose(
        backups,
        moment,
        uploaded(values) if moment else lambda one: datetime.fromisoformat(one["end_time_iso"]),
    )
    if chosen is None:
        sys.exit(
            f"RESTORE: none of the {len(backups)} base backups in {values['WALG_S3_PREFIX']} "
            + ("was there then" if moment else "is complete")
        )
    print(f"RESTORE: base backup {chosen} of {values['WALG_S3_PREFIX']}", flush=True)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    endpoint, where = place(values)
    subprocess.run(["barman-cloud-restore", *endpoint, *where, chosen, str(data)], check=True)
    data.chmod(0o700)
    why = recover(data, fetch, target)
    if target and REFUSAL in why:
        print("RESTORE: again, without a target", flush=True)
        why = recover(data, fetch, None)
    if why:
        sys.exit(f"RESTORE: {why}")


def backup(data: str) -> None:
    values = told_here("BACKUP")
    asked = ["psql", "--no-psqlrc", "-U", "postgres", "-d", "postgres", "-Atc", "select pg_is_in_recovery()"]
    if subprocess.run(asked, stdout=subprocess.PIPE, check=True).stdout.strip() == b"t":
        print("BACKUP: this is a standby, the primary makes them", flush=True)
        return
    with open(Path.home() / ".backup", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        endpoint, where = place(values)
        # Of what is asked for, Barman compresses them with lz4 only.
        wanted = compression(values)
        known = wanted if wanted in ([], ["--lz4"]) else ["--gzip"]
        # One job: the container's memory is the server's.
        options = [
            *known,
            "--jobs",
            "1",
            "--immediate-checkpoint",
            "-U",
            "postgres",
            "-h",
            "/var/run/postgresql",
        ]
        subprocess.run(["barman-cloud-backup", *options, *endpoint, *where], check=True)
        newest = max(listed(values), key=lambda one: one["end_time_iso"])
    print(f"INFO: Wrote backup with name {newest['backup_id']} of {data}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    work = parser.add_subparsers(dest="work", required=True)
    making = work.add_parser("backup")
    making.add_argument("data")
    restoring = work.add_parser("restore")
    restoring.add_argument("--datadir", type=Path, required=True)
    restoring.add_argument("--scope")
    restoring.add_argument("--fetch", required=True, help="PostgreSQL's restore_command")
    restoring.add_argument("--time")
    given = parser.parse_args()
    try:
        if given.work == "backup":
            backup(given.data)
        else:
            restore(given.datadir, given.fetch, given.time)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{given.work.upper()}: {error.cmd[0]} ended with {error.returncode}")


if __name__ == "__main__":
    main()
