"""The look of every picture: the Analysis Function palette, large type, no colour that carries meaning alone."""

from __future__ import annotations

import textwrap
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

DARK_BLUE, TURQUOISE, DARK_PINK, ORANGE, DARK_GREY, PURPLE = (
    "#12436D",
    "#28A197",
    "#801650",
    "#F46A25",
    "#3D3D3D",
    "#A285D1",
)
PEER_GREY, FAINT_GREY = "#B8BCC2", "#8A8F98"
PNG_DPI = 200

RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Liberation Sans", "Helvetica", "DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": DARK_GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "gpvar",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,
    "path.simplify": True,
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, with everything needed to do without it.

    Attributes
    ----------
    figure
        A matplotlib figure of its own, not known to pyplot.
    title
        The message, in one line; it is drawn on the figure too.
    alt
        The text alternative, built from the numbers.
    data
        What was drawn. In anything to be sent it holds no code or name of another practice.
    name
        The stem of its files.
    """

    figure: Figure
    title: str
    alt: str
    data: pd.DataFrame
    name: str


def style() -> AbstractContextManager[None]:
    """Return the context in which every picture is drawn."""
    return mpl.rc_context(RC)  # type: ignore[arg-type]


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure and its one pair of axes, sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def set_title(figure: Figure, text: str, width: int) -> None:
    """Write the message above the picture, wrapped to its width and flush with its left edge."""
    figure.suptitle(textwrap.fill(text, width), x=0.01, ha="left", fontsize=10, fontweight="bold", color=DARK_BLUE)


def save(chart: Chart, target: Any, kind: str) -> None:
    """Write the chart to an open binary file as ``"png"`` or ``"svg"``, without dates or versions in it."""
    metadata = (
        {"Software": None}
        if kind == "png"
        else {"Date": None, "Creator": "gpvar", "Title": chart.title, "Description": chart.alt}
    )
    with style():
        chart.figure.savefig(target, format=kind, dpi=PNG_DPI, metadata=metadata)
