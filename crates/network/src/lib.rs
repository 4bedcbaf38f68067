//! Index networks: Jacobians written in index notation, joined, simplified, contracted and priced.
