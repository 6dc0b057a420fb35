"""The practice-level appointments: simulated files in the published layout, read back to the truth behind them."""

from __future__ import annotations

import csv
import functools
import io
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpvar import catalogue, simulate
from gpvar.catalogue import appointments as facts
from gpvar.errors import GpvarError, SourceError, StudyError
from gpvar.simulate.appointments import Crosstab, write_crosstab
from gpvar.sources import appointments, own_appointments
from gpvar.sources._parts import Part, SourceTable
from gpvar.sources.appointments import cache as caching
from gpvar.sources.appointments import crosstab as streaming
from gpvar.sources.appointments import crosstab_csv, own_downloads, repeats
from gpvar.sources.appointments.rows import COLUMNS
from gpvar.sources.recognise import recognise
from gpvar.sources.reference import gathering
from gpvar.study import Period

APRIL, JUNE = Period("2026-04", "2026-04"), Period("2026-04", "2026-06")
# Metric → the names of its two counts in the truth of the generator.
TRUTH = {
    "same_day_share": ("same_day", "total"),
    "within_14_days_share": ("within_14_days", "known_interval"),
    "appointments_per_1000": ("total", None),
    "dna_share": ("dna", "attended+dna"),
    "face_to_face_share": ("face_to_face", "total"),
    "urgent_same_day_share": ("acute_same_day", "acute"),
    "routine_within_7_days_share": ("planned_within_7_days", "planned"),
    "routine_within_14_days_share": ("planned_within_14_days", "planned"),
    "unmapped": ("unmapped", "total"),
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a cache of its own."""
    monkeypatch.setenv(caching.ENVIRONMENT, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of few practices, as most are here, are otherwise not kept: they may be a practice's own."""
    monkeypatch.setattr(facts, "own_download_below", lambda: 10)


@pytest.fixture(scope="module")
def practices() -> pd.DataFrame:
    return simulate.england(practices=300, icbs=8).practices.iloc[::5].reset_index(drop=True)


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory, practices: pd.DataFrame) -> Crosstab:
    """One publication of three months."""
    return write_crosstab(tmp_path_factory.mktemp("quarter"), practices=practices, rows_per_month=4000)


def made(folder: Path, practices: pd.DataFrame, **changes: object) -> Crosstab:
    return write_crosstab(folder, **{"practices": practices, "months": ("2026-04",), "rows_per_month": 3000, **changes})


def parts_of(files: Sequence[Path]) -> list[Part]:
    return [part for file in files for part in recognise(file)]


def read(files: Sequence[Path], period: Period = APRIL, edition: str = "") -> SourceTable:
    return appointments.read(parts_of(files), period, edition)


@functools.cache
def sound(files: tuple[Path, ...], period: Period = APRIL) -> SourceTable:
    """What unspoiled files give, read once for all tests."""
    return read(files, period)


def totals(table: SourceTable) -> dict[tuple[str, str], float]:
    return table.counts.groupby(["metric", "part"])["value"].sum().to_dict()


def true_count(truth: pd.DataFrame, name: str) -> pd.Series:
    return sum(truth[part] for part in name.split("+"))


def rewritten(source: Path, target: Path, change: Callable[[str], str | bytes], member: str = "") -> Path:
    """A copy of a file, or of one member of a zip, with another content."""
    if not member:
        content = change(source.read_text(encoding="utf-8"))
        target.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return target
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name).decode("utf-8")
            content = change(text) if member in name else text
            new.writestr(name, content)
    return target


def unzipped(files: Sequence[Path], folder: Path) -> list[Path]:
    for file in files:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
    return sorted(folder.glob("*.csv"))


# The files that are written


def test_a_zip_holds_a_csv_a_month_and_the_mapping_with_the_published_headings(quarter: Crosstab) -> None:
    (file,) = quarter.files
    assert file.name == "Practice_Level_Crosstab_Jun_26.zip"
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        heads = {name: archive.read(name).decode("utf-8").splitlines()[0] for name in names}
    months = [f"Practice_Level_Crosstab_{month}_26.csv" for month in ("Apr", "May", "Jun")]
    assert names == [*months, "Mapping.csv"]
    layouts = catalogue.layouts()
    assert all(heads[name] == ",".join(layouts["gpad_crosstab"].columns) for name in months)
    assert heads["Mapping.csv"] == ",".join(layouts["gpad_mapping"].columns)


def test_the_labels_are_those_of_the_publication_with_its_double_spaces(quarter: Crosstab) -> None:
    with zipfile.ZipFile(quarter.files[0]) as archive:
        frame = pd.read_csv(archive.open("Practice_Level_Crosstab_Apr_26.csv"), dtype=str)
    intervals = set(frame["TIME_BETWEEN_BOOK_AND_APPT"])
    assert {"8  to 14 Days", "15  to 21 Days", "22  to 28 Days"} <= intervals and "8 to 14 Days" not in intervals
    for column, known in facts.labels().items():
        assert {" ".join(label.split()) for label in frame[column]} <= set(known), column
    assert (frame["COUNT_OF_APPOINTMENTS"].astype(int) > 0).all()


