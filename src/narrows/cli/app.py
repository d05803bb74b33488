"""The command line: one subcommand per verb, each a thin call of the library.

Exit status: 0, all that was asked for is there (named skips included); 1, some outputs are missing, each named;
2, nothing was done. Heavy libraries are imported by the verbs that use them, so that help comes at once.
"""

from __future__ import annotations

import atexit
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import FlagCreatePairsOff, Positional, UseAppendAction, arg
from tyro.extras import SubcommandApp

from narrows.cli.printing import describe_array, describe_map, print_rows, print_table, signature, working
from narrows.errors import DataError, NarrowsError, TrainingError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

    from narrows.data.read import Samples
    from narrows.metrics.comparison import Comparison
    from narrows.modelfile import Model
    from narrows.training.fit import Fit

app = SubcommandApp()
ARRAYS = "FILE.npy, .npz or .csv, or a folder for pictures"
Data = Annotated[Positional[str], arg(metavar="DATA")]
Run = Annotated[Positional[str], arg(metavar="RUN")]
Output = Annotated[str, arg(aliases=["-o"], metavar="OUT", help=ARRAYS)]
Size = Annotated[tuple[int, ...] | None, arg(metavar="N | H W", help_behavior_hint="")]
Fitting = Annotated[Literal["crop", "pad", "stretch"] | None, arg(metavar="crop|pad|stretch", help_behavior_hint="")]
Damages = Annotated[tuple[str, ...], UseAppendAction, arg(metavar="CORRUPTION", help_behavior_hint="")]
Most = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Labels = Annotated[str | None, arg(metavar="FILE", help_behavior_hint="")]
Part = Annotated[str | None, arg(metavar="PART", help_behavior_hint="")]


