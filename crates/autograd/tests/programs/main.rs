//! Whole programs: both modes, Jacobians, plans, loops.

mod jacobians;
mod plans;
mod scans;
mod whole;
