"""What a study needs of the publications: found whatever it is called, named in the study, and nothing damaged."""

from __future__ import annotations

import os
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gpvar import catalogue, words
from gpvar.errors import SourceError, StudyError
from gpvar.sources import looking, needs, reference
from gpvar.sources._needs import State
from gpvar.sources.looking import look
from gpvar.sources.taking import take, taken_before
from gpvar.sources.taking.study_file import BEGIN, END
from gpvar.study import Study, load_study
from tests import official_files as made

STUDY = """\
schema = 1
title = "Access in Ashenby"
declared = 2026-07-14
period = "2026-01..2026-06"
metrics = ["same_day_share"]

[area]
kind = "list"
practices = ["A81001"]

[adjust]   # a remark of mine
M1 = ["age_sex", "imd2025"]
M2 = []
"""
MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@pytest.fixture(autouse=True)
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder Downloads of somebody who is not the person that runs the tests."""
    folder = tmp_path / "home" / "Downloads"
    folder.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a study, with a space and an accent in its name."""
    path = tmp_path / "my stüdy"
    path.mkdir()
    (path / "study.toml").write_text(STUDY, encoding="utf-8", newline="\n")
    return path


def study(folder: Path, **changes: str) -> Study:
    """The study of a folder, some of whose texts are changed first."""
    path = folder / "study.toml"
    text = path.read_bytes().decode("utf-8")
    for old, new in changes.items():
        assert STUDY_LINES[old] in text
        text = text.replace(STUDY_LINES[old], new)
    path.write_bytes(text.encode("utf-8"))
    return load_study(path, complete=False)


STUDY_LINES = {
    "metrics": 'metrics = ["same_day_share"]',
    "m1": 'M1 = ["age_sex", "imd2025"]',
    "m2": "M2 = []",
    "period": 'period = "2026-01..2026-06"',
    "adjust": '[adjust]   # a remark of mine\nM1 = ["age_sex", "imd2025"]\nM2 = []\n',
}


def found(one: Study, *look_in: Path) -> tuple[State, ...]:
    return needs.states(one, [*look_in, *needs.usual_folders(one.folder)])


def state_of(states: Sequence[State], publication: str, monthly: bool | None = None) -> State:
    (only,) = (
        state
        for state in states
        if state.need.publication == publication and monthly in (None, state.need.monthly and state.need.optional)
    )
    return only


def said(one: Study, *look_in: Path) -> str:
    folders = [*look_in, *needs.usual_folders(one.folder)]
    return words.sources_needed(one, needs.states(one, folders), folders)


def taken(folder: Path) -> tuple[Path, ...]:
    one = load_study(folder / "study.toml", complete=False)
    return take(one, found(one))


def sources_in(folder: Path) -> dict[str, list[str]]:
    content = tomllib.loads((folder / "study.toml").read_bytes().decode("utf-8").removeprefix("\ufeff"))
    return {item["id"]: [item["file"]] if isinstance(item["file"], str) else item["file"] for item in content["source"]}


def linked(path: Path, target: Path) -> None:
    """Make a link, where this computer lets tests do so."""
    try:
        path.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("links cannot be made here")


# --- small files of each publication ---------------------------------------------------------------------------------


def crosstab(month: str) -> bytes:
    card = catalogue.layouts()["gpad_crosstab"]
    row = f"{month}-01,A81001,Mill,TPP,U1,Net,00L,Place,GP,Telephone,Unmapped,Same Day,5,Attended"
    return f"{','.join(card.columns)}\r\n{row}\r\n".encode()


