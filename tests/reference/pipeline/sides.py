"""What R and gpvar say of one world, side by side.

``python -m tests.reference.pipeline.sides`` writes where they differ, ``disagreements.csv``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

import gpvar
from gpvar.results import Analysis
from gpvar.study import load_study

HERE = Path(__file__).resolve().parent
AGES = ["share_0_4", "share_65plus", "share_85plus", "share_female_15_44"]
YEAR = [f"2025-{month:02d}" for month in range(4, 13)] + [f"2026-{month:02d}" for month in range(1, 4)]
#: Study of the script → how many months it is of, and the metric.
STUDIES = {
    "dna_year": (12, "dna_share"),
    "appointments_year": (12, "appointments_per_1000"),
    "dna_april": (1, "dna_share"),
    "advice_april": (1, "ag_requests_per_1000"),
}
RUNGS, COMPARATORS = ("M0", "M1", "M1-", "M2"), ("england", "own_icb")
KEY = ["study", "rung", "comparator", "practice_code"]
_COUNTS = {
    "dna_share": ("dna", "known"),
    "appointments_per_1000": ("appointments", "list"),
    "ag_requests_per_1000": ("advice", "list"),
}
_MONTHLY = ("list", "appointments", "dna", "unknown")
_REGISTERS = ("dm", "dep")
#: Places that a rank may differ by: among thousands it hangs on the seventh digit of a coefficient.
PLACES = 3


def read(name: str) -> pd.DataFrame:
    """Return a table of this folder."""
    return pd.read_csv(HERE / name, dtype=dict.fromkeys(("practice_code", "icb_code", "pcn_code", "rung", "term"), str))


def study(folder: Path, world: pd.DataFrame, months: int) -> dict[str, Any]:
    """Write a world's tables and return the study of its first months."""
    people = ["practice_code", "icb_code", "pcn_code", *AGES, "imd2025", "qof_reg_dm", "qof_reg_dep", "qof_list"]
    world[[*people, "rurality"]].to_csv(folder / "people.csv", index=False)
    by_month(world, months).to_csv(folder / "months.csv", index=False)
    metrics = list(_COUNTS)[: 2 if months > 1 else 3]
    characteristics = {
        **{name: name for name in ("practice_code", "icb_code", "pcn_code", "imd2025", "rurality")},
        "age_sex": AGES,
        **{f"qof_{name}.numerator": f"qof_reg_{name}" for name in _REGISTERS},
        **{f"qof_{name}.denominator": "qof_list" for name in _REGISTERS},
    }
    counts = {
        "practice_code": "practice_code",
        "period": "month",
        "list_size": "list",
        **{f"{metric}.numerator": _COUNTS[metric][0] for metric in metrics},
        **{f"{metric}.denominator": _COUNTS[metric][1] for metric in metrics},
    }
    near = dict.fromkeys(("rurality", *(f"qof_{name}" for name in _REGISTERS)), "2025-03")
    dates = {"age_sex": "2025-10", "imd2025": "2025-10", **near}
    return {
        "schema": 1,
        "title": "Counted twice",
        "declared": "2026-04-14",
        "period": f"{YEAR[0]}..{YEAR[months - 1]}",
        "metrics": metrics,
        "simulated": True,
        "area": {"kind": "icb", "code": "QZ4"},
        "reference": {"set": "england", "exclude": ["atypical", "list_under_1000"]},
        "source": [
            {"id": "people", "file": str(folder / "people.csv"), "columns": characteristics, "dates": dates},
            {"id": "months", "file": str(folder / "months.csv"), "columns": counts},
        ],
    }


def by_month(world: pd.DataFrame, months: int) -> pd.DataFrame:
    """Return one row per practice and month."""
    parts = []
    for number, month in enumerate(YEAR[:months], start=1):
        names = {f"{name}_{number:02d}": name for name in _MONTHLY}
        part = world[["practice_code", *names]].rename(columns=names).assign(month=month, advice=world["advice_01"])
        parts.append(part.assign(known=part["appointments"] - part["unknown"]))
    return pd.concat(parts)


def analyses() -> dict[str, Analysis]:
    """Return gpvar's analysis of every study."""
    world = read("world.csv.gz")
    tables = {}
    with tempfile.TemporaryDirectory() as folder:
        for months in {months for months, _ in STUDIES.values()}:
            declared = load_study(study(Path(folder), world, months), folder)
            tables[months] = gpvar.build_table(declared)
    return {name: gpvar.analyse(tables[months], metric) for name, (months, metric) in STUDIES.items()}


def beside(found: dict[str, Analysis]) -> pd.DataFrame:
    """Return one row per study, rung, comparator and practice: gpvar's columns, and R's with ``r_`` before the name."""
    wide = read("positions.csv.gz").set_index(["study", "practice_code"])
    parts = []
    for rung in RUNGS:
        for comparator in COMPARATORS:
            start = f"{rung}.{comparator}."
            part = wide[[name for name in wide if name.startswith(start)]]
            part.columns = ["r_" + name.removeprefix(start) for name in part]
            parts.append(part.reset_index().assign(rung=rung, comparator=comparator))
    theirs = pd.concat(parts).fillna({"r_movement": ""})
    own = pd.concat([analysis.practices.assign(study=name) for name, analysis in found.items()])
    merged = own.merge(theirs, on=KEY, validate="one_to_one")
    if not len(merged) == len(own) == len(theirs):
        raise AssertionError(f"{len(own)} rows of gpvar, {len(theirs)} of R, {len(merged)} in both")
    return merged.assign(board=merged["practice_code"].map(read("world.csv.gz").set_index("practice_code")["icb_code"]))


def disagreements(rows: pd.DataFrame) -> pd.DataFrame:
    """Return every position, movement and rank on which the two differ."""
    parts = []
    for what in ("position", "movement", "rank"):
        own, theirs = rows[what], rows[f"r_{what}"]
        apart = (own - theirs).abs() > PLACES if what == "rank" else own.fillna("") != theirs
        apart |= own.isna() != theirs.isna()
        part = rows[apart]
        said = {"r": theirs[apart].astype(str), "gpvar": own[apart].astype(str), "z": part["z"].round(3)}
        parts.append(part[KEY].assign(what=what, **said))
    return pd.concat(parts).sort_values([*KEY, "what"]).reset_index(drop=True)


if __name__ == "__main__":
    disagreements(beside(analyses())).to_csv(HERE / "disagreements.csv", index=False, lineterminator="\n")
