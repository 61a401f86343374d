"""Programs that train: each has a generator function `train`, whose keywords are its settings."""
