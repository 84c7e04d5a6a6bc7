from __future__ import annotations

from planner.evidence.citation import Citation


def test_a_citation_reads_as_one_line_with_every_part_that_is_known():
    cited = Citation("A title", "Table 2", 2013, "A B, C D", "A Journal 36:1-9", "10.1/x", "Read from slides")
    assert cited.text == "A B, C D. A title. A Journal 36:1-9. 2013. Table 2. doi 10.1/x. Read from slides."


def test_a_source_without_a_year_says_so():
    assert Citation("A slide", "no heading").text == "A slide. undated. no heading."


def test_the_year_is_not_said_twice():
    assert Citation("A title", "Abstract", 2013, published="A Journal 2013;36:1").text.count("2013") == 1


def test_a_short_name_is_the_first_author_and_the_year():
    assert Citation("A title", "Abstract", 2013, "Wang X, Sofocleous CT, et al.").short == "Wang 2013"
    assert Citation("A title", "Abstract", 2024, "Meijerink et al.").short == "Meijerink 2024"
    assert Citation("A slide", "no heading").short == "A slide undated"
