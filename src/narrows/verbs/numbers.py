"""Numbers for other programs: what a training measured, and the tables of `evaluate`, as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from narrows.data.fingerprint import find_fingerprint
from narrows.errors import DataError
from narrows.files import refuse_existing, whole
from narrows.metrics.table import Table
from narrows.modelfile import Model
from narrows.tables.formulas import write_rows
from narrows.training.finished import Finished
from narrows.training.run import Run

METRICS_FILE = "metrics.json"
ENDINGS = (".json", ".csv")


def describe_training(model: Model, run: Run, end: Finished) -> dict[str, Any]:
    """Return all that a training measured, and what it was measured on, as JSON takes it."""
    network, card, given = model.network, model.card, run.plan.validation_data
    data = {"origin": card.origin, "samples": len(run.plan.samples.x), "shape": list(network.shape)}
    data["sha256"] = find_fingerprint(run.plan.samples)
    if given is not None:
        sha = find_fingerprint(given)
        data["validation_data"] = {"origin": given.origin, "samples": len(given.x), "sha256": sha}
    return {
        "data": data,
        "network": {
            **network.texts,
            "parameters": sum(p.numel() for p in network.parameters()),
            "code_size": network.code_size if network.has_code else None,
        },
        "training": card.recipe,
        "metrics": {**card.metrics, "units": network.texts["scaling"]},
        "notes": [*run.plan.notes, *filter(None, [end.kept]), *end.warnings],
    }


def as_json(value: Any) -> bytes:
    """Return a value as JSON text in UTF-8."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def check_tables_output(output: str | Path, overwrite: bool) -> None:
    """Raise a DataError where tables cannot be written to `output`."""
    if Path(output).suffix.lower() not in ENDINGS:
        raise DataError(
            f"tables are written as {', '.join(ENDINGS)}, however: -o {output}; give it one of these endings"
        )
    refuse_existing(output, overwrite)


def write_tables(output: str | Path, tables: Sequence[Table], overwrite: bool = False) -> None:
    """Write tables as JSON, one object each, or as CSV with a line per cell and note: table, row, column, value."""
    check_tables_output(output, overwrite)
    with whole(Path(output), overwrite) as temporary:
        if temporary.suffix.lower() == ".json":
            keys = ("title", "columns", "rows", "note")
            temporary.write_bytes(as_json([{key: getattr(table, key) for key in keys} for table in tables]))
            return
        rows: list[tuple[Any, ...]] = [("table", "row", "column", "value")]
        for table in tables:
            for first, *rest in table.rows:
                rows += ((table.title, first, *cell) for cell in zip(table.columns[1:], rest, strict=True))
            if table.note:
                rows.append((table.title, "", "note", table.note))
        write_rows(temporary, rows)
