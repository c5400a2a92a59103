//! Where two verifiers may differ, one by one, each with its reason.

use patchmesh_trust::canonical::parse;
use serde_json::Value;

/// Who refuses what the other accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refuses {
    Ours,
    Theirs,
}

/// A difference that may be.
pub(crate) struct Allowed {
    pub(crate) name: &'static str,
    pub(crate) who: Refuses,
    /// Why, in a sentence.
    pub(crate) reason: &'static str,
    holds: fn(&Case) -> bool,
}

/// A changed document, as a lenient reader sees it.
pub(crate) struct Case {
    text: Vec<u8>,
    whole: Value,
    signed: Value,
}

impl Case {
    /// `None` for what no JSON reader takes.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let whole: Value = serde_json::from_slice(text).ok()?;
        let signed = whole.get("signed")?.clone();
        let text = text.to_vec();
        Some(Self {
            text,
            whole,
            signed,
        })
    }

    /// Objects that list key ids: of top roles, and of delegations.
    fn roles(&self) -> Vec<&Value> {
        let top = self.signed.get("roles").and_then(Value::as_object);
        let top = top.into_iter().flat_map(|roles| roles.values());
        top.chain(self.delegations()).collect()
    }

    fn delegations(&self) -> Vec<&Value> {
        let list = self.signed.pointer("/delegations/roles");
        let list = list.and_then(Value::as_array);
        list.into_iter().flatten().collect()
    }

    fn keys(&self) -> Vec<&Value> {
        let lists = ["/keys", "/delegations/keys"].map(|list| self.signed.pointer(list));
        let lists = lists.into_iter().flatten().filter_map(Value::as_object);
        lists.flat_map(serde_json::Map::values).collect()
    }

    fn pins(&self) -> Vec<&Value> {
        let meta = self.signed.get("meta").and_then(Value::as_object);
        meta.into_iter().flat_map(|meta| meta.values()).collect()
    }

    fn targets(&self) -> Vec<&Value> {
        let targets = self.signed.get("targets").and_then(Value::as_object);
        targets.into_iter().flat_map(|all| all.values()).collect()
    }

    fn member_names(&self, pointer: &str) -> Vec<&str> {
        let object = self.signed.pointer(pointer).and_then(Value::as_object);
        object
            .into_iter()
            .flat_map(|all| all.keys().map(String::as_str))
            .collect()
    }

    fn kind(&self) -> &str {
        self.signed
            .get("_type")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Every allowed difference.
pub(crate) const ALLOWED: [Allowed; 21] = [
    Allowed {
        name: "duplicate-member",
        who: Refuses::Ours,
        reason: "T-08: two readers could take different ones of two equal members",
        holds: |case| {
            let again = serde_json::to_vec(&case.whole).unwrap();
            parse(&case.text).is_err() && parse(&again).is_ok()
        },
    },
    Allowed {
        name: "number",
        who: Refuses::Ours,
        reason: "T-07: no fractions and nothing beyond 2^63 - 1, in unsigned members too",
        holds: |case| any(&case.whole, &|value| value.is_f64() || is_beyond(value)),
    },
    Allowed {
        name: "nesting",
        who: Refuses::Ours,
        reason: "T-08: at most 64 deep, where serde_json takes 128",
        holds: |case| depth(&case.whole) > 64,
    },
    Allowed {
        name: "name",
        who: Refuses::Ours,
        reason: "T-08: role names, paths and patterns are visible ASCII and not empty",
        holds: |case| {
            let mut names = case.member_names("/targets");
            names.extend(case.member_names("/meta"));
            let texts = case.delegations().into_iter().flat_map(|role| {
                let lists = ["paths", "path_hash_prefixes"].map(|name| role[name].as_array());
                let texts = lists.into_iter().flatten().flatten().chain([&role["name"]]);
                texts.filter_map(Value::as_str).collect::<Vec<_>>()
            });
            names.extend(texts);
            let odd = |name: &str| !name.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            names
                .iter()
                .any(|name| name.is_empty() || *name == ".json" || odd(name))
        },
    },
    Allowed {
        name: "metadata-file",
        who: Refuses::Ours,
        reason: "a name in a snapshot ends with .json; ours asks for it where it is read",
        holds: |case| {
            let names = case.member_names("/meta");
            case.kind() == "snapshot"
                && names
                    .iter()
                    .any(|name| name.strip_suffix(".json").is_none())
        },
    },
    Allowed {
        name: "expiry-second",
        who: Refuses::Ours,
        reason: "section 5 of the specification: what expires now is not good any more",
        holds: |case| {
            let now = crate::world::NOW.format().unwrap();
            case.signed["expires"].as_str() == Some(&now)
        },
    },
    Allowed {
        name: "expiry-form",
        who: Refuses::Ours,
        reason: "the specification has one form of a time, YYYY-MM-DDThh:mm:ssZ",
        holds: |case| {
            let expires = case.signed["expires"].as_str().unwrap_or_default();
            patchmesh_trust::time::UtcTime::parse(expires).is_none()
        },
    },
    Allowed {
        name: "specification-version",
        who: Refuses::Ours,
        reason: "a version of the specification has at least two numbers",
        holds: |case| case.signed["spec_version"].as_str() == Some("1"),
    },
    Allowed {
        name: "version-zero",
        who: Refuses::Ours,
        reason: "T-07: versions begin at 1, in pins too",
        holds: |case| {
            let pinned = case.pins().iter().any(|pin| pin["version"] == 0);
            pinned || case.signed["version"] == 0
        },
    },
    Allowed {
        name: "threshold-zero",
        who: Refuses::Ours,
        reason: "T-11: refused where it is read, not where it is first needed",
        holds: |case| case.roles().iter().any(|role| role["threshold"] == 0),
    },
    Allowed {
        name: "top-role-missing",
        who: Refuses::Ours,
        reason: "a root lists all four roles; ours asks for them where it is read",
        holds: |case| {
            let names = case.member_names("/roles");
            let top = ["root", "timestamp", "snapshot", "targets"];
            case.kind() == "root" && !top.iter().all(|name| names.contains(name))
        },
    },
    Allowed {
        name: "pin-missing",
        who: Refuses::Ours,
        reason: "a timestamp lists the snapshot and a snapshot the targets; as above",
        holds: |case| {
            let needed = match case.kind() {
                "timestamp" => "snapshot.json",
                "snapshot" => "targets.json",
                _ => return false,
            };
            !case.member_names("/meta").contains(&needed)
        },
    },
    Allowed {
        name: "key-id-twice",
        who: Refuses::Ours,
        reason: "the specification wants key ids of a role and of signatures to be unique",
        holds: |case| {
            let ids = |list: &Value, name: &str| {
                let list = list.as_array().cloned().unwrap_or_default();
                let ids = list.iter().map(|one| {
                    if name.is_empty() {
                        one.clone()
                    } else {
                        one[name].clone()
                    }
                });
                let mut ids: Vec<_> = ids.map(|id| id.to_string()).collect();
                let count = ids.len();
                ids.sort();
                ids.dedup();
                ids.len() < count
            };
            ids(&case.whole["signatures"], "keyid")
                || case.roles().iter().any(|role| ids(&role["keyids"], ""))
        },
    },
    Allowed {
        name: "delegation-form",
        who: Refuses::Ours,
        reason: "a delegation says whether it terminates, and has paths or hash prefixes, \
                 not both; theirs fills in what is missing",
        holds: |case| {
            let bad = |role: &&Value| {
                let both = role.get("paths").is_some() == role.get("path_hash_prefixes").is_some();
                role.get("terminating").is_none() || both
            };
            case.delegations().iter().any(bad)
                || case
                    .signed
                    .get("delegations")
                    .is_some_and(|all| all.get("roles").is_none())
        },
    },
    Allowed {
        name: "delegation-name",
        who: Refuses::Ours,
        reason: "a delegated name is unique and none of a top role; theirs passes over it",
        holds: |case| {
            let delegations = case.delegations();
            let mut names: Vec<_> = delegations
                .iter()
                .filter_map(|role| role["name"].as_str())
                .collect();
            let count = names.len();
            let top = ["root", "timestamp", "snapshot", "targets"];
            let is_top = names.iter().any(|name| top.contains(name));
            names.sort_unstable();
            names.dedup();
            is_top || names.len() < count
        },
    },
    Allowed {
        name: "null",
        who: Refuses::Ours,
        reason: "a member that may be missing is not null instead",
        holds: |case| {
            let null = |value: &Value, names: &[&str]| {
                names
                    .iter()
                    .any(|name| value.get(name).is_some_and(Value::is_null))
            };
            null(&case.signed, &["delegations"])
                || case
                    .pins()
                    .iter()
                    .any(|pin| null(pin, &["length", "hashes"]))
                || case
                    .delegations()
                    .iter()
                    .any(|role| null(role, &["paths", "path_hash_prefixes"]))
        },
    },
    Allowed {
        name: "hash-form",
        who: Refuses::Ours,
        reason: "a SHA-256 has 64 hexadecimal digits; theirs notices when it compares",
        holds: |case| {
            let mut holders = case.pins();
            holders.extend(case.targets());
            holders.iter().any(|holder| {
                let hash = holder["hashes"]["sha256"].as_str();
                hash.is_some_and(|hash| {
                    hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit())
                })
            })
        },
    },
    Allowed {
        name: "key-type",
        who: Refuses::Ours,
        reason: "a key counts if type and scheme belong together; theirs asks for the \
                 scheme alone",
        holds: |case| {
            case.keys().iter().any(|key| {
                let keytype = key["keytype"].as_str();
                let known = match key["scheme"].as_str() {
                    Some("ed25519") => &["ed25519"][..],
                    Some("ecdsa-sha2-nistp256") => &["ecdsa", "ecdsa-sha2-nistp256"],
                    _ => return false,
                };
                keytype.is_some_and(|keytype| !known.contains(&keytype))
            })
        },
    },
    Allowed {
        name: "key-space",
        who: Refuses::Ours,
        reason: "theirs cuts white space off both ends of a key; to ours it is another text",
        holds: |case| {
            case.keys().iter().any(|key| {
                let public = key["keyval"]["public"].as_str();
                public.is_some_and(|public| public.trim() != public)
            })
        },
    },
    Allowed {
        name: "unknown-entry",
        who: Refuses::Theirs,
        reason: "roles of a root and files of a timestamp that the specification does not \
                 have are signed like all else and not read",
        holds: |case| {
            let (pointer, known) = match case.kind() {
                "root" => ("/roles", &["root", "timestamp", "snapshot", "targets"][..]),
                "timestamp" => ("/meta", &["snapshot.json"][..]),
                _ => return false,
            };
            let names = case.member_names(pointer);
            names.iter().any(|name| !known.contains(name))
        },
    },
    Allowed {
        name: "key-value",
        who: Refuses::Theirs,
        reason: "what a key of a type holds is looked at by who knows the type; the key \
                 never counts",
        holds: |case| {
            let keys = case.keys();
            keys.iter().any(|key| !key["keyval"]["public"].is_string())
        },
    },
];

impl Allowed {
    /// The rule that allows a difference.
    pub(crate) fn find(case: &Case, who: Refuses) -> Option<&'static Self> {
        let mut rules = ALLOWED.iter();
        rules.find(|rule| rule.who == who && (rule.holds)(case))
    }
}

fn is_beyond(value: &Value) -> bool {
    value
        .as_u64()
        .is_some_and(|number| i64::try_from(number).is_err())
}

fn any(value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    test(value)
        || match value {
            Value::Array(list) => list.iter().any(|one| any(one, test)),
            Value::Object(object) => object.values().any(|one| any(one, test)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
}

fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(list) => list.iter().map(depth).max(),
        Value::Object(object) => object.values().map(depth).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return 0,
    };
    1 + below.unwrap_or(0)
}
