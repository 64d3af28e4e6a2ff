//! NATS servers with JetStream: one, or a cluster of three on machines of their own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::PATIENCE;
use crate::http;
use crate::net::{Backbone, Namespace};
use crate::process::Process;
use crate::wait;

pub(super) mod operator;

/// The port of clients, of the other servers, and of questions.
const CLIENTS: u16 = 4222;
const ROUTES: u16 = 6222;
const MONITOR: u16 = 8222;
/// How long servers may take to agree on a leader, on a machine that has much else to do.
const AGREED: Duration = Duration::from_secs(60);
/// Before a question is asked again.
const ANSWERED: Duration = Duration::from_secs(2);

/// A cluster.
#[derive(Debug)]
pub struct Nats {
    servers: Vec<Server>,
    folder: TempDir,
    more: String,
}

#[derive(Debug)]
struct Server {
    name: String,
    number: u8,
    machine: Namespace,
    process: Option<Process>,
}

impl Nats {
    /// The program, for [`crate::turn`].
    pub const PROGRAM: &str = "nats-server";

    /// `count` servers on machines of `backbone`, whose config has `more`, such as users.
    ///
    /// # Panics
    /// When they do not start, or do not agree on a leader.
    pub fn start(backbone: &Backbone, count: u8, more: &str) -> Self {
        let servers = (1..=count).map(|number| {
            let name = format!("nats-{number}");
            let machine = backbone.machine(&name, number);
            Server { name, number, machine, process: None }
        });
        let folder = tempfile::tempdir().expect("a folder");
        let mut nats = Self { servers: servers.collect(), folder, more: more.to_owned() };
        for index in 0..nats.servers.len() {
            nats.begin(index);
        }
        nats.until_well();
        nats
    }

    /// What a sensor's config has for `fleet.servers`.
    pub fn urls(&self) -> String {
        let scheme = if self.more.contains("tls {") { "tls" } else { "nats" };
        let urls = self.servers.iter().map(|server| {
            format!("\"{scheme}://{}\"", SocketAddr::new(Backbone::address(server.number), CLIENTS))
        });
        format!("[{}]", urls.collect::<Vec<_>>().join(", "))
    }

    /// Waits until every server that runs says that JetStream is well.
    ///
    /// # Panics
    /// When one does not in time.
    pub fn until_well(&mut self) {
        for server in &mut self.servers {
            let (machine, number) = (&server.machine, server.number);
            let Some(process) = &mut server.process else { continue };
            process.until("JetStream is not well", AGREED, || {
                let answer = machine.enter(|| http::get(monitor(number), "/healthz"));
                answer.is_ok_and(|answer| answer.status == 200).then_some(())
            });
        }
    }

    /// Starts a server that was stopped.
    ///
    /// # Panics
    /// When it does not start.
    pub fn begin(&mut self, index: usize) {
        let config = self.config(index);
        let server = &mut self.servers[index];
        let path = self.folder.path().join(format!("{}.conf", server.name));
        fs::write(&path, config).expect("the folder is there");
        let mut command = server.machine.command(Self::PROGRAM);
        command.arg("--config").arg(&path);
        let log = self.folder.path().join(format!("{}.log", server.name));
        let mut process = Process::start(&server.name, command, log);
        let (machine, address) = (&server.machine, client(server.number));
        process.until("does not listen", PATIENCE, || {
            machine.enter(|| TcpStream::connect(address)).ok().map(drop)
        });
        server.process = Some(process);
    }

    /// `kill -9` of a server.
    pub fn kill(&mut self, index: usize) {
        if let Some(mut process) = self.servers[index].process.take() {
            process.kill();
        }
    }

    /// Which server leads a stream; none while they have not agreed.
    ///
    /// # Panics
    /// When no server runs.
    pub fn leader(&self, stream: &str) -> Option<usize> {
        let details = self.streams();
        let found = details.into_iter().find(|detail| detail["name"] == stream)?;
        let leader = found["cluster"]["leader"].as_str()?.to_owned();
        self.servers.iter().position(|server| server.name == leader && server.process.is_some())
    }

