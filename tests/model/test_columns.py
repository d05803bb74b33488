"""The scaling of tables with gaps and categories, the corruption that hides cells, and what they make of a network."""

import copy
import math

import pytest
import torch

from narrows.batch import Batch
from narrows.errors import SpecError
from narrows.model.corruption import Clean, Hide
from narrows.model.initialise import initialise
from narrows.model.loss import MAE
from narrows.model.network import MENUS, Network, build_part
from narrows.model.pca import PCA
from narrows.model.scaling import Robust
from narrows.model.scalings import choose_scaling

NAN = math.nan
KINDS = "c3 n2 c2*2 n1"
TEXTS = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "corruption": "none", "loss": "mse"}


def mixed(n=300, share=0.15):
    """Return rows of KINDS whose columns say something of each other, with gaps."""
    random = torch.Generator().manual_seed(0)
    z = torch.randn(n, 2, generator=random, dtype=torch.float64)
    first, second = z.T
    noise = 0.2 * torch.randn(n, 3, generator=random, dtype=torch.float64)
    columns = [(first > 0.5).double() + (first > -0.5), first + noise[:, 0], 3 * second + noise[:, 1] + 7]
    columns += [(second > 0).double(), (first > 1).double(), first * second + noise[:, 2]]
    x = torch.stack(columns, 1)
    return x.masked_fill(torch.rand(x.shape, generator=random) < share, NAN)


def built(kinds, x):
    scaling = build_part("scaling", "columns" if kinds is None else f"columns({kinds!r})")
    scaling.build(tuple(x.shape[1:]))
    scaling.fit(x.split(7))
    return scaling


def network_of(x, **texts):
    network = Network.from_texts((x.shape[1],), **TEXTS | {"scaling": f"columns({KINDS!r})"} | texts)
    network.scaling.fit([x])
    initialise(network, x)
    return network.eval()


def test_there_and_back_with_gaps_where_they_were():
    x = mixed()
    scaling = built(KINDS, x)
    scaled = scaling(x)
    assert (scaled.shape, scaled.dtype) == ((300, 10), torch.float32)
    assert torch.allclose(scaling.back(scaled), x, atol=1e-5, equal_nan=True)
    assert torch.equal(scaling.observed(scaled), ~x.isnan())
    assert torch.equal(scaling.spread(x.isnan()), scaled.isnan())
    assert scaling.model_shape((6,)) == (10,)
    assert scaling.input_shape((6,)) == scaling.as_input(scaled)[0].shape == (16,)


def test_numbers_without_gaps_are_those_of_robust():
    x = torch.randn(100, 3, dtype=torch.float64) * torch.tensor([1, 50, 1e-3]) + 7
    robust = Robust()
    robust.build((3,))
    robust.fit([x])
    assert torch.equal(built(None, x)(x), robust(x))
    assert torch.equal(built("n1 n2", x)(x), robust(x))


def test_numbers_are_scaled_by_their_observed_values_alone():
    x = torch.randn(100, 2, dtype=torch.float64) * 5 + 3
    holed = x.clone()
    holed[::3, 0] = NAN
    scaling, alone = built(None, holed), built(None, x[torch.arange(100) % 3 > 0][:, :1])
    assert torch.equal(scaling(x[:, :2])[:, :1], alone(x[:, :1]))
    assert torch.equal(scaling(x)[:, 1], built(None, x)(x)[:, 1])


