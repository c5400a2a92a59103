//! What real agents and tokens refuse, or must not be taken from them.

use crate::world::World;

#[test]
fn rsa_keys_and_locked_agents_are_refused_with_a_reason() {
    let world = World::new();
    let rsa = world.agent_key("rsa", &["-t", "rsa", "-b", "2048"]);
    for source in [rsa.as_str(), "ssh-agent:rsa", "rsa.pub"] {
        let refused = world
            .bench
            .run(&["key", "import", source, "--out", "a.pub"]);
        let refused = refused.fails(1, "E_KEY_KIND");
        assert!(refused.stderr.contains("RSA"), "{}", refused.stderr);
    }
    let wide = world.agent_key("wide", &["-t", "ecdsa", "-b", "384"]);
    let refused = world.bench.run(&["key", "import", &wide, "--out", "a.pub"]);
    refused.fails(1, "E_KEY_KIND");
    let gone = ["key", "import", "ssh-agent:nobody", "--out", "a.pub"];
    world.bench.run(&gone).fails(1, "E_NO_KEY");
}

#[test]
fn a_wrong_pin_and_names_that_fit_nothing_or_two_are_refused() {
    let world = World::new();
    let bench = &world.bench;
    let key = world.token_key("one", "EC:prime256v1");
    let half = world.import(&key, "one");
    let init = [
        "root",
        "init",
        "--threshold",
        "1",
        "--public",
        &half,
        "--out",
        "c",
    ];
    bench
        .run(&[&init[..], &["--passphrase-file", "pass"]].concat())
        .ok();
    // The passphrase file holds no PIN; --passphrase-file serves both.
    let refused = world.sign("c/root.draft", &[&key], "a.sig");
    let refused = refused.fails(1, "E_KEY_TOKEN");
    assert!(refused.stderr.contains("log in"), "{}", refused.stderr);
    bench.write("open-pin", "86420");
    let open = format!("{key}&pin-source={}", bench.path("open-pin").display());
    world
        .sign("c/root.draft", &[&open], "a.sig")
        .fails(1, "E_SECRET_MODE");
    let argv = format!("{key}&pin-value=97531");
    let refused = world
        .sign("c/root.draft", &[&argv], "a.sig")
        .fails(2, "E_USAGE");
    assert!(!refused.stderr.contains("97531"), "{}", refused.stderr);
    let none = key.replace("object=one", "object=two");
    let import = |source: &str| bench.run(&["key", "import", source, "--out", "b.pub"]);
    import(&none).fails(1, "E_KEY_TOKEN");
    import(&key.replace("two%20of%20three", "another")).fails(1, "E_KEY_TOKEN");
    import("pkcs11:object=one?module-path=/none.so").fails(1, "E_KEY_TOKEN");
    world.token_key("one", "EC:edwards25519");
    import(&key).fails(1, "E_KEY_TOKEN");
    world.token_key("rsa", "rsa:2048");
    import(&key.replace("object=one", "object=rsa")).fails(1, "E_KEY_KIND");
    assert!(!bench.path("a.sig").exists() && !bench.path("b.pub").exists());
}
