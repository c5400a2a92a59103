//! Runs the plan, prints tables and saves one JSON document.

use std::fs;

use patchmesh_content::id::{ChunkId, blake3};
use patchmesh_demo::binaries::Binaries;
use serde_json::{Value, json};

use crate::figures::{Site, figures};
use crate::node::Node;
use crate::plan::Plan;
use crate::proc;
use crate::result::Result;
use crate::run::{self, Outcome};
use crate::verdict;
use crate::watch::{ratio, wan_payload};

/// Runs as often as planned; returns whether everything held.
pub(crate) fn measure(plan: &Plan) -> Result<bool> {
    let binaries = Binaries::find(false)?;
    let mut runs = Vec::new();
    let mut held = true;
    for number in 1..=plan.runs {
        println!(
            "run {number} of {}: {} x {} endpoints, {} bytes, WAN {}/{} Mbit/s, origin {} Mbit/s",
            plan.runs,
            plan.sites,
            plan.nodes,
            plan.size,
            plan.wan_down / 1_000_000,
            plan.wan_up / 1_000_000,
            plan.origin / 1_000_000,
        );
        let outcome = run::once(plan, &binaries)?;
        let (all_held, document) = report(plan, &outcome);
        held &= all_held;
        runs.push(document);
        save(plan, &binaries, &runs)?;
    }
    Ok(held)
}

fn save(plan: &Plan, binaries: &Binaries, runs: &[Value]) -> Result<()> {
    let folder = std::env::var("PATCHMESH_BIN_DIR").unwrap_or_default();
    let program = ChunkId(blake3(&fs::read(&binaries.patchmeshd)?)).to_hex();
    // Programs that were built elsewhere need not be of the commit that is here.
    let commit = folder.is_empty().then(proc::commit);
    let name = folder.rsplit('/').next().unwrap_or_default();
    let own = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let document = json!({
        "schema": "patchmesh.lab/1",
        "commit": commit,
        "patchmeshd_blake3": program,
        "profile": if name.is_empty() { own } else { name },
        "congestion_control": proc::congestion_control(),
        "counted": {
            "copies": "chunk frames to honest nodes, by the counters of the receivers",
            "copies_sent": "chunk frames to honest nodes, by the counter of the origin",
            "copies_frames": "Ethernet frames on the WAN interface, all headers (one is 1.046)",
            "cpu_secs": "user and system time of the process",
        },
        "parameters": {
            "sites": plan.sites, "nodes": plan.nodes, "size_bytes": plan.size,
            "wan_down_bits": plan.wan_down, "wan_up_bits": plan.wan_up,
            "slow_down_bits": plan.slow_down, "late": plan.late.0, "late_at_secs": plan.late.1,
            "origin_bits": plan.origin, "kill": plan.kill, "bad_peer": plan.bad_peer,
            "idle_secs": plan.idle, "seed": plan.seed,
        },
        "runs": runs,
    });
    let Some(path) = &plan.out else { return Ok(()) };
    Ok(fs::write(path, serde_json::to_vec_pretty(&document)?)?)
}

fn report(plan: &Plan, outcome: &Outcome) -> (bool, Value) {
    let sites: Vec<Site> = (1..=plan.sites)
        .map(|site| figures(outcome, site))
        .collect();
    if plan.size > 0 {
        print_sites(outcome, &sites);
    }
    print_rest(outcome);
    let checks = verdict::checks(plan, outcome, &sites);
    for check in &checks {
        println!("  {}", check.line());
    }
    let document = json!({
        "load_average": outcome.load,
        "wire_bytes": outcome.lab.whole,
        "chunks": outcome.lab.chunks,
        "t_star_secs": outcome.t_star,
        "sites": sites.iter().map(|site| site.json.clone()).collect::<Vec<_>>(),
        "nodes": outcome.lab.nodes.iter().map(node_json).collect::<Vec<_>>(),
        "origin": node_json(&outcome.lab.origin),
        "different_files": outcome.different,
        "liar": outcome.lies.map(|(altered, witnesses)| {
            json!({"altered_chunks": altered, "named_by": witnesses})
        }),
        "idle": idle_json(outcome),
        "checks": checks.iter().map(verdict::Check::json).collect::<Vec<_>>(),
    });
    (checks.iter().all(verdict::Check::held), document)
}

