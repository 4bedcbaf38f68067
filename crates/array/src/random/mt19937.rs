//! The Mersenne twister MT19937 of Matsumoto and Nishimura (1998), and the uniform floats that PyTorch makes of it.

/// Words of state.
const N: usize = 624;
/// The distance of the second word that each step mixes in.
const M: usize = 397;

/// The twister's state and the place of the next word in it.
#[derive(Clone, Debug)]
pub struct Mt19937 {
    state: Box<[u32; N]>,
    next: usize,
}

impl Mt19937 {
    /// The state that the lower 32 bits of `seed` start.
    pub fn new(seed: u64) -> Mt19937 {
        let mut state = Box::new([seed as u32; N]);
        for i in 1..N {
            let last = state[i - 1];
            state[i] = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Mt19937 { state, next: N }
    }

    /// 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == N {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// 64 bits, the higher half drawn first.
    pub fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.next_u32());
        high << 32 | u64::from(self.next_u32())
    }

    /// Uniform on [0, 1) with the 24 bits that an f32 can hold; exact in f32 and in f64.
    pub fn unit_f32(&mut self) -> f64 {
        f64::from(self.next_u32() & ((1 << 24) - 1)) / (1u64 << 24) as f64
    }

    /// Uniform on [0, 1) with 53 bits.
    pub fn unit_f64(&mut self) -> f64 {
        (self.next_u64() & ((1 << 53) - 1)) as f64 / (1u64 << 53) as f64
    }

    fn twist(&mut self) {
        for i in 0..N {
            let mixed = self.state[i] & 0x8000_0000 | self.state[(i + 1) % N] & 0x7fff_ffff;
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + M) % N] ^ (mixed >> 1) ^ odd;
        }
        self.next = 0;
    }
}
