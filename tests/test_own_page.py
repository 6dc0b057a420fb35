"""The page of one practice's appointments: other labels as urgent, its own download beside the published file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from gpvar.cli import main
from gpvar.errors import GpvarError
from gpvar.reporting import publish_own
from gpvar.simulate import england
from gpvar.simulate.appointments import write_crosstab
from gpvar.study import Study, load_study

MONTHS = ("2026-01", "2026-02", "2026-03")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("own")
    world = england(practices=300, icbs=4)
    write_crosstab(folder, practices=world.practices, months=MONTHS, rows_per_month=12_000)
    (file,) = folder.glob("Practice_Level_Crosstab*.zip")
    text = f'''
declared = 2026-11-22
period = "2026-01..2026-03"
metrics = ["urgent_same_day_share"]
[area]
kind = "icb"
code = "{world.practices["icb_code"].iloc[0]}"
[[source]]
id = "gpad"
file = "{file.name}"
'''
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return load_study(folder)


@pytest.fixture(scope="module")
def published(study: Study) -> pd.DataFrame:
    """Every row of the published file."""
    with zipfile.ZipFile(study.sources[0].file) as archive:
        names = [name for name in archive.namelist() if "Mapping" not in name]
        return pd.concat([pd.read_csv(archive.open(name), dtype=str) for name in names], ignore_index=True)


def own_file(published: pd.DataFrame, folder: Path, code: str, lost: int = 0) -> Path:
    rows = published[published["GP_CODE"] == code].iloc[lost:].drop(columns=["GP_NAME", "PCN_NAME"])
    path = folder / "own.csv"
    rows.to_csv(path, index=False, encoding="utf-8")
    return path


def share(rows: pd.DataFrame, *categories: str) -> str:
    counted = rows[rows["NATIONAL_CATEGORY"].isin(categories)]
    counts = counted["COUNT_OF_APPOINTMENTS"].astype(int)
    return f"{100 * counts[counted['TIME_BETWEEN_BOOK_AND_APPT'] == 'Same Day'].sum() / counts.sum():,.1f}%"


def test_the_urgent_share_is_shown_under_each_way_of_labelling(study: Study, published: pd.DataFrame) -> None:
    code = str(published["GP_CODE"].iloc[0])
    page, said = publish_own(study, code)
    rows = published[published["GP_CODE"] == code]
    text = page.read_text(encoding="utf-8")
    acute = share(rows, "General Consultation Acute")
    everything = ("General Consultation Acute", "Clinical Triage", "Unplanned Clinical Activity", "Walk-in")
    assert acute in said[0] and acute in text
    assert share(rows, *everything) in text
    assert share(rows, "Clinical Triage") in text
    assert page.parent.name == "private" and "Private: not to be sent on" in text


def test_an_own_download_that_agrees_is_said_to_agree(study: Study, published: pd.DataFrame, tmp_path: Path) -> None:
    code = str(published["GP_CODE"].iloc[0])
    _, said = publish_own(study, code, own_file(published, tmp_path, code))
    assert "The two agree in every count" in said[1]
    assert "January 2026 to March 2026 (3 months)" in said[1]


def test_what_an_own_download_lacks_is_counted(study: Study, published: pd.DataFrame, tmp_path: Path) -> None:
    code = str(published["GP_CODE"].iloc[0])
    lost = published[published["GP_CODE"] == code].head(2)["COUNT_OF_APPOINTMENTS"].astype(int).sum()
    page, said = publish_own(study, code, own_file(published, tmp_path, code, lost=2))
    assert "The two differ: its own download holds" in said[1] and f": {lost:,} fewer in its own." in said[1]
    assert "The largest differences" in page.read_text(encoding="utf-8")


def test_the_command_says_it_in_the_terminal(
    study: Study, published: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = str(published["GP_CODE"].iloc[0])
    own = own_file(published, tmp_path, code)
    assert main(["appointments", str(study.folder), code, "--own", str(own), "--no-open"]) == 0
    said = capsys.readouterr().out
    assert "The two agree in every count" in said and "**" not in said


def test_a_study_without_the_published_appointments_is_told_where_they_are(tmp_path: Path) -> None:
    text = 'declared = 2026-11-22\nperiod = "2026-01"\nmetrics = ["dna_share"]\n[area]\nkind = "icb"\ncode = "QHM"\n'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(GpvarError, match="does not take its figures from the published appointments"):
        publish_own(load_study(tmp_path), "A81001")
