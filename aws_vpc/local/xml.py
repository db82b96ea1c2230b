"""Text that is safe inside XML."""

from __future__ import annotations

import re

# What XML 1.0 cannot hold at all, written how you like.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """The text as XML content: markup quoted, a carriage return kept, impossible characters replaced."""
    text = _FORBIDDEN.sub("\ufffd", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
