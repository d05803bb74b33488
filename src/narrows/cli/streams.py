"""Standard output and errors that may be closed, full or absent without stopping the work."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO, cast

GONE = {errno.EPIPE, errno.EINVAL, errno.ESHUTDOWN}  # the reader has had enough; on Windows that is EINVAL


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Let standard output and errors fall silent where they cannot be written, and say so once where they are full."""
    with ExitStack() as stack:
        errors = Lasting(_open(sys.stderr, stack))
        output = Lasting(_open(sys.stdout, stack))
        stack.enter_context(redirect_stdout(cast("TextIO", output)))
        stack.enter_context(redirect_stderr(cast("TextIO", errors)))
        try:
            yield
        finally:
            output.flush()
            if output.reason:
                print(f"narrows: standard output cannot be written: {output.reason}", file=errors)
            errors.flush()


class Lasting:
    """A text stream that falls silent where it cannot be written any more.

    Attributes
    ----------
    reason : why, where the reader has not just closed it; "" before.

    Examples
    --------
    >>> with open("/dev/full", "w") as file:
    ...     stream = Lasting(file)
    ...     print("lost", file=stream, flush=True)
    >>> stream.reason
    'No space left on device'
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.is_silent, self.reason = stream, False, ""

    def write(self, text: str) -> int:
        """Write a text, with a question mark for what the stream's encoding does not have."""
        with self._until_silent():
            try:
                self.stream.write(text)
            except UnicodeEncodeError:
                encoding = self.stream.encoding
                self.stream.write(text.encode(encoding, "replace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        with self._until_silent():
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    @contextmanager
    def _until_silent(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # a ValueError where it was closed
            if not self.is_silent and isinstance(error, OSError) and error.errno not in GONE:
                self.reason = error.strerror or str(error)
            self.is_silent = True
            self._drop_the_rest()

    def _drop_the_rest(self) -> None:
        """Send what is still buffered to nowhere, or Python would fail on it when it ends."""
        with suppress(OSError, ValueError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self.stream.fileno())


def _open(stream: TextIO | None, stack: ExitStack) -> TextIO:
    """Return the stream, or one to nowhere where there is none; it keeps other files from becoming standard output."""
    if stream is None or stream.closed:
        return stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
    return stream
