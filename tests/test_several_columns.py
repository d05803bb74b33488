"""A scaling that makes several of the model's columns of one user's, and samples that lie in no array, all the way."""

import json

import numpy as np
import pytest
import torch
from parts import Powers, Waves

from narrows.data.read import read
from narrows.data.source import Chunks
from narrows.data.stream import Stream
from narrows.metrics.evaluate import evaluate
from narrows.metrics.pca_reference import fit_pca
from narrows.model.network import MENUS
from narrows.modelfile import load, save
from narrows.tasks.encode import decode, decode_map, encode
from narrows.tasks.mapping import make_map
from narrows.tasks.reconstruct import denoise, reconstruct
from narrows.tasks.score import errors, variance_explained
from narrows.tasks.session import Session
from narrows.training.choose import check_learnable, choose_blind_loss
from narrows.training.clock import Budget
from narrows.training.fit import Fit
from narrows.training.loop import train
from narrows.training.map_head import add_head, add_pca_head, training_codes
from narrows.training.optim import Adam, OneCycle
from narrows.training.phase import Phase
from narrows.training.prepare import build_network, find_target_positions, set_weights
from narrows.training.resolve import find_recipe, resolve
from narrows.view.explorer.page import make_explorer
from narrows.view.report import run_report

NUMBERS = ["x0", "x1", "x2", "x3", "x4"]


@pytest.fixture(scope="module", autouse=True)
def powers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MENUS["scaling"], "powers", Powers)
        yield


@pytest.fixture(scope="module")
def fit(table):
    fit = Fit(read(table), scaling="powers", bottleneck="linear(3)", epochs=30, device="cpu")
    fit.run()
    return fit


@pytest.fixture(scope="module")
def model(fit):
    return fit.finish()


@pytest.fixture(scope="module")
def mapped(fit, model):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narrows.training.map_head.MAX_STEPS", 20)
        return add_head(model, training_codes(fit.plan, fit.network))


def test_the_network_sees_two_columns_of_each_and_people_see_their_own(model, table):
    assert (model.network.shape, model.network.values) == ((5,), 10)
    assert reconstruct(model, table).shape == denoise(model, table).shape == table.shape
    assert decode(model, encode(model, table)).shape == table.shape
    assert variance_explained(model, table) > 0.5
    assert len(model.card.variances) == 5


def test_it_starts_at_pca_of_the_models_columns(fit, model):
    assert fit.history[0]["val_mse"] < 1.5 * model.card.metrics["pca_mse"]


def test_columns_have_the_errors_of_their_values_folded(model, table):
    columns = next(made for made in evaluate(model, table, table, "the rows") if made.title.startswith("Columns"))
    assert sorted(row[0] for row in columns.rows) == NUMBERS
    assert {row[1:3] for row in columns.rows} == {("-", "-")}
    assert "'-': the scaling does not give it" in columns.note
    samples = torch.from_numpy(table)
    network = model.network
    error = network.scaling.fold(network.squared_error(samples)).mean(0)
    variance = network.scaling.fold(network.scaling(samples).var(0, correction=0)[None])[0]
    for row in columns.rows:
        share = 1 - (error / variance)[NUMBERS.index(row[0])].item()
        assert row[3] == f"{100 * share:.1f} %"


def test_pca_beside_it_is_that_of_the_models_columns(model, table):
    components = fit_pca(model, table)
    assert components.axes.shape[1] == 10
    assert np.allclose(components.mean, model.network.scaling(torch.from_numpy(table)).mean(0), atol=1e-5)


def test_its_file_computes_the_same(mapped, table, tmp_path):
    save(tmp_path / "model.safetensors", mapped)
    loaded = load(tmp_path)
    assert loaded.network.texts["scaling"] == "powers()"
    for one, other in zip(*(self_and_map(model, table) for model in (mapped, loaded)), strict=True):
        assert np.array_equal(one, other)


def self_and_map(model, table):
    session = Session(model, table)
    return session.errors, session.codes, session.points, errors(model, table), decode_map(model, session.points)


def test_its_explorer_decodes_nothing_itself_and_shows_decoded_positions(mapped, table):
    page = make_explorer(mapped, make_map(mapped, read(table)))
    about = json.loads(page.split('id="about">')[1].split("</script>")[0])
    assert about["decoder"] is None
    assert about["spots"] is not None


def test_a_map_head_of_principal_components_reads_no_number_of_the_scaling(fit, model, table):
    mapped = add_pca_head(model, training_codes(fit.plan, fit.network))
    codes = torch.from_numpy(training_codes(fit.plan, fit.network)).double()
    axes = torch.linalg.svd(codes - codes.mean(0), full_matrices=False).Vh[:2]
    wanted = (torch.from_numpy(encode(model, table)).double() - codes.mean(0)) @ axes.mT
    assert np.allclose(np.abs(Session(mapped, table).points), wanted.abs(), atol=1e-3)


def test_its_page_names_the_users_columns(mapped, table):
    report = run_report(mapped, [], table, x_name="test", reference=table)
    assert "Columns, the worst first" in report.html
    oddest = report.html.split("cells that stand out")[1]
    assert any(f"{name}: " in oddest for name in NUMBERS)


def test_pictures_of_another_depth_pass_as_they_are_where_there_is_no_range(pictures):
    model = Fit(read(pictures), scaling="powers", backbone="conv(channels=[4])", epochs=1, device="cpu").run()
    assert model.network.encoder(model.network.scaling(torch.zeros(1, 1, 9, 8))) is not None
    assert np.abs(reconstruct(model, pictures.astype(np.uint16)).astype(int) - reconstruct(model, pictures)).max() <= 1
    titles = [made.title for made in evaluate(model, pictures, pictures, "these")]
    assert titles == ["Reconstruction of 60 samples", "Error of single samples"]
    assert "restored" in run_report(model, [], pictures, x_name="test", reference=pictures).html


def test_samples_in_no_array_train_as_those_in_one():
    source = Waves(np.linspace(0, 6, 40).tolist())
    check_learnable(source)
    assert choose_blind_loss(source) == "mse"
    texts = resolve(source, None, find_recipe(None, as_published=False), {}, self_supervised=False).texts
    assert texts["scaling"] == "robust(tail=4.0)"
    placed = build_network(source.shape, texts | {"bottleneck": "map(2)"}, seed=0, device=torch.device("cpu"))
    placed.scaling.fit(Chunks(source.chunks))
    assert find_target_positions(placed, source, seed=0).shape == (40, 2)
    weights = []
    for samples in (source, torch.cat(list(source.chunks()))):
        stream = Stream(samples, batch_size=8)
        network = build_network((6,), texts | {"scaling": "powers"}, seed=0, device=torch.device("cpu"))
        network.scaling.fit(Chunks(stream.source.chunks))
        set_weights(network, stream.source, None, seed=0)
        rows = list(train(Phase(network, stream, Budget(20), optimizer=Adam(), schedule=OneCycle())))
        assert rows[-1].samples == 160
        weights.append(network.state_dict())
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
