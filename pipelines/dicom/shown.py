"""How values of a header may be shown: bounded and printable."""

from __future__ import annotations

import re


def safe_text(text: object, limit: int = 60) -> str:
    """Return `text` on one line, printable and of bounded length."""
    clean = "".join(c if c.isprintable() else "?" for c in str(text))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def safe_code(value: object) -> str:
    """Return a coded string (VR CS) of a header if it is one: what else stands there may be anything."""
    said = str(value).strip()
    return said if re.fullmatch("[A-Z0-9_ ]{0,16}", said) else "(no coded string)"
