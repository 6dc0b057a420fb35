"""Draw an England: places, patients, what practices do with them, and the counts that come of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from gpvar.simulate._measure import EFFECTS, OUTCOMES, PATIENTS, REGISTERS

Array = np.ndarray[Any, np.dtype[Any]]

# Not in any real table, so invented: link-scale centre and spread. Urgent figures are set so that about three in ten
# practices hold 90 % or more of their urgent appointments on the day.
INVENTED = {
    "urgent": (-1.15, 0.55),
    "urgent_same_day": (1.55, 1.00),
    "unmapped": (-3.2, 0.90),
    "ag_requests": (-5.55, 0.42),
    "referrals": (-4.05, 0.25),
}
AREA = "QZ4"
# New streams go to the end: those before keep their numbers.
_LATER = ("spread", "plants", "movement", "monthly", "lists", "artefacts", "claims")
_SMALL = 8
# Where real codes of networks leave room: the first that is free, and how many. They lie scattered over all numbers.
_ROOM = ((22510, 850), (18496, 480), (41043, 470))


@cache
def constants(name: str) -> dict[str, Any]:
    """Return one of the TOML files beside this module."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def square(rows: list[list[float]]) -> Array:
    """Return a symmetric matrix from the rows below its diagonal."""
    size = len(rows)
    out = np.zeros((size, size))
    for index, row in enumerate(rows):
        out[index, : index + 1] = row
    return out + np.tril(out, -1).T


def streams(seed: int) -> dict[str, np.random.Generator]:
    """Return one generator for each part, so that a change in one part does not move the others."""
    parts = ("places", "patients", "effects", "counts", "names", "invented", "supply", *_LATER)
    return dict(zip(parts, map(np.random.default_rng, np.random.SeedSequence(seed).spawn(len(parts))), strict=True))


def places(rng: np.random.Generator, practices: int, icbs: int) -> pd.DataFrame:
    """Return one row per practice with its board, network, sub-board area and region."""
    boards = constants("names")["board"][:icbs]
    share = np.array([board["share" if icbs <= _SMALL else "england"] for board in boards])
    ends = np.round(np.cumsum(share / share.sum()) * practices).astype(int)
    sizes = np.diff(ends, prepend=0)
    rows, network = [], 0
    for board, size in zip(boards, sizes, strict=True):
        left = int(size)
        while left > 0:
            members = min(left, 1 + int(rng.poisson(3.7)))
            rows += [(board, network)] * members
            left, network = left - members, network + 1
    frame = pd.DataFrame(
        {
            "practice_code": [f"X{10001 + 7 * index:05d}" for index in range(practices)],
            "pcn_code": [_network_code(number) for _, number in rows],
            "sub_icb_code": [f"{board['code'][1:]}{'ABC'[number % 3]}" for board, number in rows],
            "icb_code": [board["code"] for board, _ in rows],
            "icb_name": [board["name"] for board, _ in rows],
            "region_code": [board["region_code"] for board, _ in rows],
            "region_name": [board["region_name"] for board, _ in rows],
        }
    )
    return frame


def _network_code(number: int) -> str:
    """Return the code of a network, from blocks that are not in use."""
    for first, room in _ROOM:
        if number < room:
            return f"U{first + number:05d}"
        number -= room
    raise ValueError("more networks than codes that are free")


def nested(rng: np.random.Generator, frame: pd.DataFrame, corr: Array, shares: Array) -> Array:
    """Return correlated normal scores whose variance is split over board, network and practice.

    The scores are then given exactly the asked correlation, as a few boards would otherwise pull it about.
    """
    root = np.linalg.cholesky(corr)
    total = np.zeros((len(frame), len(corr)))
    for column, share in zip(("icb_code", "pcn_code", "practice_code"), shares, strict=True):
        index, groups = pd.factorize(frame[column])
        draw = rng.standard_normal((len(groups), len(corr))) @ root.T
        total += (draw * np.sqrt(share))[index]
    total -= total.mean(axis=0)
    got = np.linalg.cholesky(np.cov(total, rowvar=False))
    return np.linalg.solve(got, total.T).T @ root.T


def patients(rng: np.random.Generator, frame: pd.DataFrame) -> Array:
    """Return the standard scores of every covariate, in the order of `PATIENTS`."""
    england = constants("england")
    icb, pcn = (np.array([england["patients"][name][level] for name in PATIENTS]) for level in ("icb", "pcn"))
    return nested(rng, frame, square(england["correlation"]["rows"]), np.vstack([icb, pcn, 1 - icb - pcn]))


