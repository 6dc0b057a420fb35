"""Errors written for the person at the keyboard.

Every error a user can cause says three things: what is wrong, where it is, and what to do about it. The
command line prints exactly those three lines and exits with 2; a traceback on the screen is a bug of ours.
"""

from __future__ import annotations


class GpvarError(Exception):
    """A problem the user can act on.

    Parameters
    ----------
    problem
        What is wrong, in one plain sentence.
    where
        The file, sheet, row, column or value at which it was found; empty when there is no place to name.
    fix
        What to do next, in one plain sentence.
    """

    def __init__(self, problem: str, where: str = "", fix: str = "") -> None:
        super().__init__(problem, where, fix)
        self.problem = problem
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """Return the message as up to three lines."""
        lines = [self.problem]
        if self.where:
            lines.append(f"Where: {self.where}")
        if self.fix:
            lines.append(f"What to do: {self.fix}")
        return "\n".join(lines)


class StudyError(GpvarError):
    """The study file, or what it asks for, cannot be used."""


class SourceError(GpvarError):
    """A data file cannot be read as what it was said to be."""


class TableError(GpvarError):
    """The files were read but do not make a table that can be analysed."""


class StatsError(GpvarError, ValueError):
    """A statistic was asked of numbers that cannot answer it."""


class ConvergenceError(GpvarError):
    """A model did not reach a solution; its numbers must not be used."""


class RunMissing(GpvarError):
    """A report was asked for before the analysis it reads was run."""


class ReportError(GpvarError):
    """A report could not be written."""
