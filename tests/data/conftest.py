"""Files that the tests of readers write."""

import numpy as np
import pytest


@pytest.fixture
def save(tmp_path):
    """Return a function that writes bytes, a text or an array to a file and returns its path."""

    def write(name, content):
        path = tmp_path / name
        if isinstance(content, np.ndarray):
            with open(path, "wb") as file:
                np.save(file, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
