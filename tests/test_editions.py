"""Where the official files are had: what the catalogue knows of it, and what it says of an edition it does not know."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest

from gpvar import catalogue
from gpvar.catalogue import _editions
from gpvar.errors import SourceError, StudyError
from gpvar.sources.download import safe_name
from tests.support import shared

SERIES = "https://digital.nhs.uk/data-and-information/publications/statistical"


def months(first: str, count: int) -> list[str]:
    start = int(first[:4]) * 12 + int(first[5:]) - 1
    return [f"{(start + n) // 12}-{(start + n) % 12 + 1:02d}" for n in range(count)]


def known(edition: str) -> catalogue.Edition:
    return next(item for item in catalogue.editions() if item.id == edition)


def test_every_layout_can_be_got_from_somewhere_but_the_extract_of_a_board() -> None:
    got = {layout for item in catalogue.publications().values() for layout in item.layouts}
    assert set(catalogue.layouts()) - got == {"fingertips_extract"}


def test_an_edition_says_what_its_publication_says_unless_it_says_otherwise() -> None:
    june = known("gpad_2026_06")
    assert june.title == "Appointments in General Practice, June 2026"
    assert june.page == f"{SERIES}/appointments-in-general-practice/june-2026"
    assert (june.file, june.first_month, june.last_month) == (
        "Practice_Level_Crosstab_Jun_26.zip",
        "2026-04",
        "2026-06",
    )
    assert june.link_text and not june.link_text_seen


def test_every_file_is_saved_under_a_name_that_every_system_can_have_and_that_says_its_edition() -> None:
    names = [item.saved_as for item in catalogue.editions() if item.address]
    assert all(name and safe_name(name) == name for name in names) and len(set(names)) == len(names)
    assert known("registered_quinary_2026_07").saved_as == "gp-reg-pat-prac-quin-age-2026-07.zip"


@pytest.mark.parametrize("edition", ["registered_quinary_2026_07", "registered_map_2026_07"])
def test_the_known_size_and_sha256_are_those_of_the_file_as_published(edition: str) -> None:
    item = known(edition)
    data = shared("data", "official", item.file).read_bytes()
    assert (item.bytes, item.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_year_of_appointments_takes_the_fewest_editions_and_those_with_an_address_first() -> None:
    got = catalogue.editions_covering("gpad", months("2025-04", 12))
    assert [item.edition for item in got] == ["2025-05", "2025-08", "2025-11", "2026-02", "2026-03"]
    assert [bool(item.address) for item in got] == [True, True, True, True, False]


def test_an_edition_that_is_not_known_stands_there_with_its_page() -> None:
    (got,) = catalogue.editions_covering("gpad", months("2027-01", 3))
    assert (got.edition, got.covers, got.address, got.evidence) == ("2027-03", "2027-01..2027-03", "", "pattern")
    assert got.page == f"{SERIES}/appointments-in-general-practice/march-2027"
    assert got.file_like == "Practice_Level_Crosstab_Mar_27.zip"


def test_no_edition_after_the_last_month_wanted_is_asked_for() -> None:
    # It may not have appeared; the last one wanted holds the two months before it too.
    (got,) = catalogue.editions_covering("gpad", ["2026-10"])
    assert got.edition == "2026-10"
    assert [item.edition for item in catalogue.editions_covering("gpad", months("2026-09", 4))] == [
        "2026-11",
        "2026-12",
    ]


def test_months_that_lie_apart_are_each_covered() -> None:
    got = catalogue.editions_covering("gpad", ["2025-06", "2026-05"])
    assert [item.edition for item in got] == ["2025-08", "2026-06"]
    assert catalogue.editions_covering("gpad", []) == ()


def test_the_page_of_a_month_counts_its_days_where_the_publisher_does() -> None:
    (got,) = catalogue.editions_covering("workforce", ["2024-02"])
    assert got.page == f"{SERIES}/general-and-personal-medical-services/29-february-2024"
    assert got.file_like == "GPWPracticeCSV.022024.zip"


def test_a_publication_that_is_not_monthly_gives_its_newest_known_edition() -> None:
    (qof,) = catalogue.editions_covering("qof_prevalence", months("2025-04", 12))
    assert (qof.edition, qof.file_like, qof.next_expected) == ("2024-25", "QOF2425.zip", date(2026, 8, 27))
    assert qof.page.endswith("-exceptions-data/2024-25")
    (payments,) = catalogue.editions_covering("nhs_payments", [])
    assert payments.page.endswith("/england-2024-25")


def test_a_publication_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(StudyError, match="Did you mean workforce"):
        catalogue.editions_covering("workforc", [])


GOOD = {"publication": "gpad", "edition": "2027-01", "covers": "2026-11..2027-01", "evidence": "pattern"}
ADDRESS = "https://files.digital.nhs.uk/36/FE673C/f.zip"


@pytest.mark.parametrize(
    "change, field",
    [
        ({"publication": "gpads"}, "publication"),
        ({"covers": "2027-01..2026-11"}, "covers"),
        ({"covers": "January"}, "covers"),
        ({"evidence": "guessed"}, "evidence"),
        ({"evidence": "recorded"}, "evidence"),
        ({"address": ADDRESS}, "evidence"),
        ({"address": "http://files.digital.nhs.uk/f.zip", "evidence": "recorded"}, "address"),
        ({"address": "https://files.example.test/f.zip", "evidence": "recorded"}, "address"),
        ({"address": "https://files.digital.nhs.uk.example.test/f.zip", "evidence": "recorded"}, "address"),
        ({"page": "https://example.test/"}, "page"),
        ({"address": ADDRESS, "evidence": "recorded", "file": "a/b.zip"}, "file"),
        ({"address": ADDRESS, "evidence": "recorded", "sha256": "ABC"}, "sha256"),
        ({"bytes": -1}, "bytes"),
        ({"link": "x"}, "link"),
    ],
)
def test_an_entry_that_cannot_be_right_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(SourceError) as caught:
        _editions.editions({"edition": [{**GOOD, **change}]}, catalogue.publications())
    assert caught.value.where == f"editions.toml, edition 1, field {field}"


def test_an_edition_stands_there_once() -> None:
    assert _editions.editions({"edition": [GOOD]}, catalogue.publications())
    with pytest.raises(SourceError, match="gpad_2027_01 stands there twice"):
        _editions.editions({"edition": [GOOD, GOOD]}, catalogue.publications())
