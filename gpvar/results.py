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
class Multiverse:
    """One metric, analysed in every declared way that answers the same question.

    Attributes
    ----------
    specifications
        One row per way, the primary first: which option it takes of every choice, whether it could be made and why
        not, what it gives for all practices (``schema`` table ``specifications``).
    practices
        One row per way, comparator and practice of the area: difference, z and whether it agrees with the primary
        (``schema`` table ``specification_practices``).
    summary
        One row per practice and comparator, all practices: in how many ways of how many it stands as in the primary,
        robust or fragile, which choice drives it, and how strong something unmeasured would have to be
        (``schema`` table ``robustness``).
    meta
        Metric id, rung, seed, how many ways were declared and how many made.
    """

    specifications: pd.DataFrame
    practices: pd.DataFrame
    summary: pd.DataFrame
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as a letter prints it.

    Attributes
    ----------
    text
        What was written, e.g. ``"31.2%"``.
    number
        The number itself, 31.2; the letter's unit is that of the metric's card (per cent, or per 1,000).
    decimals
        How many decimals were printed: what a figure must agree to.
    percent
        Whether a percent sign stood there.
    """

    text: str
    number: float
    decimals: int
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of a letter, as data.

    Attributes
    ----------
    id
        Its number in the letter: "1", "2" and so on.
    template
        Id in the catalogue of templates.
    text
        What the letter says, word for word; may be empty.
    practice, practice_code
        The practice as written, and its code where it is known; empty for a sentence about the area.
    metric, metric_written
        The card's id, empty where the measure has none; and what was written.
    figure, figure_before, comparator_figure, threshold
        Numbers that the letter prints. A threshold of the templates `tail`, `many_red` and `worst_improved` is a share
        of practices.
    comparator
        england, icb, sub_icb, pcn, region, similar, or empty where the letter names none.
    direction
        low or high: the side on which the letter puts the practice; for a change or an improvement, the way in which
        it says the figure moved or ought to have moved. Empty where it does not say.
    period, period_before
        Months as ``"2025-04..2026-03"``; empty where the letter names none.
    place, of
        "3rd of 230", "6 of 33 indicators", "the worst 10 of 230".
    sanction, support, note
        What the letter asks for or threatens, what support it offers, and the reader's own remark (never sent).
    where
        File and row, for messages.
    """

    id: str
    template: str
    text: str = ""
    practice: str = ""
    practice_code: str = ""
    metric: str = ""
    metric_written: str = ""
    figure: Figure | None = None
    figure_before: Figure | None = None
    comparator_figure: Figure | None = None
    threshold: Figure | None = None
    comparator: str = ""
    direction: str = ""
    period: str = ""
    period_before: str = ""
    place: int | None = None
    of: int | None = None
    sanction: str = ""
    support: str = ""
    note: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the data say of one sentence of a letter, as ids and numbers; `gpvar.words` turns it into sentences.

    Attributes
    ----------
    claim
        The sentence.
    verdict
        supported, not_attributable, contradicted, not_shown, not_decidable or wrong_metric.
    because
        The reason of the decision table's rule, then what must be said beside it.
    numbers
        What the reason's sentence needs, and what else is shown; shares as fractions, figures in the card's raw unit.
    arithmetic
        Whether the letter's own figure is what these data give: right, wrong, or not_checked.
    comparator
        england or own_icb: beside whom the practice was judged.
    gates
        (gate, severity, state, detail) of every check that failed or could not be made.
    rungs
        One entry per rung: what the practice's row says there (rung, value, centre, difference and its interval, z,
        position, movement, explained_share, percentile); empty for a sentence about the area.
    robustness
        What other defensible choices give: ids and numbers.
    would_change, disclose
        What would change the finding, and the questions to ask, by id, the first the most.
    source
        Where the numbers come from: key of the run, metric, period, file and SHA-256 of the figures.
    """

    claim: Claim
    verdict: str
    because: tuple[str, ...]
    numbers: dict[str, Any] = field(default_factory=dict)
    arithmetic: str = "not_checked"
    comparator: str = "england"
    gates: tuple[dict[str, Any], ...] = ()
    rungs: tuple[dict[str, Any], ...] = ()
    robustness: dict[str, Any] = field(default_factory=dict)
    would_change: tuple[str, ...] = ()
    disclose: tuple[str, ...] = ()
    source: dict[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The reason of the rule that decided."""
        return self.because[0]


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
    findings
        One for each sentence of the letter, in its order; empty without a letter.
    multiverse
        Metric id → `Multiverse`.
    """

    study: Study
    table: PracticeTable
    analyses: dict[str, Analysis]
    folder: Path
    meta: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    multiverse: dict[str, Multiverse] = field(default_factory=dict)
