"""What the steps of an analysis hand on to one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from gpvar.study import Study
    from gpvar.table import PracticeTable


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader must be told, as an id and numbers; `gpvar.words` turns it into a sentence."""

    id: str
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Analysis:
    """One metric, analysed.

    Attributes
    ----------
    practices
        One row per practice, rung and comparator (``schema.ANALYSIS_PRACTICES``).
    spread
        One row per rung and comparator: the shared spread, its centre and what it implies (``schema.SPREAD``).
    methods
        One row per funnel method and area: how many practices each would flag (``schema.METHODS``).
    fits
        One row per rung and term: the point estimate and the constants of its transformation (``schema.FITS``).
    calibration
        One row per rung: how well the England fit describes the area (``schema.CALIBRATION``).
    levels, coefficients, shares, rungs, equity, boards, board_slopes
        Where the variation comes from, by multilevel models of the rungs (``schema.LEVELS`` and so on); empty where
        too few practices set the comparison.
    effects, waterfall, neighbours, reach
        What each practice's figure is made of, and what may be said about its rank; the last three for the area's
        practices only (``schema.EFFECTS`` and so on).
    passing
        How far practices' figures move from month to month, where more than one period is known.
    models, diagnostics
        Evidence that each rung's multilevel model was fitted, and how well it describes the practices.
    resources, supply
        Need, staff and funding beside the figure: a scenario that explains and does not excuse.
    notes
        What a reader must be told.
    meta
        Metric id, period, weeks in the period, practices used, rungs available, covariates used and dropped.
    """

    practices: pd.DataFrame
    spread: pd.DataFrame
    methods: pd.DataFrame
    fits: pd.DataFrame
    calibration: pd.DataFrame
    levels: pd.DataFrame
    coefficients: pd.DataFrame
    shares: pd.DataFrame
    rungs: pd.DataFrame
    equity: pd.DataFrame
    boards: pd.DataFrame
    board_slopes: pd.DataFrame
    effects: pd.DataFrame
    waterfall: pd.DataFrame
    neighbours: pd.DataFrame
    reach: pd.DataFrame
    passing: pd.DataFrame
    models: pd.DataFrame
    diagnostics: pd.DataFrame
    resources: pd.DataFrame
    supply: pd.DataFrame
    notes: tuple[Note, ...]
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A study, the table it was run on, and the analyses.

    Attributes
    ----------
    study, table
        What was declared and what was observed.
    analyses
        Metric id → `Analysis`.
    folder
        Where the run is stored; its name is the run's key.
    meta
        Key, versions, time of the run, whether the data are simulated.
    """

    study: Study
    table: PracticeTable
    analyses: dict[str, Analysis]
    folder: Path
    meta: dict[str, Any]
