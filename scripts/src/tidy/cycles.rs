//! No circles between the modules of a crate, and no bridge between machines.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::tidy::finding::Finding;
use crate::tidy::graph::{Krate, crates};
use crate::tidy::tree::Tree;

/// Decision machines of the core; only the engine joins them.
const MACHINES: [&str; 3] = ["catalog", "swarm", "rollout"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for krate in crates(tree) {
        for group in circles(&krate) {
            found.push(tell(&krate, &group));
        }
        if krate.root == "node/core/src/lib.rs" {
            bridges(&krate, &mut found);
        }
    }
    found
}

fn tell(krate: &Krate, group: &BTreeSet<&str>) -> Finding {
    let circle = shortest(krate, group);
    let mut steps = Vec::new();
    for (from, to) in circle.iter().zip(circle.iter().cycle().skip(1)) {
        let line = krate.uses[&((*from).to_owned(), (*to).to_owned())];
        steps.push(format!("{}:{line} uses {}", krate.modules[*from], name(to)));
    }
    Finding {
        file: krate.modules[circle[0]].clone(),
        line: krate.uses[&(circle[0].to_owned(), circle[1 % circle.len()].to_owned())],
        rule: "cycles",
        says: format!("a circle of modules: {}", steps.join("; ")),
        cure: "move what both need into a leaf below them; import from the defining leaf, \
               not from the façade",
    }
}

fn name(module: &str) -> &str {
    if module.is_empty() { "crate" } else { module }
}

fn bridges(krate: &Krate, found: &mut Vec<Finding>) {
    for ((from, to), line) in &krate.uses {
        let machine = |module: &str| {
            let first = module.split("::").next().unwrap_or("").to_owned();
            MACHINES.contains(&first.as_str()).then_some(first)
        };
        if let (Some(a), Some(b)) = (machine(from), machine(to))
            && a != b
        {
            found.push(Finding {
                file: krate.modules[from].clone(),
                line: *line,
                rule: "machines",
                says: format!("machine {a} uses machine {b}"),
                cure: "machines meet only in engine.rs; a shared type goes into a leaf below both",
            });
        }
    }
}

/// Strongly connected groups of more than one module (Tarjan).
fn circles(krate: &Krate) -> Vec<BTreeSet<&str>> {
    let mut walk = Tarjan {
        next: BTreeMap::new(),
        order: BTreeMap::new(),
        low: BTreeMap::new(),
        stack: Vec::new(),
        groups: Vec::new(),
    };
    for (from, to) in krate.uses.keys() {
        walk.next.entry(from).or_default().push(to);
    }
    for module in krate.modules.keys() {
        if !walk.order.contains_key(module.as_str()) {
            walk.visit(module);
        }
    }
    walk.groups.retain(|group| group.len() > 1);
    walk.groups
}

struct Tarjan<'a> {
    next: BTreeMap<&'a str, Vec<&'a str>>,
    order: BTreeMap<&'a str, usize>,
    low: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    groups: Vec<BTreeSet<&'a str>>,
}

impl<'a> Tarjan<'a> {
    /// Recursion is as deep as the longest chain of imports, a few dozen.
    fn visit(&mut self, module: &'a str) {
        let number = self.order.len();
        self.order.insert(module, number);
        self.low.insert(module, number);
        self.stack.push(module);
        for to in self.next.get(module).cloned().unwrap_or_default() {
            let reached = if self.order.contains_key(to) {
                self.stack.contains(&to).then(|| self.order[to])
            } else {
                self.visit(to);
                Some(self.low[to])
            };
            let low = self.low[module].min(reached.unwrap_or(usize::MAX));
            self.low.insert(module, low);
        }
        if self.low[module] == number {
            let mut group = BTreeSet::new();
            while let Some(top) = self.stack.pop() {
                group.insert(top);
                if top == module {
                    break;
                }
            }
            self.groups.push(group);
        }
    }
}

/// A shortest circle inside a group, so that a person sees what to cut.
fn shortest<'a>(krate: &'a Krate, group: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let mut best: Vec<&str> = Vec::new();
    for start in group {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([*start]);
        while let Some(at) = queue.pop_front() {
            for (from, to) in krate.uses.keys().map(|(a, b)| (a.as_str(), b.as_str())) {
                if from == at && group.contains(to) && !before.contains_key(to) {
                    before.insert(to, at);
                    queue.push_back(to);
                }
            }
        }
        let mut circle = vec![*start];
        let mut at = before[start];
        while at != *start {
            circle.push(at);
            at = before[at];
        }
        circle[1..].reverse();
        if best.is_empty() || circle.len() < best.len() {
            best = circle;
        }
    }
    best
}

#[cfg(test)]
mod tests;
