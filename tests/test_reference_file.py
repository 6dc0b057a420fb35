"""The England reference file: what goes into it, what a study reads from it, and what it refuses."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from gpvar import catalogue, simulate
from gpvar.errors import GpvarError, SourceError, StudyError
from gpvar.simulate.appointments import write_crosstab
from gpvar.simulate.publications import write_publications
from gpvar.sources import official, reference, registered
from gpvar.sources._parts import SourceTable, no_counts
from gpvar.sources.appointments.tally import MonthCounts
from gpvar.sources.recognise import recognise
from gpvar.sources.reference import file as form
from gpvar.sources.reference import making
from gpvar.sources.reference.gathering import refuse_less_than_england
from gpvar.study import SourceSpec, Study, load_study, parse_period
from gpvar.table import PracticeTable, build_table
from tests.support import shared

PERIOD = "2025-10..2026-03"
MADE_ON = date(2026, 11, 22)
METRICS = ["same_day_share", "urgent_same_day_share", "appointments_per_1000", "dna_share"]
FRAMES = ("outcomes", "periods", "practices", "hierarchy", "gates", "excluded", "groups", "events")


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPVAR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    england = simulate.england(practices=300, icbs=4)
    written = write_publications(tmp_path_factory.mktemp("publications"), england, period=PERIOD, rows_per_month=6000)
    return list(written.main)


@pytest.fixture(scope="module")
def few(files: list[Path]) -> list[Path]:
    """The least that a reference file can be made from: appointments, lists and a map."""
    return [path for path in files if re.search("Crosstab|gp-reg-pat-prac-(all|map)", path.name)]


@pytest.fixture(scope="module")
def built(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> reference.Built:
    return reference.build(files, parse_period(PERIOD), tmp_path_factory.mktemp("reference"), made_on=MADE_ON)


@pytest.fixture(scope="module")
def members(built: reference.Built) -> dict[str, bytes]:
    with zipfile.ZipFile(built.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def manifest(members: dict[str, bytes]) -> dict[str, Any]:
    return dict(json.loads(members["manifest.json"]))


def publications(files: Sequence[Path]) -> list[dict[str, Any]]:
    """The [[source]] blocks of a study that names the publications themselves."""
    named: dict[str, list[str]] = {}
    for file in files:
        for source in dict.fromkeys(official.publication_of(part.layout) for part in recognise(file)):
            named.setdefault(source, []).append(str(file))
    return [{"id": source, "file": own if len(own) > 1 else own[0]} for source, own in named.items()]


def study_of(sources: Any, period: str = PERIOD, **changes: Any) -> Study:
    content = {
        "schema": 1,
        "title": "Access",
        "declared": "2026-04-14",
        "period": period,
        "simulated": True,
        "metrics": METRICS,
        "area": {"kind": "icb", "code": "QZ4"},
        "source": sources,
    }
    return load_study({**content, **changes}, "/nowhere" if "base" not in changes else changes.pop("base"))


def only(path: Path) -> dict[str, str]:
    return {"id": "england_reference", "file": str(path)}


# --- what is in it ---------------------------------------------------------------------------------------------------


def test_it_is_named_by_its_last_month_and_says_when_its_practices_are_invented(built: reference.Built) -> None:
    assert built.path.name == "simulated-england-reference-2026-03.zip"
    assert built.simulated
    assert (built.practices, len(built.months)) == (300, 6)
    assert built.bytes == built.path.stat().st_size
    assert built.sha256 == hashlib.sha256(built.path.read_bytes()).hexdigest()
    assert [path.name for path in built.path.parent.iterdir()] == [built.path.name]


def test_the_same_files_in_any_order_give_the_same_bytes(
    built: reference.Built, files: list[Path], tmp_path: Path
) -> None:
    again = reference.build(files[::-1], parse_period(PERIOD), tmp_path, made_on=MADE_ON)
    assert again.path.read_bytes() == built.path.read_bytes()


def test_the_manifest_traces_every_original_file(manifest: dict[str, Any], files: list[Path]) -> None:
    rows = [row for said in manifest["publications"] for row in said["files"]]
    digests = {row["file"]: row["sha256"] for row in rows}
    assert digests == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    for row in rows:
        assert row["layout"] in catalogue.layouts()
        assert row["rows_read"] - row["rows_kept"] == row["rows_dropped"]
        assert row["reason"] or not row["rows_dropped"]
    assert manifest["made_on"] == "2026-11-22"
    assert manifest["months"][0] == "2025-10" and manifest["months"][-1] == "2026-03"


def test_the_manifest_has_the_digest_of_every_member(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name != "manifest.json"}
    assert digests == {name: said["sha256"] for name, said in manifest["members"].items()}


def test_the_dictionary_describes_every_column_that_is_there(members: dict[str, bytes]) -> None:
    text = members["data_dictionary.csv"].decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    for name in (name for name in members if name.endswith(".parquet")):
        described = {row["column"] for row in rows if row["file"] == name and not row["stands_in"]}
        assert described == set(pq.read_schema(io.BytesIO(members[name])).names)
    assert all(row["meaning"] and row["type"] for row in rows)
    diabetes = next(row for row in rows if row["column"] == "qof_prevalence: qof_dm.numerator")
    assert (diabetes["unit"], diabetes["date"]) == ("patients", "2025-03")


def test_every_licence_line_and_what_the_file_is_not_stand_in_it(members: dict[str, bytes]) -> None:
    attribution = members["ATTRIBUTION.txt"].decode("utf-8-sig")
    for source in ("gpad", "registered_patients", "imd", "qof_prevalence", "nhs_payments", "workforce", "ods"):
        assert catalogue.attributions()[source] in attribution
    read_me = members["READ ME.txt"].decode("utf-8-sig")
    assert "October 2025 to March 2026" in read_me
    assert "Made on 22 November 2026" in read_me
    assert "THE PRACTICES ARE INVENTED" in read_me
    assert "None of them made it, checked it or endorses it." in read_me
    assert "July" in read_me and "age and sex" in read_me
    assert max(map(len, read_me.splitlines())) <= 120


def test_no_folder_of_its_maker_is_in_it(members: dict[str, bytes], files: list[Path]) -> None:
    folder = str(files[0].parent).encode()
    assert not [name for name, data in members.items() if folder in data]


def test_what_it_holds_can_be_told_without_a_study(built: reference.Built) -> None:
    contents = reference.describe(built.path)
    assert (contents.period, contents.made_on, contents.practices) == (parse_period(PERIOD), MADE_ON, 300)
    assert contents.simulated
    assert contents.editions["qof_prevalence"] == ("2025-03",)
    assert contents.dates["imd2025"] == "2025-10" and contents.dates["rurality"] == "2023-03"


# --- a study from it alone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "day"), [(PERIOD, "2026-03-31"), ("2025-11..2026-01", "2025-10-01"), ("2026-02", "2026-07-01")]
)
def test_a_study_of_any_of_its_months_is_the_study_of_the_publications(
    built: reference.Built, files: list[Path], period: str, day: str
) -> None:
    on = {"reference": {"hierarchy_date": day}}
    straight, through = (
        build_table(study_of(source, period, **on)) for source in (publications(files), only(built.path))
    )
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(through, name), getattr(straight, name))
    assert through.dates == straight.dates
    assert through.dropped == straight.dropped
    assert (through.area_codes, through.area_name) == (straight.area_codes, straight.area_name)
    sides = [set(table.unmatched[["practice_code", "side"]].itertuples(index=False)) for table in (through, straight)]
    assert sides[0] == sides[1]


@pytest.fixture(scope="module")
def several(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Publications in two editions, and lists of July 2025, October 2025 and July 2026 alone."""
    world = simulate.england(practices=300, icbs=4)
    kept = [path for path in files if not re.search("prac-all-(Nov|Dec|Jan|Feb|Mar)|GPW|epraccur", path.name)]
    # Of one world, so that what is not to be word for word the same must be changed.
    for period, which, old, new in (
        ("2025-04", ["registered_quinary", "registered_map", "ods_epraccur"], rb"\bnothing\b", rb""),
        ("2025-07", ["workforce_detailed"], rb"SURGERY", rb"CLINIC"),
        ("2025-11", ["workforce_detailed"], rb"SURGERY", rb"PRACTICE"),
        ("2026-04", ["qof_prevalence"], rb"\d(\d)\.0,", rb"\1.0,"),
    ):
        folder = tmp_path_factory.mktemp("editions")
        for path in write_publications(folder, world, period=period, which=which).main:
            changed = renamed(path, folder / "changed", old, new)
            kept.append(changed.rename(folder / f"older-{path.name}") if "gp-reg" in path.name else changed)
    return kept