fn print_sites(outcome: &Outcome, sites: &[Site]) {
    println!(
        "  T* {:.1} s, F {} bytes in {} chunks, load {:.1} before, {:.1} after",
        outcome.t_star, outcome.lab.whole, outcome.lab.chunks, outcome.load[0], outcome.load[1]
    );
    println!("  site copies  sent frames   first  median    last  x T*  link 1-99 %  killed");
    for site in sites {
        println!(
            "  {:>4} {:>6.3} {:>5.3} {:>6.3} {:>7.1} {:>7.1} {:>7.1} {:>5.2} {:>5.1}-{:<5.1} {:>7}",
            site.number,
            site.copies,
            site.copies_sent,
            site.copies_frames,
            site.first,
            site.median,
            site.last,
            site.last / outcome.t_star.max(0.001),
            site.link[0],
            site.link[1],
            site.killed,
        );
    }
}

fn print_rest(outcome: &Outcome) {
    let of = |node: &Node| (node.usage.cpu_secs, ratio(node.usage.rss_peak, 1 << 20));
    let used: Vec<(f64, f64)> = outcome.lab.nodes.iter().map(of).collect();
    let count = f64::from(u32::try_from(used.len().max(1)).unwrap_or(u32::MAX));
    let cpu = |all: &[(f64, f64)]| all.iter().map(|(cpu, _)| *cpu).fold(0.0, f64::max);
    let rss = used.iter().map(|(_, rss)| *rss).fold(0.0, f64::max);
    let mean = used.iter().map(|(cpu, _)| cpu).sum::<f64>() / count;
    let origin = of(&outcome.lab.origin);
    println!(
        "  endpoint: CPU mean {mean:.1} s, most {:.1} s, peak RSS most {rss:.1} MiB; \
         origin: CPU {:.1} s, peak RSS {:.1} MiB",
        cpu(&used),
        origin.0,
        origin.1
    );
    if let Some((altered, witnesses)) = outcome.lies {
        let own = outcome.lab.liar().map_or(0, wan_payload);
        let own = ratio(own, outcome.lab.whole);
        println!(
            "  liar: {altered} chunks altered on disk, named by {witnesses} nodes; alone, it \
             fetched {own:.3} copies for itself"
        );
    }
    if let Some(idle) = &outcome.idle {
        println!("  at rest over {:.0} s:", idle.secs);
        for (name, peers, cost) in &idle.nodes {
            let rss = ratio(cost.rss, 1 << 20);
            let own = ratio(cost.own, 1 << 20);
            let cpu = cost.cpu_percent;
            println!(
                "    {name}: {peers} peers, RSS {rss:.1} MiB ({own:.1} without the program \
                 file), CPU {cpu:.2} % of a core"
            );
        }
        let origin = idle.origin;
        let (rss, cpu) = (ratio(origin.rss, 1 << 20), origin.cpu_percent);
        println!(
            "    origin: RSS {rss:.1} MiB, CPU {cpu:.2} %; WAN bytes {:?}",
            idle.wan
        );
    }
}

fn node_json(node: &Node) -> Value {
    let status = node.status.as_ref();
    json!({
        "name": node.name,
        "site": node.site,
        "held_secs": node.held_at,
        "staged_secs": node.staged_at,
        "killed_secs": node.killed_at,
        "cpu_secs": node.usage.cpu_secs,
        "rss_bytes": node.usage.rss,
        "rss_peak_bytes": node.usage.rss_peak,
        "wan_payload_bytes": wan_payload(node),
        "lan_payload_bytes": status.map_or(0, |status| status.received.lan.payload),
        "site_payload_bytes": status.map_or(0, |status| status.received.site.payload),
        "wasted_bytes": status.map_or(0, |status| status.wasted_bytes),
        "peers_connected": status.map_or(0, |status| status.peers.connected),
        "refusals": status.map(|status| json!(status.refusals)),
    })
}

fn idle_json(outcome: &Outcome) -> Value {
    let Some(idle) = &outcome.idle else {
        return Value::Null;
    };
    let nodes = idle.nodes.iter().map(|(name, peers, cost)| {
        json!({
            "name": name,
            "peers_connected": peers,
            "rss_bytes": cost.rss,
            "rss_own_bytes": cost.own,
            "cpu_percent": cost.cpu_percent,
        })
    });
    json!({
        "secs": idle.secs,
        "nodes": nodes.collect::<Vec<_>>(),
        "origin": {"rss_bytes": idle.origin.rss, "cpu_percent": idle.origin.cpu_percent},
        "wan_frames_bytes": idle.wan,
    })
}