def main(argv: list[str] | None = None) -> int:
    """Run the command line on `argv` and return the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    _spare_the_collector()
    try:
        if argv and not argv[0].startswith("-") and argv[0] not in app._subcommands:
            raise NarrowsError(f"there is no verb {argv[0]!r}; {did_you_mean(argv[0], app._subcommands)}")
        return app.cli(args=argv, prog="narrows", description=_DESCRIPTION, config=(FlagCreatePairsOff,)) or 0
    except NarrowsError as error:
        print(f"narrows: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("narrows: stopped; nothing was written", file=sys.stderr)
        return 130
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2


def _spare_the_collector() -> None:
    """Let Python look for garbage less often, and not once more at the end.

    Nearly all that it looks through is torch's own and stays; it took a fifth of a second of the imports and almost one
    of leaving.
    """
    gc.set_threshold(20_000)
    atexit.register(gc.freeze)


_DESCRIPTION = (
    "Trains an autoencoder on your own images or tables; the one model then reconstructs, denoises and encodes. "
    "Begin with `narrows demo`, or `narrows train FOLDER`."
)


@app.command
def train(
    data: Data = "mnist",
    *,
    output: Annotated[str | None, arg(aliases=["-o"], metavar="RUN", help_behavior_hint="")] = None,
    preset: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None,
    backbone: Part = None,
    bottleneck: Part = None,
    corruption: Part = None,
    loss: Part = None,
    scaling: Part = None,
    epochs: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None,
    max_seconds: Annotated[float | None, arg(metavar="S", help_behavior_hint="")] = None,
    validation: Annotated[float | None, arg(metavar="SHARE", help_behavior_hint="")] = None,
    seed: Annotated[int, arg(metavar="N")] = 0,
    device: Annotated[str, arg(metavar="auto|cpu|cuda")] = "auto",
    size: Size = None,
    fit: Fitting = None,
    crop: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None,
    target: Annotated[str | None, arg(metavar="DATA", help_behavior_hint="")] = None,
    self_supervised: bool = False,
    labels: Labels = None,
    as_published: bool = False,
    overwrite: bool = False,
) -> int:
    """Train an autoencoder on DATA and leave a run folder.

    Args:
        data: a name (mnist), a folder of pictures, or a .npy, .npz, IDX or .csv file.
        output: the run folder; runs/NAME by default, then runs/NAME-2.
        preset: a ready choice of parts, see `narrows parts`.
        backbone: how both halves are built, "dense(hidden=[256])".
        bottleneck: the narrow place, "linear(32)".
        corruption: damage in training, "gaussian(0.0, 0.1)".
        loss: cost of a reconstruction, "mse".
        scaling: user's units to the model's, "standard".
        epochs: passes over the training samples.
        max_seconds: a cap on training, 300 by default.
        validation: share of the samples kept out of training, 0.1 by default.
        seed: makes a run repeatable.
        device: where to train.
        size: of pictures, one number or height and width.
        fit: how pictures of another shape are brought to that size.
        crop: resize nothing; train on crops of this side, 64 with the preset denoise.
        target: what DATA should become, clean pictures of the same names or an array.
        self_supervised: learn to restore from noisy pictures alone.
        labels: a file with a label per sample, for colours and figures.
        as_published: repeat the preset's source to the letter.
        overwrite: replace an existing run.
    """
    from narrows.presets import find_preset
    from narrows.training.fit import Fit
    from narrows.training.map_head import comes_with_head
    from narrows.verbs.map import with_trained_map

    if crop is None and size is None and fit is None and (preset is not None or self_supervised):
        crop = find_preset(preset or "denoise").get("crop")
    samples = _read(data, size=size, fit=fit, labels=labels, crop=crop, target=target)
    folder = _run_folder(output, samples.origin, overwrite)
    with working("looking at the samples"):
        fitting = Fit(
            samples,
            preset=preset,
            epochs=epochs,
            max_seconds=max_seconds,
            validation=validation,
            crop=crop,
            self_supervised=self_supervised,
            as_published=as_published,
            seed=seed,
            device=device,
            backbone=backbone,
            bottleneck=bottleneck,
            corruption=corruption,
            loss=loss,
            scaling=scaling,
        )
    for note in fitting.notes:
        print(note)
    status = _train(fitting)
    model = fitting.finish()
    if comes_with_head(fitting):
        model = with_trained_map(fitting, model)
    _write_run(folder, model, fitting, overwrite)
    _print_figures(model)
    for line in filter(None, [fitting.kept, *fitting.warnings]):
        print(f"note: {line}")
    _print_cut(fitting)
    print(f"{folder}: model.safetensors, history.csv, report.html")
    verb = "reconstruct" if model.network.has_code else "denoise"
    print(f"next: narrows {verb} {folder} {samples.test or data} -o out{'' if samples.reading else '.npy'}")
    return status


@app.command
def reconstruct(run: Run, data: Data, *, output: Output, overwrite: bool = False) -> int:
    """Send DATA through the narrow place of a model and write what comes out.

    Args:
        run: a run folder or a model file.
        data: what to reconstruct.
        output: where the result goes.
        overwrite: replace an existing output.
    """
    from narrows.data.write import check_suits, write
    from narrows.files import refuse_existing
    from narrows.tasks.reconstruct import reconstruct

    refuse_existing(output, overwrite)
    model = _load(run)
    samples = _read_for(model, data)
    check_suits(output, samples.x)  # before the work; what comes out is as what goes in
    result = reconstruct(model, samples.x)
    write(output, result, names=samples.names or samples.columns, overwrite=overwrite)
    print(f"{output}: {describe_array(result)}")
    return 0


@app.command
def denoise(
    run: Run,
    data: Data,
    *,
    output: Annotated[str, arg(aliases=["-o"], metavar="OUT", help_behavior_hint="")],
    compare: Annotated[str | None, arg(metavar="FILE|FOLDER", help_behavior_hint="")] = None,
    clean: Annotated[str | None, arg(metavar="DATA", help_behavior_hint="")] = None,
    overwrite: bool = False,
) -> int:
    """Restore noisy DATA with a model: a picture, a folder of pictures, or an array.

    Args:
        run: a run folder or a model file.
        data: what to restore.
        output: a picture or a folder for a picture, a folder for a folder, FILE.npy for an array.
        compare: write noisy, restored and difference side by side.
        clean: the clean picture, folder or array, for figures and beside the others.
        overwrite: replace an existing output.
    """
    from narrows.data.read import are_pictures
    from narrows.files import refuse_existing
    from narrows.tasks.reconstruct import was_damaged
    from narrows.tasks.tiles import keeps_size
    from narrows.verbs.denoise import denoise_files, denoise_samples

    model = _load(run)
    if not was_damaged(model):
        print("note: this model never saw noise in training; --corruption 'gaussian(0.0, 0.5)' trains one that did")
    if keeps_size(model) and are_pictures(data):
        return denoise_files(model, data, output, compare, clean, overwrite)
    refuse_existing(output, overwrite)
    samples = _read_for(model, data, compare=False)
    return denoise_samples(model, samples, output, compare, clean, overwrite)


@app.command
def encode(run: Run, data: Data, *, output: Output, overwrite: bool = False) -> int:
    """Write the code of every sample of DATA, a row of numbers each.

    Args:
        run: a run folder or a model file.
        data: what to encode.
        output: where the codes go, a file.
        overwrite: replace an existing output.
    """
    from narrows.data.write import write
    from narrows.files import refuse_existing
    from narrows.tasks.encode import encode

    refuse_existing(output, overwrite)
    model = _load(run)
    samples = _read_for(model, data)
    codes = encode(model, samples.x)
    write(output, codes, names=[f"z{i}" for i in range(codes.shape[1])], overwrite=overwrite)
    print(f"{output}: {codes.shape[0]:,} codes of {codes.shape[1]:,} numbers")
    return 0


@app.command
def decode(
    run: Run, codes: Annotated[Positional[str], arg(metavar="CODES")], *, output: Output, overwrite: bool = False
) -> int:
    """Write the samples that CODES stand for.

    Args:
        run: a run folder or a model file.
        codes: a file that encode wrote.
        output: where the samples go.
        overwrite: replace an existing output.
    """
    from narrows.data.write import write
    from narrows.files import refuse_existing
    from narrows.tasks.encode import decode

    refuse_existing(output, overwrite)
    model = _load(run)
    samples = decode(model, _read(codes).x)
    write(output, samples, names=model.card.columns, overwrite=overwrite)
    print(f"{output}: {describe_array(samples)}")
    return 0


@app.command(name="map")
def draw_map(
    run: Run,
    data: Data,
    *,
    output: Annotated[str, arg(aliases=["-o"], metavar="OUT", help_behavior_hint="")],
    labels: Labels = None,
    colour_by: Annotated[str | None, arg(metavar="label|error|COLUMN", help_behavior_hint="")] = None,
    pca: bool = False,
    overwrite: bool = False,
) -> int:
    """Place DATA on a model's map: a picture, a page to walk in, or a table.

    A model without a map gets one, in its file too.

    Args:
        run: a run folder or a model file.
        data: what to place.
        output: FILE.png or .svg, a picture; .html, a page to walk in; .csv or .parquet, a row per sample.
        labels: a file with a label per sample, for colours.
        colour_by: what the points of a picture are coloured by; labels where there are any.
        pca: no map but the codes' two principal components, which are there at once.
        overwrite: replace an existing output.
    """
    from narrows.tasks.encode import encode, has_map
    from narrows.tasks.mapping import check_differ
    from narrows.training.map_head import add_pca_head
    from narrows.verbs.map import check_output, with_map, write_map

    check_output(output, colour_by, overwrite)
    model = _load(run)
    model.network.check_code()
    samples = _read_for(model, data, labels=labels)
    check_differ(model, samples)
    if pca:
        model = add_pca_head(model, encode(model, _reference(model, data, samples)[0]))
    elif not has_map(model):
        model = with_map(run, model, _reference(model, data, samples)[0])
    write_map(output, model, samples, colour_by, overwrite)
    return 0


@app.command
def corrupt(
    data: Data,
    *,
    with_: Annotated[str, arg(name="with", metavar="CORRUPTION")],
    output: Output,
    seed: Annotated[int, arg(metavar="N")] = 0,
    size: Size = None,
    fit: Fitting = None,
    overwrite: bool = False,
) -> int:
    """Damage DATA and write the result, to try a model on.

    Args:
        data: what to damage.
        with_: the damage, "gaussian(0.08)" or a chain "mask(0.2) | gaussian(0.1)".
        output: where the result goes.
        seed: makes the damage repeatable.
        size: of pictures, one number or height and width.
        fit: how pictures of another shape are brought to that size.
        overwrite: replace an existing output.
    """
    from narrows.data.write import write
    from narrows.files import refuse_existing
    from narrows.tasks.corrupt import corrupt

    refuse_existing(output, overwrite)
    samples = _read(data, size=size, fit=fit)
    damaged, units = corrupt(samples.x, with_, seed)
    write(output, damaged, names=samples.names or samples.columns, overwrite=overwrite)
    print(f"damage: {with_}, in units of {units}")
    print(f"before: {describe_array(samples.x)}")
    print(f"after:  {describe_array(damaged)}")
    return 0


@app.command
def info(source: Annotated[Positional[str], arg(metavar="RUN | DATA")]) -> int:
    """Say what is in a model or in data.

    Args:
        source: a run folder, a model file, or data.
    """
    if _is_model(source):
        return _info_model(source)
    return _info_data(source)


@app.command
def evaluate(
    run: Run,
    data: Data,
    *,
    corruption: Damages = (),
    most: Most = None,
    seed: Annotated[int, arg(metavar="N")] = 0,
    labels: Labels = None,
) -> int:
    """Print every table that the model and DATA allow, plain methods beside it.

    Args:
        run: a run folder or a model file.
        data: what to measure the model on; best data that it never saw.
        corruption: damage DATA so, and print how well the model and the plain filters restore it; may be repeated.
        most: damaged pictures that are measured, 1,000 by default, or fewer of large ones.
        seed: makes the damage repeatable.
        labels: a file with a label per sample, for the figures of a map.
    """
    from narrows.metrics.evaluate import evaluate

    model = _load(run)
    samples = _read_for(model, data, labels=labels)
    reference, name, reference_labels = _reference(model, data, samples)
    for text in corruption:
        print_table(_compare(model, samples.x, reference, text, most, seed).table(name))
    if not corruption:
        for table in evaluate(model, samples.x, reference, name, samples.labels, reference_labels):
            print_table(table)
    return 0


@app.command
def report(
    run: Run,
    data: Annotated[Positional[str | None], arg(metavar="DATA", help_behavior_hint="")] = None,
    *,
    output: Annotated[str | None, arg(aliases=["-o"], metavar="FILE.html", help_behavior_hint="")] = None,
    corruption: Damages = (),
    most: Most = None,
    seed: Annotated[int, arg(metavar="N")] = 0,
    labels: Labels = None,
    overwrite: bool = False,
) -> int:
    """Write the page of a model on DATA: pictures, figures and plain methods beside them.

    Args:
        run: a run folder or a model file.
        data: what to show; the test split of the data that the model was trained on, where it is known by name.
        output: the page, report-NAME.html in the run folder by default.
        corruption: damage DATA so, and show how well the model and the plain filters restore it; may be repeated.
        most: damaged pictures that are measured, 1,000 by default, or fewer of large ones.
        seed: makes the damage repeatable.
        labels: a file with a label per sample, for colours.
        overwrite: replace an existing page.
    """
    from narrows.data.named import NAMED
    from narrows.files import whole
    from narrows.runfolder import read_history
    from narrows.view.report import run_report

    model = _load(run)
    if data is None and model.card.origin not in NAMED:
        raise DataError(f"the report of {run} needs data to show; write `narrows report {run} DATA`")
    samples = _read_for(model, data or NAMED[model.card.origin].test or model.card.origin, labels=labels)
    reference, reference_name, _ = _reference(model, data or model.card.origin, samples)
    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    path = Path(output) if output else folder / f"report-{samples.origin.replace(':', '-')}.html"
    page = run_report(
        model,
        read_history(folder),
        samples.x,
        x_name=samples.origin,
        reference=reference,
        names=samples.names,
        labels=samples.labels,
        skipped=samples.skipped,
        comparisons=[_compare(model, samples.x, reference, text, most, seed) for text in corruption],
        reference_name=reference_name,
    )
    with whole(path, overwrite) as temporary:
        temporary.write_text(page.html, encoding="utf-8")
    print(path)
    return 0


@app.command
def parts() -> int:
    """Print the menus: every part, preset and data set, and how it is written."""
    import inspect

    from narrows.data.named import NAMED
    from narrows.model.network import MENUS
    from narrows.presets import PRESETS

    for kind, menu in MENUS.items():
        print(f"\n{kind}")
        for name, part in menu.items():
            summary = (inspect.getdoc(part) or "").split(".")[0].replace("\n", " ")
            print(f"  {name + signature(part):<64}  {summary}")
    print("\npreset")
    for name, preset in PRESETS.items():
        chosen = [
            preset[kind] for kind in ("backbone", "bottleneck", "corruption") if preset.get(kind, "none()") != "none()"
        ]
        print(f"  {name:<16}  {' x '.join(chosen)}")
    print("\ndata\n  " + "  ".join(NAMED))
    return 0


@app.command
def demo(
    *,
    output: Annotated[str, arg(aliases=["-o"], metavar="RUN")] = "runs/demo",
    device: Annotated[str, arg(metavar="auto|cpu|cuda")] = "auto",
) -> int:
    """Train the tutorial's two autoencoders on MNIST and write one page about them, in under two minutes.

    Args:
        output: the folder of the page and both runs; an earlier demo there is replaced.
        device: where to train.
    """
    from narrows.verbs.demo import demo

    return demo(Path(output), device, _train)


def _compare(
    model: Model, x: np.ndarray, reference: np.ndarray, corruption: str, most: int | None, seed: int
) -> Comparison:
    """Return the model beside the plain filters on damaged data, measured."""
    from narrows.cli.printing import show_scores
    from narrows.metrics.comparison import Comparison
    from narrows.spec import check_whole

    most = None if most is None else check_whole("most", most, 1)
    comparison = Comparison({"this model": model}, x, reference, corruption, most=most, seed=seed)
    show_scores(comparison)
    return comparison


def _load(run: str) -> Model:
    from narrows.modelfile import load

    return load(run)


def _read(source: str, size: tuple[int, ...] | None = None, **options: Any) -> Samples:
    from narrows.data.read import read

    if size is not None and len(size) not in (1, 2):
        raise DataError(f"--size takes one number or two, height and width, however: {' '.join(map(str, size))}")
    samples = read(source, size=None if size is None else (size[0], size[-1]), **options)
    _say(samples)
    return samples


def _read_for(model: Model, source: str, compare: bool = True, labels: str | None = None) -> Samples:
    """Read data as the model's own were read, and say where they are unlike them (damaged ones always are)."""
    from narrows.data.read import read
    from narrows.tasks.score import UNUSUAL, errors, times_usual

    samples = read(source, reading=model.card.reading or None, labels=labels)
    _say(samples)
    if not compare:
        return samples
    times = times_usual(model, errors(model, samples.x, most=512))  # these tell as well as all
    if times is not None and times >= UNUSUAL:
        print(
            f"note: the error on {samples.origin} is {times:.0f} times the usual, so these data are unlike those of "
            f"training (a light background, another scale?) and the results may be poor"
        )
    return samples


