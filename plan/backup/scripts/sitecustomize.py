# Read by every Python that has this folder in PYTHONPATH: Barman's tools are run so by barman.sh and by the engine standalone.
#
# A bucket with a default retention takes no upload without a checksum, and no store takes a request that deletes many objects without one. Since 1.36 boto sends one of
# AWS's own there, which other stores refuse, or none where it is told to send none. Here it sends Content-MD5 again, which all of them know.
from typing import Any

from botocore import handlers
from botocore.utils import calculate_md5


def plain(params: dict[str, Any], **_: object) -> None:
    params["context"]["checksum"] = {}
    params["headers"]["Content-MD5"] = calculate_md5(params["body"])


for operation in ("DeleteObjects", "PutObject", "UploadPart"):
    handlers.BUILTIN_HANDLERS.append((f"before-call.s3.{operation}", plain))
