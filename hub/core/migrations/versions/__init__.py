"""One file per step, each with the step before it as `down_revision`. Steps are never changed once released."""
