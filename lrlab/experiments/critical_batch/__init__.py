"""What the notebook `critical_batch` needs: the noise scale, and training to a target."""
