"""What a letter says, and what the data say of it: claim and run in, finding out; ids and numbers, no prose."""

from __future__ import annotations

from gpvar.claims.checking import check_all, check_claim, fingerprint
from gpvar.claims.gaps import gaps
from gpvar.claims.letter import letter_of, read_letter
from gpvar.claims.remarks import remarks

__all__ = ["check_all", "check_claim", "fingerprint", "gaps", "letter_of", "read_letter", "remarks"]
