//! The story: keys, publication, two offices that start together, an update,
//! and what of all that was promised held.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use patchmesh_api::releases::ReleaseState;
use patchmesh_content::index::ReleaseIndex;
use serde::Serialize;

use crate::args::Args;
use crate::authority::Authority;
use crate::binaries::Binaries;
use crate::bound::{crash_allowance, t_star_secs};
use crate::compare::fingerprint;
use crate::fleet::Daemon;
use crate::input::{self, Input};
use crate::measure::{Counters, megabytes, ratio};
use crate::network::{Network, Shape};
use crate::show::Show;
use crate::tamper::Tamper;
use crate::warden::Warden;
use crate::watch::{Completion, SiteProgress, in_state, until_staged};

/// The release line of the tour.
const LINE: &str = "desktop";
/// WAN payload of a site over the release, with nothing killed.
const COPIES_MAX: f64 = 1.03;
/// Largest difference between the nodes' counters and the links'.
const DISAGREEMENT_MAX: f64 = 0.01;
/// The same over QUIC, whose headers and acknowledgements no node sees.
const DISAGREEMENT_QUIC_MAX: f64 = 0.06;
/// The slowest rollout waits this many times T*, and a minute.
const PATIENCE: f64 = 5.0;
/// Between two progress lines.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// Longest time until an approved release is applied everywhere.
const APPLY_WITHIN: Duration = Duration::from_secs(30);
/// `--kill` strikes when a site holds this share.
const KILL_AT: f64 = 0.4;

/// Runs the tour and says whether everything held.
pub fn main(args: &Args) -> ExitCode {
    let show = Show::new(args.json);
    match run(args, show) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            show.promise(false, "not every promise held");
            ExitCode::FAILURE
        }
        Err(error) => {
            show.promise(false, &format!("the tour broke off: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args, show: Show) -> Result<bool> {
    // Building may replace this program's file.
    let own = std::env::current_exe().context("failed to find this program")?;
    let binaries = Binaries::find(args.quic)?;
    let program = if binaries.demo.is_file() {
        &binaries.demo
    } else {
        &own
    };
    let warden = Warden::start(program)?;
    let folder = tempfile::Builder::new().prefix("patchmesh-").tempdir();
    let mut folder = folder.context("failed to make a temporary folder")?;
    folder.disable_cleanup(args.keep);
    if args.keep {
        show.fact(&format!("everything lies in {}", folder.path().display()));
    }
    let inputs = inputs(args, &binaries, program, folder.path())?;
    let shape = Shape {
        sites: args.sites,
        nodes: args.nodes,
        rates: args.wan,
        quic: args.quic,
    };
    let mut tour = Tour {
        show,
        args,
        shape,
        held: true,
        dead: Vec::new(),
    };
    show.step(1, "A signing authority: three people, two must sign");
    let mut network = Network::found(&binaries, warden, folder.path(), &shape, LINE)?;
    let first = inputs.first().context("no input")?;
    tour.publish_with_two_of_three(&network.authority, &network.origin, first, folder.path())?;
    show.step(
        2,
        &format!(
            "{} offices of {} endpoints start together, each office behind {:.0} Mbit/s",
            shape.sites,
            shape.nodes,
            ratio(shape.rates.down, 1_000_000),
        ),
    );
    tour.rollout(&mut network, first, "release-1", None)?;
    tour.approve(&network, "release-1", folder.path())?;
    if let Some(second) = inputs.get(1) {
        show.step(3, &format!("An update is published: {}", second.label));
        network.release(&second.folder, "release-2")?;
        tour.rollout(&mut network, second, "release-2", Some("release-1"))?;
    }
    Ok(tour.held)
}

/// One or two inputs, in the order of their release.
fn inputs(args: &Args, binaries: &Binaries, own: &Path, folder: &Path) -> Result<Vec<Input>> {
    if let Some(new) = &args.new {
        let old = args
            .old
            .iter()
            .map(|old| input::own(old, &folder.join("input-old")));
        return old
            .chain([input::own(new, &folder.join("input-new"))])
            .collect();
    }
    input::toolchain_pair([own, &binaries.patchmesh], folder).map(Vec::from)
}

struct Tour<'a> {
    show: Show,
    args: &'a Args,
    shape: Shape,
    held: bool,
    /// Names of the endpoints that were killed; none of them comes back.
    dead: Vec<String>,
}

/// Wire bytes of a release.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Of the chunks that no office has yet.
    minimum: u64,
    /// Of all chunks.
    whole: u64,
}