@pytest.fixture(scope="module")
def of_several(several: list[Path], tmp_path_factory: pytest.TempPathFactory) -> reference.Built:
    return reference.build(several, parse_period(PERIOD), tmp_path_factory.mktemp("several"), made_on=MADE_ON)


@pytest.mark.parametrize("period", ["2025-10", "2025-12", "2026-03", "2025-11..2026-02", "2025-10..2025-12", PERIOD])
def test_each_of_its_months_has_the_editions_that_the_publications_would_give_it(
    of_several: reference.Built, several: list[Path], period: str
) -> None:
    wanted = parse_period(period)
    through = {table.id: table for table in reference.read(of_several.path, wanted)}
    for source in publications(several):
        names = source["file"] if isinstance(source["file"], list) else [source["file"]]
        spec = SourceSpec(id=source["id"], file=Path(names[0]), more_files=tuple(map(Path, names[1:])))
        straight = official.read(spec, wanted)
        found = through[spec.id]
        if spec.id in ("nhs_payments", "ods"):
            # They leave out practices closed before the period; the file has those open in any of its months.
            assert len(found.facts) - len(straight.facts) in (0, 1)
            codes = straight.facts.index
            found = replace(found, facts=found.facts.loc[codes])
            if found.places is not None:
                kept = found.places["practice_code"].isin(codes)
                found = replace(found, places=found.places[kept].reset_index(drop=True))
        pd.testing.assert_frame_equal(found.facts, straight.facts)
        pd.testing.assert_frame_equal(found.counts, straight.counts)
        assert found.dates == straight.dates
        assert [row["edition"] for row in found.provenance[-len(straight.provenance) :]] == [
            row["edition"] for row in straight.provenance
        ]
        if straight.places is None:
            assert found.places is None
        else:
            pd.testing.assert_frame_equal(found.places, straight.places)


