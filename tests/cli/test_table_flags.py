"""Tables in the shell: how they are read can be said, and what comes out is a table like what went in."""

import shlex

import pandas as pd
import pytest

from narrows import api
from narrows.cli import main

QUICK = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 1}
ROWS = "".join(f"{10 + 7 * i},{i % 5},{i * i % 7}.5,{i % 3}\n" for i in range(30))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    (folder / "t.csv").write_text("patient,a,b,c\n" + ROWS)
    api.train(folder / "t.csv", output=folder / "run", id_column="patient", **QUICK)
    return folder / "run"


def test_columns_are_found_by_name_and_ids_come_along(run, tmp_path, capsys):
    (tmp_path / "u.tsv").write_text("c\tb\textra\tpatient\ta\n1\t2.5\tx\tp1\t3\n2\t1.5\ty\tp2\t4\n")
    assert main(["reconstruct", str(run), str(tmp_path / "u.tsv"), "-o", str(tmp_path / "OUT.CSV")]) == 0
    out = pd.read_csv(tmp_path / "OUT.CSV")
    assert list(out.columns) == ["c", "b", "extra", "patient", "a"]
    assert out.patient.tolist() == ["p1", "p2"]
    said = capsys.readouterr().out
    assert "not used: 'extra'" in said
    assert "OUT.CSV: 2 rows, 5 columns" in said


def test_codes_carry_the_ids_and_decode_finds_the_codes(run, tmp_path):
    source = run.parent / "t.csv"
    assert main(["encode", str(run), str(source), "-o", str(tmp_path / "z.csv")]) == 0
    assert list(pd.read_csv(tmp_path / "z.csv").columns) == ["patient", "z0", "z1"]
    assert main(["decode", str(run), str(tmp_path / "z.csv"), "-o", str(tmp_path / "d.parquet")]) == 0
    assert list(pd.read_parquet(tmp_path / "d.parquet").columns) == ["a", "b", "c"]


def test_a_missing_column_is_named(run, tmp_path, capsys):
    (tmp_path / "u.csv").write_text("a,c\n1,2\n3,4\n")
    assert main(["encode", str(run), str(tmp_path / "u.csv"), "-o", str(tmp_path / "z.csv")]) == 2
    assert "must have the column 'b'" in capsys.readouterr().err
    assert not (tmp_path / "z.csv").exists()


def test_flags_say_how_a_table_is_read(tmp_path, capsys):
    path = tmp_path / "t.txt"
    path.write_bytes("größe~1~x\n-~2~y\n5\n3~4~x\n".encode("cp437"))
    words = ["--delimiter", "~", "--no-header", "--encoding", "cp437", "--na-values", "-", "--on-bad-lines", "skip"]
    assert main(["info", str(path), *words, "--columns", "column 1:category", "--id-column", "column 2"]) == 0
    said = capsys.readouterr().out
    assert "3 rows, 3 columns" in said
    assert "2: 3, größe" in said
    assert "kept to tell rows apart" in said
    offered = shlex.split(said.splitlines()[-1])
    assert offered[:3] == ["next:", "narrows", "train"]
    assert main(["info", *offered[3:]]) == 0
    assert capsys.readouterr().out == said
    assert main(["info", str(path), "--header", "--no-header"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_info_writes_columns_that_are_taken_again(tmp_path, capsys):
    path, columns = tmp_path / "t.csv", tmp_path / "columns.csv"
    path.write_text('id,"Weight, kg",sex,name\n1,2.5,f,Ann\n2,3.5,m,Bob\n3,NA,m,Cy\n')
    assert main(["info", str(path), "-o", str(columns)]) == 0
    said = capsys.readouterr().out
    for words in ("2.5 to 3.5", "2: f, m", "33.3 %", "it counts the rows"):
        assert words in said
    columns.write_text(columns.read_text().replace("category", "drop"))
    assert main(["info", str(path), "--columns", str(columns)]) == 0
    assert capsys.readouterr().out.count("left out, as asked") == 6  # three columns, in a line and in the table
    assert main(["info", str(path), "-o", str(columns)]) == 2
    assert main(["info", "mnist:test", "-o", str(tmp_path / "x.csv")]) == 2
    assert "is none; leave it out" in capsys.readouterr().err


def test_kinds_that_are_asked_for_beside_a_model_change_nothing_with_a_line(run, tmp_path, capsys):
    words = ["encode", str(run), str(run.parent / "t.csv"), "-o"]
    assert main([*words, str(tmp_path / "z.csv")]) == 0
    capsys.readouterr()
    assert main([*words, str(tmp_path / "y.csv"), "--columns", "a:drop, b:number, patient:drop"]) == 0
    assert "the model's kinds are taken of: 'a'\n" in capsys.readouterr().out
    assert (tmp_path / "y.csv").read_text() == (tmp_path / "z.csv").read_text()


def test_info_names_the_columns_of_a_model(run, capsys):
    assert main(["info", str(run)]) == 0
    said = capsys.readouterr().out
    assert f"{run}: a model of t.csv, 3 columns\n" in said
    assert said.index("  a       integer") < said.index("  c       integer") < said.index("backbone")


def test_a_frame_comes_back_with_its_index(run):
    frame = pd.DataFrame({"c": [1.0, 2.0], "a": [3.0, 4.0], "b": [0.5, 1.5]}, index=["u", "v"])
    back = api.reconstruct(run, frame)
    assert isinstance(back, pd.DataFrame)
    assert list(back.columns) == ["c", "a", "b"]
    assert list(back.index) == ["u", "v"]
