//! Mistakes in the config: every one in a line of its own, exit code 2, nothing read.

use std::fs;

use super::captures::datagrams;
use super::{directory, egret};

/// Fails when a mistake is passed over, blamed on another line, or stops the others being found.
#[track_caller]
fn assert_mistakes(config: &str, set: &[&str], mistakes: &[&str]) {
    let directory = directory("good.pcap", datagrams(1));
    fs::write(directory.path().join("egret.toml"), config).unwrap();
    let run = egret().within(&directory).read("good.pcap").args("--config egret.toml --events e");
    let ran = set.iter().fold(run, |run, set| run.arg("--set").arg(set)).run();
    let expected: String = mistakes.iter().map(|line| format!("egret: {line}\n")).collect();
    assert_eq!(ran.stderr, expected);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(!directory.path().join("e").exists());
}

#[test]
fn an_unknown_key() {
    assert_mistakes(
        "[detect.tls_egress]\nwindw = \"30m\"\n",
        &[],
        &["egret.toml:2: detect.tls_egress.windw: unknown key; did you mean \
           detect.tls_egress.window?"],
    );
}

#[test]
fn a_wrong_type() {
    assert_mistakes(
        "[detect.tls_egress]\nenabled = \"yes\"\n",
        &[],
        &[
            "egret.toml:2: detect.tls_egress.enabled = \"yes\": expected true or false, without quotes",
        ],
    );
}

#[test]
fn a_bad_prefix() {
    assert_mistakes(
        "[network]\ninternal = [\"10.0.0.0/33\"]\n",
        &[],
        &["egret.toml:2: network.internal = \"10.0.0.0/33\": expected an address such as \
           \"10.10.0.11\" or a network such as \"10.10.0.0/24\", with its host bits zero"],
    );
}

#[test]
fn a_duplicate_asset() {
    assert_mistakes(
        "[[asset]]\nname = \"a\"\naddress = [\"10.0.0.1\"]\n\
         [[asset]]\nname = \"a\"\naddress = [\"10.0.0.2\"]\n",
        &[],
        &["egret.toml:5: asset.name: \"a\" is an asset on line 2 already; give each its own name"],
    );
}

#[test]
fn no_toml() {
    assert_mistakes(
        "window: 30m\n",
        &[],
        &[
            "egret.toml:1: not valid TOML: key with no value, expected `=`",
            "egret.toml:1: not valid TOML: invalid unquoted key, expected letters, numbers, `-`, `_`",
        ],
    );
}

#[test]
fn a_bad_set() {
    assert_mistakes(
        "",
        &["window"],
        &["--set: window: expected KEY=VALUE, such as --set detect.tls_egress.window=30m"],
    );
}

#[test]
fn several_mistakes_at_once() {
    assert_mistakes(
        "[sensor]\nnam = \"x\"\n[[asset]]\nname = \"a\"\nrole = \"ESX\"\naddress = [\"10.0.0.1\"]\n",
        &["detect.tls_egress.window=30"],
        &[
            "egret.toml:2: sensor.nam: unknown key; did you mean sensor.name?",
            "egret.toml:5: asset.role = \"ESX\": expected one of \"esxi\", \"vcenter\", \"guest\", \
             \"other\"",
            "--set: detect.tls_egress.window = 30: expected a duration above zero in quotes, such as \
             \"30s\", \"5m\", \"2h\" or \"7d\"",
        ],
    );
}

#[test]
fn a_config_that_cannot_be_read() {
    let directory = directory("good.pcap", datagrams(1));
    for (config, reason) in [
        ("none.toml", "No such file or directory"),
        (".", "Is a directory"),
        ("good.pcap", "not UTF-8 text, so it is no config file"),
    ] {
        let ran = egret().within(&directory).read("good.pcap").arg("--config").arg(config).run();
        let advice = "give --config a TOML file that this user may read";
        let expected = format!("egret: {config}: cannot read the config: {reason}; {advice}\n");
        assert_eq!(ran.stderr, expected);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    }
}
