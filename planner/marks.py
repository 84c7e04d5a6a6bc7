"""What stands for an id where the id itself may not be shown."""

from __future__ import annotations

import hashlib
import hmac

KEY = b"ablation-planner patient key 1"
"""Key of the hash that stands for an id: it makes the hash differ from a bare SHA-256."""

MARK_DIGITS = 10
"""Hexadecimal digits of the mark that stands for a UID."""


def keyed_hash(text: str) -> str:
    """Return a hash of a text, as hexadecimal digits."""
    return hmac.new(KEY, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def uid_mark(uid: str) -> str:
    """Return what stands for a UID in messages and manifests: a keyed hash, as a UID may hold an id or a name."""
    return f"uid-{keyed_hash(uid)[:MARK_DIGITS]}" if uid else "(no UID)"
