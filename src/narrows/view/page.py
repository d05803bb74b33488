"""A self-contained HTML page, piece by piece: no requests, no scripts, and every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from narrows.metrics.table import Cell, Table, show_cell
from narrows.view.figure import Figure

URL_SAFE = " !$'()*+,/:;=?@"  # characters that need no escape in an address in an attribute of HTML


@dataclass(frozen=True)
class Report:
    """A page and its pictures.

    Attributes
    ----------
    html : the page, with the pictures in it.
    pictures : the same pictures as SVG files, by file name.
    """

    html: str
    pictures: dict[str, bytes]

    @property
    def files(self) -> dict[str, bytes]:
        """All of them as they lie in a folder: report.html and the pictures, by file name."""
        return {"report.html": self.html.encode(), **self.pictures}


@dataclass
class Page:
    """A page that is being written: each call adds a piece at its end; texts are escaped.

    Parameters
    ----------
    title : in the head and on top.
    lead : a sentence below the title.

    Examples
    --------
    >>> page = Page("a < b", "two letters")
    >>> page.text("that is all")
    >>> "<h1>a &lt; b</h1>" in page.report().html
    True
    """

    title: str
    lead: str
    body: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def section(self, heading: str) -> None:
        """Begin a section."""
        self.body.append(f"<h2>{escape(heading)}</h2>")

    def heading(self, heading: str) -> None:
        """Begin a part of a section."""
        self.body.append(f"<h3>{escape(heading)}</h3>")

    def text(self, *sentences: str) -> None:
        """Add a paragraph of `sentences`; empty ones are left out."""
        words = " ".join(filter(None, sentences))
        if words:
            self.body.append(f"<p>{escape(words)}</p>")

    def link(self, address: str, words: str) -> None:
        """Add a link to `address`, a file beside the page."""
        self.body.append(f'<p><a href="{quote(address, safe=URL_SAFE)}">{escape(words)}</a></p>')

    def key_metrics(self, items: Sequence[tuple[str, str]]) -> None:
        """Add a row of the most important numbers: (the number as text, what it is)."""
        cells = "".join(f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>" for value, what in items)
        self.body.append(f'<dl class="key">{cells}</dl>')

    def picture(self, name: str, figure: Figure, alt: str, caption: str = "") -> None:
        """Add a picture, in the report's `pictures` as `name`; `alt` describes it to those who do not see it."""
        svg = figure.page_svg
        self.pictures[name] = svg.encode()
        source = f"data:image/svg+xml,{quote(svg, safe=URL_SAFE)}"
        image = f'<img src="{source}" width="{figure.width}" height="{figure.height}" alt="{escape(alt)}">'
        below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        self.body.append(f'<figure><div class="ground">{image}</div>{below}</figure>')

    def table(self, table: Table) -> None:
        """Add a table with its title and note."""
        texts = [any(_is_words(row[i]) for row in table.rows) for i in range(len(table.columns))]
        sides = [' class="words"' if words else "" for words in texts]
        pairs = zip(table.columns, sides, strict=True)
        head = "".join(f'<th scope="col"{side}>{escape(column)}</th>' for column, side in pairs)
        rows = "".join(f"<tr>{_row(row, sides)}</tr>" for row in table.rows)
        note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
        self.body.append(
            f'<div class="table"><table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div>{note}"
        )

    def commands(self, commands: Sequence[str]) -> None:
        """Add command lines, to be pasted into a shell."""
        self.body.append(f"<pre><code>{escape(chr(10).join(commands))}</code></pre>")

    def report(self) -> Report:
        """Return the finished page."""
        from narrows import __version__

        title, body = escape(self.title), "\n".join(self.body)
        html = (
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
            f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
            f'<p class="lead">{escape(self.lead)}</p>\n{body}\n</main>\n'
            f"<footer>Written by narrows {__version__}. This one file holds all that it shows.</footer>\n"
            f"</body>\n</html>\n"
        )
        return Report(html, dict(self.pictures))


