"""Writes a study for a person who has a table and a question: names and codes are found, known headings are mapped."""

from __future__ import annotations

from gpvar.starter.beginning import lay_out_demo, new_study
from gpvar.starter.describing import describe

__all__ = ["describe", "lay_out_demo", "new_study"]
