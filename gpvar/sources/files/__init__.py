"""From a path to cells: what a file is packed in, its rows, its columns by name, and its numbers."""