/// One row of the table.
#[derive(Debug, Serialize)]
struct Row {
    site: String,
    wan_in_bytes: u64,
    lan_in_bytes: u64,
    minimum_bytes: u64,
    copies: f64,
    direct_bytes: u64,
    saved_share: f64,
    link_bytes: u64,
    disagreement: f64,
    /// Members that were killed or turned away with what only they held.
    members_lost: u64,
}

impl Tour<'_> {
    fn promise(&mut self, held: bool, text: &str) {
        self.held &= held;
        self.show.promise(held, text);
    }

    fn publish_with_two_of_three(
        &mut self,
        authority: &Authority,
        origin: &Daemon,
        input: &Input,
        folder: &Path,
    ) -> Result<()> {
        let id = "release-1";
        let draft = authority.build(&input.folder, id, folder)?;
        self.show.fact(&format!("input: {}", input.label));
        let one = authority.sign(&draft, id, 1)?;
        let refused = authority.assemble_refused(&draft, std::slice::from_ref(&one))?;
        let said = refused.text.lines().next().unwrap_or_default().to_owned();
        self.promise(
            true,
            &format!("one signature is refused, exit {}: {said}", refused.code),
        );
        let two = authority.sign(&draft, id, 2)?;
        authority.assemble(&draft, &[one, two])?;
        authority.publish(&draft, Some(&origin.socket()))?;
        self.show
            .fact("two signatures are enough: assembled and published");
        Ok(())
    }

    /// Waits until every endpoint staged a release, then checks every promise.
    fn rollout(
        &mut self,
        network: &mut Network,
        input: &Input,
        id: &str,
        before: Option<&str>,
    ) -> Result<()> {
        let size = Size {
            minimum: new_wire_bytes(&network.authority, id, before)?,
            whole: new_wire_bytes(&network.authority, id, None)?,
        };
        self.show.fact(&format!(
            "one copy of {id} is {}; the offices lack {}",
            megabytes(size.whole),
            megabytes(size.minimum)
        ));
        let t_star = t_star_secs(size.minimum, self.shape.rates.down);
        let patience = Duration::from_secs_f64(60.0 + t_star * PATIENCE);
        let base = counters(network, before.is_none())?;
        let began = Instant::now();
        if before.is_none() {
            network.fill(&self.shape)?;
        }
        let liar = self.liar(network, before.is_none())?;
        let mut killed = Vec::new();
        let kill = self.args.kill && before.is_none();
        let mut last = Instant::now();
        let show = self.show;
        let done = until_staged(&mut network.endpoints, id, patience, |fleet, progress| {
            if kill {
                kill_duty_holders(fleet, progress, &mut killed, show)?;
            }
            if last.elapsed() >= PROGRESS_EVERY {
                last = Instant::now();
                show.progress(&line(began, progress));
            }
            Ok(())
        })?;
        let took = began.elapsed().as_secs_f64();
        self.report(network, &base, size, &killed)?;
        self.times(&done, took, t_star);
        self.dead
            .extend(killed.into_iter().map(|killed| killed.name));
        self.check_files(network, input, id)?;
        self.check_liar(network, liar)
    }

    /// The other party: what is staged is applied once operations say so.
    fn approve(&mut self, network: &Network, id: &str, folder: &Path) -> Result<()> {
        let staged = in_state(&network.endpoints, id, ReleaseState::Staged);
        let good = in_state(&network.endpoints, id, ReleaseState::Good);
        let text =
            format!("{id} is staged on {staged} endpoints and applied on none: not approved");
        self.promise(staged > 0 && good == 0, &text);
        let began = Instant::now();
        network
            .authority
            .approve(id, folder, &network.origin.socket())?;
        let mut applied = 0;
        while applied < staged && began.elapsed() < APPLY_WITHIN {
            std::thread::sleep(Duration::from_millis(100));
            applied = in_state(&network.endpoints, id, ReleaseState::Good);
        }
        let took = began.elapsed().as_secs_f64();
        let text = format!("two of operations approve: applied on {applied} in {took:.1} s");
        self.promise(applied == staged, &text);
        Ok(())
    }

    fn liar(&self, network: &mut Network, first: bool) -> Result<Option<Tamper>> {
        if !(self.args.bad_peer && first) {
            return Ok(None);
        }
        let liar = network.endpoints.first_mut().context("no endpoint")?;
        liar.altered = true;
        self.show.fact(&format!(
            "{} serves one altered chunk of ten from now on",
            liar.name
        ));
        Ok(Some(Tamper::start(&liar.state())))
    }

    fn report(
        &mut self,
        network: &Network,
        base: &[Counters],
        size: Size,
        killed: &[Killed],
    ) -> Result<()> {
        let mut rows = Vec::new();
        for ((site, link), base) in network.links.iter().zip(base) {
            let lost = killed.iter().filter(|killed| killed.site == *site);
            let lost: (u64, u64) = lost.fold((0, 0), |(payload, transport), killed| {
                (
                    payload + killed.wan_payload,
                    transport + killed.wan_transport,
                )
            });
            let mut cost = Counters::read(&network.endpoints, site, link)?.since(base);
            cost.wan_payload += lost.0;
            cost.wan_transport += lost.1;
            let direct = size.whole * u64::from(self.shape.nodes);
            rows.push(Row {
                site: site.clone(),
                wan_in_bytes: cost.wan_payload,
                lan_in_bytes: cost.lan_payload,
                minimum_bytes: size.minimum,
                copies: ratio(cost.wan_payload, size.minimum),
                direct_bytes: direct,
                saved_share: 1.0 - ratio(cost.wan_payload, direct),
                link_bytes: cost.link_down,
                disagreement: cost.disagreement(),
                members_lost: members_lost(network, site, killed),
            });
        }
        self.print_rows(&rows);
        for row in &rows {
            self.check_row(row);
        }
        Ok(())
    }

    fn print_rows(&self, rows: &[Row]) {
        let head = [
            "site", "WAN in", "LAN in", "minimum", "copies", "direct", "saved", "link", "differ",
        ];
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                vec![
                    row.site.clone(),
                    megabytes(row.wan_in_bytes),
                    megabytes(row.lan_in_bytes),
                    megabytes(row.minimum_bytes),
                    format!("{:.3}", row.copies),
                    megabytes(row.direct_bytes),
                    format!("{:.1} %", row.saved_share * 100.0),
                    megabytes(row.link_bytes),
                    format!("{:.2} %", row.disagreement * 100.0),
                ]
            })
            .collect();
        self.show.table("sites", &head, &cells, &rows);
    }

    fn check_row(&mut self, row: &Row) {
        let lost = row.members_lost;
        let allowed = COPIES_MAX
            + ratio(
                crash_allowance(lost, self.shape.rates.down),
                row.minimum_bytes,
            );
        let text = format!(
            "{}: {:.3} copies over the WAN, at most {allowed:.2}",
            row.site, row.copies
        );
        self.promise(row.copies <= allowed, &text);
        if lost > 0 {
            // What a killed node received after its last answer is not known,
            // and what an altered node fetches for itself is not counted.
            let text = "a lost member takes its counts with it; the link is not compared";
            return self.show.fact(&format!("{}: {text}", row.site));
        }
        let most = if self.shape.quic {
            DISAGREEMENT_QUIC_MAX
        } else {
            DISAGREEMENT_MAX
        };
        let text = format!(
            "{}: the nodes' counters and the WAN link's differ by {:.2} %, at most {:.0} %",
            row.site,
            row.disagreement * 100.0,
            most * 100.0
        );
        self.promise(row.disagreement <= most, &text);
    }

    fn times(&self, done: &Completion, took: f64, t_star: f64) {
        self.show.fact(&format!(
            "first endpoint {:.1} s, last {:.1} s; the link alone needs {t_star:.1} s ({:.2} x)",
            took - done.last_secs() + done.first_secs(),
            took,
            took / t_star.max(0.001),
        ));
    }

    fn check_files(&mut self, network: &Network, input: &Input, id: &str) -> Result<()> {
        let wanted = fingerprint(&input.folder)?;
        let mut same = 0;
        let mut others = Vec::new();
        for node in &network.endpoints {
            if node.altered || self.dead.contains(&node.name) {
                continue;
            }
            match fingerprint(&node.staging().join(LINE).join(id)) {
                Ok(found) if found == wanted => same += 1,
                Ok(_) | Err(_) => others.push(node.name.clone()),
            }
        }
        let text = if others.is_empty() {
            format!("{same} endpoints hold bit-identical files")
        } else {
            format!("other files on {}", others.join(", "))
        };
        self.promise(others.is_empty() && same > 0, &text);
        Ok(())
    }

    fn check_liar(&mut self, network: &Network, liar: Option<Tamper>) -> Result<()> {
        let Some(liar) = liar else { return Ok(()) };
        let name = &network.endpoints.first().context("no endpoint")?.name;
        let id = network
            .endpoints
            .first()
            .context("no endpoint")?
            .status()?
            .node;
        let mut witnesses = 0;
        let living = network.endpoints.iter().skip(1);
        for node in living.filter(|node| node.pid().is_some()) {
            let named =
                |peer: &patchmesh_api::peers::Peer| peer.peer == id && peer.corrupt_chunks > 0;
            witnesses += usize::from(node.peers()?.iter().any(named));
        }
        let text = format!(
            "{} altered chunks were refused; {witnesses} nodes name {name} in `patchmesh peers`",
            liar.altered()
        );
        self.promise(witnesses > 0, &text);
        Ok(())
    }
}

