//! Names and contents of tiles.

use proptest::prelude::*;

use super::*;
use crate::log::head::leaf_hash;

#[test]
fn paths_are_those_of_the_specification() {
    let tile = |level, index, width| Tile {
        level,
        index,
        width,
    };
    assert_eq!(tile(0, 1_234_067, 256).path(), "log/tile/0/x001/x234/067");
    assert_eq!(tile(1, 0, 17).path(), "log/tile/1/000.p/17");
    assert_eq!(
        tile(0, 273, 112).entries_path(),
        "log/tile/entries/273.p/112"
    );
    let tiles = Tile::between(0, 70_000);
    assert_eq!(tiles.len(), 274 + 2 + 1);
    assert_eq!(tiles[273], tile(0, 273, 112));
    assert_eq!(
        tiles[274..],
        [tile(1, 0, 256), tile(1, 1, 17), tile(2, 0, 1)]
    );
    assert_eq!(Tile::between(0, 256), [tile(0, 0, 256), tile(1, 0, 1)]);
    assert_eq!(Tile::between(256, 256), []);
    assert_eq!(Tile::between(300, 301), [tile(0, 1, 45)]);
}

#[test]
fn tiles_hold_what_the_tree_has() {
    let leaf = |n: u32| leaf_hash(&n.to_be_bytes());
    let tree = Tree::of((0..600).map(leaf));
    let of = |tile: Tile| tile.bytes(&tree);
    let last = Tile {
        level: 0,
        index: 2,
        width: 88,
    };
    assert_eq!(of(last).unwrap().len(), 88 * 32);
    assert_eq!(of(last).unwrap()[..32], leaf(512));
    let above = Tile {
        level: 1,
        index: 0,
        width: 2,
    };
    let first = Tree::of((0..256).map(leaf)).head().root;
    assert_eq!(of(above).unwrap()[..32], first);
    assert_eq!(of(Tile { width: 89, ..last }), None);
    assert_eq!(
        of(Tile {
            index: u64::MAX,
            ..last
        }),
        None
    );
}

proptest! {
    #[test]
    fn entries_read_back_and_no_bytes_panic(
        entries in prop::collection::vec(any::<[u8; 32]>(), 0..256),
        any in prop::collection::vec(any::<u8>(), 0..200),
        cut in 0..34_usize,
    ) {
        let bytes = write_entries(&entries);
        prop_assert_eq!(read_entries(&bytes), Ok(entries));
        if bytes.len() > cut && cut > 0 {
            prop_assert!(read_entries(&bytes[..bytes.len() - cut]).is_err());
        }
        drop(read_entries(&any));
        prop_assert_eq!(read_hashes(&any).is_ok(), any.len().is_multiple_of(32));
    }
}

#[test]
fn entries_above_their_bound_are_not_read() {
    let bytes = vec![0; ENTRIES_LEN_MAX + 1];
    assert_eq!(read_entries(&bytes), Err(Refusal::TooLarge));
}
