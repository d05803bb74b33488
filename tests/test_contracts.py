"""Every part keeps the contracts of its kind: those of the menus, and those that live in tests/parts.py."""

import copy
import inspect

import pytest
import torch
from parts import PARTS, Waves

from narrows import modelfile
from narrows.batch import Batch
from narrows.card import Card
from narrows.data.crops import Crops
from narrows.data.source import Rows
from narrows.data.stream import Stream
from narrows.errors import SpecError
from narrows.model.backbone import Conv, Decoder, Encoder, SkipBackbone
from narrows.model.bottleneck import Bottleneck, PositionedBottleneck
from narrows.model.initialise import initialise
from narrows.model.network import MENUS, Network, build_part
from narrows.modelfile import Model
from narrows.spec import arguments, build
from narrows.tasks.encode import decode, encode
from narrows.tasks.reconstruct import reconstruct
from narrows.training.optim import OPTIMIZERS, SCHEDULES

SHAPES = [(6,), (1, 28, 28), (3, 32, 32), (1, 31, 45)]
DEFAULTS = {"backbone": "dense(hidden=[8])", "bottleneck": "linear(4)", "corruption": "none", "loss": "mse"}
DEFAULTS |= {"scaling": "unit"}
NAMES = [(kind, name) for kind in MENUS for name in [*MENUS[kind], *PARTS[kind]]]
# what the menus' defaults do not show: every way of a convolution, chains, options
VARIANTS = [
    ("backbone", "dense(hidden=[])"),
    ("backbone", "conv(channels=[4, 4], pool='max', up='transposed')"),
    ("backbone", "conv(channels=[4], pool='stride', up='transposed', grid=True)"),
    ("backbone", "conv(channels=[4, 4, 4], pool='max', up='upsample', grid=True)"),
    ("backbone", "conv(channels=[], grid=True)"),
    ("backbone", "dense(hidden=[8, 8], activation='silu')"),
    ("backbone", "patches(8, side=3)"),
    ("backbone", "residual(4, stages=1, grid=True)"),
    ("backbone", "residual(3, stages=3)"),
    ("corruption", "gaussian(0.0, 0.5, clip=True)"),
    ("corruption", "blur(0.0, 2.0) | poisson(1.0, 100.0) | mask(0.0, 0.5) | salt_pepper(0.0, 0.5)"),
    ("corruption", "holes(0.5, seen=0.1) | gaussian(0.1) | holes(0.5, seen=0.1)"),
    ("corruption", "hide(0.0, 0.5) | gaussian(0.0, 0.8)"),
    ("scaling", "unit(output='linear')"),
]
CHOICES = [*NAMES, *VARIANTS]


def takes(kind, text, shape):
    """Return whether a part is for samples of a shape: some are for pictures alone, and say so."""
    with pytest.MonkeyPatch.context() as patch:
        add_own_parts(patch)
        part = build_part(kind, text)
        is_for = {name for name in ("pictures_only", "tables_only", "makes_gaps") if getattr(part, name, False)}
        return not is_for or (len(shape) > 1) == (is_for == {"pictures_only"})


def add_own_parts(patch):
    for kind, parts in PARTS.items():
        for name, part in parts.items():
            patch.setitem(MENUS[kind], name, part)


ALL = [(*choice, shape) for choice in CHOICES for shape in SHAPES if takes(*choice, shape)]


@pytest.fixture(autouse=True)
def tests_own_parts(monkeypatch):
    add_own_parts(monkeypatch)


def network_of(shape, kind, text):
    """Return a network of small parts with one of them replaced, as training makes it."""
    texts = DEFAULTS | {kind: text}
    if text == "conv":
        texts["backbone"] = "conv(channels=[4, 8])"
    if text in ("residual", "unet"):
        texts["backbone"] = f"{text}(4)"
    if text in ("sparse", "noisy", "turned"):
        texts["bottleneck"] = {"sparse": "sparse(6, 2)", "noisy": "noisy(3)", "turned": "turned(2)"}[text]
    if text.startswith("hide"):
        texts["scaling"] = "columns"
    network = Network.from_texts(shape, **texts)
    network.scaling.fit([samples(shape)])
    initialise(network, samples(shape))
    return network.to(memory_format=torch.channels_last)


def samples(shape, n=12):
    generator = torch.Generator().manual_seed(1)
    if len(shape) == 1:
        return torch.rand(n, *shape, generator=generator, dtype=torch.float64) * 7 - 3
    return torch.randint(0, 256, (n, *shape), generator=generator, dtype=torch.uint8)


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(network, x):
    """Return what one step of training reads: places too, where the bottleneck draws codes to them."""
    if isinstance(network.bottleneck, PositionedBottleneck):
        return Batch(x, target_position=torch.ones(len(x), *network.code_shape))
    return Batch(x)


