//! Derivations: the contraction of a rule, step by step, in index and matrix notation.
