//! What a user does with the package, from the first install to purging it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::container::Container;
use crate::tools::VERSION;

const READY: &str = "curl --silent --max-time 5 http://127.0.0.1:9477/readyz || true";
const STATUS: &str = "curl --silent --fail --max-time 5 http://127.0.0.1:9477/api/status";
const METRICS: &str = "curl --silent --fail --max-time 5 http://127.0.0.1:9477/metrics";
/// Everything that is not the package manager's own, or made new at each start.
const FILES: &str = "find / -xdev ! -path '/var/lib/dpkg/*' ! -path '/var/lib/apt/*' ! -path '/var/cache/*' \
     ! -path '/var/log/*' ! -path '/root/*' ! -path '/tmp/*' ! -path '/var/tmp/*' | sort";

/// One thing a user does.
type Step = fn(&Container) -> anyhow::Result<String>;

pub(super) fn run(folder: &Path, mirror: &str, package: &Path) -> anyhow::Result<()> {
    println!("a fresh Debian:");
    let start = Instant::now();
    let container = Container::boot(folder, mirror, package)?;
    println!("  booted in {:.0?}", start.elapsed());
    let before = files(&container)?;
    let steps: [(&str, Step); 10] = [
        ("install", install),
        ("first start", first_start),
        ("the program", program),
        ("the demo, as a user without rights", demo),
        ("a mirror port, by XDP", |container| captures(container, "xdp")),
        ("a mirror port, by AF_PACKET", |container| captures(container, "afpacket")),
        ("the unit", unit),
        ("upgrade with a changed config", upgrade),
        ("remove", remove),
        ("purge", purge),
    ];
    for (name, step) in steps {
        let start = Instant::now();
        let said = step(&container).with_context(|| format!("trial: {name}"))?;
        println!("  {name}: {said} ({:.1?})", start.elapsed());
    }
    let after = files(&container)?;
    let left: Vec<_> = after.difference(&before).collect();
    let lost: Vec<_> = before.difference(&after).collect();
    ensure!(
        left.is_empty() && lost.is_empty(),
        "after purging there are {left:?}, and gone are {lost:?}"
    );
    println!("  the same {} files as before", after.len());
    Ok(())
}

fn files(container: &Container) -> anyhow::Result<BTreeSet<String>> {
    Ok(container.run(FILES)?.lines().map(str::to_owned).collect())
}

fn install(container: &Container) -> anyhow::Result<String> {
    container.run("apt-get install --yes --no-install-recommends /root/egret.deb")?;
    container.run("systemctl is-enabled egret && systemctl is-active egret && id egret")?;
    container.run("test $(stat --format %U:%G:%a /var/lib/egret) = egret:egret:750")?;
    let installed = container.run("dpkg-query --show --showformat='${Depends}' egret")?;
    Ok(format!("enabled, started; depends on {installed}"))
}

/// There is no interface but loopback: the sensor runs, and says what to do.
fn first_start(container: &Container) -> anyhow::Result<String> {
    let ready = container.until(READY, |said| said.contains("reasons"))?;
    let ready: Value = serde_json::from_str(&ready)?;
    ensure!(
        ready.pointer("/ready").is_some_and(|ready| ready == false)
            && ready.to_string().contains("capture.interface"),
        "{ready}"
    );
    let metrics = container.run(METRICS)?;
    ensure!(metrics.contains("egret_capture_packets_total"), "{metrics}");
    Ok("lives, serves metrics, and says what to set".to_owned())
}

