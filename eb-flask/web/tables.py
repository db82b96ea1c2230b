"""The tables and columns that the pages may read: no other is ever named in SQL or shown.

What of it a database has, and of which types, is read from its catalog (reflection.py). A column that is
allowed and not there is left out; those in KEYS must be there, or the pages say that the table is different.
"""

from datetime import datetime

ALLOWED = {
    "persons": ("id", "email", "state", "postal", "address"),
    "loads": (
        "run",
        "table_name",
        "mode",
        "bucket",
        "key",
        "version",
        "size",
        "rows",
        "rejected",
        "rejected_key",
        "seconds",
        "state",
        "reason",
        "started",
        "finished",
    ),
}
KEYS: dict[str, dict[str, type]] = {
    "persons": {"id": int, "email": str},
    "loads": {"run": str, "table_name": str, "bucket": str, "key": str, "state": str, "started": datetime},
}