    /// What the servers say of their streams.
    fn streams(&self) -> Vec<Value> {
        let running = self.servers.iter().filter(|server| server.process.is_some());
        let answers = running.filter_map(|server| {
            let path = "/jsz?streams=true&config=true&consumers=true";
            let answer = server.machine.enter(|| http::get(monitor(server.number), path)).ok()?;
            let accounts = answer.json()["account_details"].as_array().cloned();
            Some(accounts.unwrap_or_default())
        });
        let details = answers
            .flatten()
            .filter_map(|mut account| Some(account["stream_detail"].take().as_array()?.clone()));
        details.flatten().collect()
    }

    /// Waits until servers lead a stream; which.
    ///
    /// # Panics
    /// When they do not agree in time.
    pub fn until_led(&self, stream: &str) -> usize {
        wait::until("a leader", AGREED, || self.leader(stream))
    }

    /// The config that a stream has.
    ///
    /// # Panics
    /// When there is no such stream.
    pub fn stream(&self, name: &str) -> Value {
        let found = self.streams().into_iter().find(|detail| detail["name"] == name);
        found.unwrap_or_else(|| panic!("no stream {name}"))["config"].clone()
    }

    /// Publishes `payload` as any program could, from the machine of a server that runs.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn publish(&self, subject: &str, payload: &[u8]) {
        self.publish_all(subject, &[payload.to_vec()]);
    }

    /// Publishes all of `payloads`, one after another.
    ///
    /// # Panics
    /// When the server does not take them.
    pub fn publish_all(&self, subject: &str, payloads: &[Vec<u8>]) {
        let each = payloads.iter().map(|payload| (subject.to_owned(), payload.clone()));
        self.publish_each(&each.collect::<Vec<_>>());
    }

    /// Publishes each at its subject, one after another.
    ///
    /// # Panics
    /// When the server does not take them.
    pub fn publish_each(&self, messages: &[(String, Vec<u8>)]) {
        let running = self.servers.iter().find(|server| server.process.is_some());
        let server = running.expect("a server that runs");
        server.machine.enter(|| {
            let mut stream = TcpStream::connect(client(server.number)).expect("it listens");
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            let mut said = BufReader::new(stream.try_clone().expect("a socket"));
            stream.write_all(b"CONNECT {\"verbose\":false}\r\n").expect("it reads");
            for (subject, payload) in messages {
                let head = format!("PUB {subject} {}\r\n", payload.len());
                stream.write_all(&[head.as_bytes(), payload, b"\r\n"].concat()).expect("it reads");
            }
            stream.write_all(b"PING\r\n").expect("it reads");
            let mut line = String::new();
            while !line.starts_with("PONG") {
                line.clear();
                assert!(said.read_line(&mut line).expect("it answers") > 0, "it hung up");
                assert!(!line.starts_with("-ERR"), "{line}");
            }
        });
    }

    /// What is published next at subjects that match, as any program could read it.
    ///
    /// # Panics
    /// When nothing is in time.
    pub fn next(&self, subjects: &str, patience: Duration) -> Value {
        let next = self.receive(&format!("SUB {subjects} 1\r\n"), patience);
        next.unwrap_or_else(|| panic!("nothing at {subjects}"))
    }

    /// Asks JetStream, as any program could; its answer.
    ///
    /// # Panics
    /// When there is none, or it is no JSON.
    pub fn ask(&self, subject: &str, question: &str) -> Value {
        let length = question.len();
        let ask =
            format!("SUB _INBOX.tests 1\r\nPUB {subject} _INBOX.tests {length}\r\n{question}\r\n");
        // Who leads a stream that was made just now does not answer at once.
        let answer = wait::within(AGREED, || self.receive(&ask, ANSWERED));
        answer.unwrap_or_else(|| panic!("no answer to {subject}"))
    }

    /// The keys of a bucket; none where there is no such bucket.
    ///
    /// # Panics
    /// When the servers do not answer.
    pub fn keys(&self, bucket: &str) -> BTreeSet<String> {
        let prefix = format!("$KV.{bucket}.");
        let filter = format!("{{\"subjects_filter\":\"{prefix}>\"}}");
        let info = self.ask(&format!("$JS.API.STREAM.INFO.KV_{bucket}"), &filter);
        let subjects = info["state"]["subjects"].as_object().cloned().unwrap_or_default();
        subjects.keys().filter_map(|subject| Some(subject.strip_prefix(&prefix)?.into())).collect()
    }

    /// The value of a key.
    ///
    /// # Panics
    /// When there is none, or it is no JSON.
    pub fn value(&self, bucket: &str, key: &str) -> Value {
        self.ask(&format!("$JS.API.DIRECT.GET.KV_{bucket}.$KV.{bucket}.{key}"), "")
    }

    /// Removes streams with all that they hold.
    ///
    /// # Panics
    /// When one is not there.
    pub fn remove(&self, streams: &[&str]) {
        for stream in streams {
            let answer = self.ask(&format!("$JS.API.STREAM.DELETE.{stream}"), "");
            assert_eq!(answer["success"], true, "{answer}");
        }
    }

    /// The next message after these commands, if one comes in time.
    fn receive(&self, commands: &str, patience: Duration) -> Option<Value> {
        let running = self.servers.iter().find(|server| server.process.is_some());
        let server = running.expect("a server that runs");
        server.machine.enter(|| {
            let mut stream = TcpStream::connect(client(server.number)).expect("it listens");
            stream.set_read_timeout(Some(patience)).expect("a timeout");
            let head = "CONNECT {\"verbose\":false,\"headers\":true}\r\n";
            stream.write_all([head, commands].concat().as_bytes()).expect("it reads");
            let mut said = BufReader::new(stream.try_clone().expect("a socket"));
            let mut line = String::new();
            while !line.contains("MSG ") {
                if line.starts_with("PING") {
                    stream.write_all(b"PONG\r\n").expect("it reads");
                }
                line.clear();
                said.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
            }
            // The last number is the length of all, and of two the first that of the headers.
            let numbers: Vec<usize> =
                line.split_whitespace().rev().map_while(|word| word.parse().ok()).collect();
            let mut all = vec![0; numbers[0]];
            said.read_exact(&mut all).expect("it sends all");
            let headers = if line.starts_with('H') { numbers[1] } else { 0 };
            Some(serde_json::from_slice(&all[headers..]).expect("JSON"))
        })
    }

    fn config(&self, index: usize) -> String {
        let server = &self.servers[index];
        let address = Backbone::address(server.number);
        let store = self.folder.path().join(&server.name);
        let routes = self.servers.iter().map(|other| {
            format!("\"nats-route://{}\"", SocketAddr::new(Backbone::address(other.number), ROUTES))
        });
        let routes = routes.collect::<Vec<_>>().join(", ");
        let cluster = match self.servers.len() {
            1 => String::new(),
            _ => format!(
                "cluster {{ name: egret, listen: \"{address}:{ROUTES}\", routes: [{routes}] }}\n"
            ),
        };
        format!(
            "server_name: {}\nlisten: \"{address}:{CLIENTS}\"\nhttp: \"{address}:{MONITOR}\"\n\
             jetstream {{ store_dir: \"{}\", max_mem: 64MB, max_file: 64GB }}\n{cluster}{}",
            server.name,
            store.display(),
            self.more
        )
    }
}

fn client(number: u8) -> SocketAddr {
    SocketAddr::new(Backbone::address(number), CLIENTS)
}

fn monitor(number: u8) -> SocketAddr {
    SocketAddr::new(Backbone::address(number), MONITOR)
}
