//! Every bound of the wire, each with its reason. Sizes are bytes unless named
//! otherwise; a message above its bound is refused before it is decoded.

/// Newest protocol version this build speaks.
pub const PROTOCOL_MAX: u32 = 1;
/// Oldest protocol version this build speaks.
pub const PROTOCOL_MIN: u32 = 1;

/// Hello: a certificate, a head and a few addresses are below 1 KiB.
pub const HELLO_LEN_MAX: usize = 4 * 1024;
/// Control frame: a batch of have deltas of one content fits.
pub const FRAME_LEN_MAX: usize = 64 * 1024;
/// Messages in one control frame.
pub const FRAME_MESSAGES_MAX: usize = 1024;
/// Gossip message: a timestamp with its log head is below 1 KiB.
pub const GOSSIP_LEN_MAX: usize = 16 * 1024;
/// Request for one chunk.
pub const CHUNK_REQUEST_LEN_MAX: usize = 256;
/// Header of the answer to a chunk request, a Decline with three holders included.
pub const CHUNK_ANSWER_LEN_MAX: usize = 1024;
/// Wire frame of one chunk: the largest chunk stored as it is, with room for a frame header.
pub const CHUNK_WIRE_LEN_MAX: usize = 513 * 1024;
/// Request for one document.
pub const DOCUMENT_REQUEST_LEN_MAX: usize = 256;

/// Words of one Have: 4,096 words are 262,144 chunks, 32 GiB at the mean size.
pub const HAVE_WORDS_MAX: usize = 4096;
/// Peers named by one Introduce or Decline.
pub const INTRODUCED_PEERS_MAX: usize = 16;
/// Addresses of one peer.
pub const ADDRESSES_MAX: usize = 8;
/// One binary multiaddress.
pub const ADDRESS_LEN_MAX: usize = 256;
/// Longest lease a claim may ask for, in milliseconds.
pub const CLAIM_DURATION_MS_MAX: u32 = 120_000;
/// Site name.
pub const SITE_LEN_MAX: usize = 64;
/// Roles in one certificate.
pub const ROLES_MAX: usize = 8;
/// Role name of a document: `index/`, a line of 48 and an id of 48.
pub const ROLE_LEN_MAX: usize = 112;

/// Timestamp document: it travels by gossip, so it is kept small.
pub const TIMESTAMP_LEN_MAX: usize = 4 * 1024;
/// Root document.
pub const ROOT_LEN_MAX: usize = 32 * 1024;
/// Snapshot document.
pub const SNAPSHOT_LEN_MAX: usize = 512 * 1024;
/// Top-level targets document.
pub const TARGETS_LEN_MAX: usize = 256 * 1024;
/// Statement of a release line, of rollout or of membership.
pub const STATEMENT_LEN_MAX: usize = 16 * 1024;
/// Rollout policy: a thousand approvals of 200 bytes.
pub const POLICY_LEN_MAX: usize = 256 * 1024;
/// Membership keys, or revocations.
pub const MEMBERSHIP_LEN_MAX: usize = 1024 * 1024;
/// Proof that a role was signed twice: two snapshots of full length, roots and
/// targets.
pub const PROOF_LEN_MAX: usize = 2 * 1024 * 1024;
/// Roots in a proof.
pub const PROOF_ROOTS_MAX: usize = 64;
/// Signed part of an emergency stop: 16 releases of the longest name and a reason.
pub const STOP_LEN_MAX: usize = 2 * 1024;
/// Subjects of one stop.
pub const STOP_SUBJECTS_MAX: usize = 16;
/// Reason of a stop in bytes.
pub const STOP_REASON_LEN_MAX: usize = 256;
/// The file of stops of a published repository.
pub const STOPS_LEN_MAX: usize = 1024 * 1024;
/// Release index: a little over a million chunks.
pub const INDEX_LEN_MAX: usize = 64 * 1024 * 1024;
/// Chunks of one release.
pub const INDEX_CHUNKS_MAX: usize = 1_048_576;
/// Files of one release.
pub const INDEX_FILES_MAX: usize = 1_000_000;

