"""Tables in files of every kind are read, or refused by one sentence."""

import bz2
import gzip
import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from disk import refused

from narrows.data.read import read

TABLE = b"a,b\n1,2.5\n3,4\n"


def zipped(files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.TSV", TABLE.replace(b",", b"\t")),
        ("t.txt", TABLE.replace(b",", b"  ")),
        ("t.data", TABLE),
        ("t.csv.gz", gzip.compress(TABLE, mtime=0)),
        ("t.csv.bz2", bz2.compress(TABLE)),
        ("t.csv.zst", pa.compress(TABLE, "zstd", asbytes=True)),
        ("t.csv.zip", zipped({"t.csv": TABLE})),
        ("t.zip", zipped({"folder/t.csv": TABLE, "__MACOSX/t.csv": b"x"})),
        ("t.csv", TABLE.decode().encode("utf-16")),
        ("t.csv", b"\xef\xbb\xbf" + TABLE),
        ("t.csv", TABLE.replace(b"\n", b"\r")),
        ("t.jsonl", b'{"a": 1, "b": 2.5}\n{"b": 4.0, "a": 3}\n'),
    ],
)
def test_the_same_table_in_files_of_many_kinds(save, name, content):
    samples = read(save(name, content))
    assert samples.columns == ("a", "b")
    assert samples.x.tolist() == [[1, 2.5], [3, 4]]


@pytest.mark.parametrize("ending", ["parquet", "feather", "ARROW"])
def test_arrows_own_files_keep_the_type(tmp_path, ending):
    table = pa.table({"a": pa.array([1, 2], "float32"), "b": pa.array([3, 4], "float32")})
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, str(path))
    samples = read(path)
    assert samples.x.dtype == np.float32
    assert samples.x.tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"a,b\n1,2\n3\n", "line 3 has 1"),
        ("t.csv", b"a,b\n1,\x002\n", "line 2 holds a NUL byte"),
        ("t.csv", b"a,b\n", "at least one sample"),
        ("t.csv", b"a,b\n,\nNA,?\n", "nothing but gaps"),
        ("t.csv", b"a,b\n1," + b"x" * 200_000 + b"\n2,y\n2,y\n2,y\n,1\n1\n", "cannot be read after line 1"),
        ("t.csv", b'a,b\n1,"2\n3,4\n', "a quote has no end"),
        ("t.csv", b"a,b\n1,\x81\xff\n", "byte 81 in line 2"),
        ("t.csv.zip", zipped({"a.csv": TABLE, "b.csv": TABLE}), "holds 2: a.csv, b.csv"),
        ("t.csv.gz", gzip.compress(bytes(1) + b"0" * 80_000_000, mtime=0), "250 times its size"),
        ("t.csv.gz", gzip.compress(TABLE, mtime=0)[:-9], "may be damaged"),
        ("t.csv", b"a,b\nx,y\nz,w\n", "no column that can be learned"),
        ("t.xlsx", b"PK", "save the sheet as CSV"),
        ("t.sqlite", b"SQLite", "pandas.read_sql"),
        ("t.parquet", b"PAR1", "cannot be read"),
        ("t.jsonl", b'{"a": [1, 2]}\n', "one value in each cell"),
        ("t.jsonl", b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "too many brackets"),
    ],
)
def test_ugly_files_are_refused_by_one_sentence(save, name, content, words):
    assert words in refused(save(name, content))


def test_rows_of_another_length_can_be_left_out(save):
    samples = read(save("t.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n"), on_bad_lines="skip")
    assert samples.x.tolist() == [[1, 2], [7, 8]]
    assert "2, in line 3, 4" in samples.notes[-1]


def test_windows_1252_is_read_with_a_line_and_others_by_name(save):
    samples = read(save("t.csv", "größe,b\n1,2\n".encode("cp1252")))
    assert samples.columns == ("größe", "b")
    assert "Windows-1252" in samples.notes[0]
    assert read(save("t.csv", "größe,b\n1,2\n".encode("cp437")), encoding="cp437").columns == ("größe", "b")
    assert "no encoding 'x'" in refused(save("t.csv", "a\n1\n"), encoding="x")