def gpad(folder: Path, *months: str, name: str = "") -> Path:
    """A zip of the appointments of some months, with its mapping."""
    names = [f"Practice_Level_Crosstab_{_NAMES[int(month[5:]) - 1]}_{month[2:4]}" for month in months]
    path = folder / (name or f"{names[-1]}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for month, member in zip(months, names, strict=True):
            archive.writestr(f"{member}.csv", crosstab(month))
        heads = catalogue.layouts()["gpad_mapping"].columns
        archive.writestr("Mapping.csv", f"{','.join(heads)}\r\nA81001,Mill,TPP,U1,Net,00L,Place,QHM,Board,Y63,NE\r\n")
    return path


def quinary(folder: Path, date: str = "2026-07-01", name: str = "gp-reg-pat-prac-quin-age.csv") -> Path:
    rows = [("P", date, "GP", "A81001", "", "", "ALL", "ALL", 5000)]
    return made.write(folder / name, "registered_quinary", rows)


def mapping(folder: Path, date: str = "01Jul2026", name: str = "gp-reg-pat-prac-map.csv") -> Path:
    return made.write(folder / name, "registered_map", [made.map_row("A81001", EXTRACT_DATE=date)])


def totals(folder: Path, month: str, name: str = "") -> Path:
    rows = [("P", f"{month}-01", "GP", "00L", "E38", "A81001", "NE1", "ALL", "ALL", 5000)]
    return made.write(folder / (name or f"gp-reg-pat-prac-all-{month}.csv"), "registered_all", rows)


def deprivation(folder: Path, name: str = "indicators.csv", number: str = "94240") -> Path:
    made.fingertips(folder / name, [(number, "Deprivation score", "A81001", "GPs", "20.5")])
    return folder / name


def everything(folder: Path) -> list[Path]:
    return [
        gpad(folder, *MONTHS[:3]),
        gpad(folder, *MONTHS[3:]),
        quinary(folder),
        *(totals(folder, month) for month in MONTHS),
        mapping(folder),
        deprivation(folder),
    ]


# --- what is needed --------------------------------------------------------------------------------------------------


def test_nothing_is_there_and_each_publication_is_named_with_its_page(folder: Path) -> None:
    one = study(folder)
    states = found(one)
    assert [state.need.publication for state in states] == [
        "gpad",
        "registered_quinary",
        "registered_all",
        "registered_map",
        "fingertips_imd2025",
    ]
    assert {state.state for state in states} == {"missing"}
    for state in states:
        assert state.get and all(edition.page.startswith("https://") and edition.link_text for edition in state.get)
    text = said(one)
    assert text.count("NOT HERE: ") == 5 and "OPTIONAL, NOT HERE: Patients Registered" in text
    assert "0 of the 4 that are needed are here." in text
    assert "For January 2026 to March 2026 open https://digital.nhs.uk/" in text
    assert "--take" not in text, "there is nothing to take"


def test_the_rungs_of_the_study_decide_which_characteristics_are_needed(folder: Path) -> None:
    without = study(folder, m1="M1 = []")
    publications = [state.need.publication for state in found(without)]
    assert "fingertips_imd2025" not in publications
    assert not any(state.need.characteristics for state in found(without))


def test_a_rung_that_the_study_leaves_out_is_that_of_the_cards(folder: Path) -> None:
    card = catalogue.metric("same_day_share").adjust
    one = study(folder, m2="")
    assert characteristics(one) == {"age_sex", "imd2025", *card["M2"]}
    content = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))
    assert characteristics(load_study(content | {"adjust": {}}, folder, complete=False)) == {*card["M1"], *card["M2"]}


def characteristics(one: Study) -> set[str]:
    return {name for state in found(one) for name in state.need.characteristics}


def test_a_characteristic_that_no_publication_holds_is_asked_of_the_person(folder: Path) -> None:
    one = study(folder, m1='M1 = ["ethnicity"]', m2='M2 = ["list_turnover"]')
    text = said(one)
    for title in ("Census 2021", "A table of the user's own"):
        assert f"NOT HERE: {title}" in text
    assert text.count("gpvar reads no publication that holds it: name a table of your own, or leave it out") == 2


def test_advice_and_guidance_is_asked_of_the_board(folder: Path) -> None:
    one = study(folder, metrics='metrics = ["ag_requests_per_1000"]')
    states = found(one)
    assert states[0].state == "ask the board" and not states[0].get
    text = said(one)
    assert "ASK YOUR BOARD: Advice and guidance extract" in text and "template ag_extract" in text
    assert "Appointments" not in text


