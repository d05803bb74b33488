"""How a table of text is written is found from its first rows, and said."""

import pytest

from narrows.errors import DataError
from narrows.tables.dialect import find_dialect


def found(text, **options):
    return find_dialect(text.encode(), "t", **options)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ('"Weight, kg";"Height, cm";Age\n1,5;2;3\n', ";"),
        ("a\tb\nx, y\t5\nz\t6\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("day\tname\n" + "1.2.2003 10:00\tAnn, 1\n" * 9, "\t"),
        (" 0.006  18.0  2.3 \n 0.027   0.0  7.1 \n", " "),
        ('18.0   8   307.0   1\t"chevrolet chevelle"\n15.0   8   350.0  1\t"buick skylark"\n', " "),
        ("sep=;\na;b\n1;2\n", ";"),
        ('name,age\n"Smith; John",5\n"Ray; Bob",6\n', ","),
    ],
)
def test_the_delimiter(text, delimiter):
    assert found(text).delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b\n1,2\n", ("a", "b")),
        ("1,2,3\n4,5,6\n", None),
        ("400,401,402\n.1,.5,.3\n.2,.3,.1\n", ("400", "401", "402")),
        ("id,2001,2002,2003\n7,1,2,2\n8,2,3,3\n", ("id", "2001", "2002", "2003")),
        (",0,1\n0,.5,.3\n1,.2,.1\n", ("", "0", "1")),
        ("'x','y'\n'x','z'\n'w','y'\n", None),  # texts that occur again below
        ("name,city\nAnn,Rome\nBob,Oslo\n", ("name", "city")),
        ("Date,Temp\n1981-01-01,20.7\n1981-01-02,17\n", ("Date", "Temp")),
        ("1981-01-01,20.7\n1981-01-02,17\n", None),
        ("3,?,alfa\n1,164,audi\n2,12,bmw\n", None),
        ("a,b\n1,2,\n3,4,\n", ("a", "b")),  # a delimiter at the end of rows
        ("a,b\nr1,2,3\nr2,3,4\n", ("", "a", "b")),  # as R writes the names of rows
        ("# by hand\n\na,b\n1,2\n", ("a", "b")),
        ("# a,b\n1,2\n3,4\n", ("a", "b")),
        ('"a\nb",c\n1,2\n', ("a\nb", "c")),
    ],
)
def test_the_names(text, names):
    assert found(text).names == names


def test_several_lines_of_names_are_joined():
    rows = "".join(f"{i},{i}.5,{i}.25\n" for i in range(20))
    dialect = found("network,1,1\nhemi,lh,rh\n,,\n" + rows)
    assert dialect.names == ("network hemi", "1 lh", "1 rh")
    assert dialect.start_line == 3


def test_a_line_of_units_joins_the_names():
    assert found("time,heat\ns,K\n" + "1,2\n" * 20).names == ("time s", "heat K")
    assert found("x,y\n<5,1\n" + "1,2\n" * 20).names == ("x", "y")  # the second is a row


def test_what_a_person_says_wins():
    assert found("1,2\n3,4\n", header=True).names == ("1", "2")
    assert found("a,b\n1,2\n", header=False).names is None
    assert found("a;b,c\n1;2,3\n", delimiter=",").names == ("a;b", "c")


@pytest.mark.parametrize(("text", "decimal"), [("a;b\n1,5;2\n", ","), ("a;b\n1.5;2,000.5\n", "."), ("a\n1\n", ".")])
def test_the_decimal_sign(text, decimal):
    assert found(text).decimal == decimal


def test_each_thing_is_said():
    said = " ".join(found("sep=;\n# x\n1,5;2\n2,5;3\n").notes)
    for word in ("sep=;", "comment", "column 1", "semicolon", "comma"):
        assert word in said


@pytest.mark.parametrize(
    ("text", "names", "titles"),
    [
        ("Sales\nby region\n\nregion,n,m\n" + "a,1,2\n" * 9, ("region", "n", "m"), 2),
        ("|1x3 Cross validator\n" + "1,a,2\n3,b,4\n" * 9, None, 1),
        ("9,30,good\n" + "1,2,3,4,5,1\n6,7,8,9,0,1\n" * 9, None, 1),
        ("Sales\nn,m\n" + "1,2\n" * 9, ("n", "m"), 1),
        ("n\n" + "r1,2\nr2,3\n" * 9, ("", "n"), 0),  # R names one column fewer
        ("a,b\n" + "1,2,\n3,4,\n" * 9, ("a", "b"), 0),
        ("1\n" + "1,2\n3,4\n" * 9, None, 0),  # a row of another length
    ],
)
def test_titles_above_a_table(text, names, titles):
    dialect = found(text)
    assert dialect.names == names
    assert (f"t: lines above the table that are left out: {titles}" in dialect.notes) == bool(titles)


def test_times_above_numbers_are_names():
    names = ("place", "x", "1/22/20", "1/23/20", "1/24/20")
    assert found(",".join(names) + "\n" + "a,0.5,3,4,5\nb,1.5,3,4,7\n" * 9).names == names
    assert found("1/22/20,4\n1/23/20,5\n1/24/20,5\n").names is None


@pytest.mark.parametrize("text", ["# a b c\n1 2 3\n4 5 6\n", "# a b c\n1\t2\t3\n4\t5\t6\n", "#a,b,c\n1,2,3\n4,5,6\n"])
def test_names_in_a_comment(text):
    dialect = found(text)
    assert dialect.names == ("a", "b", "c")
    assert dialect.start == len(text) - 12


def test_delimiters_at_the_end_of_rows_begin_no_columns():
    assert found("a;b;;\n1;2;;\n3;4;;\n").ends == 2
    assert found("a;b;;\n1;2;;\n3;4;;\n").width == 2
    assert found("1,2,,\n3,4,,\n").width == 2
    assert found("a,b,c\n1,2,\n3,4,\n").names == ("a", "b", "c")  # a column of gaps


def test_what_cannot_be_cut_is_not_called_empty():
    with pytest.raises(DataError, match="its first row has no end"):
        found("x" * 200_000)


def test_signs_without_a_value_are_no_names():
    assert found("day,n,who\n-,-,x\n" + "2003-01-02,5,y\n" * 20).names == ("day", "n", "who")
