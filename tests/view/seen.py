"""What tests of pages and figures share: what a reader of a page sees, and what is in a drawing."""

import base64
import io
import re
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
from PIL import Image

HISTORY = [
    {"epoch": 1, "train_mse": 0.2, "val_mse": 0.1, "seconds": 1.0},
    {"epoch": 2, "train_mse": 0.1, "val_mse": None, "seconds": 1.5},
]
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Reads a page, and fails where a tag is not closed by its own."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.images, self.said = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        assert not {"href", "onload", "onclick", "srcset"} & set(dict(attributes))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.said.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.said).split())


def check(report, *pictures):
    """Assert what holds of every page, and return what it says."""
    page = Reader(report.html)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    written = re.sub('src="data:image/svg[+]xml,[^"]*"', "", report.html).lower()
    assert not any(word in written for word in ("http", "src=", "@import", "url("))
    assert page.tags.count("title") == page.tags.count("h1") == 1
    assert set(report.pictures) == set(pictures)
    inside = [unquote(image["src"].removeprefix("data:image/svg+xml,")) for image in page.images]
    assert inside == [data.decode() for data in report.pictures.values()]
    for image, svg in zip(page.images, inside, strict=True):
        assert image["alt"]
        drawing = parts(svg)
        assert set(drawing) <= {"svg", "style", "path", "text", "image"}
        assert drawing["svg"][0].get("width") == image["width"]
        assert not re.search("nan|inf", " ".join(path.get("d") for path in drawing["path"]))
    return page.text


def parts(svg):
    """Return the elements of a drawing by their tags."""
    found = {}
    for element in ElementTree.fromstring(svg).iter():
        found.setdefault(element.tag.removeprefix("{http://www.w3.org/2000/svg}"), []).append(element)
    return found


def words(figure):
    """Return the texts of a figure."""
    return [element.text for element in parts(figure.svg).get("text", [])]


def images(figure):
    """Return the pictures in a figure as arrays."""
    found = [element.get("href").removeprefix("data:image/png;base64,") for element in parts(figure.svg)["image"]]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]