def over(choices):
    """Run a test over parts and shapes, (kind, text, shape)."""
    ids = [f"{kind}-{text}-{'x'.join(map(str, shape))}" for kind, text, shape in choices]
    return pytest.mark.parametrize(("kind", "text", "shape"), choices, ids=ids)


every_choice = over(ALL)


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_builds_with_defaults_and_its_text_builds_it_again(kind, name):
    part = build_part(kind, name)
    text = repr(part)
    again = build_part(kind, text)
    assert type(again) is type(part)
    assert repr(again) == text
    assert text.startswith(f"{name}(")
    for argument in arguments(type(part)):
        assert getattr(again, argument.name) == getattr(part, argument.name), argument


@pytest.mark.parametrize(("kind", "text"), VARIANTS)
def test_options_survive_their_text(kind, text):
    first = repr(build_part(kind, text))
    assert repr(build_part(kind, first)) == first


@pytest.mark.parametrize("menu", [OPTIMIZERS, SCHEDULES])
def test_optimizers_and_schedules_survive_their_text(menu):
    for name in menu:
        part = build(name, menu, "part")
        assert repr(build(repr(part), menu, "part")) == repr(part)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in MENUS for name in MENUS[kind]])
def test_every_part_is_documented_with_an_example(kind, name):
    words = inspect.getdoc(MENUS[kind][name])
    assert "Examples\n--------\n>>> " in words
    assert all(argument.name in words for argument in arguments(MENUS[kind][name]))


@every_choice
def test_shapes(kind, text, shape):
    network = network_of(shape, kind, text)
    x, n = samples(shape), 12
    h, skips = network.encoder(network.scaling.as_input(network.scaling(x)))
    code = network.bottleneck(h)
    logits = network.decoder(code.z, skips)
    assert h.shape[1] == network.bottleneck.features_in
    assert code.z.shape == (n, *network.code_shape)
    assert code.z.shape[1] == network.bottleneck.features_out
    assert network.code_size == code.z[0].numel()
    model_shape = network.scaling.model_shape(shape)
    assert logits.shape == network.scaling(x).shape == (n, *model_shape)
    assert code.penalty.shape == (n,)
    assert network.restore(network.scaling(x)).shape == (n, *model_shape)
    assert network.squared_error(x).shape == (n, *model_shape)
    assert network.scaling.fold(network.squared_error(x)).shape == x.shape
    assert network.reconstruct(x).shape == x.shape
    assert network.reconstruct(x).dtype == torch.float64
    assert (skips == ()) == network.has_code
    if not network.backbone.grid:
        assert code.z.ndim == 2


@every_choice
def test_total_is_loss_and_penalty_over_values(kind, text, shape):
    network = network_of(shape, kind, text)
    x = samples(shape)
    cost = network(batch(network, x))
    scaled = network.scaling(x)
    h, skips = network.encoder(network.scaling.as_input(scaled))
    code = network.bottleneck(h)
    logits = network.decoder(code.z, skips)
    output = network.scaling.activation(logits)
    penalty = code.penalty
    if isinstance(network.bottleneck, PositionedBottleneck):
        penalty = penalty + network.bottleneck.relate(code.z, torch.ones_like(code.z))
    loss = network.loss.costs((logits, output), scaled).flatten(1).sum(1)
    assert [part.shape for part in cost] == [(12,)] * 3
    assert torch.allclose(cost.penalty, penalty, atol=1e-6)
    assert torch.allclose(cost.total, (loss + penalty) / network.values, atol=1e-6)
    assert torch.allclose(cost.mse, (output - scaled).square().flatten(1).mean(1), atol=1e-6)


@every_choice
def test_a_gradient_reaches_every_parameter(kind, text, shape):
    network = network_of(shape, kind, text)
    network.train()
    network(batch(network, samples(shape)), generator=chance()).total.mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


@every_choice
def test_use_is_deterministic_and_leaves_the_input_alone(kind, text, shape):
    network = network_of(shape, kind, text)
    network.eval()
    x = samples(shape)
    before, state = x.clone(), torch.get_rng_state()
    first = network.reconstruct(x), network.encode(x).z, network(x).total
    second = network.reconstruct(x), network.encode(x).z, network(x).total
    assert all(map(torch.equal, first, second))
    network(batch(network, x), generator=chance())
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), state)


@every_choice
def test_chance_comes_from_the_generator_alone(kind, text, shape):
    network = network_of(shape, kind, text)
    x = samples(shape)
    one, same, other = (network(batch(network, x), generator=chance(seed)).total for seed in (0, 0, 1))
    assert torch.equal(one, same)
    has_chance = network.corruption.draws or text == "noisy"
    assert torch.equal(one, other) != has_chance


