"""From a question to a study of publications, as it is typed: new, sources, fetch, check; no site is asked."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gpvar import catalogue, cli, simulate
from gpvar.errors import StudyError
from gpvar.simulate.publications import Publications, write_publications
from gpvar.sources import download
from gpvar.starter import gathering
from gpvar.study import load_study
from tests import official_files as made
from tests.hostile_server import Site, cut, good, page, running, status

PERIOD = "2026-01..2026-03"
_WHICH = ("gpad_crosstab", "registered_quinary", "registered_map", "fingertips_api")


@pytest.fixture(scope="module")
def publications(tmp_path_factory: pytest.TempPathFactory) -> Publications:
    world = simulate.england(practices=300, icbs=4)
    folder = tmp_path_factory.mktemp("publications")
    return write_publications(folder, world, period=PERIOD, which=_WHICH, rows_per_month=4000)


@pytest.fixture(autouse=True)
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder Downloads of somebody else, and a folder to type commands in."""
    folder = tmp_path / "home" / "Downloads"
    folder.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("GPVAR_COMMAND", "gpvar")
    return folder


@pytest.fixture(autouse=True)
def no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site() -> Iterator[Site]:
    with running(Site()) as server:
        yield server


class Typed:
    """Types a command and keeps what was answered."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.said = self.error = ""

    def __call__(self, *typed: object) -> int:
        status_ = cli.main([str(word) for word in typed])
        self.said, self.error = self.capsys.readouterr()
        assert "Traceback" not in self.error
        if status_ == cli.YOUR_INPUT:
            lines = self.error.strip().splitlines()
            assert lines[-2].startswith("Where: ") and lines[-1].startswith("What to do: "), self.error
        return status_


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed(capsys)


def put(downloads: Path, publications: Publications) -> None:
    for path in publications.main:
        shutil.copyfile(path, downloads / path.name)


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_from_downloads_to_a_checked_study(typed: Typed, downloads: Path, publications: Publications) -> None:
    put(downloads, publications)
    options = ["--icb", simulate.AREA, "--metric", "same_day_share", "--period", PERIOD]
    assert typed("new", "my study", *options) == cli.DONE
    here = Path("my study").resolve()
    assert f'gpvar sources "{here / "study.toml"}"' in typed.said, "a path with a space can be pasted"
    assert typed("check", "my study", "--no-open") == cli.YOUR_INPUT
    assert "names no data file" in typed.error and "gpvar sources STUDY" in typed.error
    assert typed("run", "my study", "--no-open") == cli.YOUR_INPUT and "names no data file" in typed.error
    assert typed("sources", "my study") == cli.DONE
    assert f'gpvar sources "{here}" --take' in typed.said
    assert load_study("my study", complete=False).sources == (), "looking changes nothing"
    assert typed("sources", "my study", "--take") == cli.DONE
    assert f'Next: gpvar check "{here}"' in typed.said and "Now named in" in typed.said
    assert "so not allowed for: Quality and Outcomes Framework" in typed.said
    assert typed("check", "my study", "--no-open") == cli.DONE
    assert "300 practices in the table" in typed.said
    page_ = (here / "reports" / "private" / "check.html").read_text(encoding="utf-8")
    for shown in ("Practice_Level_Crosstab_Mar_26.zip", "October 2025", "When the characteristics were measured"):
        assert shown in page_, shown


def test_a_map_among_the_downloads_tells_practices_by_name_and_their_board(
    typed: Typed, downloads: Path, publications: Publications
) -> None:
    put(downloads, publications)
    truth = publications.truth["registered_map"]
    once = truth[~truth["practice_name"].duplicated(keep=False)].iloc[0]
    assert typed("new", "s", "--practice", once["practice_name"].lower(), "--period", PERIOD) == cli.DONE
    study = load_study("s", complete=False)
    assert study.area.code == once["icb_code"] and study.area.practices == (once.name,)
    assert typed("new", "t", "--practice", "no such surgery") == cli.YOUR_INPUT
    assert "No practice here is called 'no such surgery'" in typed.error and not Path("t").exists()


# --- new -------------------------------------------------------------------------------------------------------------


def test_a_board_alone_makes_a_study_of_the_last_whole_year(typed: Typed) -> None:
    assert typed("new", "s", "--icb", "North East and North Cumbria") == cli.DONE
    study = load_study("s", complete=False)
    assert study.area.code == "QHM" and study.metrics == ("same_day_share",) and study.sources == ()
    assert study.period.start.endswith("-04") and study.period.months == 12
    assert study.reference.hierarchy_date == study.period.last_day
    assert "CHANGE THIS to the months you want" in typed.said and "It names no file yet" in typed.said


@pytest.mark.parametrize(
    ("day", "first"), [("2026-03-31", "2024-04"), ("2026-04-01", "2025-04"), ("2026-12-31", "2025-04")]
)
def test_the_last_whole_year_is_over(day: str, first: str) -> None:
    period = gathering.last_year(dt.date.fromisoformat(day))
    assert period.start == first and period.months == 12 and period.last_day < dt.date.fromisoformat(day)


def test_codes_of_practices_need_their_board_where_there_is_no_map(typed: Typed) -> None:
    assert typed("new", "s", "--practice", "A81001") == cli.YOUR_INPUT
    assert "to which board" in typed.error and "--icb" in typed.error and not Path("s").exists()
    assert typed("new", "s", "--practice", " a81001", "--icb", "QHM") == cli.DONE
    assert load_study("s", complete=False).area.practices == ("A81001",)
    written = Path("s/study.toml").read_text(encoding="utf-8")
    assert 'practices = ["A81001"]' in written and "# A81001" not in written


def test_a_list_needs_no_board(typed: Typed, tmp_path: Path) -> None:
    listed = tmp_path / "our practices.csv"
    listed.write_text("code\nA81001\nA81002\n", encoding="utf-8")
    assert typed("new", "s", "--list", listed, "--practice", "A81002") == cli.DONE
    study = load_study("s", complete=False)
    assert study.area.kind == "list" and study.area.file == listed and study.area.practices == ("A81002",)
    assert study.area.name == "our practices"


def test_a_practice_outside_the_list_is_said(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text("code\nA81001\n", encoding="utf-8")
    assert typed("new", "s", "--list", tmp_path / "ours.csv", "--practice", "B81002") == cli.YOUR_INPUT
    assert "'B81002' is not in the board or list asked for" in typed.error


def test_a_list_that_cannot_be_read_names_the_option(typed: Typed, tmp_path: Path) -> None:
    assert typed("new", "s", "--list", tmp_path / "nope.csv") == cli.YOUR_INPUT
    assert "orrect --list" in typed.error and "study file" not in typed.error and not Path("s").exists()


def test_names_need_a_map(typed: Typed) -> None:
    assert typed("new", "s", "--practice", "Densham", "--icb", "QHM") == cli.YOUR_INPUT
    assert "'Densham' is a name" in typed.error and "mapping file of Patients Registered" in typed.error


def test_a_broken_map_does_not_hinder_where_codes_will_do(typed: Typed, downloads: Path) -> None:
    made.write(downloads / "map.csv", "registered_map", [made.map_row("A81001", EXTRACT_DATE="no date")])
    assert typed("new", "s", "--icb", "QHM") == cli.DONE
    assert typed("new", "t", "--practice", "Densham") == cli.YOUR_INPUT
    assert "is not a date" in typed.error and "map.csv" in typed.error, "the name needs it, so its fault is said"


def test_a_board_that_began_after_the_period_has_its_practices_as_of_then(typed: Typed) -> None:
    for query in ("D7T5G", "NHS Essex"):
        folder = query.replace(" ", "")
        assert typed("new", folder, "--icb", query, "--period", "2025-04..2026-03") == cli.DONE
        study = load_study(folder, complete=False)
        assert study.area.code == "D7T5G" and study.reference.hierarchy_date == dt.date(2026, 4, 1)


def test_what_is_published_for_no_practice_is_refused_with_the_way_to_ask_for_it(typed: Typed) -> None:
    for metric in ("ag_share", "same_day_share --metric ag_requests_per_1000"):
        assert typed("new", "s", "--icb", "QHM", "--metric", *metric.split()) == cli.YOUR_INPUT
        assert "published for no practice, so no publication can be gathered for it." in typed.error
        assert "writes a template to ask with" in typed.error
    assert not Path("s").exists()
    assert typed("new", "s", "--metric", "ag_share") == 0
    assert list(Path("s").glob("ag*extract*"))


def test_a_reference_file_cannot_hold_what_is_not_published() -> None:
    with pytest.raises(StudyError, match=r"guidance share .* published for no practice, so a reference file cannot"):
        gathering.declare(
            Path("s"),
            practice=[],
            icb="QHM",
            list_file=None,
            metric=["ag_share"],
            period=None,
            today=dt.date(2026, 5, 1),
            reference_file=Path("england.zip"),
        )


def test_a_study_that_is_there_is_not_written_over(typed: Typed) -> None:
    assert typed("new", "s", "--icb", "QHM") == cli.DONE
    before = Path("s/study.toml").read_bytes()
    assert typed("new", "s", "--icb", "QF7") == cli.YOUR_INPUT
    assert Path("s/study.toml").read_bytes() == before


# --- sources ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def study(typed: Typed) -> Path:
    """A study of three months that names no file yet, of age and sex alone."""
    assert typed("new", "s", "--icb", "QHM", "--period", PERIOD) == cli.DONE
    path = Path("s/study.toml").resolve()
    text = path.read_text(encoding="utf-8").replace("[reports]", '[adjust]\nM1 = ["age_sex"]\nM2 = []\n\n[reports]')
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def test_a_folder_to_look_in_is_looked_in(
    typed: Typed, study: Path, tmp_path: Path, publications: Publications
) -> None:
    stick = tmp_path / "the stick"
    stick.mkdir()
    shutil.copyfile(publications.files["registered_map"][0], stick / "x.dat.zip")
    assert typed("sources", study) == cli.DONE and "0 of the 3" in typed.said
    assert typed("sources", study, "--look", stick) == cli.DONE
    assert "1 of the 3" in typed.said and "x.dat.zip" in typed.said and str(stick) in typed.said
    assert typed("sources", study, "--look", stick, "--take") == cli.DONE
    assert (study.parent / "data" / "raw" / "x.dat.zip").is_file()
    assert "Still to be got before the study can be checked: Appointments in General Practice." in typed.said
    assert typed("sources", study) == cli.DONE and "1 of the 3" in typed.said, "it is the study's own now"


def test_a_folder_that_is_not_there_is_said(typed: Typed, study: Path) -> None:
    assert typed("sources", study, "--look", "nowhere") == cli.YOUR_INPUT
    assert "no such folder" in typed.error and "--look" in typed.error


def test_a_study_of_another_name_is_named_by_its_file(
    typed: Typed, study: Path, downloads: Path, publications: Publications
) -> None:
    put(downloads, publications)
    study = study.rename(study.with_name("access.toml"))
    assert typed("sources", study) == cli.DONE
    assert f"gpvar sources {study} --take" in typed.said


def test_a_study_with_places_to_fill_in_is_said_so(typed: Typed, study: Path) -> None:
    study.write_text(study.read_text(encoding="utf-8").replace('code = "QHM"', 'code = "FILL IN"'), encoding="utf-8")
    assert typed("sources", study, "--take") == cli.YOUR_INPUT
    assert "still to be filled in" in typed.error


# --- fetch -----------------------------------------------------------------------------------------------------------


def test_what_is_fetched_is_named_in_the_study(
    typed: Typed, study: Path, site: Site, publications: Publications
) -> None:
    path = publications.files["registered_quinary"][0]
    site.on("/ages.zip", good(path.read_bytes()))
    assert typed("fetch", study, "--url", site.address("/ages.zip")) == cli.DONE
    assert "Downloaded: ages.zip, registered patients by sex and five-year age group" in typed.said
    assert "Now named in" in typed.said
    (spec,) = load_study(study, complete=False).sources
    assert (spec.id, spec.file.name) == ("registered_patients", "ages.zip")
    assert spec.file.read_bytes() == path.read_bytes()
    assert typed("fetch", study, "--url", site.address("/ages.zip")) == cli.DONE
    assert "There already: ages.zip." in typed.said
    assert len(load_study(study, complete=False).sources) == 1


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (page("Sign in"), "web page"),
        (good(b"PK\x03\x04 cut short"), "cut short or damaged"),
        (good(b"a,b\n1,2\n"), "no official file"),
        (status(404), "404"),
        (status(403), "403"),
    ],
)
def test_what_is_no_official_file_is_not_kept_and_the_study_stays(
    typed: Typed, study: Path, site: Site, act: Any, said: str
) -> None:
    site.on("/x.zip", act)
    before = study.read_bytes()
    assert typed("fetch", study, "--url", site.address("/x.zip")) == cli.SOME_REPORTS_FAILED
    assert "To be got by hand" in typed.said and said in typed.said
    assert study.read_bytes() == before
    assert not [item for item in (study.parent / "data" / "raw").iterdir() if item.suffix == ".zip"]
    assert "Nothing was taken in" in typed.said


def test_one_of_two_that_fails_does_not_hinder_the_other(
    typed: Typed, study: Path, site: Site, publications: Publications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "fetch_many", partial(download.fetch_many, sleep=lambda _: None))
    good_one = publications.files["registered_map"][0].read_bytes()
    site.on("/map.zip", good(good_one))
    site.on("/cut.zip", status(404))
    typed_ = ["--url", site.address("/cut.zip"), "--url", site.address("/map.zip")]
    assert typed("fetch", study, *typed_) == cli.SOME_REPORTS_FAILED
    assert "Downloaded: map.zip" in typed.said and "To be got by hand" in typed.said
    assert [spec.file.name for spec in load_study(study, complete=False).sources] == ["map.zip"]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    typed: Typed, study: Path, site: Site, publications: Publications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "fetch_many", partial(download.fetch_many, sleep=lambda _: None))
    data = publications.files["registered_map"][0].read_bytes()
    site.on("/map.zip", cut(data, len(data) // 2, ETag='"one"'), good(data))
    assert typed("fetch", study, "--url", site.address("/map.zip")) == cli.DONE
    assert "Downloaded: map.zip" in typed.said and len(site.visits) == 2


def test_without_addresses_what_is_needed_is_asked_for_and_what_is_there_is_not(
    typed: Typed, study: Path, downloads: Path, publications: Publications, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[catalogue.Edition] = []

    def note(wanted: list[catalogue.Edition], *_: Any, **__: Any) -> download.Fetches:
        asked.extend(wanted)
        return download.Fetches()

    monkeypatch.setattr(download, "fetch_many", note)
    shutil.copyfile(publications.files["registered_quinary"][0], downloads / "ages.zip")
    assert typed("fetch", study) == cli.DONE
    assert {edition.publication for edition in asked} >= {"gpad"}
    assert "registered_quinary" not in {edition.publication for edition in asked}
    assert all(edition.address for edition in asked if edition.publication == "registered_all")
    assert "There was nothing to download." in typed.said
    assert (study.parent / "data" / "raw" / "ages.zip").is_file(), "what lay there is taken in all the same"


def test_an_address_that_is_none_is_said(typed: Typed, study: Path) -> None:
    assert typed("fetch", study, "--url", "www.example.org") == cli.SOME_REPORTS_FAILED
    assert "To be got by hand" in typed.said and "www.example.org" in typed.said
