"""Recipes of both halves: the tutorial's networks to the parameter, and pictures of any size."""

import pytest
import torch
from torch import nn
from torch.nn.functional import pad

from narrows.errors import SpecError
from narrows.model.backbone import Conv, Dense, Residual, UNet, choose_backbone
from narrows.model.initialise import initialise
from narrows.model.layers import Cut, PatchConv, PatchConvTranspose, PixelConv, PixelFlatten, PixelUnflatten
from narrows.model.network import MAX_KEPT_SIZES, Network, build_part
from narrows.presets import PRESETS

PARTS = ("backbone", "bottleneck", "corruption", "loss", "scaling")


def preset_network(name, shape=(1, 28, 28)):
    return Network.from_texts(shape, **{kind: PRESETS[name].texts[kind] for kind in PARTS})


def counts(module):
    return [sum(p.numel() for p in m.parameters()) for m in module.modules() if list(m.parameters(recurse=False))]


def test_the_tutorials_linear_network():
    network = preset_network("tutorial-linear")
    assert counts(network.encoder) == [784 * 128 + 128] == [100_480]
    assert counts(network.decoder) == [128 * 784 + 784] == [101_136]
    assert sum(p.numel() for p in network.parameters()) == 201_616
    assert network.code_shape == (128,)


def test_the_tutorials_convolutional_network():
    network = preset_network("tutorial-conv")
    assert counts(network.encoder) == [160, 580]
    assert counts(network.decoder) == [272, 65]
    assert sum(p.numel() for p in network.parameters()) == 1_077
    assert network.code_shape == (4, 7, 7)


def test_the_tutorials_networks_compute_what_its_own_layers_compute():
    """With its ReLU before each pooling, and its sigmoid at the end."""
    network = preset_network("tutorial-conv").eval()
    tutorial = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.ConvTranspose2d(4, 16, 2, stride=2), nn.ReLU()),
        *(nn.ConvTranspose2d(16, 1, 2, stride=2), nn.Sigmoid()),
    )
    for ours, its in zip(network.parameters(), tutorial.parameters(), strict=True):
        its.data.copy_(ours.data)
    x = torch.rand(4, 1, 28, 28)
    assert torch.allclose(network.restore(x), tutorial(x), atol=1e-6)

    network = preset_network("tutorial-linear").eval()
    tutorial = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))
    )
    for ours, its in zip(network.parameters(), tutorial.parameters(), strict=True):
        its.data.copy_(ours.data)
    assert torch.allclose(network.restore(x), tutorial(x), atol=1e-6)


def test_a_relu_after_the_pooling_equals_one_before_it():
    x = torch.randn(3, 4, 9, 7)
    pool = nn.MaxPool2d(2, ceil_mode=True)
    assert torch.equal(pool(x).relu(), pool(x.relu()))