def planted_scores(spec: dict[str, float]) -> Array:
    """Return the scores of a planted practice: those given, and the rest as expected of it."""
    corr = square(constants("england")["correlation"]["rows"])
    given = [PATIENTS.index(name) for name in spec]
    weights = np.linalg.solve(corr[np.ix_(given, given)], np.array(list(spec.values())))
    out = corr[:, given] @ weights
    out[given] = list(spec.values())
    return out


def patient_columns(scores: Array) -> pd.DataFrame:
    """Turn standard scores into the columns that a table of practices holds."""
    england = constants("england")["patients"]
    raw = {
        name: england[name]["centre"] + england[name]["spread"] * scores[:, index]
        for index, name in enumerate(PATIENTS)
    }
    share = {name: special.expit(raw[name]) for name in PATIENTS if name.startswith("share_")}
    share["share_0_4"] = share["share_0_4"] * share["share_0_14"]
    share["share_75plus"] = share["share_75plus"] * share["share_65plus"]
    share["share_85plus"] = share["share_85plus"] * share["share_75plus"]
    share["share_female_15_44"] = share["share_female_15_44"] * share["share_female"]
    cut = stats.norm.ppf(1 - england["rural"]["centre"])
    out = pd.DataFrame({"list_size": np.exp(raw["list"]), "imd2025_score": np.exp(raw["imd"]).clip(4.0, 65.0), **share})
    out["smoking"] = special.expit(raw["smoking"])
    for name in REGISTERS:
        out[f"qof_{name}"] = special.expit(raw[f"qof_{name}"])
    out["rurality"] = np.where(scores[:, PATIENTS.index("rural")] > cut, "Rural", "Urban")
    return out


@dataclass(frozen=True, slots=True)
class Scales:
    """How much of what England has, and how the draws of practices are spread.

    Attributes
    ----------
    need, place, practice
        Factors of need, of the SDs of board and network, and of the SD of the practice.
    spread
        ``"measured"``, ``"normal"``, or the degrees of freedom of a t of the same SD.
    """

    need: float = 1.0
    place: float = 1.0
    practice: float = 1.0
    spread: str | int = "measured"

    def of(self, level: str) -> float:
        """Return the factor of a level's SD."""
        return self.practice if level == "practice" else self.place


def effects(
    rng: dict[str, np.random.Generator], frame: pd.DataFrame, scores: Array, rural: Array, by: Scales
) -> dict[str, pd.DataFrame]:
    """Return for each outcome what need, board, network and practice add on the link scale."""
    england = constants("england")
    root = np.linalg.cholesky(square(england["outcome_correlation"]["rows"]))
    draws = {}
    for level, column in (("icb", "icb_code"), ("pcn", "pcn_code"), ("practice", "practice_code")):
        index, groups = pd.factorize(frame[column])
        draws[level] = (rng["effects"].standard_normal((len(groups), len(OUTCOMES))) @ root.T)[index]
    # One common chi-square a practice would make every tail heavy at once; each outcome gets its own.
    stretch = rng["effects"].standard_normal((len(frame), len(OUTCOMES), 10))
    share = england["patients"]["rural"]["centre"]
    used = np.array(scores[:, [PATIENTS.index(name) for name in EFFECTS]])
    used[:, EFFECTS.index("rural")] = (rural - share) / np.sqrt(share * (1 - share))
    out = {}
    for column, name in enumerate(OUTCOMES):
        card = england["outcomes"][name]
        frame_out = pd.DataFrame({"need": by.need * (used @ np.array([card["effects"][item] for item in EFFECTS]))})
        for level in ("icb", "pcn", "practice"):
            frame_out[level] = by.of(level) * card[level] * draws[level][:, column]
        frame_out["icb"] -= frame_out["icb"].mean()
        df = tails(name, by)
        if by.spread == "measured" and df:
            frame_out["practice"] /= np.sqrt((stretch[:, column, :df] ** 2).sum(axis=1) / (df - 2))
        elif df:
            frame_out["practice"] /= np.sqrt(rng["spread"].chisquare(df, len(frame)) / (df - 2))
        out[name] = frame_out
    return out


def tails(outcome: str, by: Scales) -> int:
    """Return the degrees of freedom of an outcome's practice draw; nought where it is normal."""
    if by.spread == "normal":
        return 0
    if by.spread == "measured":
        return int(constants("england")["outcomes"][outcome].get("tails", 0))
    return int(by.spread)


def plant(frame: pd.DataFrame, found: dict[str, pd.DataFrame], rows: list[int]) -> None:
    """Set what is left of planted practices to what was asked, in place."""
    for row, item in zip(rows, constants("planted")["practice"], strict=True):
        for name, value in item["left"].items():
            effect = found[name]
            effect.loc[row, "practice"] = value - effect.loc[row, "icb"] - effect.loc[row, "pcn"]


