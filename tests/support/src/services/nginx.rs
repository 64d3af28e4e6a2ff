//! nginx: as a file server inside, and as an HTTPS server outside that takes uploads.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{Certificate, start_http};
use crate::net::{Host, Namespace};
use crate::process::Process;

/// Serves one file of zeros over HTTP.
#[derive(Debug)]
pub struct FileServer {
    _nginx: Process,
    _folder: TempDir,
    /// Where the file is.
    pub url: String,
}

/// Takes uploads (PUT) over HTTPS; they are gone with it.
#[derive(Debug)]
pub struct UploadServer {
    _nginx: Process,
    _folder: TempDir,
}

impl FileServer {
    /// Serves a file of `size` bytes on port 80 of `host`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(namespace: &Namespace, host: Host, size: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Of no blocks: it takes no room.
        let file = File::create(folder.path().join("archive.bin")).expect("the folder is there");
        file.set_len(size).expect("a file of no blocks");
        let server = "listen 80; root .; location = /alive { return 200; }";
        let nginx = start(namespace, &folder, host, server);
        let url = format!("http://{}/archive.bin", host.address);
        Self { _nginx: nginx, _folder: folder, url }
    }
}

impl UploadServer {
    /// Takes uploads on port 443 of `host` under `certificate`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(namespace: &Namespace, host: Host, certificate: &Certificate) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        certificate.write(folder.path());
        let server = "listen 443 ssl; ssl_certificate certificate.pem; \
             ssl_certificate_key key.pem; ssl_protocols TLSv1.2 TLSv1.3; client_max_body_size 0; \
             location / { root .; dav_methods PUT; } } \
             server { listen 80; location = /alive { return 200; }";
        let nginx = start(namespace, &folder, host, server);
        Self { _nginx: nginx, _folder: folder }
    }
}

/// nginx as one process, with this server block, in `folder`.
fn start(namespace: &Namespace, folder: &TempDir, host: Host, server: &str) -> Process {
    let path = folder.path();
    fs::write(path.join("nginx.conf"), config(path, server)).expect("the folder is there");
    let mut command: Command = namespace.command("nginx");
    command.arg("-p").arg(path).args(["-e", "stderr", "-c", "nginx.conf"]);
    let address = SocketAddr::new(host.ip(), 80);
    start_http(namespace, "nginx", command, folder, (address, "/alive"))
}

fn config(folder: &Path, server: &str) -> String {
    let folder = folder.display();
    let bodies: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .collect();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log stderr;\n\
         events {{}}\n\
         http {{ access_log off; sendfile on;\n{bodies}server {{ {server} }} }}\n"
    )
}
