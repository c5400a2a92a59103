//! Chance by entity: each site and endpoint has draws of its own, so a new site
//! leaves those of the others as they were.

/// A stream of draws.
#[derive(Debug, Clone, Copy)]
pub struct Chance(u64);

impl Chance {
    /// The draws of one entity for one purpose.
    pub fn new(seed: u64, entity: u64, purpose: u64) -> Self {
        let mut chance = Self(seed ^ entity.rotate_left(32) ^ purpose.rotate_left(17));
        chance.next();
        chance.0 ^= entity;
        chance.next();
        chance
    }

    /// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Mean 0, deviation 1: the sum of twelve uniform draws, so within 6.
    pub fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Exponential with mean 1.
    pub fn waiting(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// Index by shares that add up to 1.
    pub fn pick(&mut self, shares: impl Iterator<Item = f64>) -> usize {
        let mut left = self.unit();
        let mut last = 0;
        for (at, share) in shares.enumerate() {
            if share > 0.0 {
                last = at;
                if left < share {
                    return at;
                }
            }
            left -= share;
        }
        last
    }
}

/// Number of a name, the same everywhere (FNV-1a).
pub fn number(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