def _say(samples: Samples) -> None:
    for note in samples.notes:
        print(note)
    for name, reason in samples.skipped:
        print(f"skipped {name}: {reason}")
    if samples.skipped:
        print(f"{len(samples.x):,} used + {len(samples.skipped):,} skipped = {len(samples.x) + len(samples.skipped):,}")


def _reference(model: Model, data: str, samples: Samples) -> tuple[np.ndarray, str, np.ndarray | None]:
    """Return the data that the plain methods learn from: the training data where they are known by name.

    Their labels come along where the data measured are their test split, and so none of them.
    """
    from narrows.data.named import NAMED
    from narrows.data.read import read

    if model.card.origin in NAMED:
        known = read(model.card.origin)
        return known.x, model.card.origin, known.labels if samples.origin == known.test else None
    return samples.x, f"{samples.origin}, the very data measured, which favours it", None


def _run_folder(output: str | None, origin: str, overwrite: bool) -> Path:
    from narrows.files import refuse_existing

    if output is not None:
        refuse_existing(output, overwrite)
        return Path(output)
    name = Path(origin.split(":")[0]).stem or "run"
    folder, number = Path("runs") / name, 2
    while folder.exists():
        folder, number = Path("runs") / f"{name}-{number}", number + 1
    return folder


def _train(fitting: Fit) -> int:
    """Train with a bar on a terminal and lines elsewhere; Ctrl-C keeps what is trained."""
    from narrows.cli.printing import show

    try:
        show(fitting)
    except KeyboardInterrupt:
        if fitting.last is None:  # hardly begun
            raise
        print("stopped early; the model as it is now is kept")
    except TrainingError as error:
        if fitting.last is None:
            raise
        print(f"narrows: {error}", file=sys.stderr)
        return 1
    return 0


