//! A node as people name it: 64 digits, or the form in its addresses.

use patchmesh_content::id::unhex32;

/// What stands before the node in an address.
const IN_ADDRESS: &str = "/p2p/";
/// How an Ed25519 key is wrapped in the form of addresses: a hash that is the
/// bytes themselves, 36 of them, which are a key of kind 1 of 32 bytes.
const WRAPPED: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The key of a node: its 64 digits as `patchmesh status --json` has them, its
/// PeerId `12D3..`, or an address that ends with it. `None` for anything else.
pub(crate) fn read(text: &str) -> Option<[u8; 32]> {
    let id = text.rsplit_once(IN_ADDRESS).map_or(text, |(_, id)| id);
    if let Some(key) = unhex32(id) {
        return Some(key);
    }
    let mut bytes = [0; WRAPPED.len() + 32];
    let len = bs58::decode(id).onto(&mut bytes).ok()?;
    let key = bytes.strip_prefix(&WRAPPED)?;
    key.try_into().ok().filter(|_| len == bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_peer_id_and_address_name_the_same_node() {
        let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let id = bs58::encode([&WRAPPED[..], &key].concat()).into_string();
        assert!(id.starts_with("12D3KooW"), "{id}");
        let address = format!("/ip4/192.0.2.1/tcp/7400/p2p/{id}");
        let digits = patchmesh_content::id::hex(&key);
        for text in [&id, &address, &digits] {
            assert_eq!(read(text), Some(key), "{text}");
        }
        let hashed = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";
        for bad in [
            "",
            "12D3",
            hashed,
            &digits[1..],
            &id[1..],
            &format!("{id}1"),
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