@every_choice
def test_a_sample_alone_equals_itself_in_any_company(kind, text, shape):
    network = network_of(shape, kind, text)
    x = samples(shape, n=70)  # more than a block
    for function in (network.reconstruct, lambda rows: network.encode(rows).z, network.squared_error):
        together = network.in_blocks(function, x)
        assert together.shape[0] == 70
        for i in (0, 5, 63, 64, 69):
            assert torch.equal(network.in_blocks(function, x[i : i + 1])[0], together[i])
        assert torch.equal(network.in_blocks(function, x[30:]), together[30:])


@every_choice
def test_saved_and_loaded_it_gives_the_same_bits(kind, text, shape, tmp_path):
    network = network_of(shape, kind, text)
    x = samples(shape)
    layout, dtype = ("table", "float64") if len(shape) == 1 else ("channels_last", "uint8")
    modelfile.save(tmp_path / "model.safetensors", Model(network, Card(layout=layout, dtype=dtype)))
    loaded = modelfile.load(tmp_path).network
    assert loaded.texts == network.texts
    assert loaded.shape == network.shape
    assert loaded.code_shape == network.code_shape
    assert not loaded.training
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert torch.equal(loaded.in_blocks(loaded.reconstruct, x), network.in_blocks(network.reconstruct, x))


@pytest.mark.parametrize(("kind", "text"), CHOICES)
def test_a_copy_computes_the_same(kind, text):
    shape = (1, 28, 28) if takes(kind, text, (1, 28, 28)) else (6,)
    network, x = network_of(shape, kind, text), samples(shape)
    twin = copy.deepcopy(network).eval()
    network.eval()
    assert torch.equal(twin.reconstruct(x), network.reconstruct(x))


@over([choice for choice in ALL if choice[1] not in ("bridge", "unet")])
def test_decoding_codes_is_reconstructing(kind, text, shape):
    network = network_of(shape, kind, text)
    x = samples(shape)
    codes = network.in_blocks(lambda rows: network.encode(rows).z, x)
    assert torch.equal(network.in_blocks(network.decode, codes), network.in_blocks(network.reconstruct, x))


@pytest.mark.parametrize("text", ["bridge(width=5)", "unet(4)"])
def test_a_model_with_skips_restores_and_refuses_what_needs_a_code(text):
    network = network_of((1, 9, 8), "backbone", text).eval()
    assert isinstance(network.backbone, SkipBackbone)
    model = Model(network, Card(layout="grey", dtype="uint8"))
    x = samples((1, 9, 8))[:, 0].numpy()
    assert reconstruct(model, x).shape == x.shape
    for refused in (
        lambda: encode(model, x),
        lambda: decode(model, torch.zeros(2, 4).numpy()),
        lambda: network.decode(torch.zeros(2, 4)),
    ):
        with pytest.raises(SpecError, match=r"connections round its bottleneck.*it restores") as caught:
            refused()
        assert "\n" not in str(caught.value)


def test_a_random_code_gives_its_mean_unless_it_may_draw():
    part = build_part("bottleneck", "noisy(2)")
    h = torch.randn(5, 4)
    assert torch.equal(part(h).z, h[:, :2])
    drawn = part(h, chance())
    assert not torch.equal(drawn.z, h[:, :2])
    assert torch.equal(drawn.penalty, part(h).penalty)
    zero_mean_unit_variance = part(torch.zeros(5, 4)).penalty
    assert torch.equal(zero_mean_unit_variance, torch.zeros(5))


def test_places_add_one_cost_per_sample_and_only_where_given():
    network = network_of((6,), "bottleneck", "map(2)").eval()
    x = samples((6,))
    alone, drawn = network(x), network(Batch(x, target_position=torch.ones(12, 2)))
    assert torch.equal(alone.penalty, torch.zeros(12))
    assert drawn.penalty.abs().min() > 0
    assert torch.equal(alone.mse, drawn.mse)
    linear = network_of((6,), "bottleneck", "linear(2)").eval()
    assert torch.equal(linear(Batch(x, target_position=torch.ones(12, 2))).total, linear(x).total)


def test_convolutions_take_pictures_only():
    with pytest.raises(SpecError, match=r"takes pictures.*use backbone='dense"):
        network_of((6,), "backbone", "conv")


def test_places_need_a_vector_code():
    with pytest.raises(SpecError, match="needs a vector code"):
        Network.from_texts((1, 8, 8), **DEFAULTS | {"bottleneck": "map(2)", "backbone": "conv(grid=True)"})


