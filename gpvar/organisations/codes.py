"""Codes of practices and networks: how they are written, and what those that are none seem to be."""

from __future__ import annotations

import re

import pandas as pd

from gpvar import catalogue


def tidy(codes: pd.Series) -> pd.Series:
    """Return codes without the spaces around them and in capitals."""
    return codes.fillna("").astype(str).str.strip().str.upper()


def is_practice_code(codes: pd.Series) -> pd.Series:
    """Return which tidy codes have the form of a practice code."""
    return codes.str.fullmatch(catalogue.conventions()["codes"]["practice"])


def looks_like_practice_code(text: str) -> bool:
    """Return whether one text has the form of a practice code."""
    return re.fullmatch(catalogue.conventions()["codes"]["practice"], text.strip().upper()) is not None


def looks_like(codes: pd.Series) -> str:
    """Say what codes that are no practice codes seem to be, or nothing."""
    filled = codes[codes != ""]
    practice = catalogue.conventions()["codes"]["practice"]
    branch = filled.str.fullmatch(practice + r"\d{3}")
    if len(filled) and branch.mean() > 0.3:
        return (
            "No value in this column is a practice code: these look like branch codes. Name the column of the "
            "practices that the branches belong to, with one row for each practice and none for a branch."
        )
    mended = filled[filled.str.fullmatch(r"[A-Z][\dO]{5}") & filled.str[1:].str.contains("O")]
    if len(mended):
        code = mended.iloc[0]
        meant = code[0] + code[1:].replace("O", "0")
        return f"'{code}' holds the letter O where the figure 0 belongs: write {meant}."
    return ""


def network(pcn_code: pd.Series, icb_code: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return networks' codes and keys: unallocated practices are pooled within their board.

    Parameters
    ----------
    pcn_code, icb_code
        Tidy codes; blank where unknown.

    Returns
    -------
    tuple of Series
        The code (``"QHM U"`` for the unallocated of QHM) and the key of board and network together, because a
        network can straddle two boards. Both blank where the network is unknown.
    """
    none = catalogue.conventions()["codes"]["no_pcn"]
    unallocated = pcn_code == none
    code = pcn_code.where(~unallocated, (icb_code + " " + none).str.strip())
    key = (icb_code + ":" + pcn_code).where(pcn_code != "", "")
    return code, key


def plain_text(name: str) -> str:
    """Return a name in small letters without punctuation, for comparing."""
    return " ".join(re.sub(r"[^\w\s]", " ", name.casefold()).split())