def test_a_rate_of_an_own_table_still_needs_the_lists(folder: Path) -> None:
    own = '[[source]]\nid = "ours"\nfile = "ours.csv"\n[source.columns]\npractice_code = "code"\n'
    own += '"appointments_per_1000.numerator" = "all"\n'
    with (folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write(own)
    one = study(folder, metrics='metrics = ["appointments_per_1000"]', m1="M1 = []")
    assert [state.need.publication for state in found(one)] == ["registered_quinary", "registered_map"]
    assert state_of(found(one), "registered_quinary").need.lists


def test_what_an_own_table_holds_is_not_asked_for(folder: Path) -> None:
    own = '[[source]]\nid = "ours"\nfile = "ours.csv"\n[source.columns]\npractice_code = "code"\nicb_code = "board"\n'
    own += 'imd2025 = "score"\nage_sex = ["old", "young"]\nlist_size = "list"\n'
    own += '"same_day_share.numerator" = "same day"\n"same_day_share.denominator" = "all"\n'
    with (folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write(own)
    one = study(folder)
    assert found(one) == ()
    assert said(one) == "This study needs no publication: its own files hold everything that it asks for."


def test_lists_of_every_month_are_not_asked_for_of_a_single_month(folder: Path) -> None:
    one = study(folder, period='period = "2026-06"')
    assert [state.need.publication for state in found(one)].count("registered_all") == 0


# --- what is there ---------------------------------------------------------------------------------------------------


def test_everything_is_found_in_downloads_whatever_it_is_called(folder: Path, downloads: Path) -> None:
    paths = everything(downloads)
    for place, path in enumerate(paths):
        path.rename(downloads / f"download ({place}){path.suffix}")
    states = found(study(folder))
    assert {state.state for state in states} == {"there"} and not any(state.named for state in states)
    text = said(study(folder))
    assert "4 of the 4 that are needed are here." in text
    assert f'python run.py sources "{folder}" --take' in text, "a folder with a space is typed between quotation marks"
    assert text.count("Not yet in the study.") == 5


def test_files_are_found_beside_the_study_and_in_its_folder_of_data(folder: Path) -> None:
    (folder / "data" / "raw").mkdir(parents=True)
    quinary(folder)
    mapping(folder / "data" / "raw")
    states = found(study(folder))
    assert state_of(states, "registered_quinary").state == "there"
    assert state_of(states, "registered_map").state == "there"


def test_a_folder_to_look_in_goes_first(folder: Path, downloads: Path, tmp_path: Path) -> None:
    mapping(downloads)
    other = tmp_path / "stick"
    other.mkdir()
    copy = mapping(other)
    assert state_of(found(study(folder), other), "registered_map").files[0].path == copy
    assert str(other) in said(study(folder), other)


def test_folders_below_and_other_files_are_passed_over(downloads: Path) -> None:
    (downloads / "old").mkdir()
    mapping(downloads / "old")
    (downloads / "holiday.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (downloads / "map.csv.crdownload").write_bytes(mapping(downloads).read_bytes())
    assert [item.path.name for item in look([downloads, downloads / "nowhere"])] == ["gp-reg-pat-prac-map.csv"]


def test_a_file_that_is_gone_by_the_time_it_is_looked_at_is_passed_over(
    downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked(downloads / "finished.csv", downloads / "gone.csv")
    mapping(downloads)
    assert len(look([downloads])) == 1


def test_a_copy_of_the_browser_is_the_same_file(folder: Path, downloads: Path) -> None:
    first = mapping(downloads)
    shutil.copyfile(first, downloads / "gp-reg-pat-prac-map (1).csv")
    (only,) = state_of(found(study(folder)), "registered_map").files
    assert only.path == first


def test_two_editions_of_one_name_are_told_apart_and_the_nearer_is_used(folder: Path, downloads: Path) -> None:
    mapping(downloads, "01Jul2024")
    near = mapping(downloads, "01Mar2026", "gp-reg-pat-prac-map (1).csv")
    (only,) = state_of(found(study(folder)), "registered_map").files
    assert only.path == near and only.editions == ("2026-03",)


def test_an_old_edition_is_said_to_be_old_with_the_one_to_get(folder: Path, downloads: Path) -> None:
    quinary(downloads, "2021-01-01")
    state = state_of(found(study(folder)), "registered_quinary")
    assert (state.state, state.apart) == ("old", 60) and state.get
    text = said(study(folder))
    assert "OLD: Patients Registered at a GP Practice (age groups)" in text
    assert "It is 60 months from the study's period; a nearer one is better." in text


def test_the_other_index_of_deprivation_does_not_serve(folder: Path, downloads: Path) -> None:
    deprivation(downloads, number="93553")
    assert state_of(found(study(folder)), "fingertips_imd2025").state == "missing"


def test_months_that_are_missing_are_named_with_where_to_get_them(folder: Path, downloads: Path) -> None:
    gpad(downloads, *MONTHS[:3])
    gpad(downloads, MONTHS[4], name="May.zip")
    state = state_of(found(study(folder)), "gpad")
    assert state.state == "partly" and state.months_missing == ("2026-04", "2026-06")
    assert {month for edition in state.get for month in (edition.first_month, edition.last_month)} >= {"2026-06"}
    assert "Still missing: April 2026 and June 2026." in said(study(folder))


def test_appointments_of_other_months_do_not_serve(folder: Path, downloads: Path) -> None:
    gpad(downloads, "2025-10", "2025-11", name="autumn.zip")
    assert state_of(found(study(folder)), "gpad").state == "missing"


def test_fewest_files_are_used_where_publications_overlap(folder: Path, downloads: Path) -> None:
    for last in range(2, 6):
        gpad(downloads, *MONTHS[last - 2 : last + 1])
    state = state_of(found(study(folder)), "gpad")
    names = [item.path.name for item in state.files]
    assert names == ["Practice_Level_Crosstab_Mar_26.zip", "Practice_Level_Crosstab_Jun_26.zip"] and not state.overlap


def test_no_edition_is_asked_for_whose_months_another_holds_that_must_be_got_anyway() -> None:
    known = [edition for edition in catalogue.editions() if edition.publication == "gpad" and edition.address]
    last = {edition.last_month for edition in known}
    # February 2026 can be fetched and March cannot, which holds January and February too.
    assert "2026-02" in last and "2026-03" not in last
    wanted = catalogue.editions_covering("gpad", ["2026-01", "2026-02", "2026-03"])
    assert [edition.edition for edition in wanted] == ["2026-03"]


def test_of_two_publications_of_all_months_the_later_is_used(folder: Path, downloads: Path) -> None:
    gpad(downloads, *MONTHS[3:])
    gpad(downloads, *MONTHS[4:], "2026-07")
    state = state_of(found(study(folder, period='period = "2026-05..2026-06"')), "gpad")
    assert [item.path.name for item in state.files] == ["Practice_Level_Crosstab_Jul_26.zip"] and not state.overlap


def test_a_month_in_two_halves_needs_both(folder: Path, downloads: Path) -> None:
    for half in ("London_East_South", "Midlands_North"):
        (downloads / f"Practice_Level_Crosstab_{half}_Mar_26.csv").write_bytes(crosstab("2026-03") + half.encode())
    state = state_of(found(study(folder, period='period = "2026-03"')), "gpad")
    assert len(state.files) == 2


def test_a_practices_own_download_is_not_taken_for_the_publication(folder: Path, downloads: Path) -> None:
    (downloads / "mine.csv").write_bytes(crosstab("2026-03"))
    one = study(folder, period='period = "2026-03"')
    assert state_of(found(one), "gpad").state == "missing"
    gpad(downloads, "2026-03")
    assert [item.path.name for item in state_of(found(one), "gpad").files] == ["Practice_Level_Crosstab_Mar_26.zip"]
    assert "mine.csv" not in [path.name for path in taken(folder)]


# --- what cannot be read ---------------------------------------------------------------------------------------------


def test_a_broken_official_file_is_named_with_its_reason_and_a_stranger_s_is_not(folder: Path, downloads: Path) -> None:
    whole = gpad(downloads, *MONTHS[:3])
    (downloads / "Practice_Level_Crosstab_Jun_26 (1).zip").write_bytes(whole.read_bytes()[:200])
    (downloads / "holiday.zip").write_bytes(whole.read_bytes()[:200])
    whole.unlink()
    state = state_of(found(study(folder)), "gpad")
    assert state.state == "unreadable" and len(state.broken) == 1
    text = said(study(folder))
    assert "CANNOT BE READ: Appointments in General Practice" in text and "cut short or damaged" in text
    assert "holiday" not in text


def test_a_sign_in_page_saved_as_the_file_is_named(folder: Path, downloads: Path) -> None:
    (downloads / "gp-reg-pat-prac-map.zip").write_text("<!DOCTYPE html><title>Sign in</title>", encoding="utf-8")
    assert state_of(found(study(folder)), "registered_map").state == "unreadable"
    assert "This is a web page" in said(study(folder))


def test_two_empty_files_are_each_named_with_their_publication(folder: Path, downloads: Path) -> None:
    for name in ("gp-reg-pat-prac-map.zip", "gp-reg-pat-prac-quin-age.zip"):
        (downloads / name).touch()
    states = found(study(folder))
    assert state_of(states, "registered_map").state == "unreadable"
    assert state_of(states, "registered_quinary").state == "unreadable"


def test_a_broken_download_beside_a_good_one_is_nobody_s_business(folder: Path, downloads: Path) -> None:
    mapping(downloads)
    (downloads / "gp-reg-pat-prac-map (1).zip").touch()
    state = state_of(found(study(folder)), "registered_map")
    assert state.state == "there" and state.broken == ()


def test_a_file_that_another_program_holds_is_named(
    folder: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = mapping(downloads, name="gp-reg-pat-prac-map.csv")
    real = Path.open

    def open_(self: Path, *arguments: Any, **more: Any) -> Any:
        if self == locked:
            raise PermissionError(13, "Permission denied")
        return real(self, *arguments, **more)

    monkeypatch.setattr(Path, "open", open_)
    state = state_of(found(study(folder)), "registered_map")
    assert state.state == "unreadable"
    assert "another program holds it" in said(study(folder))


@pytest.mark.parametrize("publication", [card.id for card in catalogue.publications().values() if card.file_like])
def test_files_as_they_are_published_are_known_by_their_names(publication: str) -> None:
    card = catalogue.publications()[publication]
    for edition in catalogue.editions():
        if edition.publication == publication and edition.file:
            for name in (edition.file, edition.saved_as, edition.file.replace("_", "%20"), f"{edition.file} (2).zip"):
                assert looking.is_called_like(Path(name), card.file_like), name
    assert not looking.is_called_like(Path("holiday.zip"), card.file_like)


# --- what the study names itself -------------------------------------------------------------------------------------


def add_source(folder: Path, name: str, *files: str, before: bool = False) -> None:
    """Add a source of one's own to the study file."""
    path = folder / "study.toml"
    value = str(list(files)) if len(files) != 1 else f"'{files[0]}'"
    text = path.read_text(encoding="utf-8")
    lines = f"\n# mine\n[[source]]\nid = '{name}'\nfile = {value}\n"
    at = text.index(BEGIN) if before else len(text)
    path.write_text(f"{text[:at]}{lines}\n{text[at:]}", encoding="utf-8", newline="\n")


def test_files_that_the_study_names_are_known_wherever_they_lie(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    path = mapping(tmp_path / "stick", name="strange.txt")
    add_source(folder, "registered_patients", str(path))
    state = state_of(found(study(folder)), "registered_map")
    assert state.state == "there" and state.named
    assert "Not yet in the study" not in words.gathering._not_named(state)


def test_paths_as_windows_writes_them_are_those_of_the_same_files(folder: Path) -> None:
    (folder / "data" / "raw").mkdir(parents=True)
    mapping(folder / "data" / "raw")
    quinary(folder / "data" / "raw")
    names = [r"data\raw\gp-reg-pat-prac-map.csv", r".\data\raw\..\raw\gp-reg-pat-prac-quin-age.csv"]
    path = folder / "study.toml"
    text = f"{STUDY}[[source]]\nid = 'registered_patients'\nfile = ['{names[0]}', '{names[1]}']\n"
    path.write_text(text, encoding="utf-8")
    states = found(study(folder))
    assert state_of(states, "registered_map").named and state_of(states, "registered_quinary").named


def test_a_file_that_the_study_names_and_is_not_there_is_said(folder: Path) -> None:
    mapping(folder)
    add_source(folder, "registered_patients", "gp-reg-pat-prac-mpa.csv")
    text = said(study(folder))
    assert "gp-reg-pat-prac-mpa.csv" in text and "The data file is not there." in text
    assert "Did you mean gp-reg-pat-prac-map.csv?" in text


def test_a_file_that_the_study_names_and_is_no_official_one_is_said(folder: Path) -> None:
    (folder / "ours.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    add_source(folder, "gpad", "ours.csv")
    state = state_of(found(study(folder)), "gpad")
    assert state.state == "unreadable" and "no official file" in said(study(folder))


def test_a_file_under_the_wrong_publication_is_told_the_right_one(folder: Path) -> None:
    mapping(folder)
    add_source(folder, "gpad", "gp-reg-pat-prac-map.csv")
    state = state_of(found(study(folder)), "registered_map")
    assert state.named_as == ("gpad",) and not state.named
    text = said(study(folder))
    assert 'The study names it under id = "gpad"; it belongs under [[source]] with id = "registered_patients".' in text


def test_files_beside_those_that_the_study_names_itself_are_to_be_added_by_hand(folder: Path, downloads: Path) -> None:
    quinary(folder)
    mapping(downloads)
    add_source(folder, "registered_patients", "gp-reg-pat-prac-quin-age.csv")
    text = said(study(folder))
    assert 'add it to file = [...] under your own [[source]] with id = "registered_patients"' in text
    assert "--take" not in text, "gpvar leaves a person's own lines alone"


def test_an_england_reference_file_leaves_only_what_it_lacks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = SimpleNamespace(editions={"gpad": "2026-06", "imd": "2025-10"})
    monkeypatch.setattr(reference, "describe", lambda _: held)
    add_source(folder, "england_reference", "england.zip")
    assert {state.need.source for state in found(study(folder))} == {"registered_patients"}


# --- taking files in -------------------------------------------------------------------------------------------------


def test_what_was_found_is_copied_and_named(folder: Path, downloads: Path) -> None:
    paths = everything(downloads)
    files = taken(folder)
    assert {file.name for file in files} == {path.name for path in paths}
    assert all(file.parent == folder.resolve() / "data" / "raw" and file.is_file() for file in files)
    assert list(sources_in(folder)) == ["gpad", "registered_patients", "imd"]
    named = [name for several in sources_in(folder).values() for name in several]
    assert all(name.startswith("data/raw/") and (folder / name).is_file() for name in named)
    assert all(path.is_file() for path in paths), "what was downloaded stays where it is"
    states = found(study(folder))
    assert {state.state for state in states} == {"there"} and all(state.named for state in states)
    assert "Not yet in the study" not in said(study(folder)) and "--take" not in said(study(folder))


def test_twice_is_the_same(folder: Path, downloads: Path) -> None:
    everything(downloads)
    first = taken(folder)
    text, kept = (folder / "study.toml").read_bytes(), sorted((folder / "data" / "raw").iterdir())
    assert taken(folder) == first
    assert (folder / "study.toml").read_bytes() == text and sorted((folder / "data" / "raw").iterdir()) == kept


def with_ends(text: str, ends: str) -> bytes:
    return text.replace("\n", ends).encode("utf-8")


ODD = {
    "plain": STUDY.encode(),
    "windows": with_ends(STUDY, "\r\n"),
    "mixed": with_ends(STUDY[:80], "\r\n") + STUDY[80:].encode(),
    "marked": b"\xef\xbb\xbf" + with_ends(STUDY, "\r\n"),
    "no last line end": STUDY.rstrip().encode(),
    "many last lines": (STUDY + "\n\n\n# the end   \n\n").encode(),
    "accents": STUDY.replace("Ashenby", "Äshenby – “é”").encode(),
}


@pytest.mark.parametrize("form", ODD)
def test_everything_that_was_in_the_study_file_stays_byte_for_byte(folder: Path, downloads: Path, form: str) -> None:
    path = folder / "study.toml"
    path.write_bytes(ODD[form])
    mapping(downloads)
    before = load_study(path, complete=False)
    taken(folder)
    after = path.read_bytes()
    assert after.startswith(ODD[form])
    added = after[len(ODD[form]) :]
    assert (b"\r\n" in added) == (b"\r\n" in ODD[form]) and added.count(b"\n") >= added.count(b"\r\n")
    assert load_study(path, complete=False).title == before.title
    taken(folder)
    assert path.read_bytes() == after


@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")])
def test_a_study_of_two_byte_letters_stays_one(folder: Path, downloads: Path, encoding: str, mark: bytes) -> None:
    raw = mark + with_ends(STUDY, "\r\n").decode().encode(encoding)
    (folder / "study.toml").write_bytes(raw)
    mapping(downloads)
    assert len(taken(folder)) == 1 and len(taken(folder)) == 1
    assert (folder / "study.toml").read_bytes().startswith(raw)
    assert load_study(folder, complete=False).sources[0].id == "registered_patients"


def test_sources_and_remarks_of_one_s_own_stay_above_and_below(folder: Path, downloads: Path) -> None:
    mapping(downloads)
    own = '[[source]]   # ours\nid = "ours"\nfile = "ours.csv"\n[source.columns]\npractice_code = "code"\n'
    path = folder / "study.toml"
    path.write_text(f"{STUDY}\n{own}imd2025 = 'score'  # from the board\n", encoding="utf-8", newline="\n")
    above = path.read_bytes()
    taken(folder)
    below = '\n# below\n[[source]]\nid = "more"\nfile = "more.csv"\n[source.columns]\npractice_code = "c"\n'
    below += 'rurality = "setting"\n[reports]\nkinds = ["area"]\n'
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(below)
    quinary(downloads)
    assert len(taken(folder)) == 2
    after = path.read_bytes()
    assert after.startswith(above) and after.endswith(below.encode())
    one = load_study(path, complete=False)
    assert [spec.id for spec in one.sources] == ["ours", "registered_patients", "more"]
    assert one.reports.kinds == ("area",)


def test_a_source_of_one_s_own_of_the_same_publication_is_left_alone(folder: Path, downloads: Path) -> None:
    quinary(folder)
    mapping(downloads)
    gpad(downloads, *MONTHS[:3])
    add_source(folder, "registered_patients", "gp-reg-pat-prac-quin-age.csv")
    above = (folder / "study.toml").read_bytes()
    assert [file.name for file in taken(folder)] == ["Practice_Level_Crosstab_Mar_26.zip"]
    assert (folder / "study.toml").read_bytes().startswith(above)
    assert sources_in(folder)["registered_patients"] == ["gp-reg-pat-prac-quin-age.csv"]


def test_a_source_of_the_same_publication_added_below_goes_before_the_lines_of_gpvar(
    folder: Path, downloads: Path
) -> None:
    mapping(downloads)
    gpad(downloads, *MONTHS[:3])
    taken(folder)
    path = folder / "study.toml"
    text = path.read_text(encoding="utf-8")
    # A person takes the lines out of the block and writes their own below it.
    block = text[text.index('[[source]]\nid   = "registered') : text.index(END)]
    path.write_text(text.replace(block, ""), encoding="utf-8")
    quinary(folder)
    add_source(folder, "registered_patients", "gp-reg-pat-prac-quin-age.csv")
    taken(folder)
    assert sources_in(folder)["registered_patients"] == ["gp-reg-pat-prac-quin-age.csv"]
    assert taken_before(study(folder)) == {folder / "data" / "raw" / "Practice_Level_Crosstab_Mar_26.zip"}


def test_an_edition_chosen_in_the_lines_of_gpvar_stays_chosen(folder: Path, downloads: Path) -> None:
    for last in (2, 4, 5):
        gpad(downloads, *MONTHS[last - 2 : last + 1])
    (downloads / "Practice_Level_Crosstab_Jun_26.zip").unlink()
    taken(folder)
    path = folder / "study.toml"
    assert 'edition = "latest"' in path.read_text(encoding="utf-8"), "March is in both, and corrections come later"
    path.write_text(path.read_text(encoding="utf-8").replace('"latest"', '"2026-03"'), encoding="utf-8")
    taken(folder)
    assert load_study(path, complete=False).sources[0].edition == "2026-03"


def test_files_that_do_not_overlap_need_no_edition(folder: Path, downloads: Path) -> None:
    everything(downloads)
    taken(folder)
    assert "edition" not in (folder / "study.toml").read_text(encoding="utf-8")


def test_a_file_of_the_same_name_with_other_content_is_kept_beside_the_first(folder: Path, downloads: Path) -> None:
    raw = folder / "data" / "raw"
    raw.mkdir(parents=True)
    (raw / "gp-reg-pat-prac-map.csv").write_text("something else", encoding="utf-8")
    mapping(downloads)
    (only,) = taken(folder)
    assert only.name == "gp-reg-pat-prac-map-2.csv"
    assert (raw / "gp-reg-pat-prac-map.csv").read_text(encoding="utf-8") == "something else"
    assert taken(folder) == (only,)


def test_a_folder_of_that_name_is_no_place_for_a_file(folder: Path, downloads: Path) -> None:
    (folder / "data" / "raw" / "gp-reg-pat-prac-map.csv").mkdir(parents=True)
    mapping(downloads)
    assert [file.name for file in taken(folder)] == ["gp-reg-pat-prac-map-2.csv"]


def test_a_file_in_the_study_s_own_folder_is_named_where_it_lies(folder: Path) -> None:
    mapping(folder)
    assert taken(folder) == ((folder / "gp-reg-pat-prac-map.csv").resolve(),)
    assert sources_in(folder) == {"registered_patients": ["gp-reg-pat-prac-map.csv"]}
    assert not (folder / "data").exists()


def test_accents_and_spaces_in_names_come_back(folder: Path) -> None:
    mapping(folder, name="Karte der Praxen – Jülï 'neu'.csv")
    taken(folder)
    (spec,) = study(folder).sources
    assert spec.file.is_file() and state_of(found(study(folder)), "registered_map").named


def test_what_is_still_missing_is_said_after_taking(folder: Path, downloads: Path) -> None:
    gpad(downloads, *MONTHS[:3])
    files = taken(folder)
    one = study(folder)
    text = words.taken_in(files, found(one), one)
    assert text.splitlines()[-2:] == [
        "Still to be got before the study can be checked: Appointments in General Practice (April 2026 to June 2026).",
        f'python run.py sources "{folder}"   says where',
    ]
    gpad(downloads, *MONTHS[3:])
    files = taken(folder)
    one = study(folder)
    text = words.taken_in(files, found(one), one)
    assert "so not allowed for: Patients Registered" in text and "Deprivation score" in text
    assert text.endswith(f'Next: python run.py check "{folder}"')


def test_nothing_found_changes_nothing(folder: Path) -> None:
    before = (folder / "study.toml").read_bytes()
    assert taken(folder) == ()
    assert (folder / "study.toml").read_bytes() == before and not (folder / "data").exists()
    assert words.taken_in((), found(study(folder)), study(folder)).startswith("Nothing was taken in")


def test_a_named_file_that_cannot_be_read_today_stays_named(folder: Path, downloads: Path) -> None:
    mapping(downloads)
    gpad(downloads, *MONTHS[:3])
    taken(folder)
    kept = folder / "data" / "raw" / "gp-reg-pat-prac-map.csv"
    kept.write_bytes(kept.read_bytes()[:0])
    (downloads / "gp-reg-pat-prac-map.csv").unlink()
    taken(folder)
    assert sources_in(folder)["registered_patients"] == ["data/raw/gp-reg-pat-prac-map.csv"]
    assert "The file is empty" in said(study(folder))


def test_a_named_file_that_cannot_be_read_is_replaced_by_one_that_can(folder: Path, downloads: Path) -> None:
    mapping(downloads)
    taken(folder)
    kept = folder / "data" / "raw" / "gp-reg-pat-prac-map.csv"
    kept.write_bytes(b"")
    assert "The file is empty" in said(study(folder)), "the study names it, though another would serve"
    taken(folder)
    assert sources_in(folder)["registered_patients"] == ["data/raw/gp-reg-pat-prac-map-2.csv"]


def test_a_study_that_asks_for_less_names_less(folder: Path, downloads: Path) -> None:
    everything(downloads)
    taken(folder)
    study(folder, m1="M1 = []")
    taken(folder)
    assert list(sources_in(folder)) == ["gpad", "registered_patients"]


# --- a study file that cannot be written to --------------------------------------------------------------------------


def refused(folder: Path) -> StudyError:
    before = (folder / "study.toml").read_bytes()
    with pytest.raises(StudyError) as caught:
        taken(folder)
    assert (folder / "study.toml").read_bytes() == before
    assert sorted(item.name for item in folder.iterdir() if item.is_file()) == ["study.toml"], "no half-written file"
    assert len(str(caught.value).splitlines()) == 3
    return caught.value


@pytest.mark.parametrize(
    "own",
    [
        'source = [{id = "ours", file = "o.csv", columns = {practice_code = "c", imd2025 = "s"}}]\n',
        '[source]\nid = "ours"\nfile = "o.csv"\n[source.columns]\npractice_code = "c"\nimd2025 = "s"\n',
    ],
)
def test_sources_written_in_another_way_cannot_be_added_to(folder: Path, downloads: Path, own: str) -> None:
    mapping(downloads)
    text = own + STUDY if own.startswith("source") else STUDY + own
    (folder / "study.toml").write_text(text, encoding="utf-8")
    error = refused(folder)
    assert "cannot be added to" in error.problem and "[[source]]" in error.fix


def test_lines_of_gpvar_whose_end_is_gone_are_not_touched(folder: Path, downloads: Path) -> None:
    mapping(downloads)
    taken(folder)
    path = folder / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(END, "# mine"), encoding="utf-8")
    error = refused(folder)
    assert "have no end" in error.problem and error.fix.endswith(END)
    line = int(error.where.rpartition(" ")[2])
    assert path.read_text(encoding="utf-8").splitlines()[line - 1] == BEGIN


def test_lines_of_gpvar_that_stand_twice_are_not_touched(folder: Path, downloads: Path) -> None:
    mapping(downloads)
    path = folder / "study.toml"
    path.write_text(f"{STUDY}{BEGIN}\n{END}\n{BEGIN}\n{END}\n", encoding="utf-8")
    assert "begin twice" in refused(folder).problem


@pytest.mark.parametrize("step", ["replace", "write_bytes"])
def test_a_study_file_that_another_program_holds_stays_as_it_was(
    folder: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    mapping(downloads)
    real: Callable[..., Any] = getattr(Path, step)

    def held(self: Path, *arguments: Any) -> Any:
        if self.name.startswith("study.toml"):
            raise PermissionError(13, "Permission denied")
        return real(self, *arguments)

    monkeypatch.setattr(Path, step, held)
    error = refused(folder)
    assert "could not be written" in error.problem and "Close it in any other program" in error.fix


def test_a_read_only_study_file_is_not_replaced(folder: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping(downloads)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "read-only" in refused(folder).problem


def test_a_study_file_that_is_a_link_is_written_where_it_lies(folder: Path, downloads: Path, tmp_path: Path) -> None:
    mapping(downloads)
    real = tmp_path / "synchronised.toml"
    (folder / "study.toml").rename(real)
    linked(folder / "study.toml", real)
    taken(folder)
    assert (folder / "study.toml").is_symlink() and BEGIN in real.read_text(encoding="utf-8")


def test_a_study_in_a_folder_that_is_a_link_is_the_same_study(folder: Path, downloads: Path, tmp_path: Path) -> None:
    linked(tmp_path / "link", folder)
    mapping(downloads)
    (first,) = taken(tmp_path / "link")
    assert taken(tmp_path / "link") == (first,) == taken(folder)
    assert sources_in(folder) == {"registered_patients": ["data/raw/gp-reg-pat-prac-map.csv"]}
    first.write_bytes(b"")
    (downloads / "gp-reg-pat-prac-map.csv").unlink()
    assert taken(tmp_path / "link") == (first,), "what cannot be read today stays named"


def test_a_full_disk_leaves_the_study_as_it_was(folder: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping(downloads)

    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    error = refused(folder)
    assert "No space left on device" in error.problem and "room on the disk" in error.fix
    assert list((folder / "data" / "raw").iterdir()) == []


# --- what a file was taken for ---------------------------------------------------------------------------------------


def test_what_a_download_was_taken_for_is_said_in_words(tmp_path: Path) -> None:
    path = gpad(tmp_path, *MONTHS[:3])
    assert needs.taken_for(path) == (
        "practice-level appointments, where practices belong, as published with the appointments"
    )
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(SourceError, match="no official file"):
        needs.taken_for(tmp_path / "x.csv")


def test_a_large_folder_is_looked_at_from_its_newest_files(downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_MOST_FILES", 3)
    for place in range(6):
        path = mapping(downloads, name=f"map{place}.csv")
        os.utime(path, (1_700_000_000 + place, 1_700_000_000 + place))
    assert [item.path.name for item in look([downloads])] == ["map3.csv", "map4.csv", "map5.csv"]


def test_files_are_not_read_to_their_end_to_be_found(downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything(downloads)
    monkeypatch.setattr(needs, "fingerprint", lambda path: pytest.fail(f"{path} was read whole"))
    paths = [mapping(downloads), deprivation(downloads)]
    assert len(needs._once([item for item in look([downloads]) if item.path in paths])) == 2
