"""What free text says of those things that rules know: only these words leave it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

SESSION, BEFORE, AFTER = "session", "before", "after"
"""Words for: acquired during an ablation; before one; after one."""

ENERGIES = {
    "microwave": re.compile(r"\bmwa\b|microwave|mikrowelle"),
    "radiofrequency": re.compile(r"\brfa\b|radio ?freq"),
    "cryoablation": re.compile(r"\bcryo|\bkryo"),
    "irreversible_electroporation": re.compile(r"\bire\b|electroporation"),
}
"""What tissue is destroyed with, as `[facts] modality` names it."""

PHASES = {
    "arterial": re.compile(r"\b(?:art|ap|hap)\b|arter"),
    "portal venous": re.compile(r"\b(?:pv|pvp|pvi|pven|ven|port)\b|portal|porto|\bvenous|\bvenoes|\bvenos"),
    "delayed": re.compile(r"\b(?:delay|del|late|spaet|equi)\b|delayed|equilib"),
    "native": re.compile(r"\bnat(?:iv|ive)?\b|non ?contrast|unenhanced|\bplain\b|ohne km|without contrast"),
    "hepatobiliary": re.compile(r"\bhbp\b|hepatobil"),
}
"""Contrast phases."""

_ABLATION = re.compile(r"ablat|\bmwa\b|\brfa\b|\bcryo|\bkryo|\bire\b|\bneedle|\bantenna")
_BEFORE = re.compile(r"\bpre\b|\bpre ?ablat|\bbefore\b|\bprior\b|\bplan(?:ning)?\b|\bvor\b")
_AFTER = re.compile(r"\bpost\b|\bpost ?ablat|\bafter\b|\bfollow|\bfu\b|\bcontrol\b|\bkontrolle\b|\bnach\b|\bstatus\b")
_REFORMAT = re.compile(
    r"\bmpr\b|\bmip\b|\bminip\b|\bvrt\b|\bscout\b|topogra|surview|\bcor(?:onal)?\b|\bsag(?:ittal)?\b"
)
_LATE = re.compile(r"\blate (?=art)|\bspaet (?=art)")


@lru_cache(maxsize=4096)
def words_of(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that descriptions say: of an ablation (session, before, after) and its energy."""
    found: set[str] = set()
    for text in map(_plain, texts):
        if not _ABLATION.search(text):
            continue
        before, after = _BEFORE.search(text) is not None, _AFTER.search(text) is not None
        if before != after:
            found.add(BEFORE if before else AFTER)
        elif not before:
            found.add(SESSION)
        found |= {energy for energy, pattern in ENERGIES.items() if pattern.search(text)}
    return tuple(sorted(found))


@lru_cache(maxsize=4096)
def phase_of(texts: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return the contrast phase and where it was read: (name of a text, text) in the order of trust; empty if none."""
    for name, text in texts:
        plain = _LATE.sub("", _plain(text))
        found = [phase for phase, pattern in PHASES.items() if pattern.search(plain)]
        if len(found) == 1:
            return found[0], name
        if found:
            return "", ""  # two phases in one text: it does not say which
    return "", ""


@lru_cache(maxsize=4096)
def says_reformat(text: str) -> bool:
    """Return whether a description says that a series is a reformat, a projection or a scout."""
    return _REFORMAT.search(_plain(text)) is not None


def phase_at(seconds: float) -> str:
    """Return the phase so many seconds after the start of the contrast bolus; empty between phases."""
    for phase, first_s, last_s in (("arterial", 15, 45), ("portal venous", 55, 100), ("delayed", 150, 900)):
        if first_s <= seconds <= last_s:
            return phase
    return ""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")).strip()
