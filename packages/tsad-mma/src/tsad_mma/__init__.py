"""The MLP-Mixer masked autoencoder (MMA), a detector for time series."""