def link(found: dict[str, pd.DataFrame]) -> dict[str, Array]:
    """Return each outcome's link-scale value."""
    england = constants("england")["outcomes"]
    return {name: england[name]["centre"] + part.sum(axis=1).to_numpy() for name, part in found.items()}


def counts(rng: np.random.Generator, exposure: Array, eta: dict[str, Array]) -> dict[str, Array]:
    """Draw appointments by booking interval, status and mode: of a year, or of (practices, months)."""
    p = {name: special.expit(value) for name, value in eta.items()}
    total = rng.poisson(exposure * np.exp(eta["appointments"]))
    same_day = rng.binomial(total, p["same_day"])
    unknown_booking = rng.binomial(total - same_day, 0.0002)
    left = total - same_day - unknown_booking
    day_1 = rng.binomial(left, p["day_1"])
    week = rng.binomial(left - day_1, p["days_2_7"])
    fortnight = rng.binomial(left - day_1 - week, p["days_8_14"])
    unknown_status = rng.binomial(total, p["status_unknown"])
    dna = rng.binomial(total - unknown_status, p["dna"])
    face_to_face = rng.binomial(total, p["face_to_face"])
    telephone = rng.binomial(total - face_to_face, p["telephone"])
    rest = total - face_to_face - telephone
    home = rng.binomial(rest, 0.10)
    unknown_mode = rng.binomial(rest - home, 0.35)
    return {
        "total_appointments": total,
        "attended": total - unknown_status - dna,
        "dna": dna,
        "status_unknown": unknown_status,
        "face_to_face": face_to_face,
        "telephone": telephone,
        "video_online": rest - home - unknown_mode,
        "home_visit": home,
        "same_day": same_day,
        "1_day": day_1,
        "2_to_7_days": week,
        "8_to_14_days": fortnight,
        "over_14_days": left - day_1 - week - fortnight,
        "booking_unknown": unknown_booking,
    }


def invented_scores(rng: np.random.Generator, icb: Array) -> dict[str, Array]:
    """Draw what each practice is where no table was measured: urgent and unmapped appointments, advice, referrals."""
    score = {name: centre + spread * rng.standard_normal(len(icb)) for name, (centre, spread) in INVENTED.items()}
    boards = rng.standard_normal(int(icb.max()) + 1) * 0.25
    return {**score, "ag_requests": score["ag_requests"] + boards[icb]}


def invented(
    rng: np.random.Generator, drawn: dict[str, Array], exposure: Array, unmapped: Array, score: dict[str, Array]
) -> dict[str, Array]:
    """Draw the counts of what no table was measured for: of a year, or of (practices, months)."""
    total, same_day = drawn["total_appointments"], drawn["same_day"]
    acute = rng.binomial(total, special.expit(score["urgent"]))
    on_the_day = np.minimum(rng.binomial(acute, special.expit(score["urgent_same_day"])), same_day)
    acute = on_the_day + np.minimum(acute - on_the_day, total - same_day)
    share = np.where(np.isnan(unmapped), np.minimum(special.expit(score["unmapped"]), 0.38), unmapped)
    return {
        "general_consultation_acute": acute,
        "general_consultation_acute_same_day": on_the_day,
        "unmapped": np.minimum(rng.binomial(total, share), total - acute),
        "ag_requests": rng.poisson(exposure * np.exp(score["ag_requests"])),
        "referrals": rng.poisson(exposure * np.exp(score["referrals"])),
    }


def names(rng: np.random.Generator, frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return an invented name for each practice and for each practice's network, none used twice."""
    words = constants("names")
    planted = {
        item["name"].rsplit(" ", 1)[0].split(" Medical")[0].split(" Health")[0].split(" Group")[0]
        for item in constants("planted")["practice"]
    }
    pairs = [f"{first} {second}" for first in words["first"] for second in words["second"]]
    pairs = [pair for pair in pairs if pair not in planted]
    order = rng.permutation(len(pairs))
    kinds = rng.integers(len(words["kind"]), size=len(pairs))
    practice = []
    for number in range(len(frame)):
        # In a large England a pair of words comes again, with another kind of practice behind it.
        again, place = divmod(number, len(pairs))
        kind = words["kind"][(kinds[place] + again) % len(words["kind"])]
        practice.append(f"{pairs[order[place]]} {kind}")
    codes, groups = pd.factorize(frame["pcn_code"])
    short = [f"{second} {place} PCN" for second in words["second"] for place in words["network"]]
    long = [f"{first} {name}" for first in words["first"] for name in short] if len(groups) > len(short) else []
    networks = [*(short[index] for index in rng.permutation(len(short))), *long]
    return practice, [networks[code] for code in codes]
