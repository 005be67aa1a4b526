# Read by every Python that has this folder in PYTHONPATH: barman.sh runs Barman's tool that deletes so, at stores beside AWS.
#
# The tool deletes many objects with one request. S3 wants a checksum with that, and since 1.36 boto sends one that such stores refuse,
# whatever it is told of checksums. Here it sends Content-MD5 again, which all of them know.
from base64 import b64encode
from hashlib import md5
from typing import Any

from botocore import handlers


def plain(params: dict[str, Any], **_: object) -> None:
    body: bytes | str = params["body"]
    digest = md5(body if isinstance(body, bytes) else body.encode()).digest()  # noqa: S324 -- a sum against accidents, as S3 wants it
    params["context"]["checksum"] = {}
    params["headers"]["Content-MD5"] = b64encode(digest).decode()


handlers.BUILTIN_HANDLERS.append(("before-call.s3.DeleteObjects", plain))