@pytest.mark.parametrize("pool", ["max", "stride"])
@pytest.mark.parametrize("up", ["transposed", "upsample"])
@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 3), (5, 5), (31, 45), (16, 9)])
def test_pictures_of_any_size_come_back_in_it(pool, up, grid, size):
    encoder, decoder = Conv(channels=[3, 5], pool=pool, up=up, grid=grid).build((2, *size), (2, *size), 4, 6)
    h, skips = encoder(torch.rand(2, 2, *size))
    assert skips == ()
    stages = 3 if grid else 2
    side = [-(-s // 2**stages) for s in size]
    assert h.shape == ((2, 4, *side) if grid else (2, 4))
    assert decoder(torch.rand(2, 6, *side) if grid else torch.rand(2, 6)).shape == (2, 2, *size)


def test_every_pixel_of_an_odd_picture_counts():
    """Halving upwards drops no border, and cutting leaves none without a gradient."""
    for pool in ("max", "stride"):
        for up in ("transposed", "upsample"):
            encoder, decoder = Conv(channels=[8], pool=pool, up=up).build((1, 7, 5), (1, 7, 5), 4, 4)
            x = torch.rand(64, 1, 7, 5, requires_grad=True)
            logits = decoder(encoder(x)[0])
            logits.square().sum().backward()
            assert (x.grad.abs().sum(0) > 0).all(), (pool, up)


def test_dense_layers_mirror_each_other():
    encoder, decoder = Dense(hidden=[20, 10]).build((3, 4, 2), (3, 4, 2), 5, 6)
    shapes = [[tuple(p.shape) for p in half.parameters() if p.ndim == 2] for half in (encoder, decoder)]
    assert shapes == [[(20, 24), (10, 20), (5, 10)], [(10, 6), (20, 10), (24, 20)]]
    assert decoder(torch.rand(7, 6)).shape == (7, 3, 4, 2)


@pytest.mark.parametrize("recipe", [Dense(hidden=[4]), Conv(channels=[4]), Conv(channels=[4], grid=True)])
def test_halves_end_in_a_layer_not_in_a_relu(recipe):
    for half in recipe.build((1, 8, 8), (1, 8, 8), 3, 3):
        last = [module for module in half.modules() if not list(module.children())]
        assert not isinstance([m for m in last if not isinstance(m, nn.Unflatten | Cut)][-1], nn.ReLU)
        assert any(isinstance(module, nn.ReLU) for module in last)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("dense(hidden=[0])", "hidden"),
        ("dense(hidden=8)", "hidden must be a list"),
        ("dense(hidden=[1]*3)", "literal|finite numbers"),
        ("conv(channels=[])", "at least one stage"),
        ("conv(channels=[70000])", "channels"),
        ("conv(pool='mean')", "pool must be one of 'max', 'stride'"),
        ("conv(up='no')", "up must be one of"),
        ("conv(grid=1)", "grid must be True or False"),
        ("conv([4])", "written conv"),
        ("dense(leak=0.1, activation='silu')", "leave one of them out"),
        ("dense(activation='tanh')", "activation must be"),
        ("patches(0)", "channels must be"),
        ("patches(side=0)", "side must be"),
        ("residual(0)", "channels must be"),
        ("residual(stages=0)", "stages must be"),
        ("unet('a')", "channels must be"),
        (f"conv(channels={[1] * 17})", "at most 16"),
        (f"dense(hidden={[1] * 65})", "at most 64"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(text, rule):
    with pytest.raises(SpecError, match=rule):
        build_part("backbone", text)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((30,), "dense(hidden=[]) + dense(hidden=[256, 256], leak=0.1)"),
        ((1, 7, 100), "dense(hidden=[]) + dense(hidden=[256, 256], leak=0.1)"),
        ((1, 8, 8), "patches(64, side=2)"),
        ((3, 15, 100), "patches(64, side=2)"),
        ((3, 16, 16), "patches(64, side=4)"),
        ((3, 64, 64), "patches(64, side=16)"),
        ((3, 1024, 1024), "patches(64, side=16)"),
    ],
)
def test_auto_takes_patches_for_pictures(shape, text):
    assert choose_backbone(shape) == text
    assert repr(build_part("backbone", choose_backbone(shape))) == choose_backbone(shape)


def test_few_pictures_get_fewer_channels():
    assert choose_backbone((1, 28, 28), samples=999) == "patches(32, side=4)"


@pytest.mark.parametrize("side", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 5), (31, 45), (16, 9)])
def test_layers_of_patches_compute_what_torchs_own_do(side, size):
    x = torch.rand(3, 2, *size)
    enter, mix, leave = PatchConv(2, 5, side), PixelConv(5, 5), PatchConvTranspose(5, 2, side)
    full = [-(-length // side) * side for length in size]
    whole = pad(x, (0, full[1] - size[1] + side, 0, full[0] - size[0] + side))  # torch leaves out what is not whole
    for layer, parent, given in [(enter, nn.Conv2d, whole), (mix, nn.Conv2d, None), (leave, nn.ConvTranspose2d, None)]:
        y = layer(x)
        expected = parent.forward(layer, x if given is None else given)[..., : y.shape[2], : y.shape[3]]
        assert torch.allclose(y, expected, atol=1e-5)
        x = y
    assert x.shape[2:] == tuple(full)


def test_rows_of_pixels_become_the_same_feature_maps_again():
    x = torch.rand(3, 2, 5, 4)
    rows = PixelFlatten()(x)
    assert torch.equal(rows[:, :2], x[:, :, 0, 0])
    assert torch.equal(PixelUnflatten((2, 5, 4))(rows), x)


GRIDS = [
    f"conv(channels={channels}, pool='{pool}', up='{up}', grid=True)"
    for channels in ([], [3], [3, 5])
    for pool in ("max", "stride")
    for up in ("transposed", "upsample")
]
GRIDS += ["residual(3, stages=1, grid=True)", "residual(3, stages=2, grid=True)", "unet(3)"]


def any_size_network(text, shape=(1, 16, 16)):
    texts = {"bottleneck": "linear(4)", "corruption": "none", "loss": "mse", "scaling": "unit(output='linear')"}
    return Network.from_texts(shape, backbone=text, **texts).double()


def influence(network, size, pixel):
    """Return which inputs of a picture the output at `pixel` depends on, as (rows, columns)."""
    x = torch.rand(1, 1, *size, dtype=torch.float64, requires_grad=True)
    network.restore(x)[0, 0, pixel[0], pixel[1]].backward()
    rows, columns = x.grad[0, 0].nonzero(as_tuple=True)
    return rows, columns


@pytest.mark.parametrize("text", GRIDS)
def test_no_output_depends_on_inputs_beyond_its_reach_and_some_on_one_at_it(text):
    network = any_size_network(text)
    stride, reach = network.backbone.tiling
    for parameter in network.parameters():
        parameter.data.abs_()  # nothing cancels, no ReLU cuts
    middle = stride * (reach // stride + 2)
    farthest = 0
    for pixel in range(middle, middle + stride):
        rows, columns = influence(network, (2 * middle + stride,) * 2, (pixel, pixel))
        farthest = max(farthest, *((rows - pixel).abs().max().item(), (columns - pixel).abs().max().item()))
    assert farthest <= reach
    assert farthest == reach or "max" in text  # of a maximum one input has a gradient


@pytest.mark.parametrize("text", GRIDS)
def test_a_part_equals_the_whole_beyond_reach_of_its_inner_edges(text):
    network = any_size_network(text)
    stride, reach = network.backbone.tiling
    top, left = 2 * stride, 3 * stride
    height, width = top + 3 * reach + 5, left + 3 * reach + 7
    x = torch.rand(1, 1, height + 9, width, dtype=torch.float64)
    whole = network.restore(x)
    part = network.restore(x[..., top:height, left:])
    assert whole.shape == x.shape
    inner = part[..., reach : height - top - reach, reach:]
    assert torch.allclose(inner, whole[..., top + reach : height - reach, left + reach :], atol=1e-12)


@pytest.mark.parametrize("text", GRIDS)
@pytest.mark.parametrize("size", [(1, 1), (5, 33), (16, 16), (40, 7)])
def test_a_grid_takes_pictures_of_any_size(text, size):
    network = any_size_network(text)
    restored = network.restore(torch.rand(2, 1, *size, dtype=torch.float64))
    assert restored.shape == (2, 1, *size)
    restored.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_another_size_is_no_training_of_other_weights():
    network = any_size_network(GRIDS[0])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    shapes = (
        network.restore(torch.rand(1, 1, 30, 30).double()).shape,
        network.restore(torch.rand(1, 1, 16, 16).double()).shape,
    )
    assert [tuple(shape[2:]) for shape in shapes] == [(30, 30), (16, 16)]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_halves_of_another_size_are_built_once_few_are_kept_and_they_follow_the_weights(monkeypatch):
    network, built = any_size_network("unet(2)"), []
    build = type(network.backbone).build
    monkeypatch.setattr(
        UNet, "build", lambda self, shape, *features: built.append(shape) or build(self, shape, *features)
    )
    x = torch.rand(1, 1, 24, 24, dtype=torch.float64)
    before = network.restore(x)
    assert torch.equal(network.restore(x), before)
    assert built == [(1, 24, 24)]
    with torch.no_grad():
        network.decoder.leave.bias += 1
    assert torch.allclose(network.restore(x), before + 1)
    for side in range(30, 50):
        network.restore(torch.rand(1, 1, side, side, dtype=torch.float64))
    assert len(built) == 21
    assert len(network._other_halves) == MAX_KEPT_SIZES
    assert torch.allclose(network.float().restore(x.float()), (before + 1).float(), atol=1e-5)


def test_dense_layers_take_one_size():
    assert Dense().tiling is None
    assert Conv().tiling is None
    assert Residual().tiling is None


def test_a_residual_backbone_is_deeper_at_the_same_halvings():
    network = preset_network("tutorial-conv")
    network = Network.from_texts((1, 28, 28), **network.texts | {"backbone": "residual(4, stages=1, grid=True)"})
    assert network.code_shape == (4, 7, 7)
    assert [type(layer).__name__ for layer in network.encoder] == ["Sequential", "ReLU", "Conv2d"]
    assert Residual(4, stages=4).widths == [4, 8, 16, 16]


def noisy_pictures(n=40, size=(19, 22)):
    rows, columns = torch.arange(float(size[0]))[:, None], torch.arange(float(size[1]))
    slope = torch.linspace(-0.4, 0.4, n).view(-1, 1, 1)
    return ((rows + slope * columns) / 8).sin()[:, None] / 4 + 0.5


def test_a_u_begins_as_its_input_where_nothing_is_damaged():
    x = noisy_pictures()
    texts = {"bottleneck": "linear(4)", "loss": "mse", "scaling": "unit(output='linear')"}
    network = Network.from_texts(x.shape[1:], backbone="unet(4)", corruption="none", **texts).eval()
    initialise(network, x)
    assert torch.allclose(network.restore(x), x, atol=1e-5)


def test_a_u_begins_as_a_correction_of_the_damage_that_it_will_see():
    x = noisy_pictures()
    texts = {"bottleneck": "linear(4)", "loss": "mse", "scaling": "unit(output='linear')"}
    network = Network.from_texts(x.shape[1:], backbone="unet(8)", corruption="gaussian(0.2)", **texts).eval()
    initialise(network, x)
    _, damaged, _ = network.damage(x, torch.Generator().manual_seed(1))
    assert (network.restore(damaged) - x).square().mean() < 0.9 * (damaged - x).square().mean()


def test_a_u_sees_its_stages_again_on_the_way_up():
    encoder, decoder = UNet(4).build((3, 31, 45), (3, 31, 45), 2, 5)
    h, skips = encoder(torch.rand(2, 3, 31, 45))
    assert h.shape == (2, 2, 4, 6)
    assert [tuple(kept.shape[1:]) for kept in skips] == [(3, 31, 45), (4, 31, 45), (8, 16, 23), (16, 8, 12)]
    assert decoder(torch.rand(2, 5, 4, 6), skips).shape == (2, 3, 31, 45)
    assert sum(p.numel() for p in encoder.parameters()) < 40_000


def test_a_sum_adds_what_its_parts_make():
    torch.manual_seed(0)
    parts = build_part("backbone", "dense(hidden=[]) + dense(hidden=[7], leak=0.2)")
    encoder, decoder = parts.build((5,), (5,), 3, 3)
    x, z = torch.randn(4, 5), torch.randn(4, 3)
    assert torch.equal(encoder(x)[0], encoder.parts[0](x)[0] + encoder.parts[1](x)[0])
    assert torch.equal(decoder(z), decoder.parts[0](z) + decoder.parts[1](z))
    assert repr(parts) == "dense(hidden=[]) + dense(hidden=[7], leak=0.2)"


@pytest.mark.parametrize("text", ["dense + unet(4)", "dense + conv(channels=[4], grid=True)"])
def test_a_grid_and_skips_cannot_be_added(text):
    with pytest.raises(SpecError, match="are added where each makes a vector code"):
        build_part("backbone", text)


def test_a_leak_keeps_units_learning():
    layers = list(build_part("backbone", "dense(hidden=[4], leak=0.3)").build((5,), (5,), 2, 2)[0])
    assert layers[2](torch.tensor([-1.0])).item() == pytest.approx(-0.3)
