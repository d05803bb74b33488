"""What the metrics of a model's card are, in words."""

from __future__ import annotations

from narrows.modelfile import Model
from narrows.tasks.reconstruct import learned_from_noisy, was_validated_damaged

NAMES = {
    "train_mse": "training, while the weights moved",
    "validation_mse": "{held_out}",
    "pca_mse": "{held_out}, PCA with as many numbers",
    "test_mse": "test",
    "map_mse": "{held_out}, from the two numbers of the map",
}


def name_held_out(model: Model) -> str:
    """Return what the samples are called that were held out when the model was trained."""
    return "validation data" if model.card.recipe.get("validation_data") else "validation share"


def name_metrics(model: Model) -> dict[str, float]:
    """Return each MSE that was measured when the model was trained, by what it was measured on."""
    names = {key: name.format(held_out=name_held_out(model)) for key, name in NAMES.items()}
    if learned_from_noisy(model) and not model.card.recipe.get("self_supervised"):  # its second part hides nothing
        names["train_mse"] += ", over the hidden pixels"
    if was_validated_damaged(model):  # as the epochs' validation errors are, and this one is not
        names["validation_mse"] += ", undamaged"
    return {name: model.card.metrics[key] for key, name in names.items() if key in model.card.metrics}
