"""Writes docs/rules.md, the whole guideline catalogue, from the files that the program itself reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pipelines.catalogue import packaged_catalogue, packaged_hazards, packaged_systems
from pipelines.site_rules import MOST_BYTES, MOST_FILES, site_examples
from planner.guideline.catalogue import Catalogue, Conflict
from planner.guideline.phases import JUDGES, PHASES
from planner.guideline.rule import ASIDE, QUESTIONS, Rule, Source
from planner.guideline.speaks import (
    ABOUT,
    Statement,
    asks,
    commands_of,
    kind_words,
    phase_words,
    primary_words,
    source_words,
)
from planner.guideline.systems import System
from planner.guideline.words import READS

DOCS = Path(__file__).resolve().parents[1] / "docs"
EXAMPLE = "site_acclaim_2025"

HEAD = """\
# What the guidelines say

Written by `scripts/make_rules_page.py` from the files that the program reads (`planner/guideline/`); a test holds it
equal. `ablation rules` lists the same at a terminal, `ablation rules CO-05` explains one statement with its bands and
examples.

This is research software. A verdict belongs to the source that it comes from: none of them says what to do with a
patient, and there is no verdict over several sources. Every sentence is in our own words; the sources themselves
decide.
"""

READING = """\
## How to read it

A **check** holds a case against a statement. **Figures** are published numbers, shown or compared with, never judged.
**Advice** is text. A check gives one of six words:

{words}

A missing value or fact never becomes "{meets}". A limit is compared by the source's own sign, without rounding:
exactly 30.0 mm is not below 3 cm. A measured value whose interval reaches across a limit is marked borderline, with
how likely each side is. Limits that a source does not print are marked as ours. `ablation review` takes up what
speaks of {review}, and what is measured for planning; {plan} belong to `ablation plan`; what the other
command judges is listed with that reason. What speaks about resection or systemic therapy never judges a case of
ablation.
"""

SILENCES = """\
## What the sources do not say

None of this is filled in from elsewhere without saying so.

- How often tumours recur at a given margin: no rate by margin with a horizon, an interval and an endpoint. WA-01 is a
  relative figure, and whether it is a ratio of hazards, odds or risks is not stated in the source documents; reading
  it step by step is our assumption.
- A limit at 5 mm, a share of the tumour that must be covered, or an overlap of volumes. How a margin is measured, how
  scans are aligned, what error of alignment is acceptable, and whether shrinkage is corrected for.
- When the scan after an ablation is due, when follow-up begins and how long it lasts (only for neuroendocrine tumours
  of grade 3 is there an interval, NN-08). What counts as residual tumour, and what as local progression.
- Numbers for the distance to vessels or their calibre, and for words such as adjacent, well located, limited, small
  or extensive. Distances to diaphragm, gallbladder, kidney, heart or capsule.
- Settings of energy, kinds and number of applicators, sizes of ablation zones, paths of needles, and how
  radiofrequency, microwave and cryoablation compare.
- Limits of laboratory values, Child-Pugh classes, and performance status in numbers.
- Hepatocellular carcinoma: no rule at all, so that no statement judges it, one on any primary tumour neither.
  Neuroendocrine tumours of lung, thymus or stomach beyond a heading;
  children; pregnancy.
- The survival result of COLLISION as a ratio and its planned size; whom CLOCC took in and how they fared; the grades
  and votes of the TATA statements; the recommendations of ESMO for neuroendocrine and stromal tumours; the version of
  the NCCN colon slides, and the NCCN categories for ablation.
- Whether the tumours count in the liver of the 20 % and 30 % limits, and by which formula a standard liver volume is
  meant.
- Consent, privacy, approval of devices, and the format of a report.
"""

SITE = """\
## A site's own rules

Rules are data: adding one needs no Python. A site keeps its own in a folder, one or several TOML files (at most
{files} of up to {megabytes:g} MB), and hands it to a run:

```sh
mkdir our_rules
ablation rules --site-example {example} > our_rules/margin.toml   # something to begin with
ablation rules --check our_rules                                  # proves every file, or says what is wrong
ablation review PRE POST -o OUT --rules our_rules                 # also of batch and demo
```

- Every source in such a file has `kind = "site"`. What it says is labelled "site policy" at the terminal, in report
  and result (`site_policy`), and the SHA-256 of each file stands in the result
  (`provenance.settings.site_rules_sha256`), not its name.
- A rule has an id of its own: capitals, a stroke and two or more digits (`SITE-01`). With `overrides = "CO-02"` it
  stands in the place of that rule; without, beside all others. A rule may be overridden once.
- A file holds checks only, no figures or advice. `conflicts` may name a conflict of this page, to be shown beside the
  others.
- Files are taken whole or not at all: an unknown key, quantity, fact or word, a unit that does not fit, bands with a
  gap or an overlap, cases of which not exactly one holds, an id that is taken, or an example that does not come out
  as stated refuses the run with the rule and the reason (exit code 3). Links, pipes and folders named `*.toml` are
  refused; hidden files are left out.

