"""Where a statement was published."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Citation:
    """A published or presented source.

    Parameters
    ----------
    title
        Of the paper, guideline or presentation.
    section
        Where in it: a printed heading or table title.
    year
        None where the source carries none.
    authors, published
        As far as they are known: names, and journal with volume and pages or the meeting.
    doi
        Without the resolver's address.
    via
        How the statement reached this project, where that is not the source itself.
    """

    title: str
    section: str
    year: int | None = None
    authors: str = ""
    published: str = ""
    doi: str = ""
    via: str = ""

    @property
    def short(self) -> str:
        """Return the first author's family name and the year, "Wang 2013"; without an author the title."""
        name = self.authors.replace(",", " ").split()[0] if self.authors else self.title
        return f"{name} {'undated' if self.year is None else self.year}"

    @property
    def text(self) -> str:
        """Return the citation as one line."""
        year = "undated" if self.year is None else "" if str(self.year) in self.published else str(self.year)
        doi = f"doi {self.doi}" if self.doi else ""
        parts = (self.authors, self.title, self.published, year, self.section, doi, self.via)
        return ". ".join(part.rstrip(".") for part in parts if part) + "."
