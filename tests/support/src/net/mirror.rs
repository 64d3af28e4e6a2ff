//! A real SPAN: what passes a port of a switch is copied to the sensor's port.

use super::Namespace;

/// Mirrors what `port` receives (`ingress`) and sends (`egress`) to the interface `to`, which is
/// in the same namespace. Mirroring a port again adds to what is there.
///
/// # Panics
/// When the kernel cannot.
pub fn mirror(switch: &Namespace, port: &str, directions: &[&str], to: &str) {
    let disciplines = switch.tc(&format!("qdisc show dev {port}"));
    if !disciplines.contains("clsact") {
        switch.tc(&format!("qdisc add dev {port} clsact"));
    }
    for direction in directions {
        // Priority and an empty match: `matchall` is not in every kernel.
        switch.tc(&format!(
            "filter add dev {port} {direction} protocol all prio 9 \
             u32 match u32 0 0 action mirred egress mirror dev {to}"
        ));
    }
}
