"""What a trained model is used for: functions of a model and an array."""