| key of `[[rule]]` | what it holds |
|---|---|
| `id`, `source`, `title`, `statement` | id; key of its `[sources.KEY]`; what it asks; what the source says |
| `question` | part of the report: {questions} |
| `phase` | one or several of {phases} |
| `about` | {about} |
| `scope` | `primary`: list, left out for any; `treatment`: `any`, `ablation`, `thermal_ablation` or `radiofrequency`; \
`facts`: facts that must hold |
| `level` | `grade`: strength of wording or level of evidence; `stated_in_source` |
| `per` | `lesion`, `patient` or `session` |
| `measured`, `entered` | every quantity and every fact that it may need |
| `if_missing` | `not_evaluable`, or `caution` where the value has to be known |
| `quantity`, `fact` or `days`, with `unit` | the number: measured, entered, or the days between two entered dates |
| `bands` | `verdict` with ends `gt`, `ge`, `lt`, `le`: together they hold every number once |
| `[[rule.case]]` | `when`: facts; then `bands`, or a `verdict` by facts alone; the last without `when` takes the rest |
| `all_of`, `any_of`, `first_of` | several parts: the worst decides, one that speaks is enough, or the first judged |
| `edges_from_source` | the limits that the source prints; all others are marked as ours |
| `exceptions`, `note`, `conflicts`, `superseded_by`, `overrides` | texts and ids, where there are any |
| `[[rule.example]]` | `measured`, `interval`, `facts`, and the `verdict` that they must have; `missing`, `borderline` |

Names of quantities are those of `findings` in `result.json`; facts are listed in
[reference/facts.md](reference/facts.md). The example:

```toml
{text}```
"""

SYSTEM_STATUS = {
    "check": "check",
    "reference": "figures",
    "advisory": "advice",
    "content_lost": "content lost",
    "named_only": "named only",
}


def page() -> str:
    """Return the page as Markdown."""
    held = packaged_catalogue()
    parts = [
        HEAD,
        _counts(held),
        _reading(),
        *_sources(held),
        _conflicts(held),
        _omitted(held),
        _systems(packaged_systems()),
    ]
    return "\n".join([*parts, SILENCES, _site()])


def _counts(held: Catalogue) -> str:
    return (
        f"It holds {len(held.rules)} checks, {len(held.references)} tables of figures and {len(held.advisories)} pieces"
        f" of advice from {len({stated.source for stated in held.statements})} sources,\n{len(held.conflicts)}"
        f" conflicts between them, and the relation {_and([one.id for one in packaged_hazards()])} (in"
        " [method.md](method.md));"
        f" {len(held.omitted)} entries are left out.\n"
    )


def _reading() -> str:
    words = "\n".join(f"- `{word}`: {said}" for word, said in READS.items())
    spoken = {command: _and([PHASES[p] for p in PHASES if p in phases]) for command, phases in JUDGES.items()}
    return READING.format(words=words, meets=READS["pass"], **spoken)


def _sources(held: Catalogue) -> Iterable[str]:
    yield "## Statements by source\n"
    by_source: dict[Source, list[Statement]] = {}
    for stated in held.statements:
        by_source.setdefault(stated.source, []).append(stated)
    for source, statements in by_source.items():
        head = ("id", "kind", "what it says", "strength", "about", "primary tumour", "phase", "taken up by")
        yield f"### {source_words(source)}\n\n{source.citation.text} Levels: {source.scheme}.\n"
        yield _table(head, [_row(stated) for stated in statements])


def _row(stated: Statement) -> tuple[str, ...]:
    own = "" if stated.strength_stated else " (our words)"
    later = f" Later: {_and(stated.superseded_by)}." if isinstance(stated, Rule) and stated.superseded_by else ""
    return (
        stated.id, kind_words(stated), f"**{asks(stated)}.** {stated.statement}{later}", f"{stated.strength}{own}",
        ABOUT[stated.about], primary_words(stated.primary), phase_words(stated.phase), _taken_up(stated),
    )  # fmt: skip


def _taken_up(stated: Statement) -> str:
    if stated.about in ASIDE:
        return "for information" if isinstance(stated, Rule) else "listed"
    return ", ".join(commands_of(stated)) or "listed"


def _conflicts(held: Catalogue) -> str:
    parts = [
        "## Where sources disagree\n\nEach position side by side, with year and strength; none outweighs another.\n"
    ]
    parts += [_conflict(conflict, held) for conflict in held.conflicts.values()]
    return "\n".join(parts)


def _conflict(conflict: Conflict, held: Catalogue) -> str:
    parties = [stated for stated in held.statements if conflict.id in stated.conflicts]
    rows = [(s.id, s.source.label, _year(s.source), s.strength, asks(s)) for s in parties]
    table = _table(("id", "source", "year", "strength", "what it says"), rows)
    return f"### {conflict.id}: {conflict.title}\n\n{conflict.positions}\n\n{table}"


def _omitted(held: Catalogue) -> str:
    rows = [(omitted.id, omitted.source, omitted.reason) for omitted in held.omitted]
    return "## Left out\n\n" + _table(("id", "source", "why"), rows)


def _systems(systems: Sequence[System]) -> str:
    head = ("system", "kind", "scope", "statements", "what the source documents hold", "status", "named in")
    rows = [
        (s.name, s.kind.replace("_", " "), s.scope, ", ".join(s.entries), s.held, SYSTEM_STATUS[s.status],
         "; ".join(s.sources))
        for s in systems
    ]  # fmt: skip
    said = (
        f"{len(systems)} guidelines, trials, treatments and methods are named. The status is the strongest of a row's"
        " statements.\n"
    )
    return f"## Systems that the source documents name\n\n{said}\n{_table(head, rows)}"


def _site() -> str:
    return SITE.format(
        files=MOST_FILES, megabytes=MOST_BYTES / 1e6, example=EXAMPLE, text=site_examples()[EXAMPLE],
        questions=_code(QUESTIONS), phases=_code(PHASES), about=_code(ABOUT),
    )  # fmt: skip


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _year(source: Source) -> str:
    return "undated" if source.citation.year is None else str(source.citation.year)


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


if __name__ == "__main__":
    (DOCS / "rules.md").write_text(page(), encoding="utf-8")
    print(DOCS / "rules.md")