/// Elements decoded from one message, counted before decoding.
pub const ELEMENTS_MAX: usize = 65_536;
/// Elements of a release index: every field of every file, and the two length lists.
pub const INDEX_ELEMENTS_MAX: usize = 12 * INDEX_FILES_MAX;
/// Nesting of messages.
pub const DEPTH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// S-01: the limits that the normative text states are those of the code.
    #[test]
    fn the_table_of_the_normative_text_is_this_file() {
        let stated: Vec<(&str, usize)> = include_str!("../README.md")
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
                let ends = name.ends_with("_MAX");
                let number = rest.split_once(" | ")?.0.replace(',', "");
                Some((name, number.parse().ok().filter(|_| ends)?))
            })
            .collect();
        let claim = usize::try_from(CLAIM_DURATION_MS_MAX).unwrap();
        let limits = [
            ("HELLO_LEN_MAX", HELLO_LEN_MAX),
            ("FRAME_LEN_MAX", FRAME_LEN_MAX),
            ("FRAME_MESSAGES_MAX", FRAME_MESSAGES_MAX),
            ("GOSSIP_LEN_MAX", GOSSIP_LEN_MAX),
            ("CHUNK_REQUEST_LEN_MAX", CHUNK_REQUEST_LEN_MAX),
            ("CHUNK_ANSWER_LEN_MAX", CHUNK_ANSWER_LEN_MAX),
            ("CHUNK_WIRE_LEN_MAX", CHUNK_WIRE_LEN_MAX),
            ("DOCUMENT_REQUEST_LEN_MAX", DOCUMENT_REQUEST_LEN_MAX),
            ("HAVE_WORDS_MAX", HAVE_WORDS_MAX),
            ("INTRODUCED_PEERS_MAX", INTRODUCED_PEERS_MAX),
            ("ADDRESSES_MAX", ADDRESSES_MAX),
            ("ADDRESS_LEN_MAX", ADDRESS_LEN_MAX),
            ("CLAIM_DURATION_MS_MAX", claim),
            ("SITE_LEN_MAX", SITE_LEN_MAX),
            ("ROLES_MAX", ROLES_MAX),
            ("ROLE_LEN_MAX", ROLE_LEN_MAX),
            ("TIMESTAMP_LEN_MAX", TIMESTAMP_LEN_MAX),
            ("ROOT_LEN_MAX", ROOT_LEN_MAX),
            ("SNAPSHOT_LEN_MAX", SNAPSHOT_LEN_MAX),
            ("TARGETS_LEN_MAX", TARGETS_LEN_MAX),
            ("STATEMENT_LEN_MAX", STATEMENT_LEN_MAX),
            ("POLICY_LEN_MAX", POLICY_LEN_MAX),
            ("MEMBERSHIP_LEN_MAX", MEMBERSHIP_LEN_MAX),
            ("PROOF_LEN_MAX", PROOF_LEN_MAX),
            ("PROOF_ROOTS_MAX", PROOF_ROOTS_MAX),
            ("STOP_LEN_MAX", STOP_LEN_MAX),
            ("STOP_SUBJECTS_MAX", STOP_SUBJECTS_MAX),
            ("STOP_REASON_LEN_MAX", STOP_REASON_LEN_MAX),
            ("STOPS_LEN_MAX", STOPS_LEN_MAX),
            ("INDEX_LEN_MAX", INDEX_LEN_MAX),
            ("INDEX_CHUNKS_MAX", INDEX_CHUNKS_MAX),
            ("INDEX_FILES_MAX", INDEX_FILES_MAX),
            ("ELEMENTS_MAX", ELEMENTS_MAX),
            ("INDEX_ELEMENTS_MAX", INDEX_ELEMENTS_MAX),
            ("DEPTH_MAX", DEPTH_MAX),
        ];
        assert_eq!(stated, limits);
    }
}
