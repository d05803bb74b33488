"""Model files taken apart, changed and put together, and what a file that is refused says."""

import copy
import json
import signal
import struct
from contextlib import contextmanager

import pytest

from narrows.errors import ModelFileError
from narrows.modelfile import load


@contextmanager
def guard(seconds=10):
    """Fail a test that hangs."""

    def stop(signum, frame):
        raise TimeoutError("loading a file took too long")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def take_apart(data):
    """Return the header, the JSON in its one text, and the bytes of the weights."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["narrows"]), data[8 + length :]


def put_together(header, about, weights):
    header = copy.deepcopy(header)
    header["__metadata__"]["narrows"] = about if isinstance(about, str) else json.dumps(about)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + weights


def refused(path, data):
    path.write_bytes(data)
    with guard(), pytest.raises(ModelFileError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 3000
    return message
