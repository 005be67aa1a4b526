"""The recipes on docs/drivers.md, as the suite has laid them out."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import os
import sys

sys.path.insert(0, os.environ["CLIENTS_RECIPES"])


def set_up_django() -> None:
    import django  # noqa: PLC0415 -- where the program of this driver runs
    from django.conf import settings  # noqa: PLC0415 -- where the program of this driver runs
    from recipe_django import DATABASES  # noqa: PLC0415 -- where the program of this driver runs

    if settings.configured:
        return
    # Programs here use it in a loop of asyncio, one thread at a time.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    settings.configure(DATABASES=DATABASES, USE_TZ=True)
    django.setup()
