# As much of it as plan/backup/scripts/sitecustomize.py needs.
from typing import IO

def calculate_md5(body: bytes | bytearray | IO[bytes]) -> str: ...
