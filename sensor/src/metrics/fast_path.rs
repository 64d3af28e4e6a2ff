//! The families of the fast path: what the kernel has counted, and what it has handed up.

use prometheus::{IntCounter, IntGauge};

use super::Register;

/// Families of sources that count in the kernel; at zero where there are none.
#[derive(Debug, Clone)]
pub struct FastPath {
    /// Packets that were counted in the kernel and not read, second copies included.
    pub counted_packets: IntCounter,
    /// Their bytes on the wire.
    pub counted_bytes: IntCounter,
    /// Packets that went up to be read.
    pub handed_up_packets: IntCounter,
    /// Their bytes on the wire.
    pub handed_up_bytes: IntCounter,
    /// Packets that were to be read and found the ring full; they are counted all the same.
    pub ring_full: IntCounter,
    /// Directions of conversations that gave way to others in the kernel's table.
    pub evicted: IntCounter,
    /// Packets of conversations that found no place in that table.
    pub overflow: IntCounter,
    /// Packets counted to no conversation.
    pub unattributed: IntCounter,
    /// Packets that the kernel program could not parse.
    pub unparsed: IntCounter,
    /// Places of the kernel's tables.
    pub slots: IntGauge,
    /// Of them, those that were ever taken.
    pub slots_used: IntGauge,
}

impl FastPath {
    pub(super) fn new(register: &Register<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            counted_packets: register.counter(
                "egret_capture_kernel_counted_packets_total",
                "Packets counted in the kernel and not read, second copies included.",
            )?,
            counted_bytes: register.counter(
                "egret_capture_kernel_counted_bytes_total",
                "Bytes on the wire of packets counted in the kernel and not read.",
            )?,
            handed_up_packets: register.counter(
                "egret_capture_handed_up_packets_total",
                "Packets that the kernel program handed up to be read.",
            )?,
            handed_up_bytes: register.counter(
                "egret_capture_handed_up_bytes_total",
                "Bytes on the wire of packets that the kernel program handed up.",
            )?,
            ring_full: register.counter(
                "egret_capture_kernel_ring_full_packets_total",
                "Packets that were to be read and found the ring full: counted, and not read.",
            )?,
            evicted: register.counter(
                "egret_capture_kernel_evicted_flows_total",
                "Directions of conversations that gave way in the kernel's table.",
            )?,
            overflow: register.counter(
                "egret_capture_kernel_overflow_packets_total",
                "Packets of conversations that found no place in the kernel's table.",
            )?,
            unattributed: register.counter(
                "egret_capture_kernel_unattributed_packets_total",
                "Packets that the kernel program counted to no conversation.",
            )?,
            unparsed: register.counter(
                "egret_capture_kernel_unparsed_packets_total",
                "Packets that the kernel program could not parse.",
            )?,
            slots: register
                .gauge("egret_capture_kernel_slots", "Places in the kernel's tables.")?,
            slots_used: register.gauge(
                "egret_capture_kernel_slots_used",
                "Places in the kernel's tables that were ever taken.",
            )?,
        })
    }
}
