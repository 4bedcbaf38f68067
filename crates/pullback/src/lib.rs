//! Derives, checks and runs backward passes.
