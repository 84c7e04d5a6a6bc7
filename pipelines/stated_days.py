"""What a case file says of one post's days, among the facts; and that it speaks of no post that is not there."""

from __future__ import annotations

from pipelines.case_file import CaseFile
from pipelines.case_tables import post_number
from planner.errors import InputError
from planner.facts import DAYS_SINCE_ABLATION, POST_SCAN_DATE, PREVIOUS_SCAN_DATE, FactValue, checked_facts

OF_ONE_POST = (DAYS_SINCE_ABLATION.name, POST_SCAN_DATE.name, PREVIOUS_SCAN_DATE.name)
"""Facts that speak of one post: with several, each `[[post]]` states its own."""


def stated_facts(stated: CaseFile, posts: int) -> dict[str, FactValue]:
    """Return the checked facts of the post that is meant, of `posts`, its own days among them.

    Raises
    ------
    InputError
        A fact is malformed, the days are stated twice, or of all posts at once.
    """
    facts, own = dict(stated.facts), stated.its_post.days_since_ablation
    for name in OF_ONE_POST:
        if posts > 1 and facts.get(name) not in (None, ""):
            said = f"case file: fact '{name}' speaks of one post, and there are {posts}"
            raise InputError(
                f"{said}: expected days_since_ablation or scanned_on in each [[post]]", code="bad-case-file"
            )
    if own is not None:
        if facts.get(DAYS_SINCE_ABLATION.name) not in (None, ""):
            raise InputError("case file: days_since_ablation is stated twice", code="bad-case-file")
        facts[DAYS_SINCE_ABLATION.name] = own
    return checked_facts(facts)


def require_posts(stated: CaseFile, posts: int) -> None:
    """Raise where a mask or a pair is of a post that is not there.

    Raises
    ------
    InputError
        One is.
    """
    named = {"mask": [m.study for m in stated.mask], "pair": [p.study for p in stated.pair]}
    for table, studies in named.items():
        for number, study in enumerate(studies, start=1):
            if post_number(study) > posts:
                text = f"case file: [[{table}]] number {number} is of study '{study}', the last post is number {posts}"
                raise InputError(text, code="bad-case-file")
