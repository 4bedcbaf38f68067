//! Derivatives by a symmetric matrix, where authors differ in which entries move together.
//!
//! With G the derivative by each entry alone, as if the matrix were any, three are stated in books, each the derivative by other
//! coordinates: G itself; ½(G + Gᵀ), its projection onto symmetric matrices (Magnus and Neudecker, *Matrix Differential
//! Calculus*, 1999); and G + Gᵀ − diag(G), by the entries on and above the diagonal, each of which stands in two places (Petersen
//! and Pedersen, *The Matrix Cookbook*, 2012, section 2.8). All three are linear in G, and symmetric as maps: the entry (i, j) of
//! the result is the slope along the image of the unit matrix E_ij. So finite differences need only move other entries.

/// Which entries move together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Moves {
    /// Each alone: G.
    #[default]
    Freely,
    /// An entry and its mirror image, each by half: ½(G + Gᵀ).
    Halves,
    /// An entry and its mirror image: G + Gᵀ − diag(G).
    Pairs,
}

impl Moves {
    /// Those beside the free one.
    pub(crate) const SYMMETRIC: [Moves; 2] = [Moves::Halves, Moves::Pairs];

    /// The formula, of a free derivative G.
    pub fn formula(self) -> &'static str {
        match self {
            Moves::Freely => "G",
            Moves::Halves => "(G + Gᵀ) / 2",
            Moves::Pairs => "G + Gᵀ − diag(G)",
        }
    }

    /// The entries of a matrix of `size` rows that move with one, and how far each.
    pub(crate) fn with(self, entry: usize, size: usize) -> Vec<(usize, f64)> {
        let mirrored = |size: usize| (entry % size) * size + entry / size;
        match self {
            Moves::Freely => vec![(entry, 1.0)],
            _ if mirrored(size) == entry => vec![(entry, 1.0)],
            Moves::Halves => vec![(entry, 0.5), (mirrored(size), 0.5)],
            Moves::Pairs => vec![(entry, 1.0), (mirrored(size), 1.0)],
        }
    }

    /// Rows of free derivatives, or of how far they may be off, by a matrix of `size` rows, as these coordinates have them.
    pub(crate) fn of(self, rows: Vec<f64>, size: usize) -> Vec<f64> {
        if self == Moves::Freely {
            return rows;
        }
        let columns = size * size;
        let one = |(p, row): (usize, &[f64])| -> f64 {
            self.with(p, size).into_iter().map(|(q, weight)| weight * row[q]).sum()
        };
        rows.chunks_exact(columns).flat_map(|row| (0..columns).map(move |p| one((p, row)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_conventions() {
        let g = || vec![1.0, 2.0, 6.0, 4.0];
        assert_eq!(Moves::Freely.of(g(), 2), g());
        assert_eq!(Moves::Halves.of(g(), 2), [1.0, 4.0, 4.0, 4.0]);
        assert_eq!(Moves::Pairs.of(g(), 2), [1.0, 8.0, 8.0, 4.0]);
    }
}
