//! PyTorch's semantics: what PyTorch did, done again; what the seeds print; and what only holds here.

mod laws;
mod replay;
mod seeds;