def _row(row: Sequence[Cell], sides: Sequence[str]) -> str:
    first, *rest = (escape(show_cell(cell)) for cell in row)
    cells = zip(rest, sides[1:], strict=True)
    return f'<th scope="row">{first}</th>' + "".join(f"<td{side}>{cell}</td>" for cell, side in cells)


def _is_words(cell: Cell) -> bool:
    return isinstance(cell, str) and any(map(str.isalpha, cell))


STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2427; --pale: #5d656b; --line: #e1e3e0; --soft: #f4f5f2;
  --accent: #14696a; --ground: #f6f6f3; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181a; --ink: #e4e6e5; --pale: #a0a8ab; --line: #2e3436;
  --soft: #1e2224; --accent: #6cc5c0; --ground: #21211f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif; }
main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
main > p, main > ul, figcaption, .note { max-width: 42rem; }
h1 { font-size: clamp(1.7rem, 1.2rem + 2.4vw, 2.6rem); line-height: 1.15; letter-spacing: -.02em; font-weight: 680;
  margin: clamp(1.75rem, 5vw, 3.5rem) 0 .5rem; text-wrap: balance; overflow-wrap: anywhere; }
.lead { font-size: 1.2rem; line-height: 1.5; color: var(--pale); margin: 0 0 1.75rem; text-wrap: pretty; }
h2 { font-size: 1.35rem; letter-spacing: -.01em; line-height: 1.3; font-weight: 660; margin: 2.5rem 0 .75rem;
  padding-top: 1.5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; font-weight: 640; margin: 1.75rem 0 .5rem; }
p { margin: 0 0 1rem; text-wrap: pretty; overflow-wrap: break-word; }
.key { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .75rem; margin: 0 0 1.5rem; }
.key div { display: flex; flex-direction: column-reverse; justify-content: flex-end; background: var(--soft);
  border-radius: .6rem; padding: .85rem 1rem; }
.key dd { margin: 0; font-size: 1.35rem; font-weight: 640; letter-spacing: -.01em; line-height: 1.25;
  color: var(--accent);  font-variant-numeric: tabular-nums; }
.key dt { font-size: .875rem; line-height: 1.4; color: var(--pale); }
figure { margin: 1rem 0 1.5rem; }
.ground { background: var(--ground); border-radius: .6rem; }
.ground img { display: block; margin: 0 auto; max-width: 100%; height: auto; }
@media (max-width: 42rem) { .ground { margin: 0 -1.25rem; border-radius: 0; } }
figcaption, .note { font-size: .925rem; line-height: 1.5; color: var(--pale); margin: .6rem 0 0; }
.note { margin: .5rem 0 1.5rem; }
.table { overflow-x: auto; margin: 1rem 0 0; }
table { border-collapse: collapse; font-size: .95rem; font-variant-numeric: tabular-nums; min-width: min(100%, 30rem); }
caption { text-align: left; font-weight: 640; padding: 0 0 .4rem; }
th, td { text-align: right; padding: .34rem 0 .34rem 1.5rem; border-bottom: 1px solid var(--line); font-weight: 400;
  vertical-align: top; }
td { white-space: nowrap; }
th:first-child, .words { text-align: left; white-space: normal; overflow-wrap: break-word; max-width: 28rem; }
th:first-child { padding-left: 0; }
thead th { color: var(--pale); font-size: .875rem; vertical-align: bottom; }
pre { background: var(--soft); border-radius: .6rem; padding: 1rem 1.1rem; overflow-x: auto; line-height: 1.7; }
a { color: var(--accent); text-underline-offset: .2em; }
code { font: .9rem ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
footer { color: var(--pale); font-size: .875rem; margin-top: 3.5rem; padding-bottom: 2.5rem; }
@media print { .ground, .key div, pre { border: 1px solid var(--line); } figure, .table { break-inside: avoid; } }
"""