@pytest.mark.parametrize(
    ("form", "first"),
    [("01APR2026", "01APR2026"), ("2026-04-01", "2026-04-01"), ("APR2026", "APR2026"), ("01/04/2026", "01/04/2026")],
)
def test_every_way_of_writing_the_month_is_read_as_the_month(
    form: str, first: str, tmp_path: Path, practices: pd.DataFrame
) -> None:
    truth = made(tmp_path / "files", practices, date_form=form, zipped=False)
    assert (tmp_path / "files" / "Practice_Level_Crosstab_Apr_26.csv").read_text().splitlines()[1].startswith(first)
    assert totals(read(truth.files))["same_day_share", "denominator"] == truth.england["total"].iloc[0]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, practices: pd.DataFrame) -> None:
    files = [
        made(tmp_path / name, practices, rows_per_month=600, seed=seed).files[0]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    first, second, third = (file.read_bytes() for file in files)
    assert first == second != third


def test_the_rows_asked_for_are_written(tmp_path: Path, practices: pd.DataFrame) -> None:
    truth = made(tmp_path, practices, rows_per_month=5000)
    assert truth.england["rows"].iloc[0] == 5000
    assert read(truth.files).provenance[0]["rows_read"] == 5000


def test_the_simulated_practices_keep_their_own_figures(tmp_path: Path, practices: pd.DataFrame) -> None:
    truth = made(tmp_path, practices, rows_per_month=12_000).practices.set_index("practice_code")
    yearly = practices.set_index("practice_code")
    for part, whole in (("same_day", "total_appointments"), ("face_to_face", "total_appointments")):
        asked = yearly[f"gpad_annual_{part}"] / yearly[f"gpad_annual_{whole}"]
        assert (truth[part] / truth["total"]).corr(asked) > 0.9
    rate = truth["total"] / yearly["gpad_annual_total_appointments"] * 12
    assert rate.median() == pytest.approx(0.95, abs=0.05)


def test_only_known_things_can_be_planted(tmp_path: Path, practices: pd.DataFrame) -> None:
    with pytest.raises(StudyError, match="A99999"):
        made(tmp_path, practices, plant={"A99999": "unmapped"})
    with pytest.raises(StudyError, match="'weather'"):
        made(tmp_path, practices, plant={practices["practice_code"][0]: "weather"})
    with pytest.raises(StudyError, match="cannot be written like"):
        made(tmp_path, practices, date_form="April")


# Back-test: what is read is what was written


@pytest.mark.parametrize("metric", TRUTH)
def test_the_totals_of_every_metric_are_those_of_the_truth(metric: str, quarter: Crosstab) -> None:
    table = sound(quarter.files, JUNE)
    found = table.counts[table.counts["metric"] == metric].set_index(["part", "practice_code"])["value"]
    by_practice = quarter.practices.groupby("practice_code").sum(numeric_only=True)
    for part, name in zip(("numerator", "denominator"), TRUTH[metric], strict=True):
        if name is None:
            assert part not in found.index
            continue
        expected = true_count(by_practice, name)
        assert found[part].sum() == true_count(quarter.england, name).sum()
        assert (found[part] == expected.reindex(found[part].index)).all()


def test_every_metric_of_the_publication_is_in_the_back_test() -> None:
    assert set(TRUTH) - {"unmapped"} == {card.id for card in catalogue.metrics().values() if card.source == "gpad"}


def test_the_counts_have_the_columns_that_every_source_has(quarter: Crosstab) -> None:
    counts = sound(quarter.files, JUNE).counts
    assert list(counts) == ["practice_code", "metric", "part", "value", "low", "high", "hidden", "months"]
    assert (counts["low"] == counts["value"]).all() and (counts["high"] == counts["value"]).all()
    assert not counts["hidden"].any() and set(counts["months"]) == {3}
    assert not counts.duplicated(["practice_code", "metric", "part"]).any()


def test_a_published_total_is_held_against_the_file(quarter: Crosstab, monkeypatch: pytest.MonkeyPatch) -> None:
    april, may, _ = quarter.england["total"]
    monkeypatch.setattr(facts, "published", lambda: {"2026-04": int(april), "2026-05": int(may) + 12, "2020-01": 5})
    said = "\n".join(read(quarter.files, JUNE).remarks)
    assert f"April 2026: {april:,} appointments, as published." in said
    assert f"May 2026: {may:,} appointments, -12 against the {may + 12:,} published." in said
    assert "2020" not in said


def test_the_totals_are_said_so_that_they_can_be_held_against_the_publication(quarter: Crosstab) -> None:
    said = sound(quarter.files, JUNE).remarks
    england = quarter.england
    share = 100 * england["same_day"].sum() / england["total"].sum()
    assert f"{england['total'].sum():,} appointments, {share:.1f} % on the day of booking" in said[0]
    assert f"{england['rows'].sum():,} rows" in said[0]
    assert f"April 2026 {england['total'].iloc[0]:,}" in said[1]


def test_tidy_gives_every_row_with_normalised_labels(quarter: Crosstab) -> None:
    crosstab, *_, mapping = parts_of(quarter.files)
    frame = appointments.tidy(crosstab)
    assert list(frame) == [*COLUMNS, "count"]
    assert len(frame) == 4000 and frame["count"].sum() == quarter.england["total"].iloc[0]
    assert "8 to 14 Days" in set(frame["booking_interval"])
    places = appointments.tidy(mapping)
    assert list(places)[:3] == ["practice_code", "practice_name", "supplier"] and len(places) == 60


def test_rows_in_any_order_and_pieces_of_any_size_give_the_same(
    quarter: Crosstab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shuffled(text: str) -> str:
        head, *rows = text.splitlines()
        order = np.random.default_rng(3).permutation(len(rows))
        # A category that nobody knows comes in the middle.
        rows = [rows[at] for at in order]
        rows[2000] = rows[2000].replace(rows[2000].split(",")[-4], "Category of 2027")
        return "\n".join([head, *rows]) + "\n"

    file = rewritten(quarter.files[0], tmp_path / "shuffled.zip", shuffled, "Apr_26")
    whole = read([file])
    monkeypatch.setattr(crosstab_csv, "_BLOCK", 20_000)
    monkeypatch.setenv(caching.ENVIRONMENT, "off")
    pieces = read([file])
    keys = ["practice_code", "metric", "part"]
    pd.testing.assert_frame_equal(
        whole.counts.sort_values(keys, ignore_index=True), pieces.counts.sort_values(keys, ignore_index=True)
    )
    assert whole.remarks == pieces.remarks
    assert totals(whole)["same_day_share", "denominator"] == quarter.england["total"].iloc[0]


def test_the_file_is_known_by_its_headings(quarter: Crosstab, tmp_path: Path) -> None:
    renamed = tmp_path / "download (3)"
    renamed.write_bytes(quarter.files[0].read_bytes())
    assert [part.layout for part in recognise(renamed)] == [*["gpad_crosstab"] * 3, "gpad_mapping"]


# Facts, places and counts by month


def test_planted_steps_and_changes_are_in_what_gates_look_at(tmp_path: Path, practices: pd.DataFrame) -> None:
    codes = practices["practice_code"].tolist()
    plant = {codes[5]: "mapping_step", codes[6]: "supplier_change", codes[7]: "unmapped"}
    months = tuple(f"2026-{month:02d}" for month in range(1, 7))
    truth = made(tmp_path, practices, months=months, plant=plant, rows_per_month=4000)
    assert truth.step_month == "2026-04"
    table = read(truth.files, Period("2026-01", "2026-06"))
    changes = table.facts["supplier_changes"]
    assert changes[codes[6]] == 1 and changes.drop(codes[6]).eq(0).all()
    unmapped = table.counts[table.counts["metric"] == "unmapped"].pivot(
        index="practice_code", columns="part", values="value"
    )
    share = unmapped["numerator"] / unmapped["denominator"]
    assert share[codes[7]] > 0.45 and share.drop(codes[7]).max() < 0.45
    assert table.monthly is not None
    monthly = table.monthly.pivot_table(index=["practice_code", "month"], columns="name", values="value", fill_value=0)
    acute = monthly["category: General Consultation Acute"] / monthly["total"]
    acute = acute.unstack()
    moved = acute[["2026-04", "2026-05", "2026-06"]].mean(axis=1) - acute[["2026-01", "2026-02", "2026-03"]].mean(
        axis=1
    )
    assert moved[codes[5]] > 0.15 and moved.drop(codes[5]).abs().max() < 0.1


def test_the_counts_by_month_add_up_to_all_appointments(quarter: Crosstab) -> None:
    monthly = sound(quarter.files, JUNE).monthly
    assert monthly is not None
    assert list(monthly) == ["practice_code", "month", "name", "value"]
    wide = monthly.pivot_table(index=["practice_code", "month"], columns="name", values="value", fill_value=0)
    categories = wide[[name for name in wide if name.startswith("category: ")]].sum(axis=1)
    truth = quarter.practices.set_index(["practice_code", "month"]).sort_index()
    assert (categories == wide["total"]).all()
    for name in ("total", "unmapped", "acute", "acute_same_day", "routine"):
        assert (wide[name] == truth[name]).all(), name


def test_places_and_names_are_those_of_the_mapping_at_its_date(quarter: Crosstab, practices: pd.DataFrame) -> None:
    table = sound(quarter.files, JUNE)
    assert table.places is not None
    places = table.places.set_index("practice_code")
    asked = practices.set_index("practice_code")
    for name in ("pcn_code", "sub_icb_code", "icb_code", "icb_name", "region_code"):
        assert (places[name] == asked[name].reindex(places.index)).all()
    assert set(places["date"]) == {"2026-06-01"}
    assert (table.facts["practice_name"] == asked["practice_name"].reindex(table.facts.index)).all()


def test_one_month_cannot_show_a_change_of_supplier(quarter: Crosstab) -> None:
    facts_found = sound(quarter.files).facts
    assert "supplier" in facts_found and "supplier_changes" not in facts_found


def test_a_practice_that_is_not_in_every_month_keeps_the_months_it_has(quarter: Crosstab, tmp_path: Path) -> None:
    code = quarter.practices["practice_code"].iloc[0]

    def without(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if f",{code}," not in line)

    table = read([rewritten(quarter.files[0], tmp_path / "gone.zip", without, "May_26")], JUNE)
    months = table.counts.drop_duplicates("practice_code").set_index("practice_code")["months"]
    assert months[code] == 2 and months.drop(code).eq(3).all()
    assert "1 practice is not in every month of the period." in table.remarks


# Labels


def test_a_new_label_counts_in_totals_and_is_said_by_name(quarter: Crosstab, tmp_path: Path) -> None:
    changed = rewritten(
        quarter.files[0], tmp_path / "new.zip", lambda text: text.replace(",Home Visit,Same", ",Drone,Same"), "Apr_26"
    )
    table, before = read([changed]), sound(quarter.files)
    pairs = [("same_day_share", "numerator"), ("same_day_share", "denominator")]
    assert [totals(table)[pair] for pair in pairs] == [totals(before)[pair] for pair in pairs]
    said = next(remark for remark in table.remarks if "does not know" in remark)
    moved = appointments.tidy(parts_of([changed])[0])
    assert "NATIONAL_CATEGORY holds labels that gpvar does not know: 'Drone' (" in said
    assert f"({moved.loc[moved['national_category'] == 'Drone', 'count'].sum():,} appointments)" in said


@pytest.mark.parametrize("written", ["SAME DAY", " Same  Day ", "same day"])
def test_capitals_and_spaces_of_labels_do_not_matter(written: str, quarter: Crosstab, tmp_path: Path) -> None:
    changed = rewritten(
        quarter.files[0], tmp_path / "caps.zip", lambda text: text.replace(",Same Day,", f",{written},"), "Apr_26"
    )
    assert totals(read([changed])) == totals(sound(quarter.files))
    assert not any("does not know" in remark for remark in read([changed]).remarks)


def test_an_earlier_spelling_is_the_same_label(quarter: Crosstab, tmp_path: Path) -> None:
    old = rewritten(
        quarter.files[0],
        tmp_path / "old.zip",
        lambda text: text.replace("Video Conference/Online", "Video/Online"),
        "Apr_26",
    )
    modes = set(appointments.tidy(parts_of([old])[0])["appt_mode"].unique())
    assert "Video Conference/Online" in modes and "Video/Online" not in modes


@pytest.mark.parametrize(
    ("known", "written"),
    [
        (",Same Day,", ",Same-Day,"),
        (",8  to 14 Days,", ",8-14 Days,"),
        (",8  to 14 Days,", ",8 – 14 days,"),
        (",Unknown / Data Quality,", ",Unknown/Data Quality,"),
        (",Face-to-Face,", ",Face to Face,"),
        (",General Consultation Acute,", ",General Consultation - Acute,"),
    ],
)
def test_hyphens_and_marks_of_labels_do_not_matter(known: str, written: str, quarter: Crosstab, tmp_path: Path) -> None:
    changed = rewritten(quarter.files[0], tmp_path / "marks.zip", lambda text: text.replace(known, written), "Apr_26")
    assert totals(read([changed], JUNE)) == totals(sound(quarter.files, JUNE))


def test_labels_that_are_known_differ_however_they_are_written() -> None:
    for column, known in facts.labels().items():
        written = [*known, *facts.also()[column]]
        assert len({facts.plain(label) for label in written}) == len(written), column


@pytest.mark.parametrize(
    ("column", "known", "written"),
    [
        ("TIME_BETWEEN_BOOK_AND_APPT", ",Same Day,", ",On The Day,"),
        ("APPT_MODE", ",Face-to-Face,", ",In Person,"),
        ("NATIONAL_CATEGORY", ",General Consultation Acute,", ",General Consultation (Urgent),"),
        ("NATIONAL_CATEGORY", ",General Consultation Acute,", ",GC1,"),
        ("APPT_STATUS", ",Attended\n", ",\n"),
    ],
)
def test_a_label_that_takes_the_place_of_one_that_is_counted_is_refused(
    column: str, known: str, written: str, quarter: Crosstab, tmp_path: Path
) -> None:
    changed = rewritten(quarter.files[0], tmp_path / "new.zip", lambda text: text.replace(known, written), "May_26")
    with pytest.raises(SourceError, match=f"The column {column} holds a label that gpvar does not know") as caught:
        read([changed], JUNE)
    label = written.strip(",\n")
    names = {heading: name for name, heading in COLUMNS.items()}
    frame = appointments.tidy(parts_of([changed])[1])
    moved = frame.loc[frame[names[column]] == label, "count"].sum()
    assert moved and f"'{label or '(blank)'}' ({moved:,} appointments)" in caught.value.problem
    assert "Practice_Level_Crosstab_May_26.csv; May 2026" in caught.value.where
    like = "General Consultation Acute" if "Urgent" in label else "..."
    assert f'write "{label}" = "{like}"' in caught.value.fix and f"[also.{column}]" in caught.value.fix
    assert "May" not in str(read([changed], APRIL).remarks)


def test_a_label_like_one_that_is_counted_is_refused_by_its_name(quarter: Crosstab, tmp_path: Path) -> None:
    """Some appointments stand under the label that is known, and some under one much like it."""

    def half(text: str) -> str:
        lines = text.splitlines(keepends=True)
        new = [line.replace("General Consultation Routine", "General Consultations Routine") for line in lines[::2]]
        lines[::2] = new
        return "".join(lines)

    with pytest.raises(SourceError, match="'General Consultations Routine'") as caught:
        read([rewritten(quarter.files[0], tmp_path / "half.zip", half, "Apr_26")])
    assert "The nearest label that it knows is 'General Consultation Routine'" in caught.value.fix


def test_a_few_appointments_under_a_label_that_is_not_known_are_said_and_no_more(
    quarter: Crosstab, tmp_path: Path
) -> None:
    changed = rewritten(quarter.files[0], tmp_path / "few.zip", lambda text: text.replace("DNA", "Lost", 2), "Apr_26")
    assert any("APPT_STATUS holds labels that gpvar does not know: 'Lost'" in said for said in read([changed]).remarks)


def test_a_new_kind_of_staff_is_counted_as_no_figure_goes_by_it(quarter: Crosstab, tmp_path: Path) -> None:
    changed = rewritten(quarter.files[0], tmp_path / "kind.zip", lambda text: text.replace(",GP,", ",PA,"), "Apr_26")
    assert totals(read([changed])) == totals(sound(quarter.files))


# Months, halves, copies


def test_two_halves_are_put_together(tmp_path: Path, practices: pd.DataFrame, quarter: Crosstab) -> None:
    truth = made(tmp_path / "split", practices, split=True)
    names = [part.member.name for part in parts_of(truth.files)]
    assert "Practice_Level_Crosstab_London_East_South_Apr_26.csv" in names and len(names) == 3
    assert totals(read(truth.files))["same_day_share", "denominator"] == truth.england["total"].iloc[0]
    bare = unzipped(truth.files, tmp_path / "bare")
    assert totals(read(bare)) == totals(read(truth.files))


def test_a_missing_half_is_named(tmp_path: Path, practices: pd.DataFrame) -> None:
    bare = unzipped(made(tmp_path / "split", practices, split=True).files, tmp_path / "bare")
    with pytest.raises(SourceError, match="Midlands_North is missing"):
        read([file for file in bare if "Midlands" not in file.name])


def test_a_missing_region_is_named(tmp_path: Path, practices: pd.DataFrame) -> None:
    truth = made(tmp_path / "whole", practices)
    gone = set(practices.loc[practices["region_code"] == "Y92", "practice_code"])

    def without(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if line.split(",")[1] not in gone)

    name = practices.loc[practices["region_code"] == "Y92", "region_name"].iloc[0]
    with pytest.raises(SourceError, match=f"April 2026 lacks rows: {name} has 0 of its {len(gone)} practices"):
        read([rewritten(truth.files[0], tmp_path / "part.zip", without, "Crosstab")])


def test_without_a_mapping_a_month_much_smaller_than_another_is_refused(quarter: Crosstab, tmp_path: Path) -> None:
    bare = [file for file in unzipped(quarter.files, tmp_path) if file.name != "Mapping.csv"]
    may = next(file for file in bare if "May" in file.name)
    lines = may.read_text(encoding="utf-8").splitlines(keepends=True)
    may.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    with pytest.raises(SourceError, match=r"May 2026 lacks rows: it holds \d\d practices and April 2026 60") as caught:
        read(bare, JUNE)
    assert re.search(r"Z\w+ has \d of the \d+ practices that it has in April 2026", caught.value.problem)


def test_without_a_mapping_boards_are_unknown_and_it_is_said(quarter: Crosstab, tmp_path: Path) -> None:
    bare = [file for file in unzipped(quarter.files, tmp_path) if file.name != "Mapping.csv"]
    table = read(bare, JUNE)
    assert totals(table) == totals(sound(quarter.files, JUNE))
    assert table.places is not None
    assert {"pcn_code", "sub_icb_code", "practice_name", "date"} <= set(table.places) and "icb_code" not in table.places
    assert len(table.places) == 60 and (table.facts["practice_name"] != "").all()
    assert any("No Mapping.csv" in remark for remark in table.remarks)


def test_the_mapping_alone_says_where_practices_belong(quarter: Crosstab, tmp_path: Path) -> None:
    mapping = [file for file in unzipped(quarter.files, tmp_path) if file.name == "Mapping.csv"]
    table = read(mapping)
    assert table.counts.empty and table.places is not None and len(table.places) == 60


def test_the_same_download_twice_is_used_once(quarter: Crosstab, tmp_path: Path) -> None:
    again = tmp_path / "Practice_Level_Crosstab_Jun_26 (1).zip"
    again.write_bytes(quarter.files[0].read_bytes())
    table = read([*quarter.files, again], JUNE)
    assert totals(table) == totals(sound(quarter.files, JUNE))
    assert f"{again.name} is the same download again: it was used once." in table.remarks
    reasons = [row["reason"] for row in table.provenance if row["file"] == again.name]
    assert len(reasons) == 4 and all("the same download as" in str(reason) for reason in reasons)


def test_a_zip_and_what_was_unpacked_from_it_count_once(quarter: Crosstab, tmp_path: Path) -> None:
    table = read([*quarter.files, *unzipped(quarter.files, tmp_path)], JUNE)
    assert totals(table) == totals(sound(quarter.files, JUNE))
    assert sum("is the same in" in remark for remark in table.remarks) == 3
    copies = [row for row in table.provenance if "that another file holds too" in str(row["reason"])]
    assert [row["rows_kept"] for row in copies] == [0, 0, 0]
    assert len(table.provenance) == 8


@pytest.fixture
def two_tellings(tmp_path: Path, practices: pd.DataFrame, quarter: Crosstab) -> tuple[list[Path], int, int]:
    """The publication of June, and an earlier one of May in which April was another; their totals of April."""
    folder = tmp_path / "may"
    earlier = write_crosstab(folder, practices=practices, months=("2026-03", "2026-04"), rows_per_month=4000, seed=9)
    return (
        [*quarter.files, *earlier.files],
        int(quarter.england["total"].iloc[0]),
        int(earlier.england["total"].iloc[1]),
    )


def test_a_month_that_two_publications_tell_differently_is_refused_with_both_totals(
    two_tellings: tuple[list[Path], int, int],
) -> None:
    files, june, april = two_tellings
    with pytest.raises(SourceError, match="April 2026 is told in 2 ways") as caught:
        read(files, JUNE)
    assert f"{june:,} appointments at 60 practices" in caught.value.problem
    assert f"{april:,} appointments at 60 practices" in caught.value.problem
    assert 'edition = "2026-06"' in caught.value.fix and "latest" in caught.value.fix


@pytest.mark.parametrize(("edition", "which"), [("2026-06", 0), ("latest", 0), ("2026-04", 1)])
def test_the_edition_that_the_study_names_is_used(
    edition: str, which: int, two_tellings: tuple[list[Path], int, int]
) -> None:
    files, *told = two_tellings
    table = read(files, APRIL, edition)
    assert totals(table)["same_day_share", "denominator"] == told[which]
    assert any("was used and not" in remark and "as the study asks" in remark for remark in table.remarks)
    assert any("of an edition that was not chosen" in str(row["reason"]) for row in table.provenance)


def test_an_edition_that_no_file_is_of_does_not_choose(two_tellings: tuple[list[Path], int, int]) -> None:
    with pytest.raises(SourceError, match="told in 2 ways"):
        read(two_tellings[0], APRIL, "2025-12")


def test_two_differing_files_without_a_publication_cannot_be_chosen_between(quarter: Crosstab, tmp_path: Path) -> None:
    april = next(file for file in unzipped(quarter.files, tmp_path) if "Apr" in file.name)
    other = rewritten(april, tmp_path / "April_v2.csv", lambda text: text.replace(",GP,", ",Unknown,", 50) + "\n")
    lines = other.read_text(encoding="utf-8").splitlines()
    other.write_text("\n".join(lines[:-3]) + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match="told in 2 ways") as caught:
        read([april, other], APRIL, "latest")
    assert "take the other out" in caught.value.fix


def test_months_of_the_period_that_are_missing_are_named(quarter: Crosstab) -> None:
    with pytest.raises(
        SourceError, match="2 months of the study's period are missing: July 2026, August 2026"
    ) as caught:
        sound(quarter.files, Period("2026-04", "2026-08"))
    assert 'set period = "2026-04..2026-06"' in caught.value.fix


def test_months_outside_the_period_are_left_out_and_said(quarter: Crosstab) -> None:
    table = sound(quarter.files, Period("2026-05", "2026-05"))
    assert totals(table)["same_day_share", "denominator"] == quarter.england["total"].iloc[1]
    dropped = {row["sheet"]: (row["rows_dropped"], row["reason"]) for row in table.provenance}
    assert dropped["Practice_Level_Crosstab_Apr_26.csv"] == (4000, "4,000 rows of months outside the period")
    assert dropped["Practice_Level_Crosstab_May_26.csv"] == (0, "")


def test_several_months_in_one_table_are_told_apart(quarter: Crosstab, tmp_path: Path) -> None:
    bare = [file for file in unzipped(quarter.files, tmp_path / "bare") if file.name != "Mapping.csv"]
    texts = [file.read_text(encoding="utf-8") for file in bare]
    together = tmp_path / "together.csv"
    together.write_text(texts[0] + "".join(text.partition("\n")[2] for text in texts[1:]), encoding="utf-8")
    assert totals(read([together], JUNE)) == totals(sound(quarter.files, JUNE))


def cut_at_a_line(file: Path, share: float) -> Path:
    """The first rows of a file, sorted by practice as it is."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[: int(len(lines) * share)]), encoding="utf-8")
    return file


def test_a_month_cut_off_at_a_line_end_is_refused_beside_whole_ones(quarter: Crosstab, tmp_path: Path) -> None:
    """It lacks the practices that come last, whom the others have; with the mapping and without."""
    files = unzipped(quarter.files, tmp_path)
    cut_at_a_line(next(file for file in files if "May" in file.name), 0.85)
    for chosen in (files, [file for file in files if file.name != "Mapping.csv"]):
        with pytest.raises(SourceError, match="May 2026 lacks rows: "):
            read(chosen, JUNE)


def test_a_single_month_cut_off_is_refused_by_its_mapping(quarter: Crosstab, tmp_path: Path) -> None:
    files = unzipped(quarter.files, tmp_path)
    cut_at_a_line(next(file for file in files if "May" in file.name), 0.85)
    with pytest.raises(SourceError, match="May 2026 lacks rows: "):
        read(files, Period("2026-05", "2026-05"))


def test_a_single_month_without_a_mapping_says_that_it_could_not_be_checked(quarter: Crosstab, tmp_path: Path) -> None:
    table = read([one_csv(quarter, tmp_path)])
    assert table.places is not None
    locations = table.places["sub_icb_code"].nunique()
    assert (
        "Whether April 2026 is whole could not be checked: neither Mapping.csv nor another month is among the files. "
        f"They hold 60 practices of {locations} sub-ICB locations; England has about 6,000 practices."
    ) in table.remarks
    assert not any("could not be checked" in remark for remark in sound(quarter.files).remarks)


def test_a_sub_icb_location_that_is_missing_from_one_month_is_named(quarter: Crosstab, tmp_path: Path) -> None:
    places = sound(quarter.files, JUNE).places
    assert places is not None
    # A small part of its region, so that the region is not missed.
    place = places["sub_icb_code"].value_counts().idxmax()
    gone = set(places.loc[places["sub_icb_code"] == place, "practice_code"])

    def without(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if line.split(",")[1] not in gone)

    with pytest.raises(SourceError, match=rf"May 2026 lacks rows: .* has 0 of its {len(gone)} practices") as caught:
        read([rewritten(quarter.files[0], tmp_path / "gone.zip", without, "May_26")], JUNE)
    assert caught.value.problem.count(" of its ") == 1


def test_a_file_that_is_cut_off_within_its_last_practice_is_refused(quarter: Crosstab, tmp_path: Path) -> None:
    files = [file for file in unzipped(quarter.files, tmp_path) if file.name != "Mapping.csv"]
    may = next(file for file in files if "May" in file.name)
    head, *rows = may.read_text(encoding="utf-8").splitlines(keepends=True)
    last = rows[-1].split(",")[1]
    others = [row for row in rows if row.split(",")[1] != last]
    # One appointment of it is left.
    *labels, _, status = rows[-1].split(",")
    left = ",".join([*labels, "1", status])
    may.write_text("".join([head, *others, left]), encoding="utf-8")
    with pytest.raises(SourceError, match=f"ends within May 2026 with the practice {last}, which has") as caught:
        read(files, JUNE)
    assert str(may) in caught.value.where
    # The same few appointments of a practice that is not the last are nobody's fault.
    may.write_text("".join([head, left, *others]), encoding="utf-8")
    assert read(files, JUNE).counts["value"].sum() > 0


def test_a_practice_or_two_may_come_and_go(quarter: Crosstab, tmp_path: Path) -> None:
    codes = set(quarter.practices["practice_code"].iloc[:4])

    def without(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if line.split(",")[1] not in codes)

    table = read([rewritten(quarter.files[0], tmp_path / "four.zip", without, "Jun_26")], JUNE)
    assert "4 practices are not in every month of the period." in table.remarks


# Files that arrive spoiled


def one_csv(quarter: Crosstab, folder: Path) -> Path:
    return next(file for file in unzipped(quarter.files, folder) if "Apr" in file.name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252", "utf-8-sig"])
def test_other_encodings_give_the_same(encoding: str, quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    file.write_bytes(file.read_text(encoding="utf-8").replace("Surgery", "Surgéry").encode(encoding))
    table = read([file])
    assert totals(table) == totals(sound(quarter.files))
    assert table.facts["practice_name"].str.contains("Surgéry").any()


def test_columns_in_another_order_give_the_same(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    frame = pd.read_csv(file, dtype=str)
    frame[frame.columns[::-1]].to_csv(file, index=False, sep=";", lineterminator="\r\n")
    assert totals(read([file])) == totals(sound(quarter.files))


def test_a_column_that_is_missing_is_named(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    file.write_text(file.read_text(encoding="utf-8").replace("APPT_STATUS", "STATUS_OF_APPT", 1), encoding="utf-8")
    with pytest.raises(SourceError, match="APPT_STATUS is missing"):
        recognise(file)


def test_months_that_a_spreadsheet_turned_round_are_refused(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    file.write_text(file.read_text(encoding="utf-8").replace("01APR2026", "04/01/2026"), encoding="utf-8")
    with pytest.raises(SourceError, match="day and month turned round"):
        read([file])


def test_months_as_a_spreadsheet_writes_them_are_read(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    file.write_text(file.read_text(encoding="utf-8").replace("01APR2026", "01-Apr-26"), encoding="utf-8")
    assert totals(read([file])) == totals(sound(quarter.files))


def test_a_csv_cut_short_inside_a_zip_is_refused(quarter: Crosstab, tmp_path: Path) -> None:
    cut = rewritten(quarter.files[0], tmp_path / "cut.zip", lambda text: text[: len(text) // 2 - 20], "May_26")
    with pytest.raises(SourceError, match=r"(cells where the headings are 14|stops half-way)"):
        read([cut], JUNE)


def test_a_csv_that_ends_within_its_last_word_is_refused(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:-1]) + lines[-1].rsplit(",", 1)[0] + ",Atte", encoding="utf-8")
    with pytest.raises(SourceError, match=r"stops half-way \('Atte'\)") as caught:
        read([file])
    assert caught.value.where.endswith("row 4,001")


def test_a_zip_cut_short_is_refused(quarter: Crosstab, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(quarter.files[0].read_bytes()[:-5000])
    with pytest.raises(SourceError, match="cut short or damaged"):
        read([cut], JUNE)


@pytest.mark.usefixtures("small_is_kept")
def test_a_zip_damaged_in_the_middle_is_refused_and_nothing_is_kept(
    quarter: Crosstab, tmp_path: Path, cache: Path
) -> None:
    spoiled = tmp_path / "spoiled.zip"
    spoiled.write_bytes(quarter.files[0].read_bytes())
    parts = recognise(spoiled)
    raw = bytearray(spoiled.read_bytes())
    for at in range(len(raw) // 8, len(raw) // 8 + 40):
        raw[at] ^= 0xFF
    spoiled.write_bytes(raw)
    with pytest.raises(SourceError, match="cut short or damaged"):
        appointments.read(parts, JUNE)
    # The two months that are sound were kept.
    assert len(list(cache.rglob("*.parquet"))) == 2 and not list(cache.rglob("*.part"))


@pytest.mark.usefixtures("small_is_kept")
@pytest.mark.parametrize(
    ("cell", "why"),
    [("-3", "is below nought"), ("many", "is not a whole number"), ("", "is blank"), ("2.5", "is not a whole number")],
)
def test_counts_that_are_none_are_refused_with_their_rows(
    cell: str, why: str, quarter: Crosstab, tmp_path: Path, cache: Path
) -> None:
    file = one_csv(quarter, tmp_path)
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    rows[7][12] = rows[3999][12] = cell
    with file.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows(rows)
    with pytest.raises(SourceError, match=f"2 cells of the column COUNT_OF_APPOINTMENTS: what stands there {why}") as e:
        read([file])
    assert f"row 8 ('{cell}'), row 4,000 ('{cell}')" in e.value.where
    assert not list(cache.rglob("*.parquet"))


def test_thousands_with_commas_are_numbers(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    frame = pd.read_csv(file, dtype=str)
    frame["COUNT_OF_APPOINTMENTS"] = frame["COUNT_OF_APPOINTMENTS"].astype(int).map("{:,}".format)
    assert frame["COUNT_OF_APPOINTMENTS"].str.contains(",").any()
    frame.to_csv(file, index=False)
    assert totals(read([file])) == totals(sound(quarter.files))


def test_rows_of_no_practice_are_left_out_with_their_appointments(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    text = file.read_text(encoding="utf-8")
    line = next(row for row in text.splitlines() if ",Attended" in row).split(",")
    line[1], line[-2] = "Unallocated", "1234"
    file.write_text(text + ",".join(line) + "\n", encoding="utf-8")
    table = read([file])
    assert totals(table) == totals(sound(quarter.files))
    assert table.not_practices == (("UNALLOCATED", 4002),)
    row = table.provenance[0]
    assert (row["rows_read"], row["rows_kept"]) == (4001, 4000)
    assert row["reason"] == "1 row of no practice, with 1,234 appointments"
    assert "1 row with 1,234 appointments are of no practice (UNALLOCATED) and in no total." in table.remarks


def test_a_file_of_something_else_than_practices_is_refused(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    file.write_text(file.read_text(encoding="utf-8").replace(",X", ",Sub-ICB X"), encoding="utf-8")
    with pytest.raises(SourceError, match="Most rows are of no practice"):
        read([file])


def test_columns_that_have_shifted_are_refused_before_they_fill_the_memory(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    frame = pd.read_csv(file, dtype=str)
    frame["NATIONAL_CATEGORY"] = [f"text {number}" for number in range(len(frame))]
    frame.to_csv(file, index=False)
    with pytest.raises(SourceError, match="NATIONAL_CATEGORY holds over 200 different texts"):
        read([file])


def test_headings_without_rows_are_refused(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    file.write_text(file.read_text(encoding="utf-8").partition("\n")[0] + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match="headings and no rows"):
        read([file])


def test_what_is_wrong_with_several_files_is_said_at_once(quarter: Crosstab, tmp_path: Path) -> None:
    bare = [file for file in unzipped(quarter.files, tmp_path) if file.name != "Mapping.csv"]
    for file, (old, new) in zip(bare, [("01APR2026", "spring"), ("01JUN2026", "summer"), ("x", "x")], strict=True):
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        read(bare, JUNE)
    assert "Apr_26.csv" in str(caught.value) and "Jun_26.csv" in str(caught.value)


@pytest.mark.usefixtures("small_is_kept")
@pytest.mark.parametrize("how", ["pasted below", "each row doubled", "a third again", "otherwise written"])
def test_rows_that_stand_there_twice_are_refused(how: str, quarter: Crosstab, tmp_path: Path, cache: Path) -> None:
    file = one_csv(quarter, tmp_path)
    head, *rows = file.read_text(encoding="utf-8").splitlines()
    again = {
        "pasted below": rows + rows,
        "each row doubled": [row for row in rows for _ in range(2)],
        "a third again": rows + rows[: len(rows) // 3],
        "otherwise written": rows + [row.replace("Same Day", "same-day") for row in rows],
    }
    file.write_text("\n".join([head, *again[how]]) + "\n", encoding="utf-8")
    share = 25 if how == "a third again" else 50
    with pytest.raises(SourceError, match=f"{share} % of the rows say the same practice, month and labels") as caught:
        read([file])
    assert "1,333 of 5,333 rows" in caught.value.where or "4,000 of 8,000 rows" in caught.value.where
    assert not list(cache.rglob("*.parquet"))


@pytest.mark.usefixtures("small_is_kept")
def test_a_few_rows_that_stand_there_twice_are_said(quarter: Crosstab, tmp_path: Path) -> None:
    file = one_csv(quarter, tmp_path)
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "".join(text.splitlines(keepends=True)[1:20]), encoding="utf-8")
    said = "19 rows repeat the practice, month and labels of a row before; all of them were counted."
    # From the file, and from the cache.
    assert said in read([file]).remarks and said in read([file]).remarks
    assert not any("repeat" in remark for remark in sound(quarter.files).remarks)


def test_the_share_of_repeated_rows_is_found_in_tables_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_MOST", 4000)
    rng = np.random.default_rng(7)
    size = 50_000
    codes = {name: rng.integers(0, 20, size).astype(np.int32) for name in COLUMNS}
    codes["practice_code"] = np.arange(size, dtype=np.int32)
    for again, share in ((0, 0.0), (5000, 5000 / 55_000), (size, 0.5)):
        counted = repeats.Repeats()
        for first in range(0, size, 700):
            counted.add({name: values[first : first + 700] for name, values in codes.items()})
        counted.add({name: values[:again] for name, values in codes.items()})
        assert counted.share() == pytest.approx(share, abs=0.02)
        assert sum(map(len, counted._held)) <= 4000


# The cache


@pytest.mark.usefixtures("small_is_kept")
def test_a_second_reading_comes_from_the_cache(quarter: Crosstab, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(quarter.files, JUNE)
    assert len(list(cache.rglob("*.parquet"))) == 3

    def never(*_: object, **__: object) -> object:
        raise AssertionError("the file was read again")

    monkeypatch.setattr(streaming, "csv_rows", never)
    second = read(quarter.files, JUNE)
    pd.testing.assert_frame_equal(first.counts, second.counts)
    pd.testing.assert_frame_equal(first.facts, second.facts)
    assert (first.remarks, first.provenance) == (second.remarks, second.provenance)


@pytest.mark.usefixtures("small_is_kept")
@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "foreign"])
def test_a_damaged_cache_is_left_out_of_account_and_written_again(harm: str, quarter: Crosstab, cache: Path) -> None:
    before = totals(read(quarter.files))
    kept = sorted(cache.rglob("*.parquet"))
    sound = [file.read_bytes() for file in kept]
    for file, raw in zip(kept, sound, strict=True):
        spoiled = bytearray(raw)
        for at in range(300, 340):
            spoiled[at] ^= 0xFF
        content = {"cut": raw[:-200], "flipped": bytes(spoiled), "empty": b"", "foreign": b"a,b\n1,2\n"}[harm]
        file.write_bytes(content)
    assert totals(read(quarter.files)) == before
    assert [file.read_bytes() for file in kept] == sound


def test_the_cache_can_be_turned_off(quarter: Crosstab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(caching.ENVIRONMENT, "Off")
    assert caching.folder() is None
    assert totals(read(quarter.files, JUNE))["same_day_share", "denominator"] == quarter.england["total"].sum()


@pytest.mark.usefixtures("small_is_kept")
def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(
    quarter: Crosstab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("not a folder")
    monkeypatch.setenv(caching.ENVIRONMENT, str(tmp_path / "a file" / "cache"))
    assert totals(read(quarter.files))["same_day_share", "denominator"] == quarter.england["total"].iloc[0]


def test_the_longest_unused_go_first_when_the_cache_is_full(tmp_path: Path) -> None:
    for age, name in enumerate("cab"):
        file = tmp_path / f"{name}.parquet"
        file.write_bytes(b"x" * 100)
        os.utime(file, (1_000_000 + age, 1_000_000 + age))
    caching.prune(tmp_path, max_bytes=200)
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.usefixtures("small_is_kept")
def test_what_was_kept_is_read_anew_when_the_labels_known_have_changed(
    quarter: Crosstab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who adds a spelling to the catalogue must not be given what was read without it."""
    changed = rewritten(
        quarter.files[0], tmp_path / "new.zip", lambda text: text.replace(",Same Day,", ",Today,"), "Apr_26"
    )
    with pytest.raises(SourceError, match="'Today'"):
        read([changed])
    also = facts.also()
    also["TIME_BETWEEN_BOOK_AND_APPT"]["Today"] = "Same Day"
    monkeypatch.setattr(facts, "also", lambda: also)
    assert totals(read([changed])) == totals(sound(quarter.files))


@pytest.mark.usefixtures("small_is_kept")
def test_what_was_kept_by_another_reader_is_read_anew(
    quarter: Crosstab, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = totals(read(quarter.files))
    monkeypatch.setattr(streaming, "VERSION", streaming.VERSION + 1)
    assert totals(read(quarter.files)) == before
    assert len(list(cache.rglob("*.parquet"))) == 6


def test_what_holds_few_practices_is_not_kept(quarter: Crosstab, cache: Path) -> None:
    """A practice's own download looks like the publication, and must not be left behind on a shared computer."""
    read(quarter.files, JUNE)
    for part in parts_of(quarter.files)[:3]:
        appointments.tidy(part)
    assert not list(cache.rglob("*"))


def test_what_is_looked_at_because_it_may_be_a_practices_own_is_not_kept(
    own: pd.DataFrame, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "own_download_below", lambda: 1)
    with pytest.raises(SourceError, match="one practice"):
        gathering._refuse_own_downloads(parts_of([saved(own, tmp_path / "own.csv")]))
    assert not list(cache.rglob("*"))


# A practice's own appointments


@pytest.fixture
def own(quarter: Crosstab, tmp_path: Path) -> pd.DataFrame:
    """The published rows of one practice in April, as a clinical system might give them."""
    frame = pd.read_csv(one_csv(quarter, tmp_path / "published"), dtype=str)
    return frame[frame["GP_CODE"] == frame["GP_CODE"].iloc[0]]


def saved(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".xlsx":
        frame.assign(COUNT_OF_APPOINTMENTS=frame["COUNT_OF_APPOINTMENTS"].astype(int)).to_excel(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["own.csv", "own.xlsx"])
def test_own_appointments_that_agree_show_no_difference(
    name: str, own: pd.DataFrame, quarter: Crosstab, tmp_path: Path
) -> None:
    data = own_appointments.read_own(saved(own, tmp_path / name))
    check = own_appointments.compare(data, parts_of(quarter.files))
    assert data.practice_code == own["GP_CODE"].iloc[0] and data.months == ("2026-04",)
    assert (check.cells["difference"] == 0).all() and check.same == len(check.cells) > 20
    assert check.own_total == check.published_total == own["COUNT_OF_APPOINTMENTS"].astype(int).sum()
    assert (check.figures["own_value"] == check.figures["published_value"]).all()
    assert set(check.figures["metric"]) == set(TRUTH) - {"unmapped", "appointments_per_1000"}
    assert check.only_published == ("2026-05", "2026-06") and check.only_own == ()


def test_own_appointments_that_differ_show_where(own: pd.DataFrame, quarter: Crosstab, tmp_path: Path) -> None:
    changed = own.copy()
    acute = (changed["NATIONAL_CATEGORY"] == "General Consultation Acute") & (
        changed["TIME_BETWEEN_BOOK_AND_APPT"] == "Same Day"
    )
    at = changed.index[acute][0]
    changed.loc[at, "NATIONAL_CATEGORY"] = "Clinical Triage"
    moved = int(changed.loc[at, "COUNT_OF_APPOINTMENTS"])
    check = own_appointments.compare(
        own_appointments.read_own(saved(changed, tmp_path / "own.csv")), parts_of(quarter.files)
    )
    found = check.cells[check.cells["difference"] != 0].set_index("label")["difference"].to_dict()
    assert found == {"General Consultation Acute": -moved, "Clinical Triage": moved}
    assert check.own_total == check.published_total
    figures = check.figures.set_index("metric")
    assert figures.loc["urgent_same_day_share", "own_numerator"] == (
        figures.loc["urgent_same_day_share", "published_numerator"] - moved
    )
    assert figures.loc["same_day_share", "own_value"] == figures.loc["same_day_share", "published_value"]


def test_a_file_with_some_of_the_columns_is_compared_on_those(
    own: pd.DataFrame, quarter: Crosstab, tmp_path: Path
) -> None:
    few = own[["APPOINTMENT_MONTH_START_DATE", "TIME_BETWEEN_BOOK_AND_APPT", "COUNT_OF_APPOINTMENTS"]]
    data = own_appointments.read_own(saved(few, tmp_path / "own.csv"), own["GP_CODE"].iloc[0].lower())
    check = own_appointments.compare(data, parts_of(quarter.files))
    assert set(check.cells["column"]) == {"", "TIME_BETWEEN_BOOK_AND_APPT"}
    assert set(check.figures["metric"]) == {"same_day_share", "within_14_days_share"}
    assert set(data.counts["metric"]) >= {"same_day_share"} and "dna_share" not in set(data.counts["metric"])


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (lambda frame: frame.drop(columns="GP_CODE"), "", "does not say of which practice"),
        (lambda frame: frame.assign(GP_CODE=" "), "", "does not say of which practice"),
        (lambda frame: frame, "X99999", "and not of X99999"),
        (lambda frame: frame.drop(columns="COUNT_OF_APPOINTMENTS"), "", "COUNT_OF_APPOINTMENTS is missing"),
        (lambda frame: frame.iloc[:0], "", "headings and no rows"),
        (lambda frame: frame.assign(COUNT_OF_APPOINTMENTS="-1"), "", "is below nought"),
        (lambda frame: frame.assign(APPOINTMENT_MONTH_START_DATE="soon"), "", "is not a month"),
        (lambda frame: frame.drop(columns="GP_CODE"), "my surgery", "is not a practice's code"),
    ],
)
def test_own_appointments_that_cannot_be_used_are_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], code: str, says: str, own: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(GpvarError, match=says):
        own_appointments.read_own(saved(change(own), tmp_path / "own.csv"), code)


def test_a_file_of_several_practices_needs_one_named(own: pd.DataFrame, tmp_path: Path) -> None:
    both = saved(pd.concat([own, own.assign(GP_CODE="X99999")]), tmp_path / "own.csv")
    with pytest.raises(SourceError, match="The file holds 2 practices"):
        own_appointments.read_own(both)
    assert own_appointments.read_own(both, "X99999").practice_code == "X99999"


def test_own_appointments_of_other_months_or_another_practice_cannot_be_compared(
    own: pd.DataFrame, quarter: Crosstab, tmp_path: Path
) -> None:
    later = own.assign(APPOINTMENT_MONTH_START_DATE="01JAN2020")
    with pytest.raises(SourceError, match="own file holds 2020-01"):
        own_appointments.compare(own_appointments.read_own(saved(later, tmp_path / "a.csv")), parts_of(quarter.files))
    stranger = own_appointments.read_own(saved(own.assign(GP_CODE="Y99999"), tmp_path / "b.csv"))
    with pytest.raises(SourceError, match="no appointments of Y99999"):
        own_appointments.compare(stranger, parts_of(quarter.files))


def test_own_appointments_are_never_kept_in_the_cache(own: pd.DataFrame, tmp_path: Path, cache: Path) -> None:
    own_appointments.read_own(saved(own, tmp_path / "own.csv"))
    assert not list(cache.rglob("*"))


def test_a_practices_own_download_is_no_part_of_england(
    own: pd.DataFrame, quarter: Crosstab, tmp_path: Path, cache: Path
) -> None:
    """It holds a practice that the publication leaves out, and would be added to it."""
    code = own["GP_CODE"].iloc[0]

    def without(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if f",{code}," not in line)

    england = rewritten(one_csv(quarter, tmp_path), tmp_path / "england.csv", without)
    mine = saved(own, tmp_path / "mine.csv")
    with pytest.raises(SourceError, match=f"holds the appointments of one practice, {code}") as caught:
        read([england, mine])
    assert str(mine) in caught.value.where
    assert f"appointments STUDY {code} --own mine.csv" in caught.value.fix
    assert set(own_downloads.own_among(parts_of([england, mine]))) == set(parts_of([mine]))
    assert not list(cache.rglob("*"))


def test_a_few_practices_beside_many_are_no_part_of_england_and_on_their_own_they_are(
    quarter: Crosstab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.read_csv(one_csv(quarter, tmp_path), dtype=str)
    codes = frame["GP_CODE"].unique()
    few = saved(frame[frame["GP_CODE"].isin(codes[:9])], tmp_path / "few.csv")
    many = saved(frame[~frame["GP_CODE"].isin(codes[:9])], tmp_path / "many.csv")
    assert not own_downloads.own_among(parts_of([few, many]))
    with pytest.raises(SourceError, match="April 2026 stands in 2 tables that hold different practices") as caught:
        read([few, many])
    assert "London_East_South, Midlands_North" in caught.value.fix
    monkeypatch.setattr(facts, "own_download_below", lambda: 20)
    assert set(own_downloads.own_among(parts_of([few, many]))) == set(parts_of([few]))
    with pytest.raises(SourceError, match="only 9 practices"):
        read([few, many])
    assert totals(read([few]))["same_day_share", "denominator"] > 0


def test_halves_under_other_names_are_put_together_by_their_regions(tmp_path: Path, practices: pd.DataFrame) -> None:
    truth = made(tmp_path / "split", practices, split=True)
    bare = unzipped(truth.files, tmp_path / "bare")
    named = [
        file.rename(file.with_name(f"part {at}.csv")) for at, file in enumerate(bare) if "Mapping" not in file.name
    ]
    assert totals(read([*named, tmp_path / "bare" / "Mapping.csv"])) == totals(read(truth.files))
    with pytest.raises(SourceError, match="hold different practices"):
        read(named)


# If slots had been mapped otherwise


def test_the_mapping_what_if_adds_categories_one_by_one_and_alone(quarter: Crosstab) -> None:
    table = sound(quarter.files, JUNE)
    tidy = pd.concat([appointments.tidy(part) for part in parts_of(quarter.files)[:3]])
    code = str(tidy["practice_code"].iloc[0])
    found = own_appointments.mapping_what_if(table, code).set_index(["how", "id"])
    same = tidy["booking_interval"] == "Same Day"
    taken: list[str] = []
    for item in facts.what_if():
        taken += item.categories
        for how, names in (("added", taken), ("alone", list(item.categories))):
            chosen = tidy["national_category"].isin(names)
            mine = chosen & (tidy["practice_code"] == code)
            row = found.loc[how, item.id]
            assert row["appointments"] == tidy.loc[mine, "count"].sum()
            assert row["same_day"] == tidy.loc[mine & same, "count"].sum()
            base = tidy[chosen].groupby("practice_code", observed=True)["count"].sum()
            top = tidy[chosen & same].groupby("practice_code", observed=True)["count"].sum().reindex(base.index)
            enough = base >= facts.middle_of_at_least()
            assert row["practices"] == enough.sum()
            assert row["middle"] == pytest.approx((top.fillna(0) / base)[enough].median())
    assert list(found.loc["added", "title"])[1:3] == ["with Clinical Triage", "with Unplanned Clinical Activity"]
    assert found.loc[("alone", "walk_in"), "title"] == "Walk-in only"
    urgent = table.counts[(table.counts["metric"] == "urgent_same_day_share") & (table.counts["practice_code"] == code)]
    assert found.loc["added", "acute"]["same_day"] == urgent.loc[urgent["part"] == "numerator", "value"].item()


def test_the_mapping_what_if_can_use_the_practices_own_appointments(
    own: pd.DataFrame, quarter: Crosstab, tmp_path: Path
) -> None:
    moved = own.assign(NATIONAL_CATEGORY="Walk-in", TIME_BETWEEN_BOOK_AND_APPT="Same Day")
    data = own_appointments.read_own(saved(moved, tmp_path / "own.csv"))
    found = own_appointments.mapping_what_if(sound(quarter.files), data.practice_code, data).set_index(["how", "id"])
    assert found.loc["added", "acute"]["appointments"] == 0 and np.isnan(found.loc["added", "acute"]["share"])
    assert found.loc["alone", "walk_in"]["share"] == 1 and found.loc["added", "walk_in"]["share"] == 1
    assert 0 < found.loc["added", "acute"]["middle"] < 1


def test_the_mapping_what_if_of_a_practice_that_is_not_there_is_refused(quarter: Crosstab) -> None:
    with pytest.raises(SourceError, match="A99999"):
        own_appointments.mapping_what_if(sound(quarter.files), "A99999")
