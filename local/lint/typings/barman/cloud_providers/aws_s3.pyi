# As much of it as tests/stores/base.py needs.
from typing import IO

class S3CloudInterface:
    path: str
    def __init__(
        self, url: str, jobs: int, endpoint_url: str, addressing_style: str | None = None
    ) -> None: ...
    def upload_fileobj(self, fileobj: IO[bytes], key: str) -> None: ...
    def close(self) -> None: ...
