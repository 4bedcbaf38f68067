//! Whole programs: both modes, Jacobians, plans, loops.

mod anew;
mod jacobians;
mod plans;
mod scans;
mod whole;
