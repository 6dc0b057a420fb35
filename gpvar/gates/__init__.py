"""Data quality before statistics: each gate passed, failed, or could not be checked.

Pure functions on frames. What each gate means, and its thresholds, are in ``catalogue/gates.toml``.
"""

from __future__ import annotations

from gpvar.gates.asking import ON_MONTHS, dropped, excluded, of_months, run, summary
from gpvar.gates.evidence import FAILED, PASSED, UNCHECKED, Evidence, Look
from gpvar.gates.tables import out_of_date
from gpvar.study.columns import declared_covariates

__all__ = [
    "FAILED",
    "ON_MONTHS",
    "PASSED",
    "UNCHECKED",
    "Evidence",
    "Look",
    "declared_covariates",
    "dropped",
    "excluded",
    "of_months",
    "out_of_date",
    "run",
    "summary",
]
