"""Advice that names Python's arguments, said for the shell."""

from __future__ import annotations

import re

# arguments that have a flag of their own; `however: size=0` is what was given to a part, and stays
ARGUMENTS = (
    *("axes", "size", "resize_mode", "patch_size", "pages", "labels", "target", "backbone", "bottleneck", "corruption"),
    *("loss", "scaling", "optimizer", "schedule", "batch_size", "epochs", "max_steps", "max_seconds", "validation"),
    *("random_state", "overwrite", "device", "split_by"),
    *("delimiter", "header", "encoding", "na_values", "on_bad_lines", "columns", "id_column", "label_column"),
)
WRITTEN = re.compile(rf"(?<![\w.(])(?<!however: )({'|'.join(ARGUMENTS)})=(\"[^\"]*\"|'[^']*'|-?[\w.]+)")
PLAIN = re.compile(r"[\"']?([\w.:-]+)[\"']?")


def for_shell(text: str) -> str:
    """Return a line with flags in place of Python's arguments.

    Examples
    --------
    >>> print(for_shell('write axes="NZHW", bottleneck="linear(3)" or overwrite=True'))
    write --axes NZHW, --bottleneck "linear(3)" or --overwrite
    """
    return WRITTEN.sub(_as_flag, text)


def _as_flag(found: re.Match[str]) -> str:
    name, value = found[1].replace("random_state", "seed").replace("_", "-"), found[2]
    plain = PLAIN.fullmatch(value)
    return f"--{name}" if value == "True" else f"--{name} {plain[1] if plain else value}"
