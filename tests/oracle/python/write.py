"""Writes two repositories with python-tuf: `general` has what a mesh does not
use, `mesh` has the layout of one. Keys live as long as this program.

usage: write.py FOLDER
"""

import sys
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

EXPIRES = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
TOP = ["root", "timestamp", "snapshot", "targets"]


class Repository:
    """A folder with `metadata` and `targets`."""

    def __init__(self, folder: Path, consistent: bool, indent: bool) -> None:
        self.folder = folder
        self.consistent = consistent
        self.serializer = JSONSerializer(compact=not indent)
        self.meta: dict[str, MetaFile] = {}
        (folder / "metadata").mkdir(parents=True)

    def sign(self, role: str, signed, signers) -> bytes:
        """Signs a document and writes it under its name."""
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        data = metadata.to_bytes(self.serializer)
        name = quote(role, "")
        versioned = role == "root" or (self.consistent and role != "timestamp")
        file = f"{signed.version}.{name}.json" if versioned else f"{name}.json"
        (self.folder / "metadata" / file).write_bytes(data)
        return data

    def targets(self, role: str, signed: Targets, signers) -> None:
        """A targets document that the snapshot will list with all hashes."""
        data = self.sign(role, signed, signers)
        self.meta[f"{role}.json"] = MetaFile.from_data(signed.version, data, ["sha256", "sha512"])

    def file(self, path: str, data: bytes) -> TargetFile:
        """A target file, in its place."""
        target = TargetFile.from_data(path, data, ["sha256", "sha512"])
        where = self.folder / "targets" / path
        if self.consistent:
            where = where.with_name(f"{target.hashes['sha256']}.{where.name}")
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(data)
        return target

    def publish(self, version: int, snapshot_signers, timestamp_signers) -> None:
        """Snapshot and timestamp over what was signed."""
        snapshot = Snapshot(version, None, EXPIRES, self.meta)
        data = self.sign("snapshot", snapshot, snapshot_signers)
        pin = MetaFile.from_data(version, data, ["sha256"])
        timestamp = Timestamp(version, None, EXPIRES, pin)
        self.sign("timestamp", timestamp, timestamp_signers)


def root_of(repository: Repository, signers) -> Root:
    """Two roots: the second adds a key and raises the threshold."""
    root = Root(expires=EXPIRES, consistent_snapshot=repository.consistent)
    root.unrecognized_fields["x-comment"] = "Gr\u00fc\u00dfe"
    for role in TOP:
        root.add_key(signers[role][0].public_key, role)
    repository.sign("root", root, [signers["root"][0]])
    root.version = 2
    root.add_key(signers["root"][1].public_key, "root")
    root.roles["root"].threshold = 2
    repository.sign("root", root, signers["root"])
    return root


def top_signers():
    """Ed25519 and ECDSA keys, one a role and two for the root."""
    signers = {role: [CryptoSigner.generate_ecdsa()] for role in TOP}
    signers["root"].append(CryptoSigner.generate_ed25519())
    signers["targets"] = [CryptoSigner.generate_ed25519()]
    return signers


def general(folder: Path, consistent: bool) -> None:
    """Two levels, hash prefixes, and succinct bins."""
    repository = Repository(folder, consistent, indent=True)
    signers = top_signers()
    root_of(repository, signers)
    team, bins = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ecdsa()

    def role(name, paths, prefixes=None, terminating=False):
        key = team.public_key.keyid
        return DelegatedRole(name, [key], 1, terminating, paths, prefixes)

    prefix = sha256(b"hashed/file").hexdigest()[:3]
    roles = {
        "team/a b": role("team/a b", ["a/*", "a/*/*"]),
        "hashed": role("hashed", None, [prefix]),
        "bins": role("bins", ["bin/*"], terminating=True),
    }
    keys = {team.public_key.keyid: team.public_key}
    top = Targets(expires=EXPIRES, delegations=Delegations(keys, roles))
    top.targets["top file"] = repository.file("top file", b"said by the top")
    repository.targets("targets", top, signers["targets"])

    below = {"deep": role("deep", ["a/deep/*"])}
    team_a = Targets(expires=EXPIRES, delegations=Delegations(dict(keys), below))
    team_a.targets["a/file"] = repository.file("a/file", b"said by a team")
    repository.targets("team/a b", team_a, [team])
    deep = Targets(expires=EXPIRES)
    deep.targets["a/deep/file"] = repository.file("a/deep/file", b"said by a team of a team")
    repository.targets("deep", deep, [team])
    hashed = Targets(expires=EXPIRES)
    hashed.targets["hashed/file"] = repository.file("hashed/file", b"said by a hash")
    repository.targets("hashed", hashed, [team])

    succinct = SuccinctRoles([bins.public_key.keyid], 1, 3, "bin")
    bin_keys = {bins.public_key.keyid: bins.public_key}
    with_bins = Targets(expires=EXPIRES, delegations=Delegations(bin_keys, succinct_roles=succinct))
    repository.targets("bins", with_bins, [team])
    documents = {name: Targets(expires=EXPIRES) for name in succinct.get_roles()}
    for number in range(20):
        path = f"bin/{number}"
        where = documents[succinct.get_role_for_target(path)]
        where.targets[path] = repository.file(path, f"bin {number}".encode())
    for name, document in documents.items():
        repository.targets(name, document, [bins])
    repository.publish(3, signers["snapshot"], signers["timestamp"])


def mesh(folder: Path) -> None:
    """A release line, as a node of a mesh reads it."""
    repository = Repository(folder, consistent=True, indent=False)
    signers = top_signers()
    root_of(repository, signers)
    people = [CryptoSigner.generate_ed25519() for _ in range(3)]
    keys = {signer.public_key.keyid: signer.public_key for signer in people}
    name = "release/desktop"
    line = DelegatedRole(name, list(keys), 2, True, [f"{name}/*"])
    top = Targets(expires=EXPIRES, delegations=Delegations(keys, {name: line}))
    repository.targets("targets", top, signers["targets"])
    statement = Targets(expires=EXPIRES)
    release = TargetFile.from_data(f"{name}/KB-1", b"an index", ["sha256"])
    release.unrecognized_fields["custom"] = {"v": 1, "b3": "06" * 32, "sev": "critical"}
    statement.targets[release.path] = release
    repository.targets(name, statement, people[1:])
    repository.publish(1, signers["snapshot"], signers["timestamp"])


def main() -> None:
    folder = Path(sys.argv[1])
    general(folder / "consistent", True)
    general(folder / "plain", False)
    mesh(folder / "mesh")


main()
