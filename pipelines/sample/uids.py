"""Unique identifiers that follow from the seed."""

from __future__ import annotations

import hashlib


def uid(seed: int, *role: object) -> str:
    """Return the UID of a role in a seed's patient (2.25 root, from a hash)."""
    text = "ablation-planner sample|" + "|".join(str(part) for part in (seed, *role))
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:15], 'big')}"
