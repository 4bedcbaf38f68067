//! What developers of Pullback repeat.
fn main() {}
