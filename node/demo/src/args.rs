//! The command line of the tour.

use std::path::PathBuf;

use clap::Parser;

/// A tour of Patchmesh on this machine: a signing authority, an origin and two
/// branch offices behind thin WAN links, all real processes on loopback.
///
/// No root and no internet are needed; everything lies in one temporary folder
/// and is gone at the end. Exit 0 only if every promise that was printed held.
#[derive(Debug, Clone, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of the command line"
)]
#[command(name = "patchmesh-demo", version, max_term_width = 100)]
pub struct Args {
    /// Publish this file or folder first, as the release that is replaced.
    #[arg(long, value_name = "PATH", requires = "new")]
    pub old: Option<PathBuf>,
    /// Publish this file or folder.
    #[arg(long, value_name = "PATH")]
    pub new: Option<PathBuf>,
    /// Branch offices.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=8))]
    pub sites: u32,
    /// Endpoints in each office.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub nodes: u32,
    /// Rate of each office's WAN link, such as 10mbit or 10mbit/2mbit (down/up).
    #[arg(long, default_value = "10mbit/2mbit", value_parser = rates)]
    pub wan: crate::relay::Rates,
    /// Kill one endpoint of each office in mid-transfer.
    #[arg(long)]
    pub kill: bool,
    /// Alter one chunk of ten that one endpoint of the first office serves.
    #[arg(long)]
    pub bad_peer: bool,
    /// Connect over QUIC too: endpoints reach the origin by packets.
    #[arg(long)]
    pub quic: bool,
    /// Print one JSON document a line.
    #[arg(long)]
    pub json: bool,
    /// Keep the folder with all nodes, logs and keys.
    #[arg(long)]
    pub keep: bool,
}

impl Args {
    /// What the switches ask for together.
    ///
    /// # Errors
    /// If nobody would be left to receive a release.
    pub fn check(&self) -> Result<(), String> {
        let least = 1 + u32::from(self.kill) + u32::from(self.bad_peer);
        if self.nodes < least {
            return Err(format!("--kill and --bad-peer need --nodes {least} here"));
        }
        Ok(())
    }
}

fn rates(text: &str) -> Result<crate::relay::Rates, String> {
    let (down, up) = text.split_once('/').unwrap_or((text, text));
    Ok(crate::relay::Rates {
        down: rate(down)?,
        up: rate(up)?,
    })
}

fn rate(text: &str) -> Result<u64, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let factor = match &text[split..] {
        "kbit" => 1_000,
        "mbit" => 1_000_000,
        "gbit" => 1_000_000_000,
        _ => return Err("a rate is a whole number and kbit, mbit or gbit".to_owned()),
    };
    let number = text[..split]
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor));
    number
        .filter(|rate| *rate > 0)
        .ok_or_else(|| "a rate is above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_left_to_receive() {
        let check = |words: &str| Args::parse_from(words.split(' ')).check();
        for wrong in ["demo --kill --nodes 1", "demo --kill --bad-peer --nodes 2"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        for right in ["demo --nodes 1", "demo --kill --bad-peer --nodes 3"] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
    }

    #[test]
    fn rates_are_read_with_their_units() {
        let read = rates("20mbit/5mbit").expect("a rate");
        assert_eq!((read.down, read.up), (20_000_000, 5_000_000));
        assert_eq!(rates("1gbit").expect("a rate").up, 1_000_000_000);
        for wrong in [
            "20",
            "mbit",
            "0mbit",
            "5 mbit",
            "-1mbit",
            "99999999999999999gbit",
        ] {
            assert!(rates(wrong).is_err(), "{wrong}");
        }
    }
}
