//! What real programs say to real servers, as events: certificates, STARTTLS, and a proxy.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use egret_tests::net::{Host, Lab, Mirrored, run};
use egret_tests::sensor::{Installation, Sensor};
use egret_tests::services::{Authority, Certificate, Front, UploadServer};
use egret_tests::wait;
use serde_json::Value;

use super::{SOON, installation, turn};

/// Where servers speak TLS.
const PORT: u16 = 443;

/// A lab with a sensor that writes events.
struct Scene {
    lab: Lab,
    sensor: Sensor,
    events: PathBuf,
    _installation: Installation,
}

impl Scene {
    fn start() -> Self {
        let (lab, installation) = (Lab::new(Mirrored::GuestPort), installation(""));
        let events = installation.file("events.json", "");
        let arguments = format!("-i {} --events {}", lab.captured(), events.display());
        let sensor = installation.start(&lab.sensor, &arguments);
        Self { lab, sensor, events, _installation: installation }
    }

    /// A program of the guest.
    fn guest(&self, program: &str, arguments: &str) -> Command {
        let mut command = self.lab.host(Host::GUEST).command(program);
        command.args(arguments.split_whitespace());
        command
    }

    /// The guest asks for `name` at `host` with these options of curl.
    fn curl(&self, options: &str, name: &str, host: Host) {
        let resolve = format!("{name}:{PORT}:{}", host.address);
        let mut curl = self.guest("curl", "--silent --show-error --insecure --output /dev/null");
        curl.args(["--resolve", &resolve]).args(options.split_whitespace());
        run(curl.arg(format!("https://{name}/")));
    }

    /// The guest opens a TLS session for `name` at `port` of the web server, with these options of
    /// `openssl s_client`.
    fn openssl(&self, options: &str, name: &str, port: u16) {
        let arguments =
            format!("s_client -servername {name} -connect {}:{port}", Host::WEB.address);
        run(self.guest("openssl", &arguments).args(options.split_whitespace()));
    }

    /// The `tls` event of the session for `name`, once it is there.
    fn session(&self, name: &str) -> Value {
        wait::until(&format!("a session for {name}"), SOON, || {
            let text = fs::read_to_string(&self.events).ok()?;
            let told = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            told.into_iter().find(|event| event["tls"]["sni"] == name)
        })
    }

    /// Ends the sensor: nothing of all this was an error to it.
    fn end(mut self) {
        let samples = self.sensor.metrics();
        assert_eq!(samples.count("egret_decode_errors_total", &[]), 0, "{samples}");
        assert!(self.sensor.stop(SOON).success());
    }
}

/// A certificate that vouches for itself, as the setup of an appliance makes one.
fn self_signed(folder: &Path) -> Certificate {
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-days", "30", "-newkey", "ec"]);
    openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout"]).arg(&key);
    openssl.args(["-subj", "/C=DE/ST=Bavaria/O=Example Ltd/CN=appliance.example/UID=4711", "-out"]);
    run(openssl.arg(&certificate));
    let read = |file| fs::read_to_string(file).expect("openssl has written it");
    Certificate { certificate: read(certificate), key: read(key) }
}

/// What an event says of a certificate, by what openssl says of it.
fn as_openssl_has_it(certificate: &Certificate, folder: &Path) -> Vec<(&'static str, String)> {
    let [file, _] = certificate.write(folder);
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-subject", "-issuer", "-startdate", "-enddate"]);
    openssl.args(["-serial", "-fingerprint", "-sha1", "-dateopt", "iso_8601"]);
    let text = run(openssl.args(["-nameopt", "sep_comma_plus_space,utf8", "-in"]).arg(file));
    let said = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {key} in {text}")).to_owned()
    };
    let date = |key: &str| said(key).trim_end_matches('Z').replace(' ', "T");
    // The event has the number as it is encoded: a positive one whose first bit is set begins with a
    // zero (X.690, 8.3), which openssl leaves out.
    let number = said("serial");
    let sign = if number.starts_with(|digit: char| digit >= '8') { "00" } else { "" };
    let pairs: Vec<String> = format!("{sign}{number}")
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into())
        .collect();
    vec![
        ("subject", said("subject").replace("UID=", "uid=")),
        ("issuerdn", said("issuer").replace("UID=", "uid=")),
        ("notbefore", date("notBefore")),
        ("notafter", date("notAfter")),
        ("serial", pairs.join(":")),
        ("fingerprint", said("sha1 Fingerprint").to_lowercase()),
    ]
}