fn program(container: &Container) -> anyhow::Result<String> {
    let version = container.run("egret --version")?;
    ensure!(version.trim() == format!("egret {VERSION}"), "{version}");
    let page = container.run("man egret-read | col --no-backspaces")?;
    ensure!(page.contains("--learn"), "{page}");
    container.run("man --whatis egret egret-run egret-alerts-show")?;
    let completions = container.run(
        "set +eu; source /usr/share/bash-completion/bash_completion; _completion_loader egret; complete -p egret",
    )?;
    ensure!(completions.contains("_egret"), "{completions}");
    // It names problems of this machine, which has no mirror port; the config must be none.
    let findings = container.run("egret check --seconds 0 --json || test $? = 1")?;
    let is_bad = |line: &str| line.contains(r#""level":"problem","subject":"config""#);
    let bad: Vec<_> = findings.lines().filter(|line| is_bad(line)).collect();
    ensure!(
        findings.contains(r#""subject":"config""#)
            && bad.iter().all(|line| line.contains("no interface")),
        "{findings}"
    );
    Ok(format!("{}, man pages, completions, egret check", version.trim()))
}

fn demo(container: &Container) -> anyhow::Result<String> {
    let said = container.run(
        "cd /usr/share/egret/demo && setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps=-all \
         egret read demo.pcap.gz --syslog demo.log.gz --config demo.toml --learn 6h 2>&1",
    )?;
    for analytic in ["AN1416", "AN0731", "AN0646"] {
        ensure!(said.contains(analytic), "no {analytic} in\n{said}");
    }
    Ok("AN1416, AN0731 and AN0646 are told".to_owned())
}

/// A cable with a mirror port at its end, and a hundred datagrams on it.
fn captures(container: &Container, backend: &str) -> anyhow::Result<String> {
    container.run(
        "ip link show mirror0 >/dev/null 2>&1 || { ip link add out0 type veth peer name mirror0; \
         sysctl --quiet --write net.ipv6.conf.mirror0.disable_ipv6=1 || true; ip addr add 198.51.100.1/24 dev out0; \
         ip link set mirror0 up; ip link set out0 up; \
         ip neigh replace 198.51.100.2 lladdr 00:50:56:80:00:02 dev out0; }",
    )?;
    container.run(&format!(
        "sed --in-place 's/^interface = .*/interface = [\"mirror0\"]/; s/^backend = .*/backend = \"{backend}\"/' \
         /etc/egret/egret.toml && systemctl restart egret"
    ))?;
    container.until(READY, |said| said.contains(r#""ready":true"#))?;
    container.run("for n in $(seq 100); do echo $n > /dev/udp/198.51.100.2/9; done")?;
    let metrics = container.until(METRICS, |said| packets(said) >= 100.0)?;
    let way = format!("egret_capture_backend{{backend=\"{backend}\",interface=\"mirror0\"}} 1");
    ensure!(metrics.contains(&way), "{backend} was asked for\n{metrics}");
    let status: Value = serde_json::from_str(&container.run(STATUS)?)?;
    let way = status
        .pointer("/interfaces/0/backend")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    Ok(way)
}

fn packets(metrics: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with("egret_capture_packets_total"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn unit(container: &Container) -> anyhow::Result<String> {
    let file = "/usr/lib/systemd/system/egret.service";
    let said = container.run(&format!("systemd-analyze verify {file} 2>&1"))?;
    ensure!(said.is_empty(), "{said}");
    let said = container.run(&format!(
        "systemd-analyze security --no-pager --offline=true --threshold=25 {file} | tail --lines=1"
    ))?;
    let said = said.trim().trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    Ok(said.to_owned())
}

/// The newer package ships another config, too: people's own stays.
fn upgrade(container: &Container) -> anyhow::Result<String> {
    container.run(
        "cd /root && dpkg-deb --raw-extract egret.deb newer && echo '# newer' >> newer/etc/egret/egret.toml && \
         sed --in-place 's/^Version: .*/Version: 99.0.0-1/' newer/DEBIAN/control && dpkg-deb -Znone --build newer newer.deb",
    )?;
    let state = "sha256sum /etc/egret/egret.toml; systemctl show --property MainPID egret";
    let before = container.run(state)?;
    container.run(
        "apt-get install --yes --no-install-recommends --option Dpkg::Options::=--force-confold /root/newer.deb",
    )?;
    let after = container.run(state)?;
    let lines = || before.lines().zip(after.lines());
    let same: Vec<_> = lines().map(|(before, after)| before == after).collect();
    ensure!(same == [true, false], "config or process:\n{before}{after}");
    container
        .run("grep --quiet newer /etc/egret/egret.toml.dpkg-dist; systemctl is-active egret")?;
    container.until(READY, |said| said.contains(r#""ready":true"#))?;
    container.run("dpkg-query --show --showformat='${Version}, config kept, restarted' egret")
}

fn remove(container: &Container) -> anyhow::Result<String> {
    container.run("apt-get remove --yes egret")?;
    container.run("! pgrep --exact egret && ! test -e /usr/bin/egret")?;
    container.run("grep --quiet mirror0 /etc/egret/egret.toml && test -e /var/lib/egret")?;
    Ok("stopped; config and data are kept".to_owned())
}

fn purge(container: &Container) -> anyhow::Result<String> {
    let said =
        container.run("apt-get purge --yes egret && apt-get autoremove --purge --yes 2>&1")?;
    ensure!(said.contains("/var/lib/egret are removed"), "{said}");
    container.run("id egret > /dev/null && ! dpkg-query --status egret 2>/dev/null")?;
    Ok("config and data are gone, the user stays".to_owned())
}