def _write_run(folder: Path, model: Model, fitting: Fit, overwrite: bool) -> None:
    from narrows.runfolder import write_run
    from narrows.view.report import run_report

    name, shown, reference = fitting.examples()
    page = run_report(
        model,
        fitting.history,
        shown.x,
        x_name=name,
        reference=reference,
        names=shown.names,
        labels=shown.labels,
        skipped=fitting.samples.skipped,
    )
    write_run(folder, model, fitting.history, page.html, page.pictures, overwrite)


def _is_model(source: str) -> bool:
    from narrows.modelfile import FILE_NAME

    return source.endswith(".safetensors") or (Path(source) / FILE_NAME).is_file()


def _info_model(source: str) -> int:
    from narrows.model.network import MENUS
    from narrows.model.summary import describe_code, layers

    model = _load(source)
    network, card, _ = model
    print(f"{source}: a model of {card.origin or 'data'}, {'x'.join(map(str, network.shape))} {card.dtype}")
    for kind in MENUS:
        print(f"  {kind:<11} {network.texts[kind]}")
    rows = [(layer.name, "x".join(map(str, layer.shape)), f"{layer.parameters:,}") for layer in layers(network)]
    print_rows(("layer", "output", "parameters"), rows)
    print(f"parameters: {sum(p.numel() for p in network.parameters()):,}")
    print(f"code: {describe_code(network)}")
    if model.head is not None:
        print(f"map: {describe_map(model)}")
    print("trained:")
    for key, value in card.recipe.items():
        if value not in (None, False):
            print(f"  {key:<18} {round(value, 1) if isinstance(value, float) else value}")
    _print_figures(model)
    return 0


