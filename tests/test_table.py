"""The table: joined on codes, the area found, what did not match listed; on the real table and on small ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gpvar import schema, share
from gpvar.errors import SourceError
from gpvar.gates import summary
from gpvar.study import load_study
from gpvar.table import PracticeTable, build_table
from tests.support import shared

MEASURED = {
    "practice_code": "practice_code",
    "same_day_share.numerator": "same_day",
    "same_day_share.denominator": "total",
    "icb_code": "icb",
    "pcn_code": "pcn",
}


def england(**changes: Any) -> dict[str, Any]:
    """Return the study of the real England table, as ARCHITECTURE writes it."""
    study: dict[str, Any] = {
        "schema": 1,
        "title": "Access in North East and North Cumbria, 2025/26",
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share", "dna_share", "appointments_per_1000"],
        "area": {"kind": "icb", "code": "QHM", "practices": ["A81001", "A81002"]},
        "reference": {"hierarchy_date": "2026-03-31"},
        "source": {
            "id": "local",
            "file": str(shared("data", "joined", "england_2025_26.csv.gz")),
            "columns": {
                "practice_code": "practice_code",
                "practice_name": "practice_name",
                "icb_code": "icb_code_2024",
                "pcn_code": "pcn_code",
                "region_code": "region_code",
                "list_size": "mean_monthly_list_size",
                "list_jump_pct": "maximum_percentage_monthly_change",
                "same_day_share.numerator": "gpad_annual_same_day",
                "same_day_share.denominator": "gpad_annual_total_appointments",
                "dna_share.numerator": "gpad_annual_dna",
                "dna_share.denominator": ["gpad_annual_attended", "gpad_annual_dna"],
                "appointments_per_1000.numerator": "gpad_annual_total_appointments",
                "appointments_per_1000.denominator": "annual_patient_month_exposure",
                "age_sex": ["share_0_4", "share_65plus", "share_85plus", "share_female_15_44"],
                "imd2025": "imd2025_score",
                "qof_dm.numerator": "qof_reg_dm",
                "qof_dm.denominator": "qof_list_2425",
                "qof_dep.numerator": "qof_reg_dep",
                "qof_dep.denominator": "qof_list_2425",
                "rurality": "rurality_2223",
            },
            "dates": {"age_sex": "2026-07", "imd2025": "2025-10", "qof_dm": "2025-03", "rurality": "2023-03"},
        },
    }
    return {**study, **changes}


@pytest.fixture(scope="module")
def real() -> PracticeTable:
    return build_table(load_study(england()))


def test_the_real_table_holds_every_practice(real: PracticeTable) -> None:
    assert len(real.practices) == 6067
    assert real.outcomes.groupby("metric").size().unique().tolist() == [6067]
    assert real.outcomes["state"].eq("").all()
    totals = real.outcomes[real.outcomes["metric"] == "same_day_share"][["numerator", "denominator"]].sum()
    assert totals["denominator"] == pytest.approx(376.1e6, rel=1e-3)
    assert totals["numerator"] / totals["denominator"] == pytest.approx(0.438, abs=5e-4)


def test_the_real_table_knows_its_places(real: PracticeTable) -> None:
    assert len(real.area_codes) == 331
    assert real.area_name == "NHS North East and North Cumbria Integrated Care Board"
    assert real.hierarchy["pcn_code"].str.endswith(" U").sum() == 28
    straddling = real.hierarchy[real.hierarchy["pcn_code"] == "U41591"]
    assert len(straddling["pcn_key"].unique()) == 2
    sides = real.unmatched.groupby("side").size().to_dict()
    assert sides == {"in the data, no ICB": 1, "in the data, no PCN": 24}


def test_the_gates_of_the_real_table(real: PracticeTable) -> None:
    failed = real.gates[real.gates["practice_code"] != ""]
    counted = failed.groupby("gate")["practice_code"].nunique().to_dict()
    assert counted["merger_or_list_jump"] == 39
    assert counted["list_under_1000"] == 9
    smallest = failed[failed["gate"] == "list_under_1000"].nsmallest(1, "value").iloc[0]
    assert smallest["detail"] == "204 patients"
    complete = set(real.practices["practice_code"]) - set(
        failed.loc[failed["gate"] == "covariate_missing", "practice_code"]
    )
    assert len(complete) == 6034
    states = summary(real.gates).groupby("gate")["state"].first().to_dict()
    for gate in ("unmapped_over_40", "mapping_step", "supplier_change", "months_missing"):
        assert states[gate] == "could not be checked"
    for gate in ("no_denominator", "suppressed", "appointments_under_one_per_patient", "hierarchy_date"):
        assert states[gate] == "passed"


def test_the_practices_left_out_of_the_real_fit_are_few_and_named(real: PracticeTable) -> None:
    assert set(real.excluded["gate"]) == {"atypical", "list_under_1000"}
    assert 60 <= real.excluded["practice_code"].nunique() <= 120
    reasons = real.gates[(real.gates["gate"] == "atypical")].set_index("practice_code")["detail"]
    names = real.practices.set_index("practice_code")["practice_name"]
    students = {code for code in reasons.index if "STUDENT" in str(names.get(code, "")).upper()}
    assert len(students) >= 3


def test_a_board_of_april_2026_is_found_in_the_codes_of_2024() -> None:
    table = build_table(load_study(england(area={"kind": "icb", "code": "Z9B2Z"})))
    boards = table.hierarchy.set_index("practice_code").loc[list(table.area_codes), "icb_code"]
    assert sorted(boards.unique()) == ["QMJ", "QRV"]
    assert table.area_name == "NHS West and North London Integrated Care Board"


def test_every_frame_has_the_columns_of_the_schema(real: PracticeTable) -> None:
    for name in ("outcomes", "hierarchy", "provenance", "unmatched", "gates", "excluded"):
        assert list(getattr(real, name).columns) == schema.names(name), name
    assert list(real.practices.columns[:4]) == schema.names("practices")[:4]
    described = schema.data_dictionary(schema.TABLES)
    assert described["meaning"].str.len().min() > 0
    assert not described.duplicated(["table", "column"]).any()


def small(folder: Path, files: dict[str, str], sources: list[dict[str, Any]], **changes: Any) -> PracticeTable:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    study = {
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share"],
        "area": {"kind": "icb", "code": "QHM"},
        "adjust": {"M1": ["imd2025"], "M2": []},
        "source": sources,
        **changes,
    }
    return build_table(load_study(study, base=folder))


FIGURES = "practice_code,same_day,total,icb,pcn\nA81003,5,10,QHM,U\nA81001,4,9,QHM,U00001\nA81002,4,9,QMF,U00001\n"
SOURCE = {"id": "figures", "file": "figures.csv", "columns": MEASURED}
PATIENTS = {"id": "patients", "file": "patients.csv", "columns": {"practice_code": "code", "imd2025": "imd"}}


def test_files_are_joined_on_codes_and_what_does_not_match_is_listed_both_ways(tmp_path: Path) -> None:
    files = {"figures.csv": FIGURES, "patients.csv": "code,imd\na81001,10\nA81002,20\nA89999,30\n"}
    table = small(tmp_path, files, [SOURCE, PATIENTS])
    assert table.practices["practice_code"].tolist() == ["A81001", "A81002", "A81003"]
    assert table.practices["imd2025"].tolist()[:2] == [10, 20]
    assert pd.isna(table.practices["imd2025"].iloc[2])
    assert table.unmatched.values.tolist() == [
        ["A81003", "measured, not in this file", "patients.csv"],
        ["A89999", "in this file, not measured", "patients.csv"],
    ]
    lost = table.gates[table.gates["gate"] == "join_loss"].iloc[0]
    assert (lost["state"], lost["value"]) == ("failed", pytest.approx(1 / 3))
    assert table.provenance["source"].tolist() == ["figures", "patients"]


def test_an_area_can_be_a_list_of_codes(tmp_path: Path) -> None:
    files = {"figures.csv": FIGURES, "our_federation.csv": "Practice;Code\nMill;a81001\nForge;A89999\n"}
    table = small(tmp_path, files, [SOURCE], area={"kind": "list", "file": "our_federation.csv"}, adjust={"M1": []})
    assert table.area_codes == ("A81001",)
    assert table.area_name == "our federation"
    assert table.unmatched.values.tolist() == [["A89999", "in the list, not in the table", "our_federation.csv"]]
    assert table.provenance["source"].tolist() == ["figures", "area list"]


def test_an_area_can_be_a_network_which_may_straddle_boards(tmp_path: Path) -> None:
    files = {"figures.csv": FIGURES}
    both = small(tmp_path, files, [SOURCE], area={"kind": "pcn", "code": "U00001"}, adjust={"M1": []})
    assert both.area_codes == ("A81001", "A81002")
    one = small(tmp_path, files, [SOURCE], area={"kind": "pcn", "code": "QHM:U00001"}, adjust={"M1": []})
    assert one.area_codes == ("A81001",)
    unallocated = small(tmp_path, files, [SOURCE], area={"kind": "pcn", "code": "QHM U"}, adjust={"M1": []})
    assert unallocated.area_codes == ("A81003",)


def test_a_characteristic_without_a_source_is_dropped_and_named(tmp_path: Path) -> None:
    table = small(tmp_path, {"figures.csv": FIGURES}, [SOURCE], adjust={"M1": ["imd2025", "age_sex"], "M2": []})
    assert table.dropped == {"imd2025": "no source", "age_sex": "no source"}
    unchecked = table.gates[
        (table.gates["gate"] == "covariate_missing") & (table.gates["state"] == "could not be checked")
    ]
    assert unchecked["detail"].tolist() == ["no source for deprivation (IMD 2025)", "no source for age and sex"]


def test_a_rate_without_patient_months_takes_the_list_times_the_months_and_says_so(tmp_path: Path) -> None:
    columns = {"practice_code": "code", "appointments_per_1000.numerator": "n", "list_size": "list", "icb_code": "icb"}
    table = small(
        tmp_path,
        {"t.csv": "code,n,list,icb\nA81001,6000,1000,QHM\n"},
        [{"id": "t", "file": "t.csv", "columns": columns}],
        metrics=["appointments_per_1000"],
    )
    assert table.outcomes["denominator"].tolist() == [12000]
    said = table.gates[table.gates["gate"] == "denominator_mixed"].iloc[0]
    assert (said["state"], said["detail"]) == ("failed", "the list size times the months, not the lists of each month")


def test_a_denominator_hidden_in_part_is_still_a_number(tmp_path: Path) -> None:
    columns = {
        "practice_code": "c",
        "dna_share.numerator": "dna",
        "dna_share.denominator": ["att", "dna"],
        "icb_code": "icb",
    }
    text = "c,dna,att,icb\nA81001,*,500,QHM\nA81002,*,1,QHM\nA81003,9,500,QHM\n"
    table = small(tmp_path, {"t.csv": text}, [{"id": "t", "file": "t.csv", "columns": columns}], metrics=["dna_share"])
    rows = table.outcomes.set_index("practice_code")
    assert rows.loc["A81001", "denominator"] == 502.5
    assert rows.loc["A81001", ["numerator_low", "numerator_high"]].tolist() == [1, 4]
    assert pd.isna(rows.loc["A81002", "denominator"]), "it could be smaller than the numerator"
    assert rows["state"].tolist() == ["suppressed", "suppressed", ""]


def test_every_file_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        small(tmp_path, {"figures.csv": ""}, [SOURCE, PATIENTS])
    assert "0 bytes" in str(caught.value)
    assert "The data file is not there" in str(caught.value)


def test_the_order_of_rows_in_a_file_does_not_matter(tmp_path: Path) -> None:
    header, *lines = FIGURES.splitlines()
    there = small(tmp_path, {"figures.csv": FIGURES}, [SOURCE], adjust={"M1": []})
    back = small(tmp_path, {"figures.csv": "\n".join([header, *lines[::-1]]) + "\n"}, [SOURCE], adjust={"M1": []})
    for name in ("outcomes", "practices", "hierarchy", "gates"):
        pd.testing.assert_frame_equal(getattr(there, name), getattr(back, name))


def test_a_table_is_built_of_a_study_or_of_its_folder() -> None:
    demo = share.folder("demo")
    for named in (demo, str(demo), demo / "study.toml"):
        assert len(build_table(named).area_codes) == len(build_table(load_study(demo)).area_codes) > 0
