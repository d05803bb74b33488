"""The demo: the tutorial's two autoencoders on MNIST, and one page about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from narrows.console import print_rows
from narrows.data.formats import read
from narrows.modelfile import Model
from narrows.presets import PRESETS
from narrows.runfolder import write_run
from narrows.train.fit import Fit

NAMES = ("tutorial-linear", "tutorial-conv")
TUTORIAL_BATCH = 20  # the tutorial divides a sum over samples by the number of batches, so it prints 20 times the MSE


def demo(folder: Path, device: str, show: Callable[[Fit], int]) -> int:
    """Train both presets, write a run folder for each below `folder` and `folder/report.html`; return the exit status.

    Parameters
    ----------
    show : trains a `Fit` and shows how it goes; returns an exit status.
    """
    from narrows.files import whole
    from narrows.use.report import demo_report, run_report

    samples, test = read("mnist:train"), read("mnist:test")
    runs = {}
    for name in NAMES:
        fit = Fit(samples, preset=name, device=device)
        print(f"\n{name}: {fit.texts['backbone']} x {fit.texts['bottleneck']}, {'; '.join(fit.notes)}")
        if status := show(fit):
            return status
        model = fit.finish()
        page = run_report(model, fit.history, test.x, x_name="test", reference=samples.x, labels=test.labels)
        write_run(folder / name, model, fit.history, page.html, page.pictures, overwrite=True)
        runs[name] = (model, fit.history)
    print_losses(runs)
    page = demo_report(runs, test.x, samples.x, commands=next_commands(folder))
    for name, data in {"report.html": page.html.encode(), **page.pictures}.items():
        with whole(folder / name, overwrite=True) as temporary:
            temporary.write_bytes(data)
    print(f"\nthe page: {folder / 'report.html'}\n\nnext, on these models and then on your own pictures:")
    for command in next_commands(folder):
        print(f"  {command}")
    return 0


def print_losses(runs: dict[str, tuple[Model, list[dict[str, float | None]]]]) -> None:
    """Print the losses by epoch beside the tutorial's, all as mean squared error per value, and the test errors."""
    print("\nmean squared error per value over the training images, while the weights move")
    columns: dict[str, dict[int, float]] = {}
    for name, (_, history) in runs.items():
        printed = PRESETS[name]["published"]["printed"]
        columns[f"{name}, published"] = {epoch: loss / TUTORIAL_BATCH for epoch, loss in printed.items()}
        columns["here" + " " * len(columns)] = {int(row["epoch"] or 0): row["train_mse"] or 0.0 for row in history}
    epochs = sorted(set().union(*columns.values()))
    rows = [[e, *(f"{losses[e]:.6f}" if e in losses else "" for losses in columns.values())] for e in epochs]
    print_rows(["epoch", *map(str.strip, columns)], rows)
    for name, (model, _) in runs.items():
        print(f"{name}: {model.card.figures['test_mse']:.6f} on the 10,000 test images, which training never saw")
    print(
        "The published figures are what the tutorial prints, divided by 20: it divides a sum over samples by the\n"
        "number of batches, and a batch has 20."
    )


def next_commands(folder: Path) -> list[str]:
    """Return three commands that work as they are after the demo."""
    linear = folder / NAMES[0]
    return [
        f'narrows corrupt mnist:test --with "gaussian(0.25)" -o {folder}/noisy.npy --overwrite',
        f"narrows denoise {linear} {folder}/noisy.npy -o {folder}/restored.npy --overwrite",
        "narrows train mnist --bottleneck 'linear(16)' --epochs 3",
    ]
