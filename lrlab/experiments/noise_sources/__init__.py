"""What the notebook `noise_sources` needs: components of variance, and another profile."""