/// Counters of every site; 0 where nothing runs yet.
fn counters(network: &Network, fresh: bool) -> Result<Vec<Counters>> {
    if fresh {
        return Ok(vec![Counters::default(); network.links.len()]);
    }
    let links = network.links.iter();
    links
        .map(|(site, link)| Counters::read(&network.endpoints, site, link))
        .collect()
}

fn line(began: Instant, progress: &[SiteProgress]) -> String {
    let sites = progress.iter().map(|site| {
        let percent = site.share * 100.0;
        let now = if site.share >= 1.0 && site.staged < site.nodes {
            ", staging"
        } else {
            ""
        };
        format!(
            "{} {percent:.0} %{now} ({} of {} staged)",
            site.site, site.staged, site.nodes
        )
    });
    let sites = sites.collect::<Vec<_>>().join("   ");
    format!("{:>5.1} s   {sites}", began.elapsed().as_secs_f64())
}

/// A killed node and its last known counters.
struct Killed {
    name: String,
    site: String,
    wan_payload: u64,
    wan_transport: u64,
}

fn members_lost(network: &Network, site: &str, killed: &[Killed]) -> u64 {
    let crashed = killed.iter().filter(|killed| killed.site == site).count();
    let members = network.endpoints.iter().filter(|node| node.site == site);
    (crashed + members.filter(|node| node.altered).count()) as u64
}