def _info_data(source: str) -> int:
    import numpy as np

    samples = _read(source)
    print(f"{samples.origin}: {describe_array(samples.x)}")
    if samples.labels is not None:
        values, counts = np.unique(samples.labels, return_counts=True)
        shown = ", ".join(f"{value}: {count:,}" for value, count in list(zip(values, counts, strict=True))[:12])
        print(f"labels: {len(values):,} ({shown}{', ...' if len(values) > 12 else ''})")
    print(f"skipped: {len(samples.skipped)}")
    print(f"next: narrows train {source}")
    return 0


def _print_figures(model: Model) -> None:
    names = {
        "train_mse": "training, while the weights moved",
        "validation_mse": "validation share",
        "pca_mse": "validation share, PCA with as many numbers",
        "test_mse": "test",
        "map_mse": "validation share, from the two numbers of the map",
    }
    print(f"MSE per value, in units of {model.network.texts['scaling']}:")
    for key, name in names.items():
        if key in model.card.metrics:
            print(f"  {model.card.metrics[key]:.6f}  {name}")


def _print_cut(fitting: Fit) -> None:
    budget, last = fitting.budget, fitting.last
    if budget.was_cut and last is not None:
        enough = budget.max_seconds * budget.requested / last.steps * 1.1
        print(
            f"the cap of {budget.max_seconds:g} s cut training to {last.steps:,} of {budget.requested:,} steps, so "
            f"this run does not repeat bit for bit; to train them all, add --max-seconds {enough:.0f}"
        )
