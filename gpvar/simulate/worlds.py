"""Worlds of any size with known truth: what `world` draws, and what it hands back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpvar.design import Design
from gpvar.simulate import _artefacts, _declared, _moving, _plants, _tables, _world, _writing
from gpvar.simulate._artefacts import Done
from gpvar.simulate._asked import Asked, Plant
from gpvar.simulate._declared import METRICS
from gpvar.simulate._scene import Artefact, Scene
from gpvar.stats.reliability import averaging_factor

__all__ = ["METRICS", "Artefact", "Done", "Plant", "World", "world"]

Array = np.ndarray[Any, np.dtype[Any]]

_PARTS = ("need", "icb", "pcn", "practice", "link")


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """An invented England, and the truth behind it.

    Attributes
    ----------
    practices
        One row per practice, headed like a real table of a year.
    months
        practice_code, month, registered_patients and the counts of that month; the year is their sum. None where the
        year was drawn as one.
    truth
        One row per practice and outcome, on the link scale (logit of a share, logarithm of a rate per patient-month):
        what `need`, `icb`, `pcn` and `practice` add to the centre; `link`, the figure that lasts, to which that of
        ever more months comes near; and `period`, the expected figure of this year given its denominators, in which
        the months' passing movement is left.
    coefficients
        The true coefficients of the columns that each metric's card declares: outcome, metric, term, covariate,
        coefficient. Empty unless need was asked for as declared.
    spreads
        A row per outcome: metric (empty where it is not a measure of its own), centre, the SDs `icb`, `pcn`,
        `practice` and `shared` (the root of the sum of their squares), month_variance, month_correlation,
        period_variance (of passing movement in the mean of the year) and df (of the t of practices; 0: normal).
    moved
        Outcome → (practices, months) passing movement on the link scale.
    planted
        A row per planted practice and plant: plant (number), practice_code, outcome, metric, direction, size, on_top,
        added (to the practice's own part, link scale).
    shown
        The practices that were set by hand for the demonstration, and what the tool should say of them.
    patients
        What the table says of each practice's patients and list, before any artefact: what need follows from.
    settings
        What was asked for.
    artefacts
        What each artefact did; `practices` and `months` are with it, `truth` is without.
    beside
        Further tables that artefacts left: ``"telephony"``, ``"practice_events"``.
    dates
        Characteristic → month of which it is, where an artefact gave it another than the usual one.
    hidden
        Counts that are written as a mark: table, practice_code, month, column, mark. The tables here hold the number.
    claims
        Sentences about it whose answers are known.
    """

    practices: pd.DataFrame
    months: pd.DataFrame | None
    truth: pd.DataFrame
    coefficients: pd.DataFrame
    spreads: pd.DataFrame
    moved: dict[str, Array] = field(repr=False)
    planted: pd.DataFrame
    shown: pd.DataFrame
    patients: pd.DataFrame = field(repr=False)
    settings: dict[str, Any]
    artefacts: tuple[Done, ...] = ()
    beside: dict[str, pd.DataFrame] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    hidden: pd.DataFrame = field(default_factory=pd.DataFrame)
    claims: tuple[Any, ...] = ()

    @property
    def seed(self) -> int:
        """The seed it was drawn with."""
        return int(self.settings["seed"])

    @property
    def metric(self) -> str:
        """The metric that it is about."""
        return str(self.settings["metric"])

    def truth_of(self, metric: str = "") -> pd.DataFrame:
        """Return the truth of one metric (the world's own unless it is named), by practice_code in the table's order.

        Raises
        ------
        StudyError
            When the metric has no single truth.
        """
        outcome = _plants.outcome_of(metric or self.metric)
        return self.truth[self.truth["outcome"] == outcome].drop(columns="outcome").set_index("practice_code")

    def design_of(self, metric: str = "") -> Design:
        """Return the columns that a metric's card declares, of this world's patients."""
        return _declared.design_of(self.patients, metric or self.metric)

    def study(self, metrics: Sequence[str] = (), **more: Any) -> dict[str, Any]:
        """Return a study of this world, marked as simulated, for `gpvar.load_study` with the folder it was written to.

        Parameters
        ----------
        metrics
            The world's own unless they are given.
        more
            Parts of a study that replace its own or stand beside them: ``adjust``, ``reference``, ``claim`` ...
        """
        return _writing.study(self, tuple(metrics), more)

    def write(self, folder: Path | str, metrics: Sequence[str] = (), **more: Any) -> Path:
        """Write the tables and a study of them.

        Returns
        -------
        Path
            The study, for `gpvar.run`.
        """
        return _writing.write(self, Path(folder), tuple(metrics), more)


def _several(given: object) -> tuple[Any, ...]:
    """Return what was given as a tuple; one thing alone as a tuple of it."""
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def world(
    seed: int,
    practices: int = 6200,
    icbs: int = 42,
    *,
    metric: str = "same_day_share",
    need: str = "patients",
    need_scale: float = 1.0,
    place_scale: float = 1.0,
    spread: str | int = "measured",
    spread_scale: float = 1.0,
    months: int = 0,
    month_correlation: float = 0.5,
    movement: float = 1.0,
    events: float = 1.0,
    plant: Sequence[Plant] = (),
    artefacts: Sequence[Artefact] = (),
    templates: Sequence[str] = (),
    shown: bool = False,
) -> World:
    """Draw an invented England whose truth is known.

    Practices stand in networks, networks in boards. Patients have the means, spreads and correlations of real ones;
    outcomes follow from them, from place and from the practice itself, in the sizes that were measured in 2025/26
    (``england.toml``): numbers, never rows of a real table. One seed is one world; each part has a stream of random
    numbers of its own, so that worlds which differ in one argument have the same places and patients, and the same
    draws of boards, networks and practices.

    Parameters
    ----------
    seed
        Which world.
    practices, icbs
        Its size: 300 to 6,500 practices in 4 to 42 boards.
    metric
        What it is about, one of `METRICS`: of plants, claims and studies that name no other.
    need
        ``"patients"``: effects of the patients as measured. ``"declared"``: the same need, put by least squares onto
        the columns that each metric's card declares, so that the tool can find all of it and its coefficients are
        known.
    need_scale, place_scale, spread_scale
        Factors of need, of the SDs of boards and networks, and of the SD of practices.
    spread
        How practices are spread: ``"measured"`` (with the tails of real ones), ``"normal"``, or the degrees of freedom
        of a t, 3 or more, scaled to the same SD.
    months
        12: every outcome moves from month to month, counts are drawn by month and the year is their sum. 0: the year
        is drawn as one and nothing passes.
    month_correlation, movement
        Passing movement is a stationary AR(1) on the link scale: the correlation of one month with the next, and a
        factor of its variance in ``movement.toml``.
    events
        A factor of denominators, for figures that chance moves more. Lists of patients keep their size.
    plant
        Practices whose own part is set apart.
    artefacts
        What is wrong with the data; it touches no truth, and no practice that was set apart unless it is named.
    templates
        Which claims to plant, by the ids of their templates.
    shown
        Whether the practices of the demonstration are set by hand; ``world(DEMO_SEED, 1200, 8, shown=True)`` is the
        demonstration.

    Returns
    -------
    World

    Raises
    ------
    StudyError
        When it cannot be made.
    """
    asked = Asked(
        seed, practices, icbs, metric, need, need_scale, place_scale, spread, spread_scale, months, month_correlation,
        movement, events, _several(plant), _several(artefacts), _several(templates), shown,
    )  # fmt: skip
    asked.check()
    made = _drawn(asked)
    if not asked.templates:
        return made
    # Claims are made of worlds, so their module comes after this one.
    from gpvar.simulate._claims import claims_of

    return replace(made, claims=claims_of(made, asked.templates))


def _drawn(asked: Asked) -> World:
    rng = _world.streams(asked.seed)
    where = _tables.ground(rng, asked.practices, asked.icbs, shown=asked.shown)
    rural = (where.people["rurality"] == "Rural").to_numpy(float)
    found = _world.effects(rng, where.frame, where.scores, rural, asked.scales)
    beside = _tables.invented(rng["invented"], where)
    coefficients = _put_onto_cards(asked, where, beside, found)
    if asked.shown:
        _world.plant(where.frame, found, where.rows)
    spreads = _spreads(asked)
    planted = _plants.plant(rng["plants"], asked, where.frame, found, spreads)
    lasting = _world.link(found)
    counted = _counted(rng, asked, where, lasting, beside)
    scene = Scene(
        where,
        _tables.year(rng, where, _of_year(counted.drawn), beside, where.exposure(asked.events)),
        _tables.by_month(where.frame, _moving.YEAR, counted.exposure.astype(int), counted.drawn)
        if asked.months
        else None,
        taken=set(where.rows) | set(np.flatnonzero(where.frame["practice_code"].isin(planted["practice_code"]))),
    )
    done = _artefacts.apply(rng["artefacts"], asked.artefacts, scene)
    return World(
        practices=scene.practices,
        months=scene.months,
        truth=_truth(where.frame, found, lasting, counted.period),
        coefficients=coefficients,
        spreads=spreads,
        moved=counted.moved,
        planted=planted,
        shown=_plants.shown(where),
        patients=_tables.known(where, beside),
        settings=asdict(asked),
        artefacts=done,
        beside=scene.beside,
        dates=scene.dates,
        hidden=pd.concat(scene.hidden, ignore_index=True) if scene.hidden else pd.DataFrame(),
    )


def _put_onto_cards(
    asked: Asked, where: _tables.Ground, beside: _tables.Invented, found: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """Put need onto the columns of the cards where that was asked for, in place; return the coefficients."""
    columns = ["outcome", "metric", "term", "covariate", "coefficient"]
    if asked.need != "declared":
        return pd.DataFrame(columns=columns)
    # Characteristics do not depend on what is counted, so a table of nothing has them as they will be written.
    table = _tables.known(where, beside)
    fitted = _declared.ordinary(table)
    parts = []
    for metric, outcome in METRICS.items():
        design = _declared.design_of(table, metric)
        slopes = _declared.onto(design, found[outcome]["need"].to_numpy(), fitted)
        found[outcome]["need"] = design.matrix[:, 1:] @ slopes
        centre = float(_world.constants("england")["outcomes"][outcome]["centre"])
        parts.append(_declared.coefficients(design, metric, centre, slopes))
    return pd.concat(parts, ignore_index=True)[columns]


def _counted(
    rng: dict[str, np.random.Generator],
    asked: Asked,
    where: _tables.Ground,
    lasting: dict[str, Array],
    beside: _tables.Invented,
) -> _moving.Counted:
    if not asked.months:
        return _moving.as_a_year(rng, where, lasting, beside, asked.events)
    return _moving.month_by_month(rng, where, lasting, beside, asked.events, asked.movement, asked.month_correlation)


def _of_year(drawn: dict[str, Array]) -> dict[str, Array]:
    return {name: values.sum(axis=1) if values.ndim == 2 else values for name, values in drawn.items()}


def _truth(
    frame: pd.DataFrame, found: dict[str, pd.DataFrame], lasting: dict[str, Array], period: dict[str, Array]
) -> pd.DataFrame:
    parts = [
        part.assign(practice_code=frame["practice_code"], outcome=name, link=lasting[name], period=period[name])
        for name, part in found.items()
    ]
    return pd.concat(parts, ignore_index=True)[["practice_code", "outcome", *_PARTS, "period"]]


def _spreads(asked: Asked) -> pd.DataFrame:
    """Return the true SDs of every outcome, and how it moves."""
    metric_of = {outcome: metric for metric, outcome in METRICS.items()}
    by_outcome = _moving.variances(asked.movement if asked.months else 0.0)
    rows = []
    for outcome, card in _world.constants("england")["outcomes"].items():
        sds = {level: asked.scales.of(level) * card[level] for level in ("icb", "pcn", "practice")}
        factor = float(averaging_factor(_tables.MONTHS, asked.month_correlation))
        rows.append(
            {
                "outcome": outcome,
                "metric": metric_of.get(outcome, ""),
                "centre": card["centre"],
                **sds,
                "shared": float(np.sqrt(sum(sd**2 for sd in sds.values()))),
                "month_variance": by_outcome[outcome],
                "month_correlation": asked.month_correlation if asked.months else 0.0,
                "period_variance": by_outcome[outcome] * factor,
                "df": _world.tails(outcome, asked.scales),
            }
        )
    return pd.DataFrame(rows)
