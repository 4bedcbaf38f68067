//! Reverse mode, forward mode and structured Jacobians over graphs of ops.
