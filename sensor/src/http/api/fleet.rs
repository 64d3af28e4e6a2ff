//! `GET /api/fleet`: all sensors of the estate and how they are.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Parts;
use crate::fleet::{Health, Sensors};
use crate::status;
use crate::time::Timestamp;

/// The fleet as this sensor knows it.
#[derive(Debug, Default, Serialize)]
pub(in crate::http) struct Told {
    now: Timestamp,
    /// The connection; none: this sensor is alone.
    connection: Option<status::Fleet>,
    /// This sensor's name.
    sensor: String,
    /// As each told of itself, by site and name.
    sensors: Vec<Health>,
    /// When that was read.
    read: Option<Timestamp>,
}

/// `GET /api/fleet`
pub(in crate::http) async fn fleet(State(parts): State<Parts>) -> Json<Told> {
    let Sensors { sensors, read } = match &parts.fleet {
        Some(fleet) => fleet.sensors().await,
        None => Sensors::default(),
    };
    Json(Told {
        now: (parts.clock)(),
        connection: parts.fleet.as_ref().map(crate::fleet::Fleet::status),
        sensor: parts.status().sensor,
        sensors,
        read,
    })
}
