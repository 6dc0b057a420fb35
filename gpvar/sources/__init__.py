"""One room per publication: a raw file becomes a tidy frame with its provenance. `local` reads anyone's table."""
