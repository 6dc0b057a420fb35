"""The analysis where data are thin, hidden, lopsided or missing: never a crash, never an invented figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gpvar
from gpvar import pipeline
from gpvar.analysis.expected import fit_expected, inverse_link
from gpvar.analysis.judge import judge
from gpvar.analysis.observed import Counts
from gpvar.errors import RunMissing, TableError
from gpvar.results import Analysis

COLUMNS = {
    "practice_code": "code",
    "icb_code": "icb",
    "region_code": "region",
    "list_size": "list",
    "same_day_share.numerator": "same_day",
    "same_day_share.denominator": "total",
    "ag_share.numerator": "requests",
    "ag_share.denominator": ["requests", "referrals"],
    "imd2025": "imd",
}


def england(n: int = 240, icbs: int = 4, seed: int = 7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.integers(2000, 15000, n)
    imd = rng.gamma(4.0, 6.0, n).round(3)
    share = inverse_link(-0.4 + 0.02 * (imd - 24) + rng.normal(0, 0.3, n), "proportion")
    total = size * 6
    referrals = rng.poisson(size * 0.02) + 5
    requests = rng.poisson(referrals * np.exp(rng.normal(-2.6, 0.4, n)))
    return pd.DataFrame(
        {
            "code": [f"A{81000 + i:05d}" for i in range(n)],
            "icb": [f"QZ{i % icbs}" for i in range(n)],
            "region": [f"Y{60 + i % icbs // 2}" for i in range(n)],
            "list": size,
            "same_day": rng.binomial(total, share),
            "total": total,
            "requests": requests,
            "referrals": referrals,
            "imd": imd,
        }
    )


def study(folder: Path, frame: pd.DataFrame, **changes: object) -> gpvar.Study:
    frame.to_csv(folder / "table.csv", index=False)
    columns = {key: value for key, value in COLUMNS.items() if set(np.atleast_1d(value)) <= set(frame.columns)}
    declared = {
        "schema": 1,
        "title": "Edges",
        "seed": 1,
        "declared": "2026-04-14",
        "period": "2025-04..2026-03",
        "metrics": ["same_day_share"],
        "area": {"kind": "icb", "code": "QZ1", "practices": ["A81001"]},
        "reference": {"set": "england", "exclude": []},
        "adjust": {"M1": ["imd2025"], "M2": []},
        "source": [{"id": "local", "file": "table.csv", "columns": columns}],
    }
    return gpvar.load_study(declared | changes, base=folder)


def analysed(folder: Path, frame: pd.DataFrame, metric: str = "same_day_share", **changes: object) -> Analysis:
    changes.setdefault("metrics", [metric])
    return gpvar.analyse(gpvar.build_table(study(folder, frame, **changes)), metric)


def hidden_requests(frame: pd.DataFrame) -> pd.DataFrame:
    frame["requests"] = frame["requests"].astype(object)
    frame.loc[frame["requests"].astype(float).between(1, 4), "requests"] = "<5"
    return frame


def test_hidden_counts_stay_in_the_comparison_and_do_not_shift_it(tmp_path: Path) -> None:
    known = england()
    assert known["requests"].between(1, 4).sum() > 20
    truth = analysed(tmp_path, known, "ag_share").meta["england_value"]
    found = analysed(tmp_path, hidden_requests(england()), "ag_share")
    assert found.meta["n_fitted"] == len(known)
    assert found.meta["england_value"] == pytest.approx(truth, rel=0.03)


def test_a_hidden_count_is_given_no_invented_figure(tmp_path: Path) -> None:
    frame = hidden_requests(england())
    codes = set(frame.loc[frame["requests"] == "<5", "code"])
    found = analysed(tmp_path, frame, "ag_share").practices
    rows = found[found["practice_code"].isin(codes)]
    assert rows[["observed", "value", "difference", "z", "rank", "gap_count", "gap_per_week"]].isna().all(axis=None)
    assert (rows["observed_low"] == 0).all() and (rows["observed_high"] == 4).all()
    assert rows["centre"].notna().all()
    others = found[~found["practice_code"].isin(codes)]
    assert (others["observed_low"] == others["observed"]).all() and others["z"].notna().all()


def test_a_hidden_count_far_below_what_is_expected_is_far_below_at_both_ends(tmp_path: Path) -> None:
    frame = england()
    frame.loc[1, ["requests", "referrals"]] = [2, 4000]
    found = analysed(tmp_path, hidden_requests(frame), "ag_share").practices
    row = found[(found["practice_code"] == "A81001") & (found["rung"] == "M0") & (found["comparator"] == "england")]
    assert row["position"].tolist() == ["far_outside"]


def test_a_practice_without_a_board_has_no_board_to_be_compared_with(tmp_path: Path) -> None:
    frame = england()
    frame.loc[::5, "icb"] = ""
    found = analysed(tmp_path, frame)
    blank = found.practices["practice_code"].isin(set(frame.loc[frame["icb"] == "", "code"]))
    own = found.practices["comparator"] == "own_icb"
    assert found.practices.loc[blank & own, "z"].isna().all()
    assert found.practices.loc[blank & ~own, "z"].notna().all()
    assert "" not in found.meta["icb_value"]


@pytest.mark.parametrize("icbs", [1, 60])
def test_without_boards_large_enough_only_the_whole_is_compared_with(tmp_path: Path, icbs: int) -> None:
    changes = {"area": {"kind": "icb", "code": "QZ0", "practices": []}}
    found = analysed(tmp_path, england(icbs=icbs, n=240), **changes)
    assert found.meta["comparators"] == ["england"]


@pytest.mark.parametrize(("chosen", "level", "name"), [("icb", "icb", "QZ1"), ("region", "region", "region Y60")])
def test_another_reference_set_is_used_and_named(tmp_path: Path, chosen: str, level: str, name: str) -> None:
    frame = england()
    found = analysed(tmp_path, frame, reference={"set": chosen, "exclude": []})
    here = set(frame.loc[frame[level] == frame.loc[1, level], "code"])
    fitted = found.practices.loc[found.practices["in_fit"], "practice_code"]
    assert set(fitted) == here
    raw = found.practices.query("rung == 'M0' and comparator == 'england'").set_index("practice_code")
    assert set(raw.index[raw["rank"].notna()]) == here and raw["ranked"].max() == len(here)
    assert found.meta["reference"]["set"] == chosen and found.meta["reference"]["name"] == name


def test_a_reference_set_the_table_does_not_know_is_refused(tmp_path: Path) -> None:
    frame = england().drop(columns="region")
    with pytest.raises(TableError, match="does not say which that is"):
        analysed(tmp_path, frame, reference={"set": "region", "exclude": []})


def test_a_covariate_that_never_varies_is_not_said_to_be_allowed_for(tmp_path: Path) -> None:
    frame = england()
    frame["imd"] = 20.0
    found = analysed(tmp_path, frame)
    assert found.meta["covariates"]["M1"] == []
    assert [note.numbers["rung"] for note in found.notes if note.id == "term_dropped"] == ["M1"]


def test_age_bands_that_sum_to_one_are_fitted_without_the_last(tmp_path: Path) -> None:
    frame = england()
    parts = np.random.default_rng(3).dirichlet([5, 3, 2], len(frame))
    frame[["young", "middle", "old"]] = parts
    columns = COLUMNS | {"age_sex": ["young", "middle", "old"]}
    del columns["ag_share.numerator"], columns["ag_share.denominator"]
    found = analysed(
        tmp_path,
        frame,
        adjust={"M1": ["age_sex"], "M2": []},
        source=[{"id": "local", "file": "table.csv", "columns": columns}],
    )
    note = next(note for note in found.notes if note.id == "term_dropped")
    assert note.numbers["terms"] == ["age_sex.old"]
    assert found.meta["covariates"]["M1"] == ["age_sex"]


def test_a_metric_that_cannot_be_analysed_does_not_stop_the_others(tmp_path: Path) -> None:
    frame = england()
    frame["requests"] = 0
    run = gpvar.run(study(tmp_path, frame, metrics=["same_day_share", "ag_share"]))
    assert list(run.analyses) == ["same_day_share"]
    assert "count of nought" in run.meta["unanswered"]["ag_share"]
    assert gpvar.load_run(run.folder).meta["unanswered"] == run.meta["unanswered"]


def test_when_nothing_can_be_analysed_the_reason_is_said(tmp_path: Path) -> None:
    frame = england()
    frame["requests"] = 0
    with pytest.raises(TableError, match="count of nought"):
        gpvar.run(study(tmp_path, frame, metrics=["ag_share"]))


def test_a_change_of_title_or_reports_is_taken_up_without_a_new_analysis(tmp_path: Path) -> None:
    frame = england()
    first = gpvar.run(study(tmp_path, frame))
    again = gpvar.run(study(tmp_path, frame, title="Another title", reports={"kinds": ["area"], "formats": ["html"]}))
    assert again.folder == first.folder
    assert again.study.title == "Another title" and again.study.reports.kinds == ("area",)


def test_a_report_of_a_study_changed_since_is_refused(tmp_path: Path) -> None:
    frame = england()
    gpvar.run(study(tmp_path, frame))
    changed = study(tmp_path, frame, adjust={"M1": [], "M2": []})
    with pytest.raises(RunMissing, match="changed since"):
        pipeline.stored(changed)


def test_the_same_study_gives_byte_identical_tables(tmp_path: Path) -> None:
    tables = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        folder = gpvar.run(study(tmp_path / name, england())).folder
        tables.append({path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.csv"))})
    assert tables[0] == tables[1] and len(tables[0]) > 8


@pytest.mark.parametrize(("n", "covariates"), [(60, 9), (100, 9), (60, 1)])
def test_small_reference_sets_hold_their_level(n: int, covariates: int) -> None:
    rng = np.random.default_rng(2)
    everyone = np.ones(n, dtype=bool)
    codes = np.array([f"A{i:05d}" for i in range(n)])
    outside, worlds = 0, 150
    for _ in range(worlds):
        x = np.column_stack([np.ones(n), rng.normal(size=(n, covariates))])
        size = np.full(n, 20000.0)
        link = -0.4 + 0.1 * x[:, 1] + rng.normal(0, 0.3, n)
        observed = rng.binomial(20000, inverse_link(link, "proportion")).astype(float)
        fit = fit_expected(observed, size, "proportion", x, everyone)
        counts = Counts(codes, codes, codes, observed, size, "proportion", everyone, everyone, everyone, everyone)
        z = judge(counts, fit.link, fit.n_parameters, "england").practices["z"]
        outside += int((z.abs() > 1.96).sum())
    share = outside / (worlds * n)
    error = np.sqrt(share * (1 - share) / (worlds * n))
    assert 0.035 - 2 * error <= share <= 0.065 + 2 * error, share