/// Kills, once in each site that is far enough, the node that fetched most.
fn kill_duty_holders(
    fleet: &mut [Daemon],
    progress: &[SiteProgress],
    killed: &mut Vec<Killed>,
    show: Show,
) -> Result<()> {
    for site in progress
        .iter()
        .filter(|site| site.share >= KILL_AT && site.nodes > 1)
    {
        if killed.iter().any(|killed| killed.site == site.site) {
            continue;
        }
        let mut most: Option<(usize, Killed)> = None;
        for (at, node) in fleet
            .iter()
            .enumerate()
            .filter(|(_, node)| node.site == site.site && !node.altered)
        {
            let received = node.status()?.received;
            let payload = received.origin.payload;
            if most
                .as_ref()
                .is_none_or(|(_, most)| payload > most.wan_payload)
            {
                most = Some((
                    at,
                    Killed {
                        name: node.name.clone(),
                        site: node.site.clone(),
                        wan_payload: payload,
                        wan_transport: received.origin.transport,
                    },
                ));
            }
        }
        if let Some((at, victim)) = most {
            fleet[at].kill()?;
            let fetched = megabytes(victim.wan_payload);
            show.fact(&format!(
                "SIGKILL to {}, which fetched {fetched}",
                victim.name
            ));
            killed.push(victim);
        }
    }
    Ok(())
}

/// Wire bytes of a release's chunks, without those of an earlier release.
fn new_wire_bytes(authority: &Authority, id: &str, before: Option<&str>) -> Result<u64> {
    let index = read_index(authority, id)?;
    let before = before
        .map(|before| read_index(authority, before))
        .transpose()?;
    let known: std::collections::BTreeSet<_> = before
        .iter()
        .flat_map(|index| &index.chunks)
        .map(|chunk| chunk.id)
        .collect();
    let new = index
        .chunks
        .iter()
        .filter(|chunk| !known.contains(&chunk.id));
    Ok(new.map(|chunk| u64::from(chunk.wire_len)).sum())
}

fn read_index(authority: &Authority, id: &str) -> Result<ReleaseIndex> {
    let folder = authority
        .repository
        .join("targets/release")
        .join(&authority.line);
    let entries = fs::read_dir(&folder).context("failed to look into the repository")?;
    let ends = format!(".{id}");
    let path = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with(&ends))
        .with_context(|| format!("{id} is not in the repository"))?;
    let bytes = fs::read(path).context("failed to read an index")?;
    ReleaseIndex::decode(&bytes).with_context(|| format!("the index of {id} is refused"))
}
