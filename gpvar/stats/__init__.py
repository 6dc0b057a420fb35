"""The field's methods, with no word of the NHS in them.

Each module is a set of plain functions: numbers in, arrays or a frame or a frozen result out. The names follow
the papers that the docstrings cite.
"""

from __future__ import annotations
