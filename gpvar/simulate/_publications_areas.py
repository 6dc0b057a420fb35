"""Small areas: where patients live, and how deprived it is, such that practices come to their own scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.simulate import SimulatedEngland
from gpvar.simulate._publications_files import csv_bytes, write, write_zip
from gpvar.simulate._publications_people import SEXES, People, apportion
from gpvar.simulate._publications_places import Editions, Places, generator, stamp
from gpvar.simulate._world import constants

Array = np.ndarray[Any, np.dtype[Any]]

_STEPS = 60
#: What stands where no English small area does: not known, blank on purpose, and over the border.
_ELSEWHERE = ("NO2011", "EMPTY", "W01900001")


@dataclass(frozen=True, slots=True)
class Areas:
    """Where patients live.

    Attributes
    ----------
    scores
        One row per English small area: lsoa_code, score.
    living
        One row per practice and small area with patients: practice_code, lsoa_code, patients.
    """

    scores: pd.DataFrame
    living: pd.DataFrame


def areas(world: SimulatedEngland, where: Places, who: People, seed: int) -> Areas:
    """Share out every practice's patients over small areas of its network, so that their mean score is its own."""
    rng = generator(seed, "areas")
    table = world.practices
    target = table["imd2025_score"].to_numpy()
    # By the world's own networks: those without one still have neighbours.
    network, names = pd.factorize(table["pcn_code"])
    members = np.bincount(network)
    width = 4 * members + 6
    low = np.full(len(names), np.inf)
    high = np.zeros(len(names))
    np.minimum.at(low, network, target)
    np.maximum.at(high, network, target)
    ends = np.cumsum(width)
    start = ends - width
    at = np.arange(ends[-1])
    of = np.repeat(np.arange(len(names)), width)
    place = (at - start[of] + rng.uniform(0.1, 0.9, len(at))) / width[of]
    least, most = np.maximum(0.45 * low, 0.6), np.minimum(1.6 * high + 4, 92.0)
    score = np.round(least[of] * (most / least)[of] ** place, 3)
    cells = start[network][:, None] + np.arange(width.max())
    there = np.arange(width.max()) < width[network][:, None]
    weight = np.where(there, rng.gamma(1.2, size=cells.shape), 0.0)
    size = who.by_age.sum(axis=(1, 2))
    elsewhere = np.column_stack([rng.binomial(size, share) for share in (0.0006, 0.0003, 0.0004)])
    english = size - elsewhere.sum(axis=1)
    marks = np.where(there, score[np.minimum(cells, len(at) - 1)], 0.0)
    patients = apportion(_tilted(weight, marks, target) * english[:, None], english)
    codes = np.array([f"E01{900001 + n:06d}" for n in at])
    row, column = np.nonzero(patients)
    living = pd.DataFrame({"practice": row, "lsoa_code": codes[cells[row, column]], "patients": patients[row, column]})
    row, column = np.nonzero(elsewhere)
    outside = pd.DataFrame(
        {"practice": row, "lsoa_code": np.array(_ELSEWHERE)[column], "patients": elsewhere[row, column]}
    )
    living = pd.concat([living, outside]).assign(practice_code=lambda f: table["practice_code"].to_numpy()[f.practice])
    living = living.sort_values(["practice_code", "lsoa_code"], ignore_index=True)
    return Areas(pd.DataFrame({"lsoa_code": codes, "score": score}), living[["practice_code", "lsoa_code", "patients"]])


def _tilted(weight: Array, score: Array, target: Array) -> Array:
    """Lean the weights of each row towards high or low scores until their mean is the target."""
    low, high = np.full(len(target), -2.0), np.full(len(target), 2.0)
    centred = score - target[:, None]
    for _ in range(_STEPS):
        lean = (low + high) / 2
        shares = weight * np.exp(np.clip(lean[:, None] * centred, -200, 200))
        over = (shares * centred).sum(axis=1) > 0
        low, high = np.where(over, low, lean), np.where(over, lean, high)
    return shares / shares.sum(axis=1, keepdims=True)


def registrations(folder: Path, where: Places, found: Areas, editions: Editions) -> tuple[Path, pd.DataFrame]:
    """Write the patients of each practice by small area: all, and again by sex; return the file and their scores."""
    names = where.current.set_index("practice_code")["practice_name"].str.upper()
    columns = catalogue.layouts()["registered_lsoa"].columns
    women = (found.living["patients"] + found.living.index % 2) // 2
    counts = {"all": found.living["patients"], "female": women, "male": found.living["patients"] - women}
    members = {}
    for name, count in counts.items():
        cells = [
            "GP_PRAC_PAT_LIST",
            stamp(editions.registered, "title"),
            found.living["practice_code"],
            found.living["practice_code"].map(names),
            found.living["lsoa_code"],
            "ALL" if name == "all" else SEXES[name == "male"],
            count,
        ]
        frame = pd.DataFrame(dict(zip(columns, cells, strict=True)))
        members[f"gp-reg-pat-prac-lsoa-{name}.csv"] = csv_bytes(frame[frame["NUMBER_OF_PATIENTS"] > 0])
    month = stamp(editions.registered, "title")
    path = write_zip(folder / f"gp-reg-pat-prac-lsoa-male-female-{month[2:5]}-{month[7:]}.zip", members)
    return path, practice_scores(found)


def practice_scores(found: Areas) -> pd.DataFrame:
    """Return the patients of each practice, those of them in English small areas, and the mean score of these."""
    frame = found.living.merge(found.scores, on="lsoa_code", how="left", validate="many_to_one")
    frame["scored"] = frame["patients"].where(frame["score"].notna(), 0)
    frame["sum"] = frame["scored"] * frame["score"].fillna(0.0)
    out = frame.groupby("practice_code")[["patients", "scored", "sum"]].sum()
    return out.assign(imd2025=out["sum"] / out["scored"]).drop(columns="sum")


def deprivation(folder: Path, found: Areas, seed: int) -> tuple[Path, pd.DataFrame]:
    """Write File 7 of the English Indices of Deprivation 2025; return the file and the scores by small area."""
    rng = generator(seed, "deprivation")
    score = found.scores["score"].to_numpy()
    size = len(score)
    town = np.arange(size) // 40
    out: dict[str, object] = {}
    headings = constants("publications")["iod2025"]["headings"]["columns"]
    out[headings[0]] = found.scores["lsoa_code"]
    out[headings[1]] = [f"Simford {1 + n // 5:03d}{'ABCDE'[n % 5]}" for n in range(size)]
    out[headings[2]] = [f"E06{900 + n:06d}" for n in town]
    out[headings[3]] = [f"Simford {n + 1}" for n in town]
    for start in range(4, len(headings) - 4, 3):
        rate = headings[start].endswith("(rate)")
        other = score * np.exp(0.2 * rng.standard_normal(size)) / (160 if rate else 1)
        values = score if start == 4 else np.round(np.minimum(other, 0.95 if rate else 95.0), 3)
        rank = np.argsort(np.argsort(-values, kind="stable"), kind="stable") + 1
        out[headings[start]] = values
        out[headings[start + 1]] = rank
        out[headings[start + 2]] = (rank - 1) * 10 // size + 1
    total = rng.integers(1000, 2600, size)
    shares = dict(zip(headings[-4:], (1.0, 0.19, 0.24, 0.62), strict=True))
    out |= {name: np.rint(total * share).astype(int) for name, share in shares.items()}
    path = write(
        folder / "File_7_IoD2025_All_Ranks_Scores_Deciles_Population_Denominators.csv", csv_bytes(pd.DataFrame(out))
    )
    return path, found.scores.set_index("lsoa_code")
