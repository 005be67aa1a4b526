"""Archive, base backups and restores: told by the environment that Spilo reads for WAL-G, done with Barman's cloud tools.

WAL-G itself is not in this image. What is written lies as Barman lays it out, below the bucket's folder that WALG_S3_PREFIX
names: base/ and wals/. `archive.py backup DATA` makes a base backup, `archive.py restore --datadir=DATA` is Patroni's
bootstrap method; both are run by envdir, which has the keys of the store: none stands on a command line.
"""

import argparse
import fcntl
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
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
# PostgreSQL takes a code above 125 for a failure, and any other for the end of the WAL.
STOP_AT_ERRORS = "; case $? in 0) ;; 1) exit 1 ;; *) exit 255 ;; esac"


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


def restore_command(folder: Path, values: Values) -> str:
    return command(folder, "barman-cloud-wal-restore", values) + ' "%f" "%p"'


def bootstrap(folder: Path, values: Values, env: Mapping[str, str]) -> dict[str, Any]:
    """Patroni's bootstrap method for a cluster that begins with the data of another."""
    time = env.get("CLONE_TARGET_TIME")
    recovery = {
        # A store that can't be reached is not the end of the WAL.
        "restore_command": restore_command(folder, values) + STOP_AT_ERRORS,
        "recovery_target_timeline": "latest",
        "recovery_target_action": "promote",
    }
    return {
        "command": shlex.join(["envdir", str(folder), "python3", str(Path(__file__).resolve()), "restore"]),
        "recovery_conf": {**recovery, "recovery_target_time": time} if time else recovery,
        **({"time": time} if time else {}),
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


def choose(backups: Sequence[Backup], moment: datetime | None) -> str | None:
    """The newest base backup that was complete at the moment, or at all."""

    def ended(one: Backup) -> datetime:
        return datetime.fromisoformat(one["end_time_iso"])

    fit = [one for one in backups if moment is None or ended(one) <= moment]
    return max(fit, key=ended)["backup_id"] if fit else None


def restore(data: Path, time: str | None) -> None:
    values = told_here("RESTORE")
    moment = datetime.fromisoformat(time) if time else None
    backups = listed(values)
    chosen = choose(backups, moment)
    if chosen is None:
        sys.exit(
            f"RESTORE: none of the {len(backups)} base backups in {values['WALG_S3_PREFIX']} "
            + ("was complete then" if moment else "is complete")
        )
    print(f"RESTORE: base backup {chosen} of {values['WALG_S3_PREFIX']}", flush=True)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    endpoint, where = place(values)
    subprocess.run(["barman-cloud-restore", *endpoint, *where, chosen, str(data)], check=True)
    data.chmod(0o700)


def backup(data: str, first: bool) -> None:
    values = told_here("BACKUP")
    asked = ["psql", "--no-psqlrc", "-U", "postgres", "-d", "postgres", "-Atc", "select pg_is_in_recovery()"]
    if subprocess.run(asked, stdout=subprocess.PIPE, check=True).stdout.strip() == b"t":
        print("BACKUP: this is a standby, the primary makes them", flush=True)
        return
    with open(Path.home() / ".backup", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if first and listed(values):
            return
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
    print(f"BACKUP: {data} is in {values['WALG_S3_PREFIX']}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    work = parser.add_subparsers(dest="work", required=True)
    making = work.add_parser("backup")
    making.add_argument("data")
    making.add_argument("--first", action="store_true", help="only where there is none yet")
    restoring = work.add_parser("restore")
    restoring.add_argument("--datadir", type=Path, required=True)
    restoring.add_argument("--scope")
    restoring.add_argument("--time")
    given = parser.parse_args()
    try:
        if given.work == "backup":
            backup(given.data, given.first)
        else:
            restore(given.datadir, given.time)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{given.work.upper()}: {error.cmd[0]} ended with {error.returncode}")


if __name__ == "__main__":
    main()
