"""A study of publications: what is joined from which file, what goes before what, and what is said when files lack."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpvar import gates, simulate, tables
from gpvar.errors import SourceError, StudyError
from gpvar.gates.practices import mapping_step
from gpvar.reporting.index import publish_check
from gpvar.simulate.appointments import Crosstab, write_crosstab
from gpvar.simulate.publications import Publications, write_publications
from gpvar.sources._parts import SourceTable, no_counts
from gpvar.sources.official import read
from gpvar.study import SourceSpec, load_study, months_of, parse_period
from gpvar.table import PracticeTable, build_table
from gpvar.table.figures import with_patient_months
from gpvar.table.joining import facts_of, placed
from tests import official_files as official

PERIOD = "2025-10..2026-03"
MONTHS = months_of(parse_period(PERIOD))
_LAYOUTS = ("registered_quinary", "registered_map", "registered_all", "fingertips_api", "qof_prevalence")


@dataclass(frozen=True)
class England:
    """The publications of a small simulated England, and what was planted in its appointments."""

    world: simulate.SimulatedEngland
    made: Publications
    appointments: Crosstab

    def sources(self, *, lists: Sequence[str] = MONTHS, mapped: bool = True) -> dict[str, list[str]]:
        """Files of each publication; lists of some months only, or without the map."""
        totals = dict(zip(MONTHS, self.made.files["registered_all"], strict=False))
        registered = [totals[month] for month in lists] + [self.made.files["registered_quinary"][0]]
        registered += [self.made.files["registered_map"][0]] * mapped
        return {
            "gpad": [str(path) for path in self.appointments.files],
            "registered_patients": [str(path) for path in registered],
            "imd": [str(self.made.files["fingertips_api"][0])],
        }

    @property
    def planted(self) -> dict[str, str]:
        """What was planted → the practice."""
        return {what: code for code, what in self.appointments.planted.items()}


@pytest.fixture(scope="module")
def england(tmp_path_factory: pytest.TempPathFactory) -> England:
    world = simulate.england(practices=300, icbs=4)
    folder = tmp_path_factory.mktemp("publications")
    made = write_publications(folder, world, period=PERIOD, which=_LAYOUTS)
    where = made.truth["registered_map"].drop(columns="date")
    lists = made.truth["registered_quinary"]["patients"].rename("list_size")
    practices = where.join(lists, how="inner").reset_index()
    codes = list(practices["practice_code"])
    appointments = write_crosstab(
        folder,
        practices=practices,
        months=MONTHS,
        rows_per_month=9000,
        plant={codes[10]: "mapping_step", codes[20]: "supplier_change"},
    )
    return England(world, made, appointments)


def declared(sources: dict[str, Any], own: Sequence[dict[str, Any]] = (), **changes: Any) -> dict[str, Any]:
    """A study of some sources."""
    return {
        "schema": 1,
        "title": "Simulated",
        "seed": 1,
        "declared": "2026-04-14",
        "period": PERIOD,
        "simulated": True,
        "metrics": ["same_day_share", "appointments_per_1000"],
        "area": {"kind": "icb", "code": simulate.AREA},
        "adjust": {"M1": ["age_sex", "imd2025"], "M2": []},
        "source": [*own, *({"id": name, "file": files} for name, files in sources.items() if files)],
        **changes,
    }


def built(sources: dict[str, Any], own: Sequence[dict[str, Any]] = (), **changes: Any) -> PracticeTable:
    return build_table(load_study(declared(sources, own, **changes)))


@pytest.fixture(scope="module")
def whole(england: England) -> PracticeTable:
    return built(england.sources())


def gate(table: PracticeTable, name: str, metric: str = "") -> pd.Series:
    """What a gate said of the table as a whole."""
    rows = gates.summary(table.gates)
    rows = rows[(rows["gate"] == name) & rows["metric"].isin(["", metric])]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def failing(table: PracticeTable, name: str) -> dict[str, str]:
    """Practices that fail a gate, and what is said of each."""
    rows = table.gates[(table.gates["gate"] == name) & (table.gates["practice_code"] != "")]
    return dict(zip(rows["practice_code"], rows["detail"], strict=True))


def figures(table: PracticeTable, metric: str) -> pd.DataFrame:
    return table.outcomes[table.outcomes["metric"] == metric].set_index("practice_code")


def as_csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


# --- one owner for each characteristic -------------------------------------------------------------------------------


def source(name: str, facts: dict[str, list[Any]], dates: dict[str, str] | None = None, **more: Any) -> SourceTable:
    """A source that says something of the practices A81001, A81002 …"""
    codes = [f"A8100{place}" for place in range(1, 1 + len(next(iter(facts.values()))))]
    frame = pd.DataFrame(facts, index=pd.Index(codes, name="practice_code"))
    return SourceTable(name, f"{name}.csv", no_counts(), frame, (), dates=dates or {}, **more)


def test_a_characteristic_is_taken_whole_from_the_study_s_own_table_and_never_filled_up() -> None:
    own = source("mine", {"imd2025": [10.0, np.nan]}, {"imd2025": "2024-01"})
    published = source("imd", {"imd2025": [11.0, 12.0], "imd2019": [21.0, 22.0]}, {"imd2025": "2025-10"})
    for tables_ in ([own, published], [published, own]):
        facts, dates = facts_of(tables_)
        assert facts["imd2025"].tolist()[0] == 10 and pd.isna(facts.loc["A81002", "imd2025"])
        assert facts["imd2019"].tolist() == [21, 22], "what the own table does not have comes from the publication"
        assert dates == {"imd2025": "2024-01"}


def test_a_date_goes_with_its_owner_and_is_not_borrowed() -> None:
    own = source("mine", {"imd2025": [10.0]})
    published = source("imd", {"imd2025": [11.0]}, {"imd2025": "2025-10"})
    assert facts_of([published, own])[1] == {}


def test_columns_of_one_characteristic_are_of_one_source() -> None:
    own = source("mine", {"qof_dm.numerator": [1.0]})
    published = source("qof_prevalence", {"qof_dm.numerator": [5.0], "qof_dm.denominator": [50.0]})
    facts, _ = facts_of([own, published])
    assert list(facts) == ["qof_dm.numerator"], "a numerator of one file is never held against another's denominator"


def test_names_that_are_blank_are_filled_from_another_source() -> None:
    first = source("gpad", {"practice_name": ["", "Mill"], "supplier": ["TPP", ""]})
    second = source("registered_patients", {"practice_name": ["Dale", "Other"], "supplier": ["EMIS", "EMIS"]})
    facts, _ = facts_of([first, second])
    assert facts["practice_name"].tolist() == ["Dale", "Mill"]
    assert facts["supplier"].tolist() == ["TPP", "EMIS"]


def test_practices_of_either_source_are_kept() -> None:
    facts, _ = facts_of([source("imd", {"imd2025": [1.0]}), source("nhs_payments", {"rurality": ["Urban", "Rural"]})])
    assert list(facts.index) == ["A81001", "A81002"] and pd.isna(facts.loc["A81002", "imd2025"])


# --- whole rows of places --------------------------------------------------------------------------------------------


def map_of(date: str, *rows: tuple[str, str, str]) -> pd.DataFrame:
    """A map of a date: practice, network, board."""
    frame = pd.DataFrame(rows, columns=["practice_code", "pcn_code", "icb_code"])
    return frame.assign(date=date, sub_icb_code="", region_code="", practice_name=f"as of {date}", pcn_name="")


def facts_with(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.Index(["A81001", "A81002"], name="practice_code"))


def test_the_network_of_one_date_never_stands_beside_the_board_of_another() -> None:
    near = map_of("2026-03-01", ("A81001", "U11111", "QHM"), ("A81002", "", ""))
    far = map_of("2025-04-01", ("A81001", "U22222", "QF7"), ("A81002", "U33333", "QF7"))
    maps = [
        source("gpad", {"x": [0.0, 0.0]}, places=near),
        source("registered_patients", {"x": [0.0, 0.0]}, places=far),
    ]
    found, _ = placed(maps, facts_with(practice_name=["", ""]), dt.date(2026, 3, 31))
    assert found.loc["A81001", ["pcn_code", "icb_code", "map_date"]].tolist() == ["U11111", "QHM", "2026-03-01"]
    assert found.loc["A81002", ["pcn_code", "icb_code", "map_date"]].tolist() == ["U33333", "QF7", "2025-04-01"]
    assert found["practice_name"].tolist() == ["as of 2026-03-01", "as of 2025-04-01"]


def test_boards_of_the_study_s_own_table_go_before_every_map() -> None:
    maps = [source("gpad", {"x": [0.0, 0.0]}, places=map_of("2026-03-01", ("A81001", "U11111", "QF7")))]
    found, not_told = placed(maps, facts_with(icb_code=["QHM", "QHM"], pcn_code=["U9", ""]), dt.date(2026, 3, 31))
    assert found["icb_code"].tolist() == ["QHM", "QHM"] and found["pcn_code"].tolist() == ["U9", ""]
    assert found["map_date"].tolist() == ["", ""] and not_told is None


def test_without_a_board_of_its_own_the_study_s_networks_are_those_of_the_map() -> None:
    maps = [source("gpad", {"x": [0.0, 0.0]}, places=map_of("2026-03-01", ("A81001", "U11111", "QF7")))]
    found, _ = placed(maps, facts_with(pcn_code=["U9", "U9"]), dt.date(2026, 3, 31))
    assert found["pcn_code"].tolist() == ["U11111", ""]


# --- patient-months --------------------------------------------------------------------------------------------------


def rate(numerators: list[float], months: float) -> pd.DataFrame:
    codes = [f"A8100{place}" for place in range(1, 1 + len(numerators))]
    frame = pd.DataFrame({"practice_code": codes, "metric": "appointments_per_1000", "part": "numerator"})
    return frame.assign(value=numerators, low=numerators, high=numerators, hidden=False, months=months)


def lists(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["practice_code", "month", "value"]).assign(name="list_size")


TWO_MONTHS = {"period": "2026-02..2026-03", "metrics": ["appointments_per_1000"]}


def patient_months(monthly: pd.DataFrame, months: float = 2) -> tuple[list[float], tuple[str, ...]]:
    study = load_study(declared({"gpad": ["x.zip"]}, **TWO_MONTHS))
    facts = facts_with(list_size=[1000.0, 2000.0])
    counts, exact = with_patient_months(study, rate([5.0, 6.0], months), facts, monthly, {"appointments_per_1000"})
    return counts.loc[counts["part"] == "denominator", "value"].tolist(), exact


BOTH = [("A81001", "2026-02", 900.0), ("A81001", "2026-03", 950.0), ("A81002", "2026-02", 2100.0)]


def test_the_lists_of_every_month_are_added_up() -> None:
    found = patient_months(lists(*BOTH, ("A81002", "2026-03", 2300.0), ("A81002", "2026-04", 9.0)))
    assert found == ([1850, 4400], ("appointments_per_1000",))


def test_a_practice_without_the_list_of_one_month_falls_back_on_its_list_times_the_months() -> None:
    assert patient_months(lists(*BOTH))[0] == [1850, 4000]


def test_lists_of_some_months_only_are_not_added_up() -> None:
    assert patient_months(lists(BOTH[0], BOTH[2])) == ([2000, 4000], ())


def test_a_figure_of_fewer_months_is_not_held_against_the_lists_of_all() -> None:
    assert patient_months(lists(*BOTH, ("A81002", "2026-03", 2300.0)), months=1)[0] == [1000, 2000]


# --- the table of a simulated England --------------------------------------------------------------------------------


def test_figures_are_those_of_the_appointments_and_lists_of_each_month(england: England, whole: PracticeTable) -> None:
    truth = england.appointments.practices.groupby("practice_code")[["same_day", "total"]].sum()
    share, per_1000 = (
        figures(whole, name).reindex(truth.index) for name in ("same_day_share", "appointments_per_1000")
    )
    assert (share["numerator"] == truth["same_day"]).all() and (share["denominator"] == truth["total"]).all()
    held = england.made.truth["registered_all"]
    added = held[held["month"].isin(MONTHS)].groupby("practice_code")["patients"].sum()
    assert (per_1000["numerator"] == truth["total"]).all()
    assert (per_1000["denominator"] == added.reindex(truth.index)).all()
    mixed = gate(whole, "denominator_mixed", "appointments_per_1000")
    assert "the lists of every month" in mixed["detail"] and mixed["severity"] == "note"


def test_characteristics_are_of_the_dates_of_their_files(whole: PracticeTable) -> None:
    assert whole.dates["imd2025"] == "2025-10" and whole.dates["age_sex"] == "2026-07"
    assert whole.dropped == {}
    shown = tables.check_dates(whole).frame
    assert shown["Of"].tolist() == ["October 2025", "July 2026"]
    assert shown["Beside the figures"].tolist() == ["within the period", "4 months after the period"]


def test_places_are_of_the_map_nearest_to_the_day(england: England, whole: PracticeTable) -> None:
    truth = england.made.truth["registered_map"]
    found = whole.hierarchy.set_index("practice_code")
    assert set(found["map_date"]) == {"2026-03-01"}, "the mapping published with the appointments of March"
    assert (found["icb_code"] == truth["icb_code"].reindex(found.index)).all()
    assert whole.area_name and len(whole.area_codes) == (found["icb_code"] == simulate.AREA).sum()


def test_a_planted_change_of_labels_is_found_with_its_quarter(england: England, whole: PracticeTable) -> None:
    found = failing(whole, "mapping_step")
    said = found[england.planted["mapping_step"]]
    assert said.startswith("General Consultation Acute moved by +") and said.endswith("from January 2026")
    assert len(found) <= 12, "of 300 practices with few appointments, few move so far by chance"
    assert gate(whole, "mapping_step")["state"] == "failed"


def test_labels_of_one_quarter_cannot_be_compared(england: England) -> None:
    sources = england.sources(lists=MONTHS[3:]) | {"gpad": [str(england.appointments.files[1])]}
    table = built(sources, period="2026-01..2026-03")
    assert gate(table, "mapping_step")["state"] == "could not be checked"


def by_quarter(**shares: tuple[float, ...]) -> SimpleNamespace:
    """What the gate sees of practices with 100 appointments a month, a share of them acute in each quarter."""
    rows = [
        (code, month, f"category: {name}", value)
        for code, quarters in shares.items()
        for month, share in zip(MONTHS, np.repeat(quarters, 3), strict=True)
        for name, value in (("Acute", 100 * share), ("Routine", 100 - 100 * share))
        if share >= 0
    ]
    monthly = pd.DataFrame(rows, columns=["practice_code", "month", "name", "value"])
    return SimpleNamespace(study=SimpleNamespace(period=parse_period(PERIOD)), monthly=monthly)


def moved(evidence: Any) -> dict[str, float]:
    (look,) = mapping_step(evidence)
    return {code: value for code, value, _ in look.failed}


def test_a_share_that_moved_by_more_than_the_threshold_is_named_whichever_way_it_moved() -> None:
    found = moved(by_quarter(A81001=(0.3, 0.45), A81002=(0.3, 0.35), A81003=(0.5, 0.2), A81004=(0.3, 0.3)))
    assert found == {"A81001": pytest.approx(15), "A81003": pytest.approx(30)}


def test_a_practice_that_is_in_one_quarter_alone_has_not_moved() -> None:
    assert moved(by_quarter(A81001=(0.3, -1), A81002=(0.2, 0.4))) == {"A81002": pytest.approx(20)}


def test_a_quarter_without_appointments_says_nothing() -> None:
    evidence = by_quarter(A81001=(0.3, 0.9), A81002=(0.3, 0.5))
    empty = (evidence.monthly["practice_code"] == "A81001") & (evidence.monthly["month"] < MONTHS[3])
    evidence.monthly.loc[empty, "value"] = 0
    assert list(moved(evidence)) == ["A81002"]


def test_a_planted_change_of_system_is_found(england: England, whole: PracticeTable) -> None:
    assert failing(whole, "supplier_change") == {england.planted["supplier_change"]: "changed once"}


def test_jumps_of_lists_are_seen_in_the_lists_of_every_month(whole: PracticeTable) -> None:
    assert gate(whole, "merger_or_list_jump")["state"] == "failed"
    assert len(failing(whole, "merger_or_list_jump")) == 1


def test_one_month_of_lists_too_few_and_the_mean_list_stands_for_all(england: England) -> None:
    table = built(england.sources(lists=MONTHS[1:]))
    found = figures(table, "appointments_per_1000")["denominator"]
    held = england.made.truth["registered_all"]
    mean = held[held["month"].isin(MONTHS[1:])].groupby("practice_code")["patients"].mean()
    known = found.dropna().index
    assert found[known].to_numpy() == pytest.approx(6 * mean.reindex(known).to_numpy()) and len(known) == 300
    assert gate(table, "denominator_mixed", "appointments_per_1000")["detail"] == (
        "the list size times the months, not the lists of each month"
    )
    assert any("5 of the 6 months" in remark for remark in table.remarks)


def test_a_list_of_one_date_shows_no_jumps(england: England) -> None:
    table = built(england.sources(lists=()))
    assert gate(table, "merger_or_list_jump")["state"] == "could not be checked"
    assert any("jumps within the period cannot be seen" in remark for remark in table.remarks)


def test_an_own_table_goes_before_the_publications_of_a_study(england: England, tmp_path: Path) -> None:
    codes = sorted(england.made.truth["registered_quinary"].index)
    own = {
        "id": "ours",
        "file": str(as_csv(tmp_path / "ours.csv", [["code", "score"], *([code, 33] for code in codes[:290])])),
        "columns": {"practice_code": "code", "imd2025": "score"},
        "dates": {"imd2025": "2024-06"},
    }
    table = built(england.sources(), [own])
    found = table.practices.set_index("practice_code")["imd2025"].reindex(codes)
    assert (found[:290] == 33).all() and found[290:].isna().all()
    assert table.dates["imd2025"] == "2024-06"
    assert set(codes[290:]) <= set(failing(table, "covariate_missing"))


def test_a_rate_without_any_list_of_patients_says_which_publication_holds_them(england: England) -> None:
    for only in (["gpad"], ["gpad", "registered_patients"]):
        sources = england.sources(lists=())
        sources["registered_patients"] = [str(england.made.files["registered_map"][0])]
        with pytest.raises(StudyError) as caught:
            built({name: sources[name] for name in only})
        assert "registered patients, of which appointments_per_1000 is a rate" in caught.value.problem
        assert "Patients Registered at a GP Practice" in caught.value.fix and "sources" in caught.value.fix


def test_a_study_without_figures_says_which_publication_holds_them(england: England) -> None:
    with pytest.raises(StudyError) as caught:
        built({"imd": england.sources()["imd"]}, metrics=["same_day_share", "dna_share"])
    assert "same_day_share, dna_share" in caught.value.problem
    assert caught.value.fix.count("Appointments in General Practice") == 1


def test_a_study_without_a_source_is_told_what_to_do() -> None:
    with pytest.raises(StudyError, match="names no data file") as caught:
        built({})
    assert "sources STUDY" in caught.value.fix and "--take" in caught.value.fix


def test_characteristics_that_no_file_holds_are_dropped_and_said(england: England) -> None:
    sources = england.sources()
    del sources["imd"]
    table = built(sources, adjust={"M1": ["age_sex", "imd2025"], "M2": ["rurality"]})
    assert table.dropped == {"imd2025": "no source", "rurality": "no source"}


def test_a_study_that_allows_for_nothing_has_no_dates_to_show(england: England, tmp_path: Path) -> None:
    table = built(england.sources(lists=()), adjust={"M1": [], "M2": []})
    page = publish_check(table, table.study, tmp_path).read_text(encoding="utf-8")
    assert "No date is given of any characteristic that is allowed for." in page and "Beside the figures" not in page


def test_every_file_is_in_the_provenance_once_for_each_of_its_tables(england: England, whole: PracticeTable) -> None:
    keys = list(zip(whole.provenance["file"], whole.provenance["sheet"], strict=True))
    assert len(keys) == len(set(keys)) == 6 + 2 + len(MONTHS) + 2 + 1
    assert (whole.provenance["rows_read"] == whole.provenance["rows_kept"] + whole.provenance["rows_dropped"]).all()


def test_numbers_are_numbers_whatever_sources_have_none(whole: PracticeTable) -> None:
    kinds = whole.practices[["list_size", "imd2025", "unmapped.numerator", "unmapped.denominator"]].dtypes
    assert set(kinds.astype(str)) == {"float64"}


# --- what goes wrong with the files of a study -----------------------------------------------------------------------


def read_one(name: str, *files: Path) -> SourceTable:
    return read(SourceSpec(name, files[0], more_files=files[1:]), parse_period(PERIOD))


def test_a_file_under_the_wrong_publication_is_told_the_right_one(england: England) -> None:
    with pytest.raises(SourceError) as caught:
        read_one("gpad", england.made.files["registered_map"][0])
    assert "where practices belong" in caught.value.problem and "not part of 'gpad'" in caught.value.problem
    assert caught.value.fix == 'Name it under [[source]] with id = "registered_patients".'


def test_the_same_download_twice_under_two_names_is_refused(england: England, tmp_path: Path) -> None:
    first = england.made.files["registered_map"][0]
    again = tmp_path / "gp-reg-pat-prac-map (1).zip"
    again.write_bytes(first.read_bytes())
    with pytest.raises(SourceError) as caught:
        read_one("registered_patients", first, again)
    assert "gp-reg-pat-prac-map.zip and gp-reg-pat-prac-map (1).zip" in caught.value.problem
    assert caught.value.fix == "Keep one of them."


def test_all_files_that_cannot_be_read_are_named_at_once(england: England, tmp_path: Path) -> None:
    broken = tmp_path / "gp-reg-pat-prac-all.zip"
    broken.write_bytes(england.made.files["registered_map"][0].read_bytes()[:300])
    sources = england.sources() | {"registered_patients": [str(broken)], "imd": [str(tmp_path / "gone.csv")]}
    with pytest.raises(SourceError) as caught:
        built(sources)
    assert "cut short or damaged" in caught.value.problem and "gone.csv" in caught.value.problem
    assert caught.value.problem.startswith("2 things need mending")


def test_two_ways_to_deprivation_are_not_mixed(tmp_path: Path) -> None:
    extract = official.write(tmp_path / "imd.csv", "fingertips_extract", [("A81001", "Mill", "2025", "20.5")])
    areas = official.living(tmp_path / "lsoa.csv", [("A81001", "E01000001", "ALL", 100)]).member.path
    with pytest.raises(SourceError, match="Two ways to the same figures are named for 'imd'") as caught:
        read_one("imd", extract, areas)
    assert caught.value.fix == "Keep one of them."


# --- what happened to practices, and their groups --------------------------------------------------------------------

EVENTS = ["code", "event", "date", "successor", "source", "confirmed_by"]


@pytest.fixture(scope="module")
def changed(england: England, tmp_path_factory: pytest.TempPathFactory) -> tuple[PracticeTable, tuple[str, str, str]]:
    """A study with a merger, an event that nobody confirmed, and a list of neighbourhoods."""
    folder = tmp_path_factory.mktemp("changed")
    held = england.made.truth["registered_map"]
    area = sorted(held.index[held["icb_code"] == simulate.AREA])
    gone, successor, other = area[0], area[1], area[2]
    rows = [
        [gone, "merged", "2026-02-01", successor, "letter", "J. Smith"],
        [other, "closed", "2026-03-01", "", "heard of", ""],
    ]
    events = as_csv(folder / "practice_events.csv", [EVENTS, *rows])
    groups = [[gone, "South"], [successor, "North"], [other, "North"], [area[3], "South"], ["Z99999", "South"]]
    table = built(
        england.sources(),
        events=str(events),
        list=[
            {
                "id": "neighbourhoods",
                "file": str(as_csv(folder / "groups.csv", [["practice_code", "neighbourhood"], *groups])),
            }
        ],
        area={"kind": "list", "list": "neighbourhoods", "group": " north "},
    )
    return table, (gone, successor, other)


def test_a_merger_adds_counts_and_lists_for_every_month(
    england: England, whole: PracticeTable, changed: tuple[PracticeTable, tuple[str, str, str]]
) -> None:
    table, (gone, successor, _) = changed
    for metric in ("same_day_share", "appointments_per_1000"):
        before, after = figures(whole, metric), figures(table, metric)
        assert gone not in after.index
        for part in ("numerator", "denominator"):
            assert after.loc[successor, part] == before.loc[[gone, successor], part].sum(), (metric, part)
    assert set(table.practices["practice_code"]) == set(whole.practices["practice_code"]) - {gone}


def test_what_was_done_about_events_is_shown(
    changed: tuple[PracticeTable, tuple[str, str, str]], tmp_path: Path
) -> None:
    table, (gone, successor, other) = changed
    done = table.events.set_index("code")["done"]
    assert done[gone] == (
        f"its counts and patients are added to those of {successor}, for every month; in the list neighbourhoods all "
        "of them count for North, none for South"
    )
    assert done[other] == "proposed, confirmed by nobody: not used"
    shown = tables.check_events(table).frame
    assert shown["Event"].tolist() == ["merged", "closed"] and shown["Successor"].tolist() == [successor, "none"]
    page = publish_check(table, table.study, tmp_path).read_text(encoding="utf-8")
    assert "Mergers, closures and new codes" in page and "confirmed by nobody: not used" in page
    assert "all of them count for North, none for South" in page


def test_the_successor_of_a_merger_is_marked_by_the_gate(
    changed: tuple[PracticeTable, tuple[str, str, str]],
) -> None:
    table, (gone, successor, other) = changed
    found = failing(table, "merger_or_list_jump")
    assert gone in found[successor] and "February 2026" in found[successor]
    assert other not in found


def test_a_group_is_an_area_with_the_practices_as_they_are_called_now(
    changed: tuple[PracticeTable, tuple[str, str, str]],
) -> None:
    table, (_, successor, other) = changed
    assert set(table.area_codes) == {successor, other}
    assert set(table.groups["group"]) == {"North", "South"}
    assert "Z99999" not in set(table.groups["practice_code"]), "a practice without a figure has no place in the table"
    assert not table.groups["practice_code"].duplicated().any(), (
        "the successor's own line goes before its predecessor's"
    )


def test_a_group_that_is_not_in_the_list_is_answered_with_those_that_are(england: England, tmp_path: Path) -> None:
    code = england.planted["mapping_step"]
    groups = as_csv(tmp_path / "groups.csv", [["practice_code", "place"], [code, "Tyne"], [code[:-1] + "9", "Wear"]])
    with pytest.raises(StudyError, match="no group called 'Tine'") as caught:
        built(
            england.sources(),
            list=[{"id": "places", "file": str(groups)}],
            area={"kind": "list", "list": "places", "group": "Tine"},
        )
    assert caught.value.fix == "Did you mean Tyne?"


def test_a_practice_asked_for_by_its_old_code_is_answered_with_the_new(england: England, tmp_path: Path) -> None:
    codes = sorted(england.made.truth["registered_map"].index)
    row = [codes[0], "code_changed", "2026-01-01", codes[1], "letter", "J. Smith"]
    events = as_csv(tmp_path / "practice_events.csv", [EVENTS, row])
    with pytest.raises(StudyError, match=f"{codes[0]} is now {codes[1]}"):
        built(england.sources(), events=str(events), area={"kind": "list", "practices": [codes[0]]})


# --- the day of the map ----------------------------------------------------------------------------------------------

Mapped = Callable[..., PracticeTable]


@pytest.fixture
def mapped(tmp_path: Path) -> Mapped:
    """Build a study of an own table of figures and a map of July 2026 with real boards."""

    def build(boards: Sequence[tuple[str, str]], code: str, **reference: Any) -> PracticeTable:
        rows = [
            official.map_row(practice, place, ICB_CODE=board, SUB_ICB_LOCATION_CODE=sub, ICB_NAME="")
            for place, (practice, (board, sub)) in enumerate(zip(official.PRACTICES, boards, strict=False))
        ]
        maps = official.mapping(tmp_path / "map.csv", rows).member.path
        cells = [[practice, 40 + place, 100] for place, practice in enumerate(official.PRACTICES[: len(boards)])]
        figures_ = as_csv(tmp_path / "figures.csv", [["code", "same day", "all"], *cells])
        own = {
            "id": "ours",
            "file": str(figures_),
            "columns": {
                "practice_code": "code",
                "same_day_share.numerator": "same day",
                "same_day_share.denominator": "all",
            },
        }
        return built(
            {"registered_patients": [str(maps)]},
            [own],
            metrics=["same_day_share"],
            simulated=False,
            area={"kind": "icb", "code": code},
            adjust={"M1": [], "M2": []},
            reference=reference,
        )

    return build


def test_a_board_that_no_change_touched_is_placed_on_the_day_of_the_study(mapped: Mapped) -> None:
    table = mapped([("QHM", "00L"), ("QHM", "00L")], "QHM", hierarchy_date="2026-03-31")
    assert set(table.hierarchy["icb_code"]) == {"QHM"} and set(table.hierarchy["map_date"]) == {"2026-07-01"}
    assert gate(table, "hierarchy_date")["state"] == "passed"


def test_without_a_date_practices_are_placed_on_the_last_day_of_the_period(mapped: Mapped) -> None:
    found = gate(mapped([("QHM", "00L"), ("QHM", "00L")], "QHM"), "hierarchy_date")
    assert found["state"] == "passed" and "31 March 2026" in found["detail"]


def test_a_board_that_began_after_the_day_of_the_study_says_which_day_to_write(mapped: Mapped) -> None:
    boards = [("D7T5G", "06Q"), ("QHM", "00L")]
    with pytest.raises(StudyError) as caught:
        mapped(boards, "D7T5G", hierarchy_date="2026-03-31")
    assert "which began on 1 April 2026, has no practice on the day" in caught.value.problem
    assert "hierarchy_date = 2026-04-01 under [reference]" in caught.value.fix
    table = mapped(boards, "D7T5G", hierarchy_date="2026-04-01")
    assert table.area_codes == (official.PRACTICES[0],)
    assert "is not within October 2025 to March 2026" in gate(table, "hierarchy_date")["detail"]


def test_boards_that_cannot_be_told_for_the_day_are_named(mapped: Mapped) -> None:
    table = mapped([("QHM", "00L"), ("Z9B2Z", "D4U1Y")], "Z9B2Z", hierarchy_date="2026-03-31")
    found = gate(table, "hierarchy_date")
    assert found["state"] == "failed" and found["detail"] == (
        "to which board 1 practice of NHS West and North London Integrated Care Board belonged on 31 March 2026 cannot "
        "be told from the map of 1 July 2026"
    )
