"""Files that arrive spoiled: what can be read for certain is read the same, and all else is refused in words."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from gpvar import simulate
from gpvar.errors import SourceError
from gpvar.simulate.publications import Publications, write_publications
from gpvar.sources import fingertips, ods, payments, qof, registered, small_areas, workforce
from gpvar.sources._parts import SourceTable
from gpvar.sources.recognise import recognise
from gpvar.study import parse_period
from tests import spoiled

_PERIOD = parse_period("2025-04..2026-03")
_ROOMS: dict[str, ModuleType] = {
    "registered_quinary": registered,
    "registered_map": registered,
    "registered_all": registered,
    "registered_lsoa": small_areas,
    "iod2025_scores": small_areas,
    "fingertips_api": fingertips,
    "fingertips_extract": fingertips,
    "qof_prevalence": qof,
    "nhs_payments": payments,
    "workforce_high_level": workforce,
    "ods_epraccur": ods,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Publications:
    world = simulate.england(practices=300, icbs=4)
    return write_publications(tmp_path_factory.mktemp("publications"), world, which=_ROOMS)


@pytest.fixture(scope="module")
def good(written: Publications) -> dict[str, SourceTable]:
    return {layout: table(written, layout, path_of(written, layout)) for layout in _ROOMS if layout != "iod2025_scores"}


def path_of(written: Publications, layout: str) -> Path:
    """The file of a layout; of the registers the bare one, as the zip holds other tables before it."""
    return written.files[layout][1 if layout == "qof_prevalence" else 0]


def table(written: Publications, layout: str, path: Path) -> SourceTable:
    """What the room of a layout reads from a file."""
    beside = [path_of(written, "iod2025_scores")] if layout == "registered_lsoa" else []
    return _ROOMS[layout].read([part for one in (path, *beside) for part in recognise(one)], _PERIOD)


@pytest.mark.parametrize(
    ("layout", "spoil"),
    [
        *((layout, spoiled.utf16) for layout in ("registered_map", "qof_prevalence", "nhs_payments", "ods_epraccur")),
        *((layout, spoiled.saved_by_excel) for layout in _ROOMS if layout != "iod2025_scores"),
        *((layout, spoiled.duplicated_rows) for layout in ("registered_all", "registered_lsoa", "fingertips_api")),
        *((layout, partial(spoiled.duplicated_rows, every=1)) for layout in ("qof_prevalence", "workforce_high_level")),
        *((layout, spoiled.shuffled_columns) for layout in ("registered_map", "fingertips_extract", "nhs_payments")),
        ("registered_quinary", spoiled.without_zero_cells),
    ],
)
def test_what_can_be_read_for_certain_is_read_the_same(
    written: Publications, good: dict[str, SourceTable], layout: str, spoil: Callable[[Path], Path]
) -> None:
    found = table(written, layout, spoil(path_of(written, layout)))
    assert found.facts.equals(good[layout].facts)
    assert found.places is None or found.places.equals(good[layout].places)


_CUT = ("registered_quinary", "registered_map", "registered_all", "registered_lsoa")
_CUT += ("fingertips_api", "nhs_payments", "workforce_high_level")
_TURNED = partial(spoiled.saved_by_excel, day_first=False)
_AS_NUMBERS = partial(spoiled.codes_as_numbers, column="PRACTICE_CODE")
_AREA_AS_NUMBER = partial(spoiled.codes_as_numbers, column="SUB_ICB_LOCATION_CODE")
_RENAMED = partial(spoiled.renamed_column, old="PCN_CODE", new="PCN_ODS_CODE")
_WITHOUT_SEX = partial(spoiled.missing_column, name="SEX")
_WITHOUT_SCORE = partial(spoiled.missing_column, name="IMD_SCORE")
_WITHOUT_RURALITY = partial(spoiled.missing_column, name="Practice Rurality")
_TWO_DATES = partial(spoiled.two_dates, column="EXTRACT_DATE", text="2026-04-01")
_BELOW_NOUGHT = partial(spoiled.changed_cell, column="NUMBER_OF_PATIENTS", text="-3", rows=(4000,))
_WORD = partial(spoiled.changed_cell, column="REGISTER", text="lots")


@pytest.mark.parametrize(
    ("layout", "spoil", "said"),
    [
        ("registered_map", spoiled.truncated, "cut short or damaged"),
        ("registered_map", spoiled.web_page, "a web page, whatever its name says"),
        ("fingertips_extract", spoiled.web_page, "a web page, whatever its name says"),
        ("qof_prevalence", spoiled.empty, "is empty"),
        ("registered_map", spoiled.empty_member, "is empty"),
        ("registered_map", spoiled.nested_zip, "holds another packed file"),
        ("registered_map", spoiled.hidden_zip, "holds another zip"),
        ("registered_map", spoiled.outside_names, "names a file outside itself"),
        ("registered_map", partial(spoiled.outside_names, name="/etc/outside.csv"), "names a file outside itself"),
        ("registered_map", partial(spoiled.outside_names, name="..\\outside.csv"), "names a file outside itself"),
        ("registered_map", spoiled.wrong_crc, "cut short or damaged"),
        ("registered_map", spoiled.zip_bomb, r"unpacks to 3\.0 GB; it was not opened"),
        ("registered_map", spoiled.understated_zip, "cut short or damaged"),
        ("registered_map", spoiled.password_zip, "protected by a password"),
        ("registered_map", spoiled.open_quote, "quotation mark is opened and not closed"),
        ("registered_map", _TURNED, "has its day and month turned round"),
        ("registered_quinary", _TURNED, "has its day and month turned round"),
        ("registered_map", _AS_NUMBERS, "took for a number"),
        ("qof_prevalence", _AS_NUMBERS, "took for a number"),
        ("registered_map", _AREA_AS_NUMBER, "has taken the code for a number"),
        ("registered_map", _RENAMED, r"PCN_CODE is missing \(PCN_ODS_CODE may be its new name\)"),
        ("registered_quinary", _WITHOUT_SEX, "SEX is missing"),
        ("fingertips_extract", _WITHOUT_SCORE, "IMD_SCORE is missing"),
        ("nhs_payments", _WITHOUT_RURALITY, "Practice Rurality is missing"),
        *((layout, spoiled.cut_table, "stops half-way") for layout in _CUT),
        ("fingertips_api", spoiled.open_quote, "opened and not closed"),
        ("nhs_payments", spoiled.open_quote, "opened and not closed"),
        ("registered_all", spoiled.truncated, "stops half-way"),
        ("registered_quinary", _TWO_DATES, "more than one extract date: 2026-04-01, 2026-07-01"),
        ("registered_quinary", _BELOW_NOUGHT, "is below nought"),
        ("qof_prevalence", _WORD, "is not a number"),
        ("registered_lsoa", spoiled.older_areas, r"different censuses \(2011 and 2021\)"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_in_words(
    written: Publications, layout: str, spoil: Callable[[Path], Path], said: str
) -> None:
    path = spoil(path_of(written, layout))
    with pytest.raises(SourceError, match=said) as caught:
        table(written, layout, path)
    assert path.name in caught.value.where and caught.value.fix
    assert not (path.parent.parent / "outside.csv").exists()


def test_practices_of_a_region_that_its_own_total_counts_are_missed(written: Publications) -> None:
    truth = written.truth["registered_map"]
    gone = truth.index[truth["region_code"] == "Y92"]
    path = spoiled.one_region_missing(path_of(written, "registered_quinary"), gone)
    with pytest.raises(SourceError, match=r"practices of .*Y92.* are missing"):
        table(written, "registered_quinary", path)


@pytest.mark.parametrize("layout", ["registered_map", "registered_all"])
def test_two_editions_in_one_file_are_refused(written: Publications, layout: str) -> None:
    path = spoiled.two_editions_mixed(path_of(written, layout), written.files[layout][1])
    with pytest.raises(SourceError, match="more than one extract date"):
        table(written, layout, path)


def test_a_download_that_was_made_twice_counts_once(written: Publications, good: dict[str, SourceTable]) -> None:
    path = path_of(written, "registered_all")
    again = path.with_name("gp-reg-pat-prac-all-Apr2025 (1).csv")
    again.write_bytes(path.read_bytes())
    both = [part for one in (path, again) for part in recognise(one)]
    assert registered.read(both, _PERIOD).facts.equals(good["registered_all"].facts)


def test_two_files_of_one_month_that_differ_are_refused(written: Publications) -> None:
    path = path_of(written, "registered_all")
    other = spoiled.changed_cell(path, "NUMBER_OF_PATIENTS", "1")
    both = [part for one in (path, other) for part in recognise(one)]
    with pytest.raises(SourceError, match="Two files of April 2025"):
        registered.read(both, _PERIOD)


def test_practices_whose_patients_have_no_small_area_have_no_score(
    written: Publications, good: dict[str, SourceTable]
) -> None:
    found = table(written, "registered_lsoa", spoiled.no2011(path_of(written, "registered_lsoa")))
    assert found.facts["imd2025"].isna().all() and good["registered_lsoa"].facts["imd2025"].notna().all()
    assert any("have no score" in remark for remark in found.remarks)


def test_the_password_of_the_spoiled_zip_is_a_real_one(written: Publications) -> None:
    path = path_of(written, "registered_map")
    locked = spoiled.password_zip(path, b"word")
    with zipfile.ZipFile(locked) as archive, zipfile.ZipFile(path) as plain:
        name = archive.namelist()[0]
        assert archive.read(name, pwd=b"word") == plain.read(name)
    assert spoiled.zip_bomb(path).stat().st_size < 10_000