def test_a_numeric_table_is_read_as_numpy_reads_it(save):
    x = np.random.default_rng(0).normal(size=(50, 7)) * 10.0 ** np.arange(-3, 4)
    text = "\n".join(",".join(map(repr, row)) for row in x.tolist())
    path = save("t.csv", "a,b,c,d,e,f,g\n" + text)
    assert read(path).x.tobytes() == x.tobytes()
    assert read(path, na_values=["-999"]).x.tobytes() == x.tobytes()  # by way of texts


def test_options_of_tables_are_refused_for_anything_else():
    assert "is for tables" in refused(np.ones((3, 2)), delimiter=";")


def test_a_column_damaged_inside_its_file_is_refused_by_one_sentence(tmp_path):
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pa.table({"a": range(1000), "b": range(1000)}), path, use_dictionary=False)
    content = path.read_bytes()
    path.write_bytes(content[:40] + b"\xff" * 60 + content[100:])
    assert "may be damaged" in refused(path)


@pytest.mark.parametrize("values", [[b"\xff", b"\x00"], [pa.MonthDayNano([1, 2, 3])] * 2, [[1], [2]]])
def test_columns_of_values_that_are_no_cells_are_refused_or_left_out_as_asked(tmp_path, values):
    path = tmp_path / "t.feather"
    pyarrow.feather.write_feather(pa.table({"a": values, "b": [1, 2]}), str(path))
    assert "leave it out by `columns` 'a:drop'" in refused(path)
    assert read(path, columns="a:drop").columns == ("b",)


def test_comments_and_delimiters_at_the_end_of_rows(save):
    rows = "1;2.5;;\n# 3;4;;\n5;6;;\n"
    samples = read(save("t.csv", "# by hand\na;b;;\n" + rows))
    assert samples.columns == ("a", "b")
    assert samples.x.tolist() == [[1, 2.5], [5, 6]]
    samples = read(save("t.csv", "# by hand\ncolour,n\n#f00,1\n#0f0,2\n#f00,3\n#0f0,3\n"))
    assert samples.x[:, 1].tolist() == [1, 2, 3, 3]


def test_utf_32_is_told_by_its_mark(save):
    samples = read(save("t.csv", TABLE.decode().encode("utf-32")))
    assert samples.x.tolist() == [[1, 2.5], [3, 4]]
    assert samples.notes[0].endswith("is in the encoding UTF-32")


def test_a_column_of_gaps_alone_comes_back_as_it_was(save):
    samples = read(save("t.csv", "a,b\n,1\n,2\n"))
    assert samples.as_table(np.zeros((2, 2))).column("a").to_pylist() == [None, None]


@pytest.mark.parametrize("sign", ["§", "^", "~", ":"])
def test_a_delimiter_may_be_any_character(save, sign):
    text = TABLE.decode().replace(",", sign)
    assert read(save("t.csv", text), delimiter=sign).x.tolist() == [[1, 2.5], [3, 4]]
    assert read(save("t.csv", f"sep={sign}\n{text}")).x.tolist() == [[1, 2.5], [3, 4]]


@pytest.mark.parametrize(("largest", "dtype"), [(2**24, np.float32), (2**24 + 1, np.float64)])
def test_floats_of_32_bits_stay_such_beside_categories_and_integers_that_they_hold(tmp_path, largest, dtype):
    table = pa.table(
        {"a": pa.array([0.1, 0.2, 0.3, None], "float32"), "c": ["x", "y", "x", "x"], "n": [1, largest, 3, 4]}
    )
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    samples = read(tmp_path / "t.parquet")
    assert samples.x.dtype == dtype
    assert samples.x[1].tolist() == [np.float32(0.2), 1, largest]
    assert samples.as_table(samples.x).to_pylist() == table.to_pylist()
