//! Judges a claimed gradient or Jacobian by independent routes.
