//! Which of many slips are made: drawn, and the same in each run.

use pullback::array::random::Generator;

/// Draws, each stream from a text.
pub struct Chance(Generator);

impl Chance {
    /// A stream of its own for each text, so that a claim's mutants do not depend on the programs before it.
    pub fn new(text: &str) -> Chance {
        // FNV-1a, to spread the texts over the seeds.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Chance(Generator::new(hash))
    }

    /// A number below `n`, which is not zero.
    pub fn below(&mut self, n: usize) -> usize {
        let drawn = self.0.randint(0, n as i64, &[1]).and_then(|array| array.to_vec_i64());
        drawn.map_or(0, |values| values[0] as usize)
    }
}