def test_a_column_of_gaps_alone_stays_as_it_is():
    x = torch.full((5, 3), NAN)
    x[:, 0] = torch.arange(5)
    scaling = built("n2 c4", x)
    assert scaling(torch.tensor([[2.0, 3.0, 1.0]])).tolist() == [[0.0, 3.0, 0.0, 1.0, 0.0, 0.0]]
    assert scaling.fill(scaling(x))[0, 1:].tolist() == [0.0, 0.25, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("value", [-1.0, 3.0, 0.5, NAN, 1e300])
def test_what_is_none_of_the_categories_is_a_gap(value):
    scaling = built("c3 n1", torch.tensor([[0.0, 1.0], [2.0, 3.0], [2.0, 5.0], [1.0, 2.0]]))
    scaled = scaling(torch.tensor([[value, 2.0]], dtype=torch.float64))
    assert scaling.observed(scaled).tolist() == [[False, True]]
    filled = scaling.fill(scaled)[:, 1:]  # the number comes first
    assert filled.tolist() == [[0.25, 0.25, 0.5]]


def test_probabilities_come_by_a_softmax_and_go_back():
    x = mixed(share=0)
    scaling = built(KINDS, x)
    probabilities = scaling.activation(torch.randn(9, 10))
    sums = scaling.fold(probabilities)[:, [0, 3, 4]]
    assert torch.allclose(sums, torch.ones(9, 3))
    assert torch.allclose(scaling.activation(scaling.inverse_activation(probabilities)), probabilities, atol=1e-2)
    assert torch.equal(scaling.back(scaling.activation(scaling.inverse_activation(scaling(x))))[:, 0], x[:, 0])


def test_costs_of_a_category_are_summed_and_numbers_keep_their_units():
    x = mixed(share=0)
    scaling = built(KINDS, x)
    assert scaling.fold(torch.ones(1, 10)).tolist() == [[3, 1, 1, 2, 2, 1]]
    own = scaling.back_deviation(torch.ones(6, dtype=torch.float64))
    assert own.isnan().tolist() == [True, False, False, True, True, False]
    assert own[2].item() == pytest.approx(x[:, 2].std().item(), rel=0.1)


def test_variances_of_categories_are_those_of_their_frequencies():
    x = torch.tensor([[0.0, 5.0], [1.0, 7.0], [NAN, NAN], [2.0, 9.0], [2.0, 7.0]])
    variances = built("c3 n1", x).variances(x)
    assert variances.tolist() == pytest.approx([1 - (2 / 16 + 4 / 16), 2.0])


@pytest.mark.parametrize(
    "kinds", ["", "n", "n3 x2", "c0", "n2,c3", "c5*", "n-1", "n3 c99999999*99", 7, "n1 " * 3 + "c"]
)
def test_kinds_that_are_none_are_refused_by_a_sentence(kinds):
    with pytest.raises(SpecError, match=r"kinds|size of a category") as caught:
        build_part("scaling", f"columns({kinds!r})")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 8, 8), (5,), (7,)])
def test_tables_of_other_columns_and_pictures_are_refused(shape):
    with pytest.raises(SpecError, match=r"is for (tables|6 columns), however"):
        build_part("scaling", f"columns({KINDS!r})").build(shape)


def test_a_file_with_frequencies_that_are_none_is_refused():
    scaling = built(KINDS, mixed())
    scaling.check()
    for at, value in ((-1, 1.5), (-1, -0.1), (0, 0.5)):
        other = copy.deepcopy(scaling)
        other.usual[at] = value
        with pytest.raises(SpecError, match="frequencies"):
            other.check()


def test_auto_takes_it_for_gaps_and_categories_alone():
    x = torch.randn(20, 3)
    assert choose_scaling(x)[0] == "robust(tail=4.0)"
    assert choose_scaling(x, kinds="n2 c5")[0] == "columns('n2 c5')"
    x[3, 1] = NAN
    assert choose_scaling(x)[0] == "columns()"


def test_a_gap_costs_nothing_and_its_value_teaches_nothing():
    x = mixed()
    network = network_of(x)
    cost = network(x)
    errors = network.squared_error(x)
    assert errors.isnan().any()
    cells = network.scaling.fold(errors)
    assert torch.equal(cells.isnan(), x.isnan())
    assert torch.allclose(cost.mse.double(), cells.nanmean(1), rtol=1e-5)
    assert torch.allclose(network.errors(x), cells.nanmean(1), rtol=1e-9)
    cost.total.mean().backward()
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_a_row_of_gaps_alone_has_no_error_and_is_filled():
    x = mixed()
    network = network_of(x)
    gaps = torch.full((2, 6), NAN, dtype=torch.float64)
    assert network.errors(gaps).tolist() == [0.0, 0.0]
    assert network(gaps).total.tolist() == [0.0, 0.0]
    assert network.reconstruct(gaps).isfinite().all()


@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_categories_cost_their_cross_entropy_whatever_the_loss(loss):
    x = mixed(share=0)
    network = network_of(x, loss=loss)
    scaled = network.scaling(x)
    logits = torch.randn(300, 10)
    costs = network.scaling.fold(network.loss.costs((logits, network.scaling.activation(logits)), scaled))
    back = network.scaling.inverse_activation(scaled)[:, 3:7]  # of the two categories of 2, after three numbers
    wanted = torch.nn.functional.cross_entropy(logits[:, 3:5], back[:, :2].argmax(1), reduction="none")
    assert torch.allclose(costs[:, 3], wanted, atol=1e-5)
    number = (logits[:, 0] - scaled[:, 0]).abs() if loss == "mae" else (logits[:, 0] - scaled[:, 0]).square()
    assert torch.allclose(costs[:, 1], number)