/// Fails when what a real server shows of itself is not in the event, or something that it hides is.
#[test]
fn certificates_are_told_as_openssl_reads_them() {
    let Some(_turn) = turn(&["nginx", "curl", "openssl"]) else { return };
    let scene = Scene::start();
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(folder.path());
    let chain = Authority::new("Root").intermediate("Issuing CA").certify(&["shop.example"]);
    assert_eq!(chain.certificate.matches("BEGIN").count(), 2, "it comes with who vouches for it");
    let _files = UploadServer::start(scene.lab.host(Host::FILES), Host::FILES, &own);
    let _web = UploadServer::start(scene.lab.host(Host::WEB), Host::WEB, &chain);
    scene.curl("--tls-max 1.2", "appliance.example", Host::FILES);
    scene.curl("--tls-max 1.2", "shop.example", Host::WEB);
    scene.openssl("-tls1_2", "other.example", PORT);
    scene.curl("--tlsv1.3", "hidden.example", Host::WEB);
    for (name, certificate) in
        [("appliance.example", &own), ("shop.example", &chain), ("other.example", &chain)]
    {
        let session = scene.session(name);
        assert_eq!(session["tls"]["version"], "TLS 1.2", "{session}");
        for (key, said) in as_openssl_has_it(certificate, folder.path()) {
            assert_eq!(session["tls"][key], said, "{key} of {session}");
        }
        let is_own = session["egret"]["self_signed"] == true;
        assert_eq!(is_own, name == "appliance.example", "{session}");
    }
    let hidden = scene.session("hidden.example");
    assert_eq!(hidden["tls"]["version"], "TLS 1.3", "{hidden}");
    for key in ["subject", "issuerdn", "notbefore", "notafter", "serial", "fingerprint"] {
        assert!(hidden["tls"][key].is_null(), "{key} of {hidden}");
    }
    scene.end();
}

/// Fails when a hello behind what a real client says in the clear is lost, or read from another byte
/// on, or what was spoken before it is not told.
#[test]
fn tls_is_found_behind_starttls_and_through_a_proxy() {
    let Some(_turn) = turn(&["nginx", "curl", "openssl"]) else { return };
    let scene = Scene::start();
    let web = scene.lab.host(Host::WEB);
    let certificate = Authority::new("Test CA").certify(&["mail.example"]);
    let _nginx = UploadServer::start(web, Host::WEB, &certificate);
    let server = SocketAddr::new(Host::WEB.ip(), PORT);
    scene.openssl("", "direct.example", PORT);
    for (front, port) in Front::STARTTLS.into_iter().zip(2000..) {
        front.before(server, web, port);
        scene.openssl(&format!("-starttls {}", front.name()), &behind(front), port);
    }
    Front::Proxy.before(server, web, 3128);
    let proxy = format!("--proxy http://{}:3128", Host::WEB.address);
    scene.curl(&proxy, "proxied.example", Host::WEB);
    scene.curl("", "unproxied.example", Host::WEB);

    let direct = scene.session("direct.example");
    assert!(direct["tls"]["from_proto"].is_null(), "{direct}");
    for (front, port) in Front::STARTTLS.into_iter().zip(2000..) {
        let session = scene.session(&behind(front));
        assert_eq!(session["dest_port"], port, "{session}");
        let protocol = if front == Front::Postgres { "pgsql" } else { front.name() };
        assert_eq!(session["tls"]["from_proto"], protocol, "{session}");
        same_ends(&session, &direct);
    }
    let proxied = scene.session("proxied.example");
    assert_eq!(proxied["dest_port"], 3128, "{proxied}");
    assert_eq!(proxied["tls"]["from_proto"], "http", "{proxied}");
    assert_eq!(proxied["egret"]["proxy"], "proxied.example:443", "{proxied}");
    same_ends(&proxied, &scene.session("unproxied.example"));
    scene.end();
}

/// The name that is asked for behind a dialogue.
fn behind(front: Front) -> String {
    format!("{}.example", front.name())
}

/// The same client and the same server have the same fingerprints, wherever their hellos begin.
fn same_ends(session: &Value, direct: &Value) {
    for fingerprint in ["ja4", "ja3", "ja3s"] {
        assert!(!direct["tls"][fingerprint].is_null(), "{direct}");
        assert_eq!(session["tls"][fingerprint], direct["tls"][fingerprint], "{session}");
    }
    assert_eq!(session["egret"]["ja4s"], direct["egret"]["ja4s"], "{session}");
}