def test_a_single_month_has_the_list_nearest_to_it_though_of_a_month_outside(
    of_several: reference.Built, several: list[Path]
) -> None:
    straight, through = (
        build_table(study_of(source, "2026-03")) for source in (publications(several), only(of_several.path))
    )
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(through, name), getattr(straight, name))
    assert through.dates == straight.dates
    assert through.dates["age_sex"] == "2026-07" and through.dates["qof_dm"] == "2026-03"
    whole = build_table(study_of(only(of_several.path)))
    assert whole.dates["age_sex"] == "2025-07"
    lists = [table.practices.set_index("practice_code")["list_size"] for table in (through, whole)]
    assert (lists[0] != lists[1]).mean() > 0.9


def test_every_edition_in_it_is_named_with_its_file(of_several: reference.Built, several: list[Path]) -> None:
    contents = reference.describe(of_several.path)
    assert set(contents.files) == {path.name for path in several}
    assert contents.editions["qof_prevalence"] == ("2026-03", "2025-03")
    with zipfile.ZipFile(of_several.path) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("data_dictionary.csv").decode("utf-8-sig"))))
    earlier = [row for row in rows if row["column"].startswith("qof_prevalence@1: qof_dm")]
    assert earlier and {row["date"] for row in earlier} == {"2025-03"}


@pytest.fixture(scope="module")
def table(built: reference.Built) -> PracticeTable:
    return build_table(study_of(only(built.path)))


def test_every_number_traces_to_the_reference_file_and_to_its_originals(
    table: PracticeTable, built: reference.Built, files: list[Path]
) -> None:
    first, others = table.provenance.iloc[0], table.provenance.iloc[1:]
    assert (first["source"], first["file"], first["sha256"]) == ("england_reference", built.path.name, built.sha256)
    assert first["edition"] == "2026-03"
    assert others["reason"].str.startswith(f"in {built.path.name}").all()
    assert set(others["file"]) == {path.name for path in files}
    assert f"{built.path.name} was made on 22 November 2026" in table.remarks[0]