def test_another_objective_knows_the_categories_too():
    network = network_of(mixed())
    twin = network.with_objective(Clean(), MAE())
    assert twin(mixed()).total.isfinite().all()


def test_hiding_hides_whole_cells_as_often_as_asked():
    scaling = built(KINDS, mixed(share=0))
    hide = Hide(0.3)
    hide.build(scaling)
    x = scaling(mixed(3000, share=0))
    damaged, weight = hide(x, torch.Generator().manual_seed(0))
    cells = ~scaling.observed(damaged)
    assert weight is None
    assert torch.equal(scaling.spread(cells), damaged.isnan())
    assert torch.equal(damaged[~damaged.isnan()], x[~damaged.isnan()])
    assert cells.double().mean(0).tolist() == pytest.approx([0.3] * 6, abs=0.03)


def test_hiding_draws_a_share_for_each_sample():
    hide = Hide(0.0, 1.0)
    hide.build(built(None, torch.randn(9, 200)))
    hidden = hide(torch.zeros(500, 200), torch.Generator().manual_seed(0))[0].isnan().double().mean(1)
    assert hidden.min() < 0.1
    assert hidden.max() > 0.9


@pytest.mark.parametrize("scaling", ["robust", "unit"])
def test_hiding_needs_a_scaling_that_takes_gaps(scaling):
    with pytest.raises(SpecError, match=r"does not tell the network; take scaling='columns'"):
        Network.from_texts((6,), **TEXTS | {"scaling": scaling, "corruption": "gaussian(0.1) | hide(0.5)"})


@pytest.mark.parametrize("share", [0, 0.2])
def test_it_starts_no_worse_than_pca_of_filled_values(share):
    x = mixed(600, share)
    network = network_of(x, backbone="dense(hidden=[]) + dense(hidden=[8])")
    scaling = network.scaling
    rows = scaling.fill(scaling(x)).double()
    restored = scaling.clamp(PCA.fit(rows, 2).restore(rows))
    assert network.errors(x).mean() < scaling.mean_squares(restored, scaling(x).double()).mean()


def test_with_numbers_alone_it_starts_at_pca():
    x = mixed(600, 0.2)[:, [1, 2, 5]]
    network = network_of(x, scaling="columns", backbone="dense(hidden=[]) + dense(hidden=[8])")
    rows = network.scaling.fill(network.scaling(x)).double()
    error = network.scaling.mean_squares(PCA.fit(rows, 2).restore(rows), network.scaling(x).double()).mean()
    assert network.errors(x).mean().item() == pytest.approx(error.item(), rel=1e-4)


def test_the_network_is_told_of_gaps():
    x = mixed(share=0)
    network = Network.from_texts((6,), **TEXTS | {"scaling": f"columns({KINDS!r})"})
    network.scaling.fit([x])
    usual = x[:1].clone()
    usual[0, 1] = network.scaling.back(torch.zeros(1, 10))[0, 1]
    gap = usual.clone()
    gap[0, 1] = NAN
    assert not torch.allclose(network.encode(gap).z, network.encode(usual).z)


def test_targets_have_gaps_of_their_own():
    x = mixed()
    network = network_of(x)
    other = x.flip(0)
    cells = network.scaling.fold((network.restore(network.scaling(x)) - network.scaling(other)).square())
    assert torch.allclose(network(Batch(x, other)).mse, cells.nanmean(1).float(), rtol=1e-5)


def test_without_categories_a_category_of_one_value_is_always_right():
    x = torch.tensor([[0.0, 1.0], [0.0, 2.0], [NAN, 3.0]] * 9)
    network = network_of(x, scaling="columns('c1 n1')", bottleneck="linear(1)")
    assert network.reconstruct(x)[:, 0].tolist() == [0.0] * 27
    assert network.scaling.fold(network.squared_error(x))[:, 0].nan_to_num().tolist() == [0.0] * 27


def test_it_is_in_the_menus_beside_the_others():
    assert MENUS["scaling"]["columns"].tables_only
    assert build_part("corruption", "hide(0.0, 0.5) | gaussian(0.1)").makes_gaps
    assert repr(build_part("scaling", f"columns({KINDS!r})")) == f"columns({KINDS!r})"
