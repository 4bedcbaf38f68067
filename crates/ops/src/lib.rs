//! The op table: one file per op, whose rule is its local Jacobian as a network.
