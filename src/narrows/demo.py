"""The demo: the tutorial's two autoencoders on MNIST, and one page about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from narrows.data.formats import read
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
        page = run_report(model, fit.history, test.x, x_name="mnist:test", reference=samples.x, labels=test.labels)
        write_run(folder / name, model, fit.history, page.html, page.pictures, overwrite=True)
        runs[name] = (model, fit.history)
    print_losses({name: model.card.figures["test_mse"] for name, (model, _) in runs.items()})
    page = demo_report(runs, test.x, samples.x)
    for name, data in {"report.html": page.html.encode(), **page.pictures}.items():
        with whole(folder / name, overwrite=True) as temporary:
            temporary.write_bytes(data)
    print(f"\nthe page: {folder / 'report.html'}\n\nnext, on these models and then on your own pictures:")
    for command in next_commands(folder):
        print(f"  {command}")
    return 0


def print_losses(test_mse: dict[str, float]) -> None:
    """Print the tutorial's losses, as true MSE, beside ours."""
    print("\nmean squared error per value, pixels in [0, 1]")
    print(f"  {'':<16}  {'the tutorial printed':>20}  {'its true MSE':>12}  {'ours, test images':>17}")
    for name, mse in test_mse.items():
        printed = PRESETS[name]["published"]["printed"]
        last = max(printed)
        row = f"{printed[last]:.6f} (epoch {last})"
        print(f"  {name:<16}  {row:>20}  {printed[last] / TUTORIAL_BATCH:>12.6f}  {mse:>17.6f}")
    print(
        "The tutorial divides a sum over samples by the number of batches, and a batch has 20: "
        "what it prints is 20 times the error."
    )


def next_commands(folder: Path) -> list[str]:
    """Return three commands that work as they are after the demo."""
    linear = folder / NAMES[0]
    return [
        f'narrows corrupt mnist:test --with "gaussian(0.25)" -o {folder}/noisy.npy --overwrite',
        f"narrows denoise {linear} {folder}/noisy.npy -o {folder}/restored.npy --overwrite",
        "narrows train mnist --bottleneck 'linear(16)' --epochs 3",
    ]
