"""The study file: what is read, what the defaults are, and what decides its hash."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from gpvar.errors import StudyError
from gpvar.study import load_study, months_between, parse_period

CONTENT: dict[str, Any] = {
    "schema": 1,
    "title": "Access in one place",
    "seed": 7,
    "declared": "2026-04-14",
    "period": "2025-04..2026-03",
    "metrics": ["same_day_share"],
    "area": {"kind": "icb", "code": "qhm", "practices": ["a81001"]},
    "source": {
        "id": "local",
        "file": "data/practices.csv",
        "columns": {
            "practice_code": "code",
            "same_day_share": {"numerator": "same day", "denominator": ["a", "b"]},
            "imd2025": "imd",
        },
        "dates": {"imd2025": "2025-10"},
    },
}


def content(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CONTENT), **changes}


def test_a_dict_is_read_like_a_file(tmp_path: Path) -> None:
    study = load_study(content(), base=tmp_path)
    assert study.declared == dt.date(2026, 4, 14)
    assert study.area.code == "QHM"
    assert study.area.practices == ("A81001",)
    assert study.sources[0].file == tmp_path / "data" / "practices.csv"
    assert study.sources[0].columns["same_day_share.denominator"] == ["a", "b"]
    assert study.sources[0].dates == {"imd2025": "2025-10"}


def test_what_is_left_out_has_stated_defaults() -> None:
    study = load_study(content())
    assert study.reference.set == "england"
    assert study.reference.exclude == ("atypical", "list_under_1000")
    assert study.adjust is None
    assert study.simulated is False
    assert study.reports.kinds == ("practice", "area", "claims")


def test_a_study_is_found_by_its_file_or_its_folder(tmp_path: Path) -> None:
    text = """
        schema = 1
        title = "x"
        declared = 2026-04-14
        period = "2025-04..2026-03"
        metrics = ["same_day_share"]
        [area]
        kind = "icb"
        code = "QHM"
        [[source]]
        id = "local"
        file = 'data\\practices.csv'
        [source.columns]
        practice_code = "code"
        "same_day_share.numerator" = "a"
        "same_day_share.denominator" = "b"
    """
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    by_file, by_folder = load_study(path), load_study(str(tmp_path))
    assert by_file.hash == by_folder.hash
    assert by_file.sources[0].file == tmp_path / "data" / "practices.csv"


def test_a_study_saved_by_notepad_as_unicode_is_read(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('title = "Café"\nmetrics = []\n', encoding="utf-16")
    with pytest.raises(StudyError, match="names no metric"):
        load_study(path)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"title": "Another title"}, True),
        ({"reports": {"kinds": ["area"], "formats": ["html"]}}, True),
        ({"declared": "2026-05-01"}, True),
        ({"seed": 8}, False),
        ({"period": "2025-04..2026-02"}, False),
        ({"adjust": {"M1": ["imd2025"]}}, False),
        ({"reference": {"set": "icb"}}, False),
        ({"reference": {"exclude": []}}, False),
        ({"area": {"kind": "icb", "code": "QMF"}}, False),
        ({"simulated": True}, False),
    ],
)
def test_the_hash_changes_with_the_analysis_and_with_nothing_else(change: dict[str, Any], same: bool) -> None:
    assert (load_study(content(**change)).hash == load_study(content()).hash) is same


def test_the_hash_does_not_depend_on_where_the_study_lies(tmp_path: Path) -> None:
    assert load_study(content(), base=tmp_path).hash == load_study(content(), base=tmp_path / "elsewhere").hash


def test_a_study_is_frozen() -> None:
    study = load_study(content())
    with pytest.raises(AttributeError):
        study.seed = 2  # type: ignore[misc]


def test_everything_wrong_is_said_once() -> None:
    wrong = content(metrics=["same_day"], perod="x", adjust={"M1": ["rurality"], "M2": ["rurality"]})
    with pytest.raises(StudyError) as caught:
        load_study(wrong)
    message = str(caught.value)
    assert message.startswith("4 things need mending")
    for words in ("'same_day'", "'perod'", "'rurality' cannot be allowed for in M1", "both M1 and M2"):
        assert words in message


def test_a_rate_may_take_its_patient_months_from_the_list() -> None:
    columns = {"practice_code": "code", "appointments_per_1000": {"numerator": "n"}}
    source = {"id": "local", "file": "x.csv", "columns": columns}
    with pytest.raises(StudyError, match="denominator of 'appointments_per_1000'"):
        load_study(content(metrics=["appointments_per_1000"], source=source))
    columns["list_size"] = "list"
    assert load_study(content(metrics=["appointments_per_1000"], source=source)).metrics == ("appointments_per_1000",)


def test_one_characteristic_comes_from_one_file() -> None:
    source = CONTENT["source"]
    again = {"id": "other", "file": "y.csv", "columns": {"practice_code": "code", "imd2025": "imd"}}
    with pytest.raises(StudyError, match="'imd2025' is taken from two sources, local and other"):
        load_study(content(source=[source, again]))


def test_a_period_knows_its_length() -> None:
    period = parse_period("2025-04..2026-03")
    assert (period.months, period.label) == (12, "April 2025 to March 2026")
    assert period.weeks == pytest.approx(365 / 7)
    assert parse_period("2024-02").weeks == pytest.approx(29 / 7)
    assert parse_period("2024-02").label == "February 2024"
    assert months_between("2025-11", "2026-02") == 3


@pytest.mark.parametrize("text", ["2025-4..2026-03", "2025-13", "2026-03..2025-04", "..", "2025", "2025-04...2026-03"])
def test_a_period_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"month|ends"):
        parse_period(text)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"id": "imdd", "file": ["a.csv", "b.csv"]}, "There is no publication called 'imdd'. Did you mean 'imd'?"),
        ({"id": "imdd", "file": "a.csv"}, "There is no publication called 'imdd'. Did you mean 'imd'?"),
        ({"id": "zzz", "file": ["a.csv"]}, "There is no publication called 'zzz'."),
        ({"file": ["a.csv"]}, "The source has no id."),
    ],
)
def test_a_publication_that_is_none_is_said_and_nothing_else(source: dict, said: str) -> None:
    with pytest.raises(StudyError) as caught:
        load_study(content(source=source), complete=False)
    assert caught.value.problem == said
    assert "The publications are gpad, " in caught.value.fix and "[source.columns]" in caught.value.fix


def test_a_table_of_ones_own_without_columns_is_not_called_a_publication() -> None:
    with pytest.raises(StudyError, match="does not say what its columns are"):
        load_study(content(source={"id": "zzz", "file": "a.csv"}), complete=False)


def test_two_sources_of_one_publication_are_told_to_be_put_together() -> None:
    twice = [{"id": "gpad", "file": "a.zip"}, {"id": "gpad", "file": "b.zip"}]
    with pytest.raises(StudyError, match="Two sources have the id 'gpad'") as caught:
        load_study(content(source=twice), complete=False)
    assert 'file = ["one.zip", "two.zip"]' in caught.value.fix
