//! Egret: a network sensor for VMware ESXi estates.
//!
//! One path from bytes to an alert:
//! [`capture`] gives frames, [`decode`] packets, [`flow`] observations, [`observe`] makes
//! [`event`]s of them, [`intake`] reports of logs, [`detect`] raises [`alert`]s, and [`evidence`] keeps the
//! packets that they are about. `sensor` is the only wiring.

pub mod account;
pub mod alert;
pub mod baseline;
pub mod capture;
pub mod cli;
pub mod commands;
pub mod config;
pub mod decode;
pub mod deliver;
pub mod detect;
pub mod eve;
pub mod event;
pub mod evidence;
pub mod exchange;
pub mod fleet;
pub mod flow;
pub mod http;
pub mod inquiry;
pub mod intake;
pub mod inventory;
pub mod logging;
pub mod metrics;
pub mod mirror;
pub mod observe;
pub mod peers;
pub mod pem;
mod prefetch;
pub mod report;
pub mod sensor;
pub mod status;
pub mod store;
pub mod system;
pub mod text;
pub mod time;
pub mod whereabouts;
