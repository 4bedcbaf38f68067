//! Dense n-d arrays of f32, f64 and i64: the ground floor of Pullback.
