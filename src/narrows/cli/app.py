"""The command line: one subcommand for each verb.

Exit status: 0, all outputs were written (skipped files are named); 1, some outputs are missing, each named; 2, nothing
was done; 130, 143, stopped by Ctrl-C or SIGTERM. What becomes of standard output changes none of it. Heavy libraries
are imported by the verbs that use them, so that `--help` is fast.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Callable

from tyro.conf import FlagCreatePairsOff
from tyro.extras import SubcommandApp

from narrows.cli.apply import corrupt, decode, encode, reconstruct
from narrows.cli.demo import demo
from narrows.cli.denoise import denoise
from narrows.cli.evaluate import evaluate, report
from narrows.cli.info import info, parts
from narrows.cli.map import draw_map
from narrows.cli.printing import visible
from narrows.cli.streams import lasting_streams
from narrows.cli.train import train
from narrows.cli.wording import for_shell
from narrows.errors import NarrowsError, did_you_mean
from narrows.verbs.stopping import terminations

DESCRIPTION = (
    "Trains an autoencoder on your own images or tables; the one model then reconstructs, denoises and encodes. "
    "Begin with `narrows demo`, or `narrows train FOLDER`."
)
VERBS: dict[str, Callable[..., int]] = {
    "train": train,
    "reconstruct": reconstruct,
    "denoise": denoise,
    "encode": encode,
    "decode": decode,
    "map": draw_map,
    "corrupt": corrupt,
    "info": info,
    "evaluate": evaluate,
    "report": report,
    "parts": parts,
    "demo": demo,
}
RENAMED = {"--crop": "--patch-size", "--fit": "--resize-mode"}  # flags by their former names
app = SubcommandApp()
for name, verb in VERBS.items():
    app.command(name=name)(verb)


def main(argv: list[str] | None = None) -> int:
    """Run the command line on `argv` and return the exit status."""
    with lasting_streams(), terminations() as came:
        status = _run(_with_new_names(sys.argv[1:] if argv is None else argv))
    return 128 + came[0] if came else status


def _run(argv: list[str]) -> int:
    _collect_less_garbage()
    try:
        if argv and not argv[0].startswith("-") and argv[0] not in VERBS:
            raise NarrowsError(f"there is no verb {argv[0]!r}; {did_you_mean(argv[0], VERBS)}")
        return app.cli(args=argv, prog="narrows", description=DESCRIPTION, config=(FlagCreatePairsOff,)) or 0
    except NarrowsError as error:
        print(f"narrows: {visible(for_shell(str(error)))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("narrows: stopped; nothing was written", file=sys.stderr)
        return 130
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2


def _with_new_names(argv: list[str]) -> list[str]:
    """Return the arguments with renamed flags replaced, and print a note on each."""
    renamed = []
    for word in argv:
        flag, equals, value = word.partition("=")
        if flag in RENAMED:
            print(f"note: {flag} is called {RENAMED[flag]} now", file=sys.stderr)
        renamed.append(RENAMED.get(flag, flag) + equals + value)
    return renamed


def _collect_less_garbage() -> None:
    """Make garbage collection rarer, and skip it at exit.

    Nearly all objects are torch's and stay alive; collecting took 0.2 s of the imports and almost 1 s at exit.
    """
    gc.set_threshold(20_000)
    atexit.register(gc.freeze)
