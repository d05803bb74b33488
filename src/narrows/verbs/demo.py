"""The demo: the tutorial's two autoencoders on MNIST, one trained with noise too, a map, and one page about them."""

from __future__ import annotations

from pathlib import Path

from narrows.data.read import read
from narrows.files import whole
from narrows.modelfile import Model
from narrows.presets import find_preset
from narrows.tasks.encode import has_map
from narrows.tasks.mapping import make_map
from narrows.training.plan import make_plan
from narrows.verbs.describe import align, shell_word
from narrows.verbs.evaluate import compare
from narrows.verbs.events import Events, Note, Result
from narrows.verbs.learn import learn, write_folder
from narrows.view.demo_report import demo_report
from narrows.view.explorer.page import write_explorer

NAMES = ("tutorial-linear", "tutorial-conv")
MAPPED = "tutorial-linear"
DENOISER, DENOISER_EPOCHS = "tutorial-linear", 3  # the same network, trained with noise
EXPLORER = "map.html"
TRAINING_NOISE, NOISE = "gaussian(0.0, 0.5)", "gaussian(0.25)"
DENOISER_NAME = f"{DENOISER}-denoising"
NOISY_DIGITS = 200  # number of test digits that every method restores
TUTORIAL_BATCH = 20  # samples; the tutorial divides a sum over samples by the number of batches: 20 times the MSE
Runs = dict[str, tuple[Model, list[dict[str, float | None]]]]


def demo(output: str | Path = "runs/demo", *, device: str = "auto") -> Events:
    """Train both presets, and one of them with noise too; write a run folder for each, a map, and a page about them.

    The result is the page's path, or None where a training fails. An earlier demo in the folder `output` is replaced.
    """
    folder = Path(output)
    samples, test = read("mnist:train"), read("mnist:test")
    plans = {name: make_plan(samples, name, device=device) for name in NAMES}
    plans[DENOISER_NAME] = make_plan(
        samples, DENOISER, corruption=TRAINING_NOISE, epochs=DENOISER_EPOCHS, device=device
    )
    runs: Runs = {}
    for name, plan in plans.items():
        noise = plan.texts["corruption"]
        yield Note(
            f"\n{name}: {plan.texts['backbone']} x {plan.texts['bottleneck']} x {noise}, {'; '.join(plan.notes)}"
        )
        learned = yield from learn(plan, with_map=name == MAPPED)
        if learned.status:
            yield Result(None, learned.status)
            return
        yield from write_folder(folder / name, learned, overwrite=True)
        runs[name] = (learned.model, learned.run.history)
    restoring = {name: model for name, (model, _) in runs.items()}
    del runs[DENOISER_NAME]  # it is not part of the tutorial
    yield from (Note(line) for line in describe_losses(runs))
    comparison = yield from compare(restoring, test.x, samples.x, NOISE, NOISY_DIGITS, 0)
    yield comparison.table("mnist:train")
    model, _ = runs[MAPPED]
    explorer = EXPLORER if has_map(model) else ""
    if explorer:
        write_explorer(folder / explorer, model, make_map(model, test), overwrite=True)
    commands = next_commands(folder)
    page = demo_report(
        runs, test.x, samples.x, labels=test.labels, comparison=comparison, explorer=explorer, commands=commands
    )
    for name, data in page.files.items():
        with whole(folder / name, overwrite=True) as temporary:
            temporary.write_bytes(data)
    yield Note(f"\nthe page: {folder / 'report.html'}")
    if explorer:
        yield Note(f"a map to walk in: {folder / explorer}")
    yield Note("\nnext, on these models and then on your own pictures:")
    yield from (Note(f"  {command}") for command in commands)
    yield Result(folder / "report.html")


def describe_losses(runs: Runs) -> list[str]:
    """Return lines with the losses by epoch beside the tutorial's, as MSE per value, and with the test errors."""
    columns: dict[str, dict[int, float]] = {}
    for name, (_, history) in runs.items():
        published = find_preset(name).published
        printed = published.printed if published else {}
        columns[f"{name}, published"] = {epoch: loss / TUTORIAL_BATCH for epoch, loss in printed.items()}
        columns["here" + " " * len(columns)] = {int(row["epoch"] or 0): row["train_mse"] or 0.0 for row in history}
    epochs = sorted(set().union(*columns.values()))
    rows = [[e, *(f"{losses[e]:.6f}" if e in losses else "" for losses in columns.values())] for e in epochs]
    return [
        "\nmean squared error per value over the training images, while the weights move",
        *align(["epoch", *map(str.strip, columns)], rows),
        *(
            f"{name}: {model.card.metrics['test_mse']:.6f} on the 10,000 test images, which training never saw"
            for name, (model, _) in runs.items()
        ),
        "The published figures are what the tutorial prints, divided by 20: it divides a sum over samples by the\n"
        "number of batches, and a batch has 20.",
    ]


def next_commands(folder: Path) -> list[str]:
    """Return commands that can be run after the demo without changes."""
    names = (DENOISER_NAME, MAPPED, "noisy.npy", "restored.npy", "map.png")
    denoiser, mapped, noisy, restored, picture = (shell_word(folder / name) for name in names)
    return [
        f'narrows corrupt mnist:test --with "gaussian(0.25)" -o {noisy} --overwrite',
        f"narrows denoise {denoiser} {noisy} -o {restored} --overwrite",
        f"narrows map {mapped} mnist:test -o {picture} --overwrite",
        "narrows train mnist --bottleneck 'linear(16)' --epochs 3",
    ]
