# As much of it as tests/stores/base.py needs.
from barman.cloud_providers.aws_s3 import S3CloudInterface

class CloudUploadController:
    def __init__(
        self,
        cloud_interface: S3CloudInterface,
        key_prefix: str,
        max_archive_size: int,
        compression: str | None,
        min_chunk_size: int | None = None,
    ) -> None: ...
    def add_file(self, label: str, src: str, dst: str, path: str) -> None: ...
    def close(self) -> None: ...
