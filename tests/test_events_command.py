"""The command events: what the study's own files suggest, written for a person to confirm, and used once confirmed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gpvar import build_table
from gpvar.cli import main
from gpvar.simulate import england
from gpvar.simulate.publications import Publications, write_publications
from gpvar.study import load_study

STUDY = """
declared = 2026-11-22
period = "2025-07..2025-12"
metrics = ["appointments_per_1000"]
EVENTS
[area]
kind = "icb"
code = "QZ1"
[reference]
exclude = []
[adjust]
M1 = []
M2 = []
[[source]]
id = "gpad"
file = GPAD
[[source]]
id = "registered_patients"
file = LISTS
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Publications:
    which = ("gpad_crosstab", "gpad_mapping", "registered_all", "registered_map", "registered_quinary")
    world = england(practices=300, icbs=4)
    folder = tmp_path_factory.mktemp("publications")
    return write_publications(folder, world, period="2025-07..2025-12", which=which, rows_per_month=9_000)


def study_in(folder: Path, written: Publications, *, events: str = "", maps: bool = True) -> Path:
    lists = [*written.files["registered_all"], *(written.files["registered_map"] if maps else ())]
    lists = [path for path in lists if "2021" not in path.name]
    text = STUDY.replace("GPAD", str([str(path) for path in dict.fromkeys(written.files["gpad_crosstab"])]))
    text = text.replace("LISTS", str([str(path) for path in lists])).replace("EVENTS", events)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder


def proposed(folder: Path, name: str = "practice_events.csv") -> pd.DataFrame:
    return pd.read_csv(folder / name, dtype=str, encoding="utf-8-sig", keep_default_na=False)


def test_the_planted_merger_is_proposed_and_not_used(
    written: Publications, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study_in(tmp_path, written)
    assert main(["events", str(folder)]) == 0
    said = capsys.readouterr().out
    found = proposed(folder)
    assert found["event"].tolist() == ["merged"] and (found["confirmed_by"] == "").all()
    assert f"{found['code'].iloc[0]} merged into {found['successor'].iloc[0]}" in said
    assert 'events = "practice_events.csv"' in said
    with_it = build_table(load_study(study_in(tmp_path, written, events='events = "practice_events.csv"')))
    assert with_it.events["done"].tolist() == ["proposed, confirmed by nobody: not used"]


def test_once_confirmed_patients_are_counted_for_the_months_of_their_practice(
    written: Publications, tmp_path: Path
) -> None:
    folder = study_in(tmp_path, written)
    before = build_table(load_study(folder)).outcomes.set_index("practice_code")["denominator"]
    assert main(["events", str(folder)]) == 0
    found = proposed(folder)
    successor = found.loc[0, "successor"]
    found.assign(confirmed_by="J Smith").to_csv(folder / "practice_events.csv", index=False, encoding="utf-8")
    after = build_table(load_study(study_in(tmp_path, written, events='events = "practice_events.csv"')))
    # Its appointments are in no file, so its patients are not counted either; the months that lack them are said.
    assert after.outcomes.set_index("practice_code").loc[successor, "denominator"] == before[successor]
    assert after.outcomes.set_index("practice_code").loc[successor, "months"] == 3
    failed = after.gates[(after.gates["gate"] == "merger_or_list_jump") & (after.gates["practice_code"] == successor)]
    assert "merged into it" in failed["detail"].iloc[0]


def test_a_file_that_is_there_is_left_alone(written: Publications, tmp_path: Path) -> None:
    folder = study_in(tmp_path, written)
    (folder / "practice_events.csv").write_text("mine", encoding="utf-8")
    assert main(["events", str(folder)]) == 0
    assert (folder / "practice_events.csv").read_text(encoding="utf-8") == "mine"
    assert len(proposed(folder, "practice_events-proposed.csv")) == 1


def test_without_a_map_it_is_said_what_is_needed(
    written: Publications, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study_in(tmp_path, written, maps=False)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if 'id = "gpad"' in line)
    (folder / "study.toml").write_text("".join([*lines[: at - 1], *lines[at + 2 :]]), encoding="utf-8")
    assert main(["events", str(folder)]) == 2
    assert "sources STUDY" in capsys.readouterr().err.replace(str(folder), "STUDY").replace("gpvar sources", "sources")
