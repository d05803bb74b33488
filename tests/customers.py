"""A small mixed table for maps: every kind of column, gaps, an unseen category, ids and texts beside it."""

import numpy as np
import pyarrow

from narrows.data.samples import Samples
from narrows.tables.column import UNSEEN, Column
from narrows.tables.columns import Columns
from narrows.tables.noticing import Beside
from narrows.training.fit import Fit

COLOURS = ("blue", "<b>red</b>", "violet")
TOWNS = tuple(f"town {i}" for i in range(40))
COLUMNS = Columns(
    (
        Column("age", "integer", "int64"),
        Column("weight", "number"),
        Column("colour", "category", "string", COLOURS),
        Column("member", "boolean", "bool"),
        Column("joined", "time", "date32[day]"),
        Column("<i>town</i>", "category", "string", TOWNS),
        Column("nothing", "number"),
    )
)
SCALING = "columns('n2 c3 c2 n1 c40 n1')"


def customers():
    """Return 120 rows of COLUMNS."""
    random = np.random.default_rng(0)
    age = random.integers(18, 80, 120).astype(float)
    columns = [
        age,
        age / 2 + 50 + random.normal(size=120),
        (age > 40) + 0.0,
        (age > 60) + 0.0,
        86_400 * np.rint(18_000 - 10 * age),
        np.concatenate([np.zeros(50), np.arange(70) % 40]),
        np.full(120, np.nan),
    ]
    x = np.stack(columns, 1)
    x[3, 0] = x[4, 2] = x[6, 4] = np.nan
    x[5, 2] = UNSEEN
    kept = pyarrow.table(
        {
            "id": [f"C-{i:03d}" for i in range(120)],
            "x": ["=1+1", None] * 60,
            "kind": ["new", "old", "old"] * 40,
            "price": np.sqrt(age).tolist(),
        }
    )
    return Samples(x, columns=COLUMNS.names, table=COLUMNS, beside=Beside((), (), kept), origin="customers.csv")


def train_customers(bottleneck="linear(2)"):
    """Return a model of the rows."""
    options = {"backbone": "dense(hidden=[])", "epochs": 1, "checks": False, "device": "cpu"}
    return Fit(customers(), scaling=SCALING, bottleneck=bottleneck, **options).run()
