"""How good a model is, beside plain methods: PCA, and filters that denoise."""