def test_a_table_of_ones_own_goes_before_it(built: reference.Built, table: PracticeTable, tmp_path: Path) -> None:
    codes = table.practices["practice_code"]
    own = pd.DataFrame({"code": codes, "requests": 7, "referrals": 20, "patients": 5000, "imd": 12.5})
    own.to_csv(tmp_path / "own.csv", index=False)
    columns = {
        "practice_code": "code",
        "ag_share.numerator": "requests",
        "ag_share.denominator": "referrals",
        "list_size": "patients",
        "imd2025": "imd",
    }
    local = {"id": "own", "file": str(tmp_path / "own.csv"), "columns": columns}
    for sources in ([local, only(built.path)], [only(built.path), local]):
        joined = build_table(study_of(sources, metrics=["ag_share"]))
        assert (joined.practices[["list_size", "imd2025"]] == [5000, 12.5]).all(axis=None)
        assert joined.dates["qof_dm"] == "2025-03" and "imd2025" not in joined.dates
        pd.testing.assert_series_equal(
            joined.practices["age_sex.share_65plus"], table.practices["age_sex.share_65plus"]
        )


# --- what may not go into it -----------------------------------------------------------------------------------------


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(SourceError) as caught:
        act()
    return str(caught.value)


def build_with(files: Sequence[Path], into: Path, period: str = PERIOD) -> str:
    said = refusal(lambda: reference.build(files, parse_period(period), into, made_on=MADE_ON))
    assert not into.exists() or not list(into.iterdir())
    return said


def test_a_place_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    for name, near in (("publishd", " Did you mean 'published'?"), ("zzz.csv", "")):
        place = tmp_path / name
        said = refusal(lambda place=place: making.gather([place], None))
        assert f"There is no folder, study or file called '{place}'.{near}\n" in said


def test_a_boards_extract_is_refused_by_name(few: list[Path], tmp_path: Path) -> None:
    extract = tmp_path / "advice and guidance.csv"
    extract.write_text("practice_code,specialty,requests,referrals\nX10001,all,12,80\n", encoding="utf-8")
    said = build_with([*few, extract], tmp_path / "out")
    assert "advice and guidance.csv" in said
    assert "what a board or a practice supplied is confidential" in said
    assert "Leave it out" in said


def test_a_workbook_is_refused(few: list[Path], tmp_path: Path) -> None:
    book = tmp_path / "icb.xlsx"
    pd.DataFrame({"practice_code": ["X10001"]}).to_excel(book, index=False)
    said = build_with([*few, book], tmp_path / "out")
    assert "icb.xlsx" in said and "If a board or a practice supplied it, leave it out" in said


def test_a_practices_own_download_is_refused(few: list[Path], tmp_path: Path) -> None:
    source = next(path for path in few if "Crosstab" in path.name)
    with zipfile.ZipFile(source) as archive:
        lines = archive.read(next(n for n in archive.namelist() if "Mapping" not in n)).splitlines(keepends=True)
    own = tmp_path / "our appointments.csv"
    own.write_bytes(b"".join([lines[0], *(line for line in lines if b"X10001" in line)]))
    said = build_with([*few, own], tmp_path / "out")
    assert "our appointments.csv" in said and "the appointments of one practice, X10001" in said


def renamed(path: Path, into: Path, old: bytes = rb"\bX(\d{5})\b", new: bytes = rb"A\1") -> Path:
    """Write a file again with other practice codes: real in form, where the simulated ones are invented."""
    target = into / path.name
    into.mkdir(exist_ok=True)
    if not zipfile.is_zipfile(path):
        target.write_bytes(re.sub(old, new, path.read_bytes()))
        return target
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            copy.writestr(name, re.sub(old, new, source.read(name)))
    return target


def test_invented_and_real_practices_do_not_meet(few: list[Path], files: list[Path], tmp_path: Path) -> None:
    qof = next(path for path in files if "QOF" in path.name)
    said = build_with([*few, renamed(qof, tmp_path / "real")], tmp_path / "out")
    assert "Invented practices" in said and "real: QOF2425.zip" in said


