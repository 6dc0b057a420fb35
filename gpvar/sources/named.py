"""What a study names as a source: a publication, or an England reference file, which holds several."""

from __future__ import annotations

from gpvar.errors import SourceError
from gpvar.problems import listing
from gpvar.sources import official
from gpvar.sources._parts import SourceTable
from gpvar.study import Period, SourceSpec
from gpvar.study.columns import REFERENCE


def read_all(spec: SourceSpec, period: Period) -> tuple[SourceTable, ...]:
    """Read what one source of a study names: a publication, or an England reference file, which holds several.

    Parameters
    ----------
    spec
        A publication's id, or that of the reference file, and its files.
    period
        The study's period.

    Returns
    -------
    tuple of SourceTable
        One for each publication.

    Raises
    ------
    SourceError
        When a file is not what it was named as, or cannot be read whole.
    """
    if spec.id != REFERENCE:
        return (official.read(spec, period),)
    if spec.more_files:
        raise SourceError(
            f"{len(spec.files)} England reference files are named; a study uses one.",
            listing(str(file) for file in spec.files),
            "Keep the one that holds the study's months.",
        )
    # It loads the readers of every publication, which most studies do not need.
    from gpvar.sources import reference

    return reference.read(spec.file, period)
