//! What Egret's tests and chores share: frames, captures and scenarios with their truth.
//!
//! Nothing here depends on the sensor, so that a mistake there cannot hide itself here.
//!
//! * [`wire`] writes frames and capture files, [`dns`], [`tls`] and [`quic`] what goes into them.
//! * [`traffic`] puts them together to small captures for one test each.
//! * [`egret`] runs the binary and keeps what it says.
//! * [`mod@bench`] writes large captures to measure with, and what they hold.
//! * [`net`] makes networks with a mirror port, [`services`] starts the real programs in them,
//!   [`sensor`] runs `egret run` there, [`receiver`] takes its webhooks, [`frames`] and [`flood`] flood it,
//!   [`replay`] sends it what a capture holds, [`pace`] what a scenario recorded.
//! * [`browser`] looks at pages with a real Chromium.
//! * [`meter`] makes flow records of packets, as an exporter does.
//! * [`esxi`] writes log lines of hosts, vCenter and NSX, [`audit`] records of changed mirrors.
//! * [`scenario`] writes days of an ESXi estate: a capture and a log, the config for it and the truth.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this crate reads no input: a mistake in it should stop the test at once"
)]

pub mod audit;
pub mod bench;
pub mod browser;
pub mod dns;
pub mod egret;
pub mod esxi;
pub mod flood;
pub mod frames;
pub mod http;
pub mod meter;
pub mod mmdb;
pub mod net;
pub mod pace;
pub mod pcapng;
pub mod process;
pub mod quic;
pub mod receiver;
pub mod replay;
pub mod rng;
pub mod scenario;
pub mod segments;
pub mod sensor;
pub mod services;
mod skip;
pub mod tls;
pub mod traffic;
mod turn;
pub mod wait;
pub mod wire;

pub use skip::skip;
pub use turn::{Turn, turn};
