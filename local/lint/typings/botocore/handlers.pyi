# As much of it as plan/backup/scripts/sitecustomize.py needs.
from collections.abc import Callable

BUILTIN_HANDLERS: list[tuple[str, Callable[..., object]]]
