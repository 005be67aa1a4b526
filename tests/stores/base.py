"""Makes what a base backup leaves in a store, by Barman's own classes: base.py LOCATION SERVER ID AGE_DAYS COMPRESSION ENDPOINT MEBIBYTES [STYLE].

The files are of random bytes, in parts as Barman cuts them, and the server that they would be of is none. COMPRESSION: gz, lz4 or none.
"""

import datetime
import io
import os
import sys
import tempfile

from barman.cloud import CloudUploadController
from barman.cloud_providers.aws_s3 import S3CloudInterface

location, server, backup_id, age, compression, endpoint, size = sys.argv[1:8]
style = sys.argv[8] if len(sys.argv) > 8 else None
store = S3CloudInterface(url=location, jobs=2, endpoint_url=endpoint, addressing_style=style)
folder = f"{store.path}/{server}/base/{backup_id}"
end = datetime.datetime.now(tz=datetime.timezone.utc) - datetime.timedelta(days=float(age))
controller = CloudUploadController(
    store, folder, 1 << 35, None if compression == "none" else compression, min_chunk_size=5 << 20
)
with tempfile.TemporaryDirectory() as data:
    path = os.path.join(data, "rows")
    with open(path, "wb") as file:
        # Of rows that are packed more and less.
        file.writelines(
            os.urandom(100_000 + row % 7 * 1_000).ljust(100_000 + row % 5 * 3_000, b"x")
            for row in range(int(float(size) * 10))
        )
    controller.add_file("data", path, "data", "rows")
controller.close()
store.close()
info = f"""backup_label=None
begin_offset=40
begin_time={end:%Y-%m-%d %H:%M:%S.%f}+00:00
begin_wal=000000010000000000000001
begin_xlog=0/1000028
compression=None
config_file=/data/postgresql.conf
copy_stats=None
deduplicated_size=None
end_offset=80
end_time={end:%Y-%m-%d %H:%M:%S.%f}+00:00
end_wal=000000010000000000000001
end_xlog=0/1000050
error=None
hba_file=/data/pg_hba.conf
ident_file=/data/pg_ident.conf
included_files=None
mode=concurrent
pgdata=/data
server_name=cloud
size=None
status=DONE
tablespaces=None
timeline=1
version=170000
xlog_segment_size=16777216
"""
S3CloudInterface(url=location, jobs=1, endpoint_url=endpoint, addressing_style=style).upload_fileobj(
    io.BytesIO(info.encode()), f"{folder}/backup.info"
)
