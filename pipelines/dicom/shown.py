"""How values of a header may be shown: bounded and printable, and what stands for an id."""

from __future__ import annotations

import hashlib
import hmac
import re

PATIENT_HASH_KEY = b"ablation-planner patient key 1"
"""Key of the hash that stands for an id: it makes the hash differ from a bare SHA-256."""

MARK_DIGITS = 10
"""Hexadecimal digits of the mark that stands for a UID."""


def safe_text(text: object, limit: int = 60) -> str:
    """Return `text` on one line, printable and of bounded length."""
    clean = "".join(c if c.isprintable() else "?" for c in str(text))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def safe_code(value: object) -> str:
    """Return a coded string (VR CS) of a header if it is one: what else stands there may be anything."""
    said = str(value).strip()
    return said if re.fullmatch("[A-Z0-9_ ]{0,16}", said) else "(no coded string)"


def uid_mark(uid: str) -> str:
    """Return what stands for a UID in messages and manifests: a keyed hash, as a UID may hold an id or a name."""
    return f"uid-{keyed_hash(uid)[:MARK_DIGITS]}" if uid else "(no UID)"


def keyed_hash(text: str) -> str:
    """Return a hash of a text, as hexadecimal digits."""
    return hmac.new(PATIENT_HASH_KEY, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