def test_part_of_england_is_refused(few: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = [renamed(path, tmp_path / "real") for path in few]
    said = build_with(real, tmp_path / "out")
    assert "Appointments in General Practice of October 2025 holds 300 practices; England has about 6,000" in said
    monkeypatch.setitem(catalogue.gates()["not_england"].thresholds, "practices_below", 100)
    said = build_with(real, tmp_path / "out")
    assert "No map places a practice in London (Y56)." in said


def england_of(codes: pd.Index, regions: pd.Series, said: pd.Index) -> str:
    """What is refused of whole appointments and a whole map where a list and a register hold only some practices."""
    counts = MonthCounts("2026-03", tuple(codes), np.zeros((0, 0)), (), (), np.zeros(0), 0, {})
    places = pd.DataFrame({"practice_code": codes, "date": "2026-04-01", "region_code": regions.to_numpy()})
    lists = pd.DataFrame({"practice_code": said, "month": "2026-03", "name": "list_size", "value": 5000.0})
    registers = pd.DataFrame({"qof_dm.numerator": 300.0, "qof_dm.denominator": 5000.0}, index=said)
    tables = [
        SourceTable("registered_patients", "gp-reg.csv", no_counts(), pd.DataFrame(), (), places=places, monthly=lists),
        SourceTable("qof_prevalence", "QOF.zip", no_counts(), registers, ()),
    ]
    try:
        refuse_less_than_england({"2026-03": counts}, tables)
    except SourceError as error:
        return str(error)
    return ""


def test_a_list_or_a_register_of_part_of_england_is_refused() -> None:
    codes = pd.Index([f"A{place:05d}" for place in range(6000)], name="practice_code")
    names = catalogue.readers()["regions"]
    regions = pd.Series([list(names)[place % len(names)] for place in range(6000)], index=codes)
    assert england_of(codes, regions, codes) == ""
    said = england_of(codes, regions, codes[:200])
    assert "the list of March 2026 holds 200 practices; England has about 6,000" in said
    assert "diabetes" in said.casefold() and "holds 200 of 6,000 practices" in said and "QOF.zip" in said
    north = codes[(regions == "Y63").to_numpy()]
    said = england_of(codes, regions, codes.difference(north))
    assert "the list of March 2026 holds 0 of the 857 practices of North East and Yorkshire (Y63)" in said
    assert "London" not in said


@pytest.mark.parametrize(
    ("left_out", "wanted"),
    [
        ("Crosstab", "there is no file of Appointments in General Practice"),
        ("Crosstab_Mar_26", "January 2026, February 2026, March 2026"),
        ("gp-reg", "there is no file of Patients Registered at a GP Practice"),
        ("gp-reg-pat-prac-(all|quin)", "how many patients each practice has"),
    ],
)
def test_what_is_needed_and_not_there_is_named(few: list[Path], tmp_path: Path, left_out: str, wanted: str) -> None:
    assert wanted in build_with([path for path in few if not re.search(left_out, path.name)], tmp_path / "out")


def test_a_publication_that_is_not_needed_may_be_missing_and_is_named(files: list[Path], tmp_path: Path) -> None:
    some = [path for path in files if not re.search("GPW|nhspayments|epraccur", path.name)]
    built = reference.build(some, parse_period(PERIOD), tmp_path, made_on=MADE_ON)
    assert built.remarks == (
        "NHS Payments to General Practice is not in it.",
        "General and Personal Medical Services is not in it.",
    )
    with zipfile.ZipFile(built.path) as archive:
        read_me = archive.read("READ ME.txt").decode("utf-8-sig")
    assert "Not in this file: NHS Payments to General Practice, General and Personal Medical Services." in read_me
    table = build_table(study_of(only(built.path)))
    assert table.dropped == {"rurality": "no source"}


def revised(files: list[Path], into: Path) -> list[Path]:
    """The publications, and a later one that tells March 2026 otherwise."""
    map_file = next(path for path in files if "prac-map" in path.name)
    practices = registered.tidy(recognise(map_file)[0]).assign(list_size=9000)
    later = write_crosstab(into, practices=practices, months=["2026-03", "2026-04", "2026-05"], rows_per_month=6000)
    return [*files, *later.files]


def test_the_publication_that_a_study_names_is_the_one_in_it(few: list[Path], tmp_path: Path) -> None:
    both = revised(few, tmp_path / "later")
    said = build_with(both, tmp_path / "out")
    assert "March 2026 is told in 2 ways" in said
    assert "--edition 2026-05 (or --edition latest), or leave one of the files out" in said
    assert "[[source]]" not in said and "out of the study" not in said
    named = {}
    for edition in ("2026-03", "2026-05"):
        named[edition] = [
            {**source, "edition": edition} if source["id"] == "gpad" else source for source in publications(both)
        ]
        a_study_file(tmp_path / edition, named[edition])
        assert making.edition_of([tmp_path / edition]) == edition
    # The earlier of the two, which "latest" is not.
    built = reference.build(both, parse_period(PERIOD), tmp_path / "out", made_on=MADE_ON, edition="2026-03")
    straight, through = (build_table(study_of(source)) for source in (named["2026-03"], only(built.path)))
    pd.testing.assert_frame_equal(through.outcomes, straight.outcomes)
    with pytest.raises(SourceError, match="different publications of the appointments"):
        making.edition_of([tmp_path / "2026-03", tmp_path / "2026-05"])
    assert making.edition_of([tmp_path]) == ""


def a_study_file(folder: Path, sources: list[dict[str, Any]]) -> None:
    folder.mkdir()
    head = f'schema = 1\ntitle = "Access"\ndeclared = "2026-04-14"\nperiod = "{PERIOD}"\nsimulated = true\n'
    head += f'metrics = {json.dumps(METRICS)}\narea = {{ kind = "icb", code = "QZ4" }}\n'
    blocks = "".join(
        "[[source]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in source.items())
        for source in sources
    )
    (folder / "study.toml").write_text(head + blocks, encoding="utf-8")


def test_odd_lists_of_files_are_refused(few: list[Path], built: reference.Built, tmp_path: Path) -> None:
    assert "No file was named" in build_with([], tmp_path / "out")
    assert "This is a reference file already" in build_with([*few, built.path], tmp_path / "out")
    twin = tmp_path / few[0].name
    twin.write_bytes(few[1].read_bytes())
    assert f"Two different files are called {twin.name}" in build_with([*few, twin], tmp_path / "out")
    assert "is not there" in build_with([*few, tmp_path / "gone.csv"], tmp_path / "out")


def test_a_good_file_stays_when_a_new_one_cannot_be_made(
    built: reference.Built, few: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shutil.copy(built.path, tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(form.os, "fsync", full)
    said = refusal(lambda: reference.build(few, parse_period(PERIOD), tmp_path, made_on=MADE_ON))
    assert "could not be written (No space left on device); what was there before is untouched" in said
    assert [path.name for path in tmp_path.iterdir()] == [built.path.name]
    assert Path(before).read_bytes() == built.path.read_bytes()


# --- a file that is not as it was made -------------------------------------------------------------------------------


def rewritten(built: reference.Built, target: Path, change: Callable[[dict[str, bytes]], None], seal: bool) -> Path:
    """Write the members again, changed; with the seal of the new manifest, or with the old one."""
    with zipfile.ZipFile(built.path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
        comment = archive.comment
    change(parts)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        archive.comment = form._seal(parts.get("manifest.json", b"")) if seal else comment
    return target


def edit(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        parts["manifest.json"] = json.dumps({**json.loads(parts["manifest.json"]), **changes}).encode()

    return change


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], None], bool, str]] = {
    "a count": (lambda p: p.update({"months.parquet": p["months.parquet"][:-9] + b"x" * 9}), False, "months.parquet"),
    "words": (lambda p: p.update({"READ ME.txt": b"endorsed by NHS England"}), False, "READ ME.txt"),
    "a new member": (lambda p: p.update({"extra.csv": b"a,b\n"}), False, "extra.csv"),
    "a lost member": (lambda p: p.pop("ATTRIBUTION.txt") and None, False, "ATTRIBUTION.txt"),
    "the manifest": (edit(made_on="2027-01-01"), False, "manifest.json"),
    "no JSON": (lambda p: p.update({"manifest.json": b"{"}), True, "manifest.json"),
    "no members": (edit(members=None), True, "manifest.json"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_file_changed_by_hand_is_refused(built: reference.Built, tmp_path: Path, what: str) -> None:
    change, seal, name = CHANGES[what]
    path = rewritten(built, tmp_path / "changed.zip", change, seal)
    for act in (lambda: reference.read(path, parse_period(PERIOD)), lambda: reference.describe(path)):
        said = refusal(act)
        assert f"not as it was made: {name}" in said and "Nothing of it was used" in said


def test_a_file_of_a_newer_gpvar_is_refused(built: reference.Built, tmp_path: Path) -> None:
    newer = edit(format=form.FORMAT + 1, gpvar="9.1")
    said = refusal(lambda: reference.describe(rewritten(built, tmp_path / "new.zip", newer, True)))
    assert "written by a newer gpvar (9.1)" in said


def test_a_file_counted_by_other_definitions_is_refused(
    built: reference.Built, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    other = {**manifest["definitions"], "dna_share.denominator": "every row"}
    path = rewritten(built, tmp_path / "old.zip", edit(definitions=other), True)
    said = refusal(lambda: reference.read(path, parse_period(PERIOD)))
    assert "counted dna_share.denominator otherwise" in said


def test_a_metric_that_is_newer_than_the_file_is_not_in_it(
    built: reference.Built, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    known = {name: said for name, said in manifest["definitions"].items() if not name.startswith("dna_share")}
    path = rewritten(built, tmp_path / "before.zip", edit(definitions=known), True)
    metrics = {metric for one in reference.read(path, parse_period(PERIOD)) for metric in one.counts["metric"]}
    assert "dna_share" not in metrics and "same_day_share" in metrics


def test_what_is_no_reference_file_is_named_for_what_it_is(
    built: reference.Built, files: list[Path], tmp_path: Path
) -> None:
    text = tmp_path / "table.csv"
    text.write_text("practice_code,value\nX10001,1\n", encoding="utf-8")
    assert "not an England reference file" in refusal(lambda: reference.describe(text))
    crosstab = next(path for path in files if "Crosstab" in path.name)
    assert "It holds Practice_Level_Crosstab" in refusal(lambda: reference.describe(crosstab))
    assert "is not there" in refusal(lambda: reference.describe(tmp_path / "gone.zip"))
    short = tmp_path / "short.zip"
    short.write_bytes(built.path.read_bytes()[:-2000])
    assert "cut short or damaged" in refusal(lambda: reference.describe(short))


def test_a_file_made_to_fill_the_memory_is_not_opened(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"{}")
        archive.writestr("months.parquet", bytes(30_000_000))
    assert "it was not opened" in refusal(lambda: reference.describe(bomb))


@pytest.mark.parametrize("period", ["2025-09..2025-12", "2026-01..2026-04", "2024-04"])
def test_months_that_it_does_not_hold_are_refused(built: reference.Built, period: str) -> None:
    said = refusal(lambda: reference.read(built.path, parse_period(period)))
    assert "holds October 2025 to March 2026, and the study's period is" in said


def test_two_reference_files_and_a_publication_beside_one_are_refused(
    built: reference.Built, files: list[Path]
) -> None:
    twice = {"id": "england_reference", "file": [str(built.path), str(built.path.with_name("other.zip"))]}
    assert "2 England reference files are named" in refusal(lambda: build_table(study_of(twice)))
    qof = next(block for block in publications(files) if block["id"] == "qof_prevalence")
    said = refusal(lambda: build_table(study_of([qof, only(built.path)])))
    assert "'qof_prevalence' is read twice: from QOF2425.zip, and from simulated-england-reference" in said


# --- taking it into a study ------------------------------------------------------------------------------------------

HEAD = """schema   = 1
title    = "Access"
declared = 2026-04-14
period   = "2025-10..2026-03"
simulated = true
metrics  = ["same_day_share", "ag_share"]

[area]
kind = "icb"
code = "QZ4"
"""
OWN = """
[[source]]
id   = "own"
file = "own.csv"
[source.columns]
practice_code = "code"
"ag_share.numerator" = "requests"
"ag_share.denominator" = "referrals"
"""
FOUND = """
# Files that gpvar found. It writes these lines anew when it takes files in: put your own sources above them.
[[source]]
id   = "gpad"
file = "data/raw/Practice_Level_Crosstab_Mar_26.zip"

# End of the files that gpvar found.

[reports]
formats = ["html"]
"""


def a_study(folder: Path, text: str) -> Study:
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return load_study(folder)


def test_it_takes_the_place_of_the_publications_that_were_found(built: reference.Built, tmp_path: Path) -> None:
    study = a_study(tmp_path / "study", HEAD + OWN + FOUND)
    kept = reference.use(built.path, study)
    assert kept == tmp_path / "study" / "data" / "raw" / built.path.name
    assert kept.read_bytes() == built.path.read_bytes()
    again = load_study(study.folder)
    assert [spec.id for spec in again.sources] == ["own", "england_reference"]
    assert again.sources[1].file == kept and again.reports.formats == ("html",)
    assert reference.use(built.path, again) == kept
    assert load_study(study.folder).sources == again.sources


def test_a_figure_in_a_table_of_ones_own_and_in_the_file_is_refused(built: reference.Built, tmp_path: Path) -> None:
    text = HEAD.replace(', "ag_share"', "") + OWN.replace("ag_share", "same_day_share")
    study = a_study(tmp_path / "study", text)
    before = (study.folder / "study.toml").read_bytes()
    with pytest.raises(StudyError, match="'same_day_share' is taken from two sources, own and england_ref"):
        reference.use(built.path, study)
    assert (study.folder / "study.toml").read_bytes() == before


def test_a_study_that_it_does_not_fit_stays_as_it_was(built: reference.Built, tmp_path: Path) -> None:
    cases = {
        "the study's period is April 2024": HEAD.replace("2025-10..2026-03", "2024-04"),
        "The practices of this reference file are invented": HEAD.replace("simulated = true\n", ""),
        "Quality and Outcomes Framework itself": HEAD + '\n[[source]]\nid = "qof_prevalence"\nfile = "QOF.zip"\n',
    }
    for number, (wanted, text) in enumerate(cases.items()):
        study = a_study(tmp_path / str(number), text)
        with pytest.raises(GpvarError, match=wanted):
            reference.use(built.path, study)
        assert (study.folder / "study.toml").read_text(encoding="utf-8") == text
        assert not (study.folder / "data").exists()


def test_a_file_that_is_not_whole_is_not_taken(built: reference.Built, tmp_path: Path) -> None:
    study = a_study(tmp_path / "study", HEAD)
    broken = rewritten(built, tmp_path / "broken.zip", CHANGES["a count"][0], False)
    assert "not as it was made" in refusal(lambda: reference.use(broken, study))
    assert "source" not in tomllib.loads((study.folder / "study.toml").read_text(encoding="utf-8"))


# --- the real publications -------------------------------------------------------------------------------------------


def test_england_of_the_real_publications_with_simulated_appointments(tmp_path: Path) -> None:
    names = [
        "gp-reg-pat-prac-quin-age.zip",
        "gp-reg-pat-prac-map.zip",
        "fingertips-imd-2025-gp-practice.csv",
        "PREVALENCE_2425.csv.gz",
        "nhspaymentsgp-22-23-prac.csv.gz",
        "epraccur_jan2024.csv.gz",
    ]
    real = [shared("data", "official", name) for name in names]
    practices = registered.tidy(recognise(real[1])[0]).assign(list_size=9000)
    simulated = write_crosstab(tmp_path, practices=practices, months=["2026-03"], rows_per_month=20_000)
    files = [*simulated.files, *real]
    period = "2026-03"
    built = reference.build(files, parse_period(period), tmp_path / "out", made_on=MADE_ON)
    assert built.path.name == "england-reference-2026-03.zip"
    assert (built.practices, built.simulated) == (6139, False)
    assert built.bytes < 2_000_000
    qhm = {"area": {"kind": "icb", "code": "QHM"}, "simulated": False, "metrics": ["same_day_share"]}
    straight = build_table(study_of(publications(files), period, **qhm))
    through = build_table(study_of(only(built.path), period, **qhm))
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(through, name), getattr(straight, name))
    assert through.dates == straight.dates
    assert through.outcomes["denominator"].sum() > 0
