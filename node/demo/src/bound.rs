//! What no distribution can beat: T* of a tree of links, and the bytes a crash
//! may cost.

/// The longest of the terms that apply to an origin without an uplink limit:
/// one copy over each site's WAN link, in seconds.
pub fn t_star_secs(wire_bytes: u64, down_bits_per_sec: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "sizes of releases are far below 2^52"
    )]
    let (bits, rate) = (wire_bytes as f64 * 8.0, down_bits_per_sec.max(1) as f64);
    bits / rate
}

/// Largest chunk on the wire, in bytes.
pub const CHUNK_WIRE_LEN_MAX: u64 = 513 * 1024;
/// Mean chunk, in bytes.
const CHUNK_LEN_MEAN: u64 = 128 * 1024;

/// Most chunks of a site that may be known on one member only: twice what the
/// link brings within a quarter of a second, 16 to 64.
pub fn window_chunks(down_bits_per_sec: u64) -> u64 {
    let quarter_bytes = down_bits_per_sec / 8 / 4;
    (2 * quarter_bytes).div_ceil(CHUNK_LEN_MEAN).clamp(16, 64)
}

/// Extra bytes that losing `members` may cost a site behind such a link.
pub fn crash_allowance(members: u64, down_bits_per_sec: u64) -> u64 {
    members * window_chunks(down_bits_per_sec) * CHUNK_WIRE_LEN_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_copy_at_the_rate_of_the_link() {
        assert!((t_star_secs(2_500_000, 20_000_000) - 1.0).abs() < 1e-9);
        assert_eq!(crash_allowance(0, 10_000_000), 0);
        assert_eq!(window_chunks(1_000), 16);
        assert_eq!(window_chunks(1_000_000_000), 64);
    }
}