def test_a_weight_moves_the_loss_to_the_values_that_it_names():
    network = network_of((6,), "corruption", "holes(0.5)").eval()
    x = samples((6,))
    clean, damaged, weight = network.damage(x, chance())
    cost = network(x, generator=chance())
    error = (network.restore(damaged) - clean).square()
    expected = (error * weight / weight.mean()).flatten(1).sum(1) / 6
    assert torch.allclose(cost.total, expected, atol=1e-6)
    hidden = weight == 1
    for i in range(12):
        assert torch.isclose(cost.mse[i], error[i][hidden[i]].mean() if hidden[i].any() else torch.zeros(()), atol=1e-6)
    assert not torch.allclose(cost.mse, error.mean(1))


def test_a_sample_none_of_whose_values_has_a_weight_has_no_error():
    cost = network_of((6,), "corruption", "holes(0.0)").eval()(samples((6,)), generator=chance())
    assert torch.equal(cost.mse, torch.zeros(12))
    assert cost.total.isfinite().all()


@over([choice for choice in ALL if choice[0] == "scaling"])
def test_a_scaling_brings_values_back_and_says_what_its_numbers_are(kind, text, shape):
    scaling, x = network_of(shape, kind, text).scaling.eval(), samples(shape)
    scaled, columns = scaling(x), torch.ones(shape[0], dtype=torch.float64)
    assert (scaled.dtype, scaling.back(scaled).dtype) == (torch.float32, torch.float64)
    assert torch.allclose(scaling.back(scaled), x.double(), atol=1e-4)
    assert torch.allclose(scaling.activation(scaling.inverse_activation(scaled)), scaled, atol=1 / 128)
    assert scaling.limits is None or scaling.limits[0] <= scaled.min() <= scaled.max() <= scaling.limits[1]
    assert scaling.unit_name
    assert scaling.back_deviation(columns).shape == columns.shape
    if (ends := scaling.user_range) is not None:
        assert ends.low - 1e-9 <= x.min() <= x.max() <= ends.high + 1e-9
        assert torch.allclose(ends.from_depth(ends.to_depth(x.double(), 65535.0), 65535.0), x.double())
    if (numbers := scaling.export()) is not None:
        assert {len(numbers["scale"]), len(numbers["offset"])} == {shape[0]}
        assert set(numbers) <= {"scale", "offset", "tail", "activation", "cells"}
    scaling.check()


def test_bottlenecks_give_a_code_a_place():
    h = torch.randn(3, 12, 5, 4)
    for name in ("linear(12)", "relu(12)", "sparse(12, 3)", "noisy(6)"):
        part: Bottleneck = build_part("bottleneck", name)
        code = part(h)
        assert code.z.shape == (3, part.features_out, 5, 4), name
        assert code.penalty.shape == (3,), name


def test_recipes_hold_no_weights_and_build_plain_halves():
    recipe = Conv(channels=[4])
    encoder, decoder = recipe.build((1, 8, 8), (1, 8, 8), 3, 3)
    assert isinstance(encoder, Encoder)
    assert isinstance(decoder, Decoder)
    assert not isinstance(recipe, torch.nn.Module)
    other, _ = recipe.build((1, 8, 8), (1, 8, 8), 3, 3)
    assert not torch.equal(next(other.parameters()), next(encoder.parameters()))


SOURCES = {
    "rows": Rows(samples((6,), 20)),
    "crops": Crops([*samples((9, 11), 19).numpy(), samples((24, 11), 1)[0].numpy()], 8),
    "waves": Waves([i / 3 for i in range(20)]),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_gives_its_samples_by_index_in_parts_and_in_chunks(source):
    first, again = (source.take(source.visits[:5], chance()) for _ in range(2))
    assert first.shape == (5, *source.shape)
    assert torch.equal(first, again)
    assert set(source.visits.tolist()) == set(range(len(source))) == set(range(20))
    part = source.part([3, 0])
    assert (len(part), part.shape) == (2, source.shape)
    assert torch.equal(part.take(torch.tensor([1]), chance()), source.take(torch.tensor([0]), chance()))
    chunks = list(source.chunks(6))
    assert sum(map(len, chunks)) == 20
    assert {chunk.dtype for chunk in chunks} == {first.dtype}
    if source.takes_whole:
        assert torch.equal(torch.cat(chunks), source.take(torch.arange(20), chance(1)))
    assert torch.equal(source.to("cpu").take(source.visits[:5], chance()), first)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_stream_gives_every_sample_of_a_source_once_an_epoch(source):
    stream = Stream(source, batch_size=8)
    generator = chance()
    batches = [stream.take(index, generator).x for index in stream.epoch(generator)]
    assert len(batches) == stream.steps_per_epoch
    assert sum(map(len, batches)) == len(stream) == len(source.visits)
    if source.takes_whole:
        wanted = source.take(source.visits, chance())
        assert torch.equal(torch.cat(batches).flatten(1)[:, 0].sort().values, wanted.flatten(1)[:, 0].sort().values)
