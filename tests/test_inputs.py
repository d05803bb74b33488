"""docs/inputs.md: every kind of input that it names goes through the verbs, on files made here."""

import gzip
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas
import pyarrow
import pytest
from PIL import Image

import narrows
from narrows.cli import main
from narrows.data.named import HERE

PAGE = (Path(__file__).parent.parent / "docs" / "inputs.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("<!-- inputs -->\n")[2].partition("<!-- end -->")[0]
KINDS = [line.split(" | ")[0].removeprefix("| ") for line in TABLE.splitlines()[2:]]
FAST = ["--backbone", "dense(hidden=[])", "--bottleneck", "linear(2)", "--epochs", "1"]


def values(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def pictures(folder):
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        (folder / "pics" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values(12, 10) // (1 + int(name[2]))).save(folder / "pics" / name)
    return folder / "pics"


def tiffs(dtype, *shape):
    def make(folder):
        from tifffile import imwrite

        (folder / "tiffs").mkdir()
        for i in range(2):
            imwrite(folder / "tiffs" / f"{i}.tif", (values(*shape) / (i + 1)).astype(dtype), photometric="minisblack")
        return folder / "tiffs"

    return make


def zipped(folder):
    with zipfile.ZipFile(folder / "pics.zip", "w") as archive:
        for file in sorted(pictures(folder).rglob("*.png")):
            archive.write(file, file.relative_to(folder))
    return folder / "pics.zip"


def array(*shape):
    def make(folder):
        np.save(folder / "x.npy", values(*shape))
        return folder / "x.npy"

    return make


def arrays(folder):
    (folder / "arrays").mkdir()
    for i, x in enumerate(values(6, 12, 10)):
        np.save(folder / "arrays" / f"{i}.npy", x)
    return folder / "arrays"


def npz(**shapes):
    def make(folder):
        np.savez(folder / "x.npz", **{name: values(*shape) for name, shape in shapes.items()})
        return folder / "x.npz"

    return make


def idx(folder):
    whole = gzip.decompress((HERE / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    header = whole[:4] + (20).to_bytes(4, "big") + whole[8:16]
    (folder / "digits.idx.gz").write_bytes(gzip.compress(header + whole[16 : 16 + 20 * 784]))
    return folder / "digits.idx.gz"


def table(folder):
    rows = "\n".join(",".join(map(str, row)) for row in values(20, 4))
    (folder / "x.csv").write_text(f"a,b,c,d\n{rows}\n")
    return folder / "x.csv"


def packed(folder):
    path = table(folder)
    (folder / "x.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return folder / "x.csv.gz"


def mixed(name):
    def make(folder):
        from narrows.tables.write import write_table

        x = values(20, 3).astype(float)
        x[::7, 0] = np.nan
        colours = np.array(["red", "blue"])[values(20) % 2]
        write_table(
            folder / name, pyarrow.Table.from_pandas(pandas.DataFrame(x, columns=list("abc")).assign(d=colours))
        )
        return folder / name

    return make


# kind -> what makes it and returns the words of DATA; how many samples it has
MAKERS = {
    "folder of pictures": (pictures, 4),
    "one picture": (lambda folder: pictures(folder) / "a" / "1.png", 1),
    "TIFF of several pages": (tiffs(np.uint8, 3, 12, 10), 6),
    "TIFF of fractions": (tiffs(np.float32, 12, 10), 2),
    "zip of pictures": (zipped, 4),
    "several paths": (lambda folder: sorted(pictures(folder).rglob("*.png"))[1:], 3),
    "pattern in quotes": (lambda folder: f"{pictures(folder)}/*/*.png", 4),
    "array (N, H, W)": (array(20, 12, 10), 20),
    "array (N, H, W, 1, 3 or 4)": (array(20, 12, 10, 3), 20),
    "array (N, 1, H, W)": (array(20, 1, 12, 10), 20),
    "array (N, Z, H, W)": (array(5, 6, 12, 10), 30),
    "array (N, C, H, W)": (array(20, 5, 12, 10), 20),
    "array (N, H, W, C)": (array(20, 12, 10, 6), 20),
    "array (H, W, 3 or 4)": (array(16, 12, 3), 1),
    "array (N, D)": (array(20, 4), 20),
    "folder of .npy": (arrays, 6),
    ".npz, `x` and `y`": (npz(x=(20, 12, 10), y=(20,)), 20),
    ".npz, `x_train` and `x_test`": (npz(x_train=(20, 12, 10), x_test=(5, 12, 10)), 20),
    "IDX": (idx, 20),
    ".csv, .tsv": (table, 20),
    ".csv.gz": (packed, 20),
    ".parquet": (mixed("x.parquet"), 20),
    ".jsonl": (mixed("x.jsonl"), 20),
    "frame of pandas": (lambda folder: pandas.read_parquet(mixed("x.parquet")(folder)), 20),
    "name of a data set": (lambda folder: "mnist:test", 10_000),
}


def find(row):
    """Return the maker of a row of the page, its number of samples, and the axes that the row names."""
    kind = max((kind for kind in MAKERS if row.startswith(kind)), key=len)
    axes = re.search(r"--axes (\w+)", row)
    return *MAKERS[kind], axes and axes[1]


def words_of(data):
    return [str(one) for one in data] if isinstance(data, list) else [str(data)]


def test_the_page_and_the_makers_name_the_same_kinds():
    assert len(KINDS) == len(MAKERS)
    assert len({find(row)[0] for row in KINDS}) == len(KINDS)


@pytest.mark.parametrize("row", KINDS)
def test_each_kind_is_read_trained_on_and_encoded(row, tmp_path):
    make, count, axes = find(row)
    data = make(tmp_path)
    samples = narrows.read(data, axes=axes)
    assert len(samples.x) == count
    if count > 1000:
        return
    options = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "max_steps": 2}
    model = narrows.train(data, axes=axes, patch_size=8 if count == 1 else None, **options)
    if count == 1:
        return
    assert narrows.encode(model, data).shape == (count, 2)
    if isinstance(data, pandas.DataFrame):
        assert narrows.reconstruct(model, data).columns.tolist() == data.columns.tolist()
    if isinstance(data, Path) and data.suffix == ".npy":
        x = np.load(data)
        assert narrows.reconstruct(model, data).shape == model.reconstruct(x).shape == x.shape


@pytest.mark.slow
@pytest.mark.parametrize("row", KINDS)
def test_each_kind_goes_through_every_verb_of_the_shell(row, tmp_path, capsys):
    make, count, axes = find(row)
    if row.startswith("frame"):
        return  # no words name it
    data = words_of(make(tmp_path))
    flags = ["--axes", axes] if axes else []
    train = [*data, *flags, "--labels", labels_file(tmp_path, count)] if count < 1000 else data
    backbone = ["--backbone", "conv(channels=[4], grid=True)"] if count == 1 else FAST[:2]
    size = ["--patch-size", "8"] if count == 1 else []
    run = str(tmp_path / "run")
    assert main(["train", *train, *size, *backbone, *FAST[2:], "-o", run]) == 0, capsys.readouterr()
    if count > 1:
        for verb, ending in (("reconstruct", ".npy"), ("encode", ".csv"), ("map", ".csv"), ("map", ".html")):
            out = str(tmp_path / f"{verb}{ending}")
            assert main([verb, run, *data, *flags, "-o", out]) == 0, (verb, capsys.readouterr())
        assert main(["evaluate", run, *data, *flags]) == 0, capsys.readouterr()
        assert main(["report", run, *data, *flags, "-o", str(tmp_path / "page.html")]) == 0, capsys.readouterr()
    out = str(tmp_path / ("denoised" if data[0].endswith((".png", ".zip", "pics", "tiffs")) else "denoised.npy"))
    assert main(["denoise", run, *data, *flags, "-o", out]) == 0, capsys.readouterr()
    assert main(["corrupt", *data, *flags, "--with", "mask(0.5)", "-o", str(tmp_path / "c.npy")]) == 0
    assert main(["info", *data, *flags]) == 0


def labels_file(folder, count):
    (folder / "labels.txt").write_text("".join(f"{i % 2}\n" for i in range(count)))
    return str(folder / "labels.txt")
