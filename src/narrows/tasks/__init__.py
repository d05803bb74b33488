"""What a trained model does: functions of a model and an array."""
